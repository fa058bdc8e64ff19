//! `[hosts]`: the names by which tasks and scripts know the boxes, such as `"broker:29092"`, and
//! what a child process finds around it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;

use anyhow::Context as _;
use tidemill_python::{PythonHome, Surroundings};
use tidemill_runtime::World;

use crate::config::Config;
use crate::node::Endpoints;

/// `name:port` or `name` to the box's section.
pub(crate) type Hosts = BTreeMap<String, String>;

/// Where each name leads. A name of a box that is not there is left out.
pub(crate) async fn addresses(
    hosts: &Hosts,
    endpoints: &Endpoints,
) -> BTreeMap<String, SocketAddr> {
    let mut known: BTreeMap<&str, Option<SocketAddr>> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for (name, section) in hosts {
        let address = match known.get(section.as_str()) {
            Some(address) => *address,
            None => {
                let address = address(endpoint(endpoints, section)).await;
                known.insert(section, address);
                address
            }
        };
        if let Some(address) = address {
            found.insert(name.clone(), address);
        }
    }
    found
}

/// Where a box answers, as its section is called. A name of the engine is Spark's: `spark-master`.
fn endpoint<'a>(endpoints: &'a Endpoints, section: &str) -> Option<&'a str> {
    match section {
        "broker" => endpoints.kafka.as_deref(),
        "registry" => endpoints.registry.as_deref(),
        "scheduler" => endpoints.scheduler.as_deref(),
        "store" => endpoints.cql.as_deref(),
        "console" => endpoints.console.as_deref(),
        "coordination" => endpoints.coordination.as_deref(),
        "engine" => endpoints.spark.as_deref().or(endpoints.engine.as_deref()),
        _ => None,
    }
}

/// The first address of `host:port,host:port` or of a URL.
async fn address(at: Option<&str>) -> Option<SocketAddr> {
    let at = at?;
    let bare = at.split_once("://").map_or(at, |(_, rest)| rest);
    let first = bare.split([',', '/']).next()?;
    if let Ok(address) = first.parse() {
        return Some(address);
    }
    tokio::net::lookup_host(first).await.ok()?.next()
}

/// The variables of a script that runs beside the node: host names, the `airflow` command, and
/// where Spark is.
pub(crate) async fn environment(
    config: &Config,
    endpoints: &Endpoints,
    world: &World,
) -> anyhow::Result<Vec<(OsString, OsString)>> {
    // Where the scheduler has them already.
    let folder = config.data_dir().join("scheduler");
    world.disk.create_dir_all(&folder).context("cannot make the folder of Python files")?;
    let home = PythonHome::unpack(world.disk.as_ref(), &folder)?;
    let surroundings = Surroundings {
        hosts: addresses(&config.hosts, endpoints).await,
        scheduler_url: endpoints.scheduler.clone(),
        extra: config.scheduler.settings().environment.clone(),
    };
    let mut variables = home.environment(&surroundings);
    if let Some(spark) = &endpoints.spark {
        variables.push(("SPARK_REMOTE".into(), format!("sc://{spark}").into()));
    }
    variables.push(("PYTHONUNBUFFERED".into(), "1".into()));
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_lead_to_where_the_boxes_answer() {
        let endpoints = Endpoints {
            kafka: Some("127.0.0.1:9092,127.0.0.1:9093".into()),
            registry: Some("http://127.0.0.1:8081/apis/ccompat/v7".into()),
            ..Endpoints::default()
        };
        let hosts = [("broker:29092", "broker"), ("schema-registry", "registry"), ("db", "store")]
            .map(|(name, section)| (name.to_owned(), section.to_owned()));
        let found = addresses(&hosts.into(), &endpoints).await;
        let expected = [("broker:29092", 9092), ("schema-registry", 8081)]
            .map(|(name, port)| (name.to_owned(), SocketAddr::from(([127, 0, 0, 1], port))));
        assert_eq!(found, expected.into());
    }
}
