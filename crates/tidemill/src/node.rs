//! The composition root: the one place that knows every box, and the one place where a box is
//! swapped.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};
use tidemill_broker::Broker;
use tidemill_console::Console;
use tidemill_engine::{Engine, EngineLinks, EnginePaths};
use tidemill_kafka_client::{ClientConfig, KafkaClient};
use tidemill_registry::Registry;
use tidemill_runtime::{DirLock, Failure, System, World};
use tidemill_scheduler::{Scheduler, SchedulerPaths};
use tidemill_store::Store;

use crate::config::{Config, Use};

/// The running node's endpoints and pid, for the other commands.
const NODE_FILE: &str = "node.json";

/// Where each box answers. `kafka` and `cql` are `host:port`, the others URLs. A box that this
/// node does not run is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kafka: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) registry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scheduler: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cql: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) engine: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) console: Option<String>,
}

/// What the first line under `--json` says, and what lies in the data directory while a node runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) ready: bool,
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) endpoints: Endpoints,
}

impl Ready {
    /// What the node that runs on this data directory wrote, if it still runs.
    pub(crate) fn of_running(data_dir: &Path) -> Option<Ready> {
        let text = std::fs::read_to_string(data_dir.join(NODE_FILE)).ok()?;
        let ready: Ready = serde_json::from_str(&text).ok()?;
        Path::new("/proc").join(ready.pid.to_string()).exists().then_some(ready)
    }
}

/// One box, started.
#[derive(Debug, Clone)]
pub(crate) struct Started {
    pub(crate) name: &'static str,
    /// What it speaks, in one word.
    pub(crate) speaks: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) took: Duration,
}

/// All boxes of this process.
pub(crate) struct Node {
    running: Vec<Box<dyn System>>,
    pub(crate) started: Vec<Started>,
    pub(crate) endpoints: Endpoints,
    pub(crate) took: Duration,
    world: World,
    config: Config,
    _lock: DirLock,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("started", &self.started).finish_non_exhaustive()
    }
}

impl Node {
    /// Starts the boxes in the order the data needs them; each answers its own protocol before the
    /// next one starts. If one cannot start, those before it are stopped.
    pub(crate) async fn start(config: Config, world: World) -> anyhow::Result<Node> {
        let begun = world.clock.monotonic();
        let data = config.data_dir();
        world
            .disk
            .create_dir_all(&data)
            .with_context(|| format!("cannot make the data directory {}", data.display()))?;
        let lock = take(&world, &data)?;
        let mut node = Node {
            running: Vec::new(),
            started: Vec::new(),
            endpoints: Endpoints::default(),
            took: Duration::ZERO,
            world,
            config,
            _lock: lock,
        };
        if let Err(error) = node.start_boxes(&data).await {
            node.stop_boxes().await;
            return Err(error);
        }
        node.took = node.world.clock.monotonic() - begun;
        let ready = serde_json::to_vec(&node.ready())?;
        node.world.disk.replace(&data.join(NODE_FILE), &ready)?;
        Ok(node)
    }

