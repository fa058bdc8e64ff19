//! Which part of the stack a service is: told by its image, and by what its ports are for.

use std::fmt;

use super::service::Service;

/// The boxes, as compose files know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    Coordination,
    Broker,
    Registry,
    Console,
    Scheduler,
    Engine,
    Store,
}

impl Part {
    /// The box, and its section in `tidemill.toml`.
    pub(crate) fn section(self) -> &'static str {
        match self {
            Part::Coordination => "coordination",
            Part::Broker => "broker",
            Part::Registry => "registry",
            Part::Console => "console",
            Part::Scheduler => "scheduler",
            Part::Engine => "engine",
            Part::Store => "store",
        }
    }

    /// All of them, in the order in which they are shown.
    pub(crate) const ALL: [Part; 7] = [
        Part::Coordination,
        Part::Broker,
        Part::Registry,
        Part::Console,
        Part::Scheduler,
        Part::Engine,
        Part::Store,
    ];
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.section())
    }
}

/// What becomes of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// A box answers in its place.
    Part(Part),
    /// Not started, and nothing is missing: why.
    Needless(String),
    /// Not started, and whoever needs it has to run it: why.
    Unknown(String),
}

/// Images by their repository, without registry and tag. A trailing `*` stands for anything.
const IMAGES: [(Part, &[&str]); 7] = [
    (Part::Coordination, &["*/cp-zookeeper", "*/zookeeper", "zookeeper"]),
    (
        Part::Broker,
        &[
            "*/cp-kafka",
            "*/cp-server",
            "*/cp-enterprise-kafka",
            "*/confluent-local",
            "*/kafka",
            "*/kafka-native",
            "*/redpanda",
        ],
    ),
    (
        Part::Registry,
        &["*/cp-schema-registry", "*/schema-registry", "*/karapace", "*/apicurio-registry*"],
    ),
    (
        Part::Console,
        &[
            "*/cp-enterprise-control-center*",
            "*/control-center*",
            "*/kafka-ui",
            "*/akhq",
            "*/kafdrop",
            "redpandadata/console",
            "*/kafka-manager",
            "*/cmak",
            "*/conduktor-console",
        ],
    ),
    (
        Part::Scheduler,
        &["apache/airflow", "*/docker-airflow", "*/airflow*", "*/astro-runtime", "airflow"],
    ),
    (Part::Engine, &["*/spark*", "spark", "flink", "*/flink"]),
    (Part::Store, &["cassandra", "*/cassandra", "*/scylla", "*/dse-server"]),
];

/// Databases and queues that Airflow keeps its own state in.
const METADATA: [&str; 9] = [
    "postgres",
    "*/postgres",
    "*/postgresql",
    "mysql",
    "*/mysql",
    "mariadb",
    "redis",
    "*/redis",
    "valkey/valkey",
];

/// What a service is, among its neighbours.
pub(super) fn of(service: &Service, all: &[Service], chosen: &[&str]) -> Role {
    if !service.profiles.is_empty()
        && !service
            .profiles
            .iter()
            .any(|profile| chosen.contains(&profile.as_str()) || profile == "*")
    {
        return Role::Needless(format!("profile {} is not chosen", service.profiles.join(", ")));
    }
    let Some(image) = &service.image else {
        return Role::Unknown("it names no image, and no Dockerfile tells one".to_owned());
    };
    let repository = repository(image);
    if let Some(part) = part_of(&repository) {
        return helper(service, part).unwrap_or(Role::Part(part));
    }
    if METADATA.iter().any(|pattern| matches(pattern, &repository)) {
        let behind_airflow = all.iter().filter(|other| is_airflow(other)).any(|airflow| {
            airflow.environment.values().any(|variable| names_host(&variable.value, service))
        });
        if behind_airflow {
            return Role::Needless("Airflow's own state, which the scheduler keeps itself".into());
        }
    }
    Role::Unknown(format!("{image} is no part of this stack"))
}

