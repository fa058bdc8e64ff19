//! From services to boxes: which box answers for which service, at which ports, under which names,
//! with which surroundings. Only what the file says; nothing is opened or started here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::role::{self, Part, Purpose, Role};
use super::service::{Service, Wrong};

/// What Tidemill does for a compose file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    /// One line per service, in the order of the file.
    pub(crate) lines: Vec<Line>,
    /// The published port that a box listens on itself, by section and key.
    pub(crate) listens: BTreeMap<(Part, &'static str), u16>,
    /// Further published ports, each led to the box.
    pub(crate) relays: BTreeMap<u16, Part>,
    /// `name:port` and `name`, as tasks and scripts write them, and the box that answers.
    pub(crate) hosts: BTreeMap<String, Part>,
    /// Variables of the Airflow services that tasks get.
    pub(crate) environment: BTreeMap<String, String>,
    /// The folder with DAG files, as the Airflow services mount it.
    pub(crate) dags: Option<PathBuf>,
    /// Lists of Python packages that the services install.
    pub(crate) requirements: Vec<PathBuf>,
    /// What Airflow's own settings say of new DAGs.
    pub(crate) paused_at_creation: Option<bool>,
    /// Most tasks at one moment, as Airflow's own settings say.
    pub(crate) parallelism: Option<usize>,
}

/// What becomes of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) service: String,
    pub(crate) role: Role,
    /// Published ports that are opened.
    pub(crate) opened: Vec<u16>,
    /// Published ports that are not, and why.
    pub(crate) closed: Vec<(u16, &'static str)>,
    /// Names that lead to the box, beside the service's own.
    pub(crate) names: Vec<String>,
}

/// Where the main port of each box is set.
const LISTEN: &str = "listen";
/// The engine's second port.
pub(super) const SPARK_LISTEN: &str = "spark_listen";

/// Variables that would mislead a task outside of its container.
const CONTAINER_ONLY: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "SHELL",
    "PWD",
    "PYTHONPATH",
    "PYTHONHOME",
    "LD_LIBRARY_PATH",
    "AIRFLOW_HOME",
    "AIRFLOW_UID",
    "AIRFLOW_GID",
    "AIRFLOW_PROJ_DIR",
    "JAVA_HOME",
    "_PIP_ADDITIONAL_REQUIREMENTS",
];

/// Works out what to do for `services`. `chosen` are the profiles that the user asked for.
pub(super) fn plan(services: &[Service], dir: &Path, chosen: &[&str]) -> Result<Plan, Wrong> {
    let mut plan = Plan::default();
    let mut publishers: BTreeMap<u16, &str> = BTreeMap::new();
    for service in services {
        let role = role::of(service, services, chosen);
        let mut line = Line {
            service: service.name.clone(),
            role: role.clone(),
            opened: Vec::new(),
            closed: Vec::new(),
            names: Vec::new(),
        };
        if let Role::Part(part) = role {
            let listeners =
                if part == Part::Broker { role::listeners(service) } else { Vec::new() };
            plan.publish(part, service, &listeners, &mut line, &mut publishers)?;
            plan.name(part, service, &listeners, &mut line);
            if part == Part::Scheduler {
                plan.surround(service, dir);
            }
        }
        plan.lines.push(line);
    }
    Ok(plan)
}

