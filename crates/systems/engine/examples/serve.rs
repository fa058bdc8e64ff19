//! The engine alone, for trying it against any Kafka, registry and Cassandra:
//! `serve-engine PROJECT DATA [LISTEN] [BOOTSTRAP] [REGISTRY] [CONTACT] [SPARK]`. Prints its address as JSON.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use tidemill_access::{CassandraAccess, RegistryAccess};
use tidemill_engine::{Config, Engine, EngineLinks, EnginePaths};
use tidemill_kafka_client::ClientConfig;
use tidemill_runtime::{System as _, World};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let paths =
        EnginePaths { project: PathBuf::from(next(".")), data: PathBuf::from(next("data")) };
    let listen = next("127.0.0.1:0").parse()?;
    let links = EngineLinks {
        kafka: ClientConfig::new([next("127.0.0.1:9092")], "tidemill-engine"),
        registry: RegistryAccess::open(next("http://127.0.0.1:8081")),
        cassandra: CassandraAccess::open([next("127.0.0.1:9042")]),
        aliases: std::collections::BTreeMap::new(),
    };
    let spark_listen = next("127.0.0.1:0").parse()?;
    let config = Config { listen, spark_listen, ..Config::default() };
    let engine = Engine::start(config, links, paths, World::real()).await?;
    let mut out = std::io::stdout();
    let (address, spark) = (engine.address(), engine.spark_address());
    writeln!(out, "{{\"ready\":true,\"address\":\"{address}\",\"spark\":\"{spark}\"}}")?;
    out.flush()?;
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
        failure = engine.failed() => return Err(failure.into()),
    }
    engine.drain(Duration::from_secs(10)).await;
    Ok(())
}
