//! A console alone: `serve <address> [kafka=host:port] [registry=url] [scheduler=url] [cql=host:port]
//! [engine=url]`, stopped by SIGINT or SIGTERM. Each part may be a real external system, or down.

use std::error::Error;
use std::time::Duration;

use tidemill_access::{CassandraAccess, RegistryAccess};
use tidemill_console::{Config, Console, Endpoints};
use tidemill_runtime::{System, World};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: serve <address> [kafka|registry|scheduler|cql|engine=<endpoint> ...]";
    let listen = arguments.next().ok_or(usage)?.parse()?;
    let mut endpoints = Endpoints::default();
    for argument in arguments {
        let (name, value) = argument.split_once('=').ok_or(usage)?;
        match name {
            "kafka" => endpoints.kafka = value.to_owned(),
            "registry" => endpoints.registry = RegistryAccess::open(value),
            "scheduler" => endpoints.scheduler = value.to_owned(),
            "cql" => endpoints.cql = CassandraAccess::open(value.split(',')),
            "engine" => endpoints.engine = value.to_owned(),
            _ => return Err(usage.into()),
        }
    }

    let config = Config { listen, ..Config::default() };
    let console = Console::start(config, endpoints, World::real()).await?;
    println!("listening on {}", console.address());
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        failure = console.failed() => eprintln!("{failure}"),
    }
    console.drain(Duration::from_secs(10)).await;
    Ok(())
}
