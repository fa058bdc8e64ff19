//! `tidemill status`: what runs, and how the data moves.

use std::time::Duration;

use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Context;
use crate::config::Config;
use crate::exit::NotReady;
use crate::node::Endpoints;
use crate::output;
use crate::pipelines::Watcher;
use crate::screen::Screen;

const CONNECT_WITHIN: Duration = Duration::from_secs(1);

pub(crate) async fn run(context: Context) -> anyhow::Result<()> {
    let (running, config) = context.running()?;
    let endpoints = context.endpoints()?;
    let boxes = answering(&config, &endpoints).await;
    if !boxes.iter().any(|one| one.answers && !one.is_external) {
        let dir = config.dir.display();
        anyhow::bail!(NotReady(format!("nothing runs here; start it with: tidemill up {dir}")));
    }
    let kafka = context.kafka_of(&config, &endpoints);
    let mut watcher = Watcher::new(endpoints, kafka, context.world.clone());
    // A rate needs two looks.
    watcher.look().await;
    tokio::time::sleep(super::up::LOOK_EVERY).await;
    let hops = watcher.look().await;
    if context.json {
        let boxes: serde_json::Map<_, _> = boxes
            .into_iter()
            .map(|one| {
                let shown =
                    json!({ "at": one.at, "answers": one.answers, "external": one.is_external });
                (one.name.to_owned(), shown)
            })
            .collect();
        let pid = running.map(|ready| ready.pid);
        return output::json(&json!({ "pid": pid, "boxes": boxes, "flow": hops }));
    }
    if let Some(ready) = running {
        output::line(&format!("tidemill {}   pid {}", ready.version, ready.pid))?;
    }
    for Part { name, at, answers, is_external } in boxes {
        let mark = if answers { "✓" } else { "✗ does not answer" };
        let kind = if is_external { "external " } else { "" };
        output::line(&format!("  {name:<12} {at:<24} {kind}{mark}"))?;
    }
    Screen::new(false).flow(&hops, None)
}

/// One line of the table.
struct Part {
    name: &'static str,
    at: String,
    answers: bool,
    is_external: bool,
}

/// Each box, where it should be, and whether something accepts connections there.
async fn answering(config: &Config, endpoints: &Endpoints) -> Vec<Part> {
    let all = [
        ("kafka", &endpoints.kafka, config.broker.external().is_some()),
        ("registry", &endpoints.registry, config.registry.external().is_some()),
        ("scheduler", &endpoints.scheduler, false),
        ("cql", &endpoints.cql, config.store.external().is_some()),
        ("engine", &endpoints.engine, false),
        ("console", &endpoints.console, false),
        ("coordination", &endpoints.coordination, config.coordination.external().is_some()),
    ];
    let mut parts = Vec::new();
    for (name, at, is_external) in all {
        let Some(at) = at else { continue };
        parts.push(Part { name, at: at.clone(), answers: accepts(at).await, is_external });
    }
    parts
}

/// Whether one of the addresses (or the host of a URL) accepts connections.
async fn accepts(at: &str) -> bool {
    for address in addresses(at) {
        if let Ok(Ok(_)) = timeout(CONNECT_WITHIN, TcpStream::connect(address)).await {
            return true;
        }
    }
    false
}

/// `host:port` of a URL, or of each of several addresses.
pub(super) fn addresses(at: &str) -> Vec<String> {
    let (bare, port) = match at.split_once("://") {
        None => (at, None),
        Some(("https", rest)) => (rest, Some(443)),
        Some((_, rest)) => (rest, Some(80)),
    };
    let hosts = bare.split('/').next().unwrap_or_default();
    let with_port = |host: &str| match (port, host.contains(':')) {
        (Some(port), false) => format!("{host}:{port}"),
        _ => host.to_owned(),
    };
    hosts.split(',').map(with_port).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_urls_and_in_lists() {
        for (at, found) in [
            ("127.0.0.1:9092", vec!["127.0.0.1:9092"]),
            ("a:9092,b:9092", vec!["a:9092", "b:9092"]),
            ("http://127.0.0.1:8081", vec!["127.0.0.1:8081"]),
            ("https://registry.example/apis/ccompat/v7", vec!["registry.example:443"]),
        ] {
            assert_eq!(addresses(at), found, "{at}");
        }
    }
}