impl Plan {
    /// The ports of one service.
    fn publish<'a>(
        &mut self,
        part: Part,
        service: &'a Service,
        listeners: &[(String, u16)],
        line: &mut Line,
        publishers: &mut BTreeMap<u16, &'a str>,
    ) -> Result<(), Wrong> {
        let listener_ports: Vec<u16> = listeners.iter().map(|(_, port)| *port).collect();
        for port in &service.ports {
            let Some(published) = port.published else { continue };
            let target = if listener_ports.contains(&published) { published } else { port.target };
            let (key, part) = match role::purpose(part, service, target, &listener_ports) {
                Purpose::Closed(why) => {
                    line.closed.push((published, why));
                    continue;
                }
                Purpose::Serves(part) => (LISTEN, part),
                Purpose::SparkConnect => (SPARK_LISTEN, part),
            };
            if let Some(other) = publishers.insert(published, &service.name) {
                let name = &service.name;
                let said = format!(
                    "services {other} and {name} both publish port {published}; give one of them \
                     another"
                );
                return Err((port.line, said));
            }
            line.opened.push(published);
            for host in ["localhost", "127.0.0.1", "0.0.0.0", "host.docker.internal"] {
                self.hosts.insert(format!("{host}:{published}"), part);
            }
            let main = self.listens.entry((part, key)).or_insert(published);
            if *main != published {
                self.relays.insert(published, part);
            }
        }
        Ok(())
    }

    /// The names of one service.
    fn name(
        &mut self,
        part: Part,
        service: &Service,
        listeners: &[(String, u16)],
        line: &mut Line,
    ) {
        for name in service.all_names() {
            // The first service with a name keeps it, as a second worker has none of its own.
            self.hosts.entry(name.to_owned()).or_insert(part);
        }
        for (host, port) in listeners.iter().filter(|(host, _)| !host.is_empty()) {
            let name = format!("{host}:{port}");
            if !matches!(host.as_str(), "localhost" | "127.0.0.1" | "0.0.0.0") {
                line.names.push(name.clone());
            }
            self.hosts.entry(name).or_insert(part);
        }
        if role::repository(service.image.as_deref().unwrap_or_default()).ends_with("/redpanda") {
            for name in service.all_names() {
                self.hosts.insert(format!("{name}:8081"), Part::Registry);
            }
        }
        let others = service
            .names
            .iter()
            .filter(|name| !line.names.iter().any(|known| known.starts_with(&format!("{name}:"))));
        line.names.extend(others.cloned().collect::<Vec<_>>());
    }

    /// What the Airflow services say of DAGs, packages and variables.
    fn surround(&mut self, service: &Service, dir: &Path) {
        for mount in &service.mounts {
            let Some(source) = local(&mount.source, dir) else { continue };
            if mount.target.trim_end_matches('/').ends_with("/dags") {
                self.dags.get_or_insert(source);
            } else if mount.target.ends_with("requirements.txt") {
                self.add_requirements(source);
            }
        }
        for (name, variable) in &service.environment {
            if CONTAINER_ONLY.contains(&name.as_str()) || variable.value.is_empty() {
                continue;
            }
            self.environment.entry(name.clone()).or_insert_with(|| variable.value.clone());
        }
        let paused = service.variable("AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION");
        if let Some(paused) = paused {
            self.paused_at_creation = Some(paused.eq_ignore_ascii_case("true"));
        }
        let parallelism = service.variable("AIRFLOW__CORE__PARALLELISM");
        if let Some(most) = parallelism.and_then(|text| text.parse().ok()).filter(|most| *most > 0)
        {
            self.parallelism = Some(most);
        }
    }

    fn add_requirements(&mut self, path: PathBuf) {
        if !self.requirements.contains(&path) {
            self.requirements.push(path);
        }
    }
}

