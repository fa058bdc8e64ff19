//! Coordination alone: `serve-coordination <address> <directory> [key=value ...]`, stopped by SIGINT or SIGTERM.
//!
//! Keys are those of `[coordination]`, such as `durability=page-cache` or `tick_time=500ms`.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};
use tidemill_coordination::{Config, Coordination};
use tidemill_runtime::{System, World};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: serve-coordination <address> <directory> [key=value ...]";
    let address = arguments.next().ok_or(usage)?;
    let dir = PathBuf::from(arguments.next().ok_or(usage)?);
    let config = config(address, arguments)?;
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();

    let server = Coordination::start(config, dir, World::real()).await?;
    println!("listening on {}", server.address());
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        failure = server.failed() => eprintln!("{failure}"),
    }
    server.drain(Duration::from_secs(10)).await;
    Ok(())
}

fn config(
    address: String,
    settings: impl Iterator<Item = String>,
) -> Result<Config, Box<dyn Error>> {
    let mut keys = Map::from_iter([("listen".to_owned(), Value::String(address))]);
    for setting in settings {
        let (key, value) = setting.split_once('=').ok_or("settings are key=value")?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        keys.insert(key.to_owned(), value);
    }
    Ok(serde_json::from_value(Value::Object(keys))?)
}