    async fn start_boxes(&mut self, data: &Path) -> anyhow::Result<()> {
        let (config, world) = (self.config.clone(), self.world.clone());

        let mut kafka = config.broker.settings().listen.to_string();
        if let Use::Embedded(own) = config.broker {
            let start = Broker::start(own, data.join("broker"), world.clone());
            kafka = self.run("kafka", start).await?.to_string();
            self.endpoints.kafka = Some(kafka.clone());
        }
        let mut cql = config.store.settings().listen.to_string();
        if let Use::Embedded(own) = config.store {
            let start = Store::start(own, data.join("store"), world.clone());
            cql = self.run("cql", start).await?.to_string();
            self.endpoints.cql = Some(cql.clone());
        }
        let client = |name| KafkaClient::new(ClientConfig::new([&kafka], name), world.clone());

        let mut registry = url(config.registry.settings().listen);
        if let Use::Embedded(own) = config.registry {
            let start = Registry::start(own, client("registry"), world.clone());
            registry = url(self.run("http", start).await?);
            self.endpoints.registry = Some(registry.clone());
        }
        let mut engine = url(config.engine.settings().listen);
        if let Use::Embedded(own) = config.engine {
            let links = EngineLinks {
                bootstrap_servers: kafka.clone(),
                registry_url: registry.clone(),
                contact_points: vec![cql.clone()],
            };
            let paths = EnginePaths { project: config.dir.clone(), data: data.join("engine") };
            let start = Engine::start(own, links, paths, world.clone());
            engine = url(self.run("http", start).await?);
            self.endpoints.engine = Some(engine.clone());
        }
        let mut scheduler = url(config.scheduler.settings().listen);
        if let Use::Embedded(mut own) = config.scheduler {
            own.engine_url.get_or_insert_with(|| engine.clone());
            let paths =
                SchedulerPaths { project: config.dir.clone(), data: data.join("scheduler") };
            let start = Scheduler::start(own, paths, client("scheduler"), world.clone());
            scheduler = url(self.run("http", start).await?);
            self.endpoints.scheduler = Some(scheduler.clone());
        }
        if let Use::Embedded(own) = config.console {
            let endpoints = tidemill_console::Endpoints { kafka, registry, scheduler, cql, engine };
            let start = Console::start(own, endpoints, world.clone());
            self.endpoints.console = Some(url(self.run("http", start).await?));
        }
        Ok(())
    }

    /// Waits until one box answers, and keeps it.
    async fn run<S: System, E: std::error::Error + Send + Sync + 'static>(
        &mut self,
        speaks: &'static str,
        start: impl Future<Output = Result<S, E>>,
    ) -> anyhow::Result<SocketAddr> {
        let begun = self.world.clock.monotonic();
        let system = start.await?;
        let (name, address) = (system.name(), system.address());
        let took = self.world.clock.monotonic() - begun;
        self.started.push(Started { name, speaks, address, took });
        self.running.push(Box::new(system));
        Ok(address)
    }

    /// The world its boxes were given.
    pub(crate) fn world(&self) -> World {
        self.world.clone()
    }

    /// What the first line under `--json` says.
    pub(crate) fn ready(&self) -> Ready {
        Ready {
            ready: true,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            endpoints: self.endpoints.clone(),
        }
    }

    /// Completes when a box can no longer do its work: its name and why.
    pub(crate) async fn failed(&self) -> (&'static str, Failure) {
        let mut all: FuturesUnordered<_> = self
            .running
            .iter()
            .map(|system| async move { (system.name(), system.failed().await) })
            .collect();
        match all.next().await {
            Some(failure) => failure,
            None => std::future::pending().await,
        }
    }

    /// Stops in reverse order; each box drains until its share of the time is over.
    pub(crate) async fn stop(mut self) {
        self.stop_boxes().await;
        let file = self.config.data_dir().join(NODE_FILE);
        if let Err(error) = self.world.disk.remove_file(&file) {
            tracing::warn!(%error, file = %file.display(), "the node's file stays behind");
        }
    }

    async fn stop_boxes(&mut self) {
        let clock = self.world.clock.clone();
        let end = clock.monotonic() + self.config.project.drain_timeout.0;
        while let Some(system) = self.running.pop() {
            // Those still to come keep at least a second each of what is left.
            let left = end.saturating_sub(clock.monotonic());
            let kept = Duration::from_secs(self.running.len() as u64);
            let share = left.saturating_sub(kept).max(Duration::from_millis(500));
            system.drain(share).await;
        }
    }
}

/// Takes the data directory for this process.
fn take(world: &World, data: &Path) -> anyhow::Result<DirLock> {
    match world.disk.lock_dir(data) {
        Ok(lock) => Ok(lock),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
            let holder = match Ready::of_running(data) {
                Some(ready) => format!("the tidemill with pid {}", ready.pid),
                None => "another tidemill".to_owned(),
            };
            bail!(crate::exit::Conflict(format!(
                "the data directory {} is in use by {holder}; stop it, or choose another with \
                 --data-dir",
                data.display()
            )))
        }
        Err(error) => Err(error).with_context(|| format!("cannot lock {}", data.display())),
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}