/// A path of the machine; none for a named volume.
fn local(source: &str, dir: &Path) -> Option<PathBuf> {
    if source.starts_with(['.', '/']) { Some(dir.join(source)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::super::interpolate::Variables;
    use super::super::{service, tree::Node};
    use super::*;

    const TUTORIAL: &str = include_str!("tutorial.compose.yml");

    fn of(text: &str) -> Result<Plan, Wrong> {
        let dir = Path::new("/project");
        let services = service::read(&mut Node::parse(text).unwrap(), dir, &Variables::new())?;
        plan(&services, dir, &[])
    }

    fn shown(plan: &Plan) -> Vec<String> {
        let line = |line: &Line| {
            let what = match &line.role {
                Role::Part(part) => format!("{part} {:?}", line.opened),
                Role::Needless(_) => "needless".to_owned(),
                Role::Unknown(_) => "unknown".to_owned(),
            };
            format!("{}: {what} {}", line.service, line.names.join(" ")).trim_end().to_owned()
        };
        plan.lines.iter().map(line).collect()
    }

    #[test]
    fn the_tutorials_ten_services_become_seven_boxes() {
        let plan = of(TUTORIAL).unwrap();
        assert_eq!(
            shown(&plan),
            [
                "zookeeper: coordination [2181]",
                "broker: broker [9092] broker:29092",
                "schema-registry: registry [8081]",
                "control-center: console [9021]",
                "webserver: scheduler [8080]",
                "scheduler: scheduler []",
                "postgres: needless",
                "spark-master: engine []",
                "spark-worker: engine []",
                "cassandra_db: store [9042] cassandra",
            ]
        );
        assert_eq!(plan.lines[1].closed, [(9101, "JMX")]);
        assert_eq!(plan.listens[&(Part::Broker, LISTEN)], 9092);
        assert!(plan.relays.is_empty());
        for (name, part) in [
            ("broker:29092", Part::Broker),
            ("localhost:9092", Part::Broker),
            ("cassandra", Part::Store),
            ("cassandra_db", Part::Store),
            ("schema-registry", Part::Registry),
        ] {
            assert_eq!(plan.hosts.get(name), Some(&part), "{name}");
        }
        assert_eq!(plan.dags.as_deref(), Some(Path::new("/project/./dags")));
        assert_eq!(plan.requirements.len(), 1);
        assert_eq!(plan.environment.get("AIRFLOW_VAR_TOPIC").unwrap(), "users_created");
    }

    #[test]
    fn several_brokers_are_one_box_at_all_their_ports() {
        let broker = |n: u16| {
            format!(
                "  kafka{n}:\n    image: apache/kafka:4.0.0\n    ports: ['{0}:{0}']\n    \
                 environment:\n      KAFKA_ADVERTISED_LISTENERS: \
                 IN://kafka{n}:19092,OUT://localhost:{0}\n",
                9091 + n
            )
        };
        let plan = of(&format!("services:\n{}{}", broker(1), broker(2))).unwrap();
        assert_eq!(plan.listens[&(Part::Broker, LISTEN)], 9092);
        assert_eq!(plan.relays, BTreeMap::from([(9093, Part::Broker)]));
        assert_eq!(plan.hosts["kafka2:19092"], Part::Broker);
        assert_eq!(plan.hosts["localhost:9093"], Part::Broker);
    }

    #[test]
    fn redpanda_is_a_broker_and_a_registry() {
        let plan = of("services:\n  redpanda:\n    image: redpandadata/redpanda:v23\n    command: \
                       [redpanda, start, --advertise-kafka-addr, 'in://redpanda:9092,out://localhost:19092']\n    \
                       ports: ['19092:19092', '18081:18081', '9644:9644']\n")
        .unwrap();
        assert_eq!(plan.listens[&(Part::Broker, LISTEN)], 19092);
        assert_eq!(plan.listens[&(Part::Registry, LISTEN)], 18081);
        assert_eq!(plan.hosts["redpanda:8081"], Part::Registry);
        assert_eq!(plan.lines[0].closed[0].0, 9644);
    }

    #[test]
    fn one_port_published_twice_is_an_error_with_both_names() {
        let text = "services:\n  web:\n    image: apache/airflow:2.7.1\n    ports: ['8080:8080']\n  \
                    ui:\n    image: provectuslabs/kafka-ui\n    ports:\n      - 8080:8080\n";
        let (line, said) = of(text).unwrap_err();
        assert_eq!(line, 8);
        assert!(said.contains("web") && said.contains("ui") && said.contains("8080"), "{said}");
    }

    #[test]
    fn airflows_own_settings_count_as_far_as_they_mean_something() {
        let plan = of("services:\n  a:\n    image: apache/airflow:2.7.1\n    environment:\n      \
                       AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION: 'true'\n      \
                       AIRFLOW__CORE__PARALLELISM: 4\n      PYTHONPATH: /opt/airflow\n      \
                       API_KEY: k\n")
        .unwrap();
        assert_eq!((plan.paused_at_creation, plan.parallelism), (Some(true), Some(4)));
        assert_eq!(plan.environment.get("API_KEY").unwrap(), "k");
        assert!(!plan.environment.contains_key("PYTHONPATH"));
    }
}