/// A service of the image of one part that is not that part: it sets something up, or shows it.
fn helper(service: &Service, part: Part) -> Option<Role> {
    let runs = |word: &str| service.command.contains(word);
    let needless = |why: &str| Some(Role::Needless(why.to_owned()));
    match part {
        Part::Broker if runs("kafka-topics") => {
            needless("it makes topics; here a topic is made when it is first used")
        }
        Part::Broker if runs("cub ") || runs("kafka-storage") => {
            needless("it prepares a broker that needs no preparation here")
        }
        Part::Store if runs("cqlsh") => Some(Role::Unknown(
            "its statements are not run; run them with: tidemill cql -f FILE".to_owned(),
        )),
        Part::Scheduler if runs("flower") => needless("there are no Celery workers to watch"),
        _ => None,
    }
}

fn part_of(repository: &str) -> Option<Part> {
    let any = |patterns: &[&str]| patterns.iter().any(|pattern| matches(pattern, repository));
    IMAGES.iter().find(|(_, patterns)| any(patterns)).map(|(part, _)| *part)
}

/// Whether a service runs Airflow.
pub(super) fn is_airflow(service: &Service) -> bool {
    service
        .image
        .as_deref()
        .is_some_and(|image| part_of(&repository(image)) == Some(Part::Scheduler))
}

/// Whether a text, such as a database URL, names a service as a host.
fn names_host(text: &str, service: &Service) -> bool {
    service.all_names().any(|name| {
        ["@", "//"].iter().any(|before| {
            text.split(before).skip(1).any(|after| {
                after
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with([':', '/']) || rest.is_empty())
            })
        })
    })
}

/// `quay.io/apache/airflow:2.7.1@sha256:…` is `apache/airflow`.
pub(super) fn repository(image: &str) -> String {
    let image = image.split('@').next().unwrap_or(image);
    let (folder, last) = image.rsplit_once('/').unwrap_or(("", image));
    let last = last.split(':').next().unwrap_or(last);
    let is_registry = |part: &str| part.contains(['.', ':']) || part == "localhost";
    let folders: Vec<&str> =
        folder.split('/').filter(|part| !part.is_empty() && !is_registry(part)).collect();
    let folders = if folders == ["library"] { Vec::new() } else { folders };
    let parts: Vec<&str> = folders.into_iter().chain([last]).collect();
    parts.join("/").to_ascii_lowercase()
}

/// The tag of an image; none if it has none.
pub(super) fn tag(image: &str) -> Option<&str> {
    let image = image.split('@').next().unwrap_or(image);
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split_once(':').map(|(_, tag)| tag)
}

fn matches(pattern: &str, repository: &str) -> bool {
    let (pattern, repository) = match pattern.strip_prefix("*/") {
        Some(last) => match repository.rsplit_once('/') {
            Some((_, name)) => (last, name),
            None => return false,
        },
        None => (pattern, repository),
    };
    match pattern.strip_suffix('*') {
        Some(start) => repository.starts_with(start),
        None => pattern == repository,
    }
}

/// What a port of a part is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// This part answers there.
    Serves(Part),
    /// Spark Connect, which the engine serves beside its own port.
    SparkConnect,
    /// Not opened, and why.
    Closed(&'static str),
}

/// What the container's port `target` is for. `listeners` are the ports of Kafka's listeners, as
/// far as the file names them.
pub(super) fn purpose(part: Part, service: &Service, target: u16, listeners: &[u16]) -> Purpose {
    let serves = Purpose::Serves(part);
    match (part, target) {
        (Part::Broker, _) => broker_purpose(service, target, listeners),
        (Part::Coordination, 2888 | 3888) => Purpose::Closed("for ZooKeepers among themselves"),
        (Part::Coordination, 8080) => Purpose::Closed("ZooKeeper's admin page"),
        (Part::Engine, 15002) => Purpose::SparkConnect,
        (Part::Engine, 7077) => Purpose::Closed("scripts reach the engine by SPARK_REMOTE"),
        (Part::Engine, 8888) => Purpose::Closed("no notebooks here"),
        (Part::Engine, _) => Purpose::Closed("Spark's page; queries are on the console"),
        (Part::Store, 7000 | 7001) => Purpose::Closed("for Cassandras among themselves"),
        (Part::Store, 7199) => Purpose::Closed("JMX"),
        (Part::Store, 9160) => Purpose::Closed("Thrift, which Cassandra 4 dropped"),
        (Part::Store, 9180 | 10000) => Purpose::Closed("Scylla's REST"),
        (Part::Scheduler, 5555) => Purpose::Closed("Flower"),
        (Part::Scheduler, 8793 | 8794) => {
            Purpose::Closed("logs, which the scheduler serves itself")
        }
        _ => serves,
    }
}

