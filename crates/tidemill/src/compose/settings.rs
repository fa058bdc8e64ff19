//! What `tidemill.toml` would say for a compose file: the layer below the environment's variables.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

use super::plan::{Plan, SPARK_LISTEN};
use super::project::{ComposeError, ComposeProject};
use super::python;
use super::role::Part;

/// The ports that boxes have when nobody says otherwise.
fn default_port(part: Part, key: &str) -> u16 {
    match (part, key) {
        (Part::Engine, SPARK_LISTEN) => 15002,
        (Part::Coordination, _) => 2181,
        (Part::Broker, _) => 9092,
        (Part::Registry, _) => 8081,
        (Part::Console, _) => 9021,
        (Part::Scheduler, _) => 8080,
        (Part::Engine, _) => 8083,
        (Part::Store, _) => 9042,
    }
}

/// The sections of the configuration of the compose project in `dir`; none if it is none.
pub(crate) fn tables(dir: &Path) -> Result<Table, ComposeError> {
    let project = ComposeProject::find(dir, std::env::vars())?;
    Ok(project.map_or_else(Table::new, |project| sections(&project, is_free)))
}

fn is_free(port: u16) -> bool {
    std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The sections of a compose project's configuration. `is_free` tells whether a port can be opened:
/// a box that the file publishes nowhere gives way to whoever has its usual port.
fn sections(project: &ComposeProject, is_free: impl Fn(u16) -> bool) -> Table {
    let plan = &project.plan;
    let mut tables = Table::new();
    set(&mut tables, "project", "name", project.name.clone());
    for ((part, key), port) in listens(plan, is_free) {
        if !crate::config::BOXES.contains(&part.section()) {
            continue;
        }
        set(&mut tables, part.section(), key, format!("127.0.0.1:{port}"));
    }
    if let Some(dags) = &plan.dags {
        let inside = dags.strip_prefix(&project.dir).unwrap_or(dags);
        let plain: std::path::PathBuf = inside.components().collect();
        set(&mut tables, "scheduler", "dags_folder", text_of(&plain));
    }
    if let Some(interpreter) = python::made(&project.dir) {
        set(&mut tables, "scheduler", "python", text_of(&interpreter));
    }
    if let Some(paused) = plan.paused_at_creation {
        set(&mut tables, "scheduler", "dags_are_paused_at_creation", paused);
    }
    if let Some(parallelism) = plan.parallelism.and_then(|most| i64::try_from(most).ok()) {
        set(&mut tables, "scheduler", "parallelism", parallelism);
    }
    if !plan.environment.is_empty() {
        let text = |(name, value): (&String, &String)| (name.clone(), value.clone().into());
        let variables: Table = plan.environment.iter().map(text).collect();
        set(&mut tables, "scheduler", "environment", variables);
    }
    for (name, part) in &plan.hosts {
        set(&mut tables, "hosts", name, part.section().to_owned());
    }
    tables
}

/// Where every box listens: where the file publishes it, else at its usual port if that is left,
/// else (0) at any.
fn listens(plan: &Plan, is_free: impl Fn(u16) -> bool) -> Vec<((Part, &'static str), u16)> {
    let taken: BTreeSet<u16> = plan.listens.values().chain(plan.relays.keys()).copied().collect();
    let mut keys: Vec<(Part, &'static str)> =
        Part::ALL.into_iter().map(|part| (part, "listen")).collect();
    keys.push((Part::Engine, SPARK_LISTEN));
    keys.into_iter()
        .map(|key| {
            let port = plan.listens.get(&key).copied().unwrap_or_else(|| {
                let usual = default_port(key.0, key.1);
                if !taken.contains(&usual) && is_free(usual) { usual } else { 0 }
            });
            (key, port)
        })
        .collect()
}

fn set(tables: &mut Table, section: &str, key: &str, value: impl Into<Value>) {
    let section = tables.entry(section).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(section) = section {
        section.insert(key.to_owned(), value.into());
    }
}

fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(text: &str) -> ComposeProject {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("compose.yml"), text).unwrap();
        ComposeProject::find(dir.path(), std::iter::empty()).unwrap().unwrap()
    }

    #[test]
    fn boxes_listen_where_the_file_publishes_them() {
        let project = project(include_str!("tutorial.compose.yml"));
        let tables = sections(&project, |_| true);
        assert_eq!(tables["broker"]["listen"].as_str(), Some("127.0.0.1:9092"));
        assert_eq!(tables["scheduler"]["dags_folder"].as_str(), Some("dags"));
        assert_eq!(tables["hosts"]["broker:29092"].as_str(), Some("broker"));
        assert_eq!(
            tables["scheduler"]["environment"]["AIRFLOW_VAR_TOPIC"].as_str(),
            Some("users_created")
        );
    }

    #[test]
    fn a_box_that_is_not_published_gives_way() {
        let web = "services:\n  web:\n    image: apache/airflow:2.7.1\n    ports: ['8081:8080']\n";
        let tables = sections(&project(web), |port| port != 9042);
        assert_eq!(tables["scheduler"]["listen"].as_str(), Some("127.0.0.1:8081"));
        assert_eq!(
            tables["registry"]["listen"].as_str(),
            Some("127.0.0.1:0"),
            "8081 is given away"
        );
        assert_eq!(tables["store"]["listen"].as_str(), Some("127.0.0.1:0"), "somebody has it");
        assert_eq!(tables["broker"]["listen"].as_str(), Some("127.0.0.1:9092"));
    }
}
