//! `tidemill status`: what runs, and how the data moves.

use std::time::Duration;

use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Context;
use crate::exit::NotReady;
use crate::node::{Endpoints, Ready};
use crate::output;
use crate::pipelines::Watcher;
use crate::screen::Screen;

const CONNECT_WITHIN: Duration = Duration::from_secs(1);

pub(crate) async fn run(context: Context) -> anyhow::Result<()> {
    let config = context.config()?;
    let running = Ready::of_running(&config.data_dir());
    let endpoints = context.endpoints()?;
    let boxes = answering(&endpoints).await;
    if !boxes.iter().any(|(.., answers)| *answers) {
        let dir = config.dir.display();
        anyhow::bail!(NotReady(format!("nothing runs here; start it with: tidemill up {dir}")));
    }
    let kafka = endpoints.kafka.as_deref().map(|kafka| context.kafka_at(kafka));
    let mut watcher = Watcher::new(endpoints, kafka, context.world.clone());
    // A rate needs two looks.
    watcher.look().await;
    tokio::time::sleep(super::up::LOOK_EVERY).await;
    let hops = watcher.look().await;
    if context.json {
        let boxes: serde_json::Map<_, _> = boxes
            .into_iter()
            .map(|(name, at, answers)| (name.to_owned(), json!({"at": at, "answers": answers})))
            .collect();
        let pid = running.map(|ready| ready.pid);
        return output::json(&json!({ "pid": pid, "boxes": boxes, "flow": hops }));
    }
    if let Some(ready) = running {
        output::line(&format!("tidemill {}   pid {}", ready.version, ready.pid))?;
    }
    for (name, at, answers) in boxes {
        let mark = if answers { "✓" } else { "✗ does not answer" };
        output::line(&format!("  {name:<10} {at:<24} {mark}"))?;
    }
    Screen::new(false).flow(&hops, None)
}

/// Each box, where it should be, and whether something accepts connections there.
async fn answering(endpoints: &Endpoints) -> Vec<(&'static str, String, bool)> {
    let all = [
        ("kafka", &endpoints.kafka),
        ("registry", &endpoints.registry),
        ("scheduler", &endpoints.scheduler),
        ("cql", &endpoints.cql),
        ("engine", &endpoints.engine),
        ("console", &endpoints.console),
    ];
    let mut boxes = Vec::new();
    for (name, at) in all {
        let Some(at) = at else { continue };
        let address = at.trim_start_matches("http://");
        let connected = timeout(CONNECT_WITHIN, TcpStream::connect(address)).await;
        boxes.push((name, at.clone(), matches!(connected, Ok(Ok(_)))));
    }
    boxes
}
