//! A registry for suites of real clients: in memory, or on a Kafka cluster.
//!
//! `cargo run -p tidemill-registry --example serve-registry -- 127.0.0.1:0 [profile 7|8] [level] [broker:port]`
//! prints its address and ends when its input does.

use std::net::SocketAddr;

use tidemill_kafka_client::{ClientConfig, KafkaClient};
use tidemill_registry::{CompatibilityLevel, Config, Profile, Registry};
use tidemill_runtime::{System as _, World};
use tokio::io::AsyncReadExt as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument =
        |at: usize, default: &str| arguments.get(at).cloned().unwrap_or_else(|| default.to_owned());
    let listen: SocketAddr = argument(0, "127.0.0.1:0").parse()?;
    let profile = Profile::try_from(argument(1, "8").parse::<u8>()?)?;
    let compatibility = CompatibilityLevel(argument(2, "backward").parse()?);
    let config = Config { listen, profile, compatibility, ..Config::default() };
    let world = World::real();
    let registry = match arguments.get(3) {
        None => Registry::start_in_memory(config, world).await?,
        Some(bootstrap) => {
            let client = ClientConfig::new([bootstrap.clone()], "registry");
            let kafka = KafkaClient::new(client, world.clone());
            Registry::start(config, kafka, world).await?
        }
    };
    println!("http://{}", registry.address());
    let mut input = Vec::new();
    let mut stdin = tokio::io::stdin();
    tokio::select! {
        read = stdin.read_to_end(&mut input) => {
            read?;
            registry.drain(std::time::Duration::from_secs(5)).await;
            Ok(())
        }
        failure = registry.failed() => {
            eprintln!("{failure}");
            // The thread that reads the input would keep the runtime from ending.
            std::process::exit(1)
        }
    }
}
