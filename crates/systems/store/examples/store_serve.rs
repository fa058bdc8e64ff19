//! The store alone: `store_serve [--port N] [--dir PATH] [--sync group|batch|periodic]`. Prints
//! `listening 127.0.0.1:PORT` once it answers, and runs until it is killed or told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tidemill_runtime::{System, World};
use tidemill_store::{CommitlogSync, Config, Store};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Config::default() };
    let mut dir = PathBuf::from("store-data");
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--port" => config.listen.set_port(value.parse()?),
            "--dir" => dir = value.into(),
            "--sync" => {
                config.commitlog_sync = match value.as_str() {
                    "group" => CommitlogSync::Group,
                    "batch" => CommitlogSync::Batch,
                    "periodic" => CommitlogSync::Periodic,
                    other => return Err(format!("unknown mode {other}").into()),
                }
            }
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Store::start(config, dir, World::real()).await?;
        println!("listening {}", store.address());
        tokio::select! {
            failure = store.failed() => return Err(failure.into()),
            stop = tokio::signal::ctrl_c() => stop?,
        }
        store.drain(Duration::from_secs(10)).await;
        Ok(())
    })
}