fn broker_purpose(service: &Service, target: u16, listeners: &[u16]) -> Purpose {
    let is_redpanda =
        service.image.as_deref().is_some_and(|image| repository(image).ends_with("/redpanda"));
    let jmx = ["KAFKA_JMX_PORT", "JMX_PORT"]
        .iter()
        .any(|name| service.variable(name) == Some(target.to_string().as_str()));
    match target {
        8081 | 18081 if is_redpanda => Purpose::Serves(Part::Registry),
        8082 | 18082 if is_redpanda => Purpose::Closed("HTTP proxy; the console serves Kafka REST"),
        9644 | 19644 if is_redpanda => Purpose::Closed("Redpanda's admin REST"),
        _ if jmx => Purpose::Closed("JMX"),
        _ if listeners.contains(&target) => Purpose::Serves(Part::Broker),
        9092 | 9094 | 19092 | 29092 | 39092 => Purpose::Serves(Part::Broker),
        9101 | 9999 => Purpose::Closed("JMX"),
        8090 | 8082 => Purpose::Closed("the console serves Kafka REST"),
        _ => Purpose::Closed("no listener has it"),
    }
}

/// Kafka's listeners as a service advertises them: `host:port`. Those of controllers are left out.
pub(super) fn listeners(service: &Service) -> Vec<(String, u16)> {
    const VARIABLES: [&str; 5] = [
        "KAFKA_ADVERTISED_LISTENERS",
        "KAFKA_CFG_ADVERTISED_LISTENERS",
        "KAFKA_LISTENERS",
        "KAFKA_CFG_LISTENERS",
        "KAFKA_ADVERTISED_LISTENER",
    ];
    let mut found = Vec::new();
    let mut add = |text: &str| {
        for listener in text.split(',') {
            let Some((name, address)) = listener.trim().split_once("://") else { continue };
            if name.to_ascii_uppercase().contains("CONTROLLER") {
                continue;
            }
            let Some((host, port)) = address.rsplit_once(':') else { continue };
            if let Ok(port) = port.trim().parse() {
                found.push((host.to_owned(), port));
            }
        }
    };
    VARIABLES.iter().filter_map(|name| service.variable(name)).for_each(&mut add);
    // Redpanda takes them as options: --kafka-addr and --advertise-kafka-addr.
    let mut words = service.command.split([' ', '=']).peekable();
    while let Some(word) = words.next() {
        if word.ends_with("kafka-addr")
            && let Some(addresses) = words.peek()
        {
            add(addresses);
        }
    }
    if let (Some(host), Some(port)) = (
        service.variable("KAFKA_ADVERTISED_HOST_NAME"),
        service.variable("KAFKA_ADVERTISED_PORT").unwrap_or("9092").parse().ok(),
    ) {
        found.push((host.to_owned(), port));
    }
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::service::Variable;
    use super::*;

    fn service(image: &str, command: &str, environment: &[(&str, &str)]) -> Service {
        let variable = |value: &&str| Variable { value: (*value).to_owned(), line: 1 };
        let environment: BTreeMap<_, _> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), variable(value))).collect();
        Service {
            name: "s".to_owned(),
            image: Some(image.to_owned()),
            command: command.to_owned(),
            environment,
            ..Service::default()
        }
    }

    #[test]
    fn images_that_people_publish_are_known() {
        for (image, part) in [
            ("confluentinc/cp-zookeeper:7.4.0", Part::Coordination),
            ("zookeeper", Part::Coordination),
            ("docker.io/bitnami/zookeeper:3.9", Part::Coordination),
            ("confluentinc/cp-server:7.4.0", Part::Broker),
            ("bitnamilegacy/kafka:3.7", Part::Broker),
            ("apache/kafka-native:4.0.0", Part::Broker),
            ("docker.redpanda.com/redpandadata/redpanda:v23.2.1", Part::Broker),
            ("confluentinc/cp-schema-registry:latest", Part::Registry),
            ("ghcr.io/aiven-open/karapace:latest", Part::Registry),
            ("apicurio/apicurio-registry-mem:2.5", Part::Registry),
            ("confluentinc/cp-enterprise-control-center:7.4.0", Part::Console),
            ("provectuslabs/kafka-ui", Part::Console),
            ("docker.redpanda.com/redpandadata/console:v2", Part::Console),
            ("obsidiandynamics/kafdrop:latest", Part::Console),
            ("apache/airflow:2.6.0-python3.9", Part::Scheduler),
            ("puckel/docker-airflow:1.10.9", Part::Scheduler),
            ("bitnami/spark:latest", Part::Engine),
            ("apache/spark:3.5.1@sha256:00", Part::Engine),
            ("bde2020/spark-master:3.1", Part::Engine),
            ("library/cassandra:latest", Part::Store),
            ("scylladb/scylla", Part::Store),
        ] {
            let service = service(image, "", &[]);
            assert_eq!(of(&service, &[], &[]), Role::Part(part), "{image}");
        }
        for image in ["mongo:7", "grafana/grafana", "dpage/pgadmin4", "postgres:14.0", "nginx"] {
            let role = of(&service(image, "", &[]), &[], &[]);
            assert!(matches!(role, Role::Unknown(_)), "{image}: {role:?}");
        }
    }

    #[test]
    fn a_database_behind_airflow_is_needless() {
        let mut postgres = service("postgres:14.0", "", &[]);
        postgres.name = "postgres".to_owned();
        let url = "postgresql+psycopg2://airflow:airflow@postgres:5432/airflow";
        let airflow =
            service("apache/airflow:2.6.0", "", &[("AIRFLOW__CORE__SQL_ALCHEMY_CONN", url)]);
        let role = of(&postgres, &[airflow], &[]);
        assert!(matches!(role, Role::Needless(_)), "{role:?}");
    }

    #[test]
    fn what_only_sets_up_or_shows_is_not_the_part() {
        for (image, command) in [
            ("confluentinc/cp-kafka:7.4.0", "bash -c 'kafka-topics --create --topic t'"),
            ("apache/airflow:2.7.1", "celery flower"),
        ] {
            let role = of(&service(image, command, &[]), &[], &[]);
            assert!(matches!(role, Role::Needless(_)), "{image}: {role:?}");
        }
        let mut hidden = service("apache/airflow:2.7.1", "", &[]);
        hidden.profiles = vec!["debug".to_owned()];
        assert!(matches!(of(&hidden, &[], &[]), Role::Needless(_)));
        assert_eq!(of(&hidden, &[], &["debug"]), Role::Part(Part::Scheduler));
    }

    #[test]
    fn listeners_are_read_in_every_spelling() {
        let advertised = "PLAINTEXT://broker:29092,PLAINTEXT_HOST://localhost:9092";
        let inner = ("broker".to_owned(), 29092);
        let outer = ("localhost".to_owned(), 9092);
        for environment in [
            [("KAFKA_ADVERTISED_LISTENERS", advertised)].as_slice(),
            &[("KAFKA_CFG_ADVERTISED_LISTENERS", advertised)],
            &[
                ("KAFKA_CFG_LISTENERS", "CONTROLLER://:9093"),
                ("KAFKA_ADVERTISED_LISTENERS", advertised),
            ],
        ] {
            let service = service("bitnami/kafka", "", environment);
            assert_eq!(listeners(&service), [inner.clone(), outer.clone()], "{environment:?}");
        }
        let redpanda = service(
            "redpandadata/redpanda",
            "redpanda start --advertise-kafka-addr internal://redpanda:9092,external://localhost:19092",
            &[],
        );
        assert_eq!(listeners(&redpanda), [("localhost".into(), 19092), ("redpanda".into(), 9092)]);
    }
}
