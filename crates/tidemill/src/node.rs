//! The composition root: the one place that knows every box, and the one place where a box is
//! swapped.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};
use tidemill_access::{CassandraAccess, RegistryAccess};
use tidemill_broker::Broker;
use tidemill_console::Console;
use tidemill_coordination::Coordination;
use tidemill_engine::{Engine, EngineLinks, EnginePaths};
use tidemill_kafka_client::{ClientConfig, KafkaClient};
use tidemill_registry::Registry;
use tidemill_runtime::{DirLock, Failure, System, World};
use tidemill_scheduler::{Leadership, Scheduler, SchedulerPaths};
use tidemill_store::Store;

use crate::config::{Config, Use};
use crate::coordination::Membership;
use crate::exit::NotReady;
use crate::external;
use crate::hosts;

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
    /// Spark Connect, which the engine serves too: `sc://` goes before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) spark: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) console: Option<String>,
    /// ZooKeeper's protocol: `host:port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) coordination: Option<String>,
}

/// What the first line under `--json` says, and what lies in the data directory while a node runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) ready: bool,
    pub(crate) version: String,
    pub(crate) pid: u32,
    /// The profile it was started with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) profile: Option<String>,
    pub(crate) endpoints: Endpoints,
    /// Which of the endpoints are real systems in place of ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) external: Vec<String>,
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
    /// `host:port`; of a real system all of them, separated by commas, or its URL.
    pub(crate) address: String,
    pub(crate) took: Duration,
    /// A real system in place of ours: it was not started, it answered.
    pub(crate) is_external: bool,
}

/// All boxes of this process.
pub(crate) struct Node {
    running: Vec<Box<dyn System>>,
    pub(crate) started: Vec<Started>,
    pub(crate) endpoints: Endpoints,
    pub(crate) took: Duration,
    /// This node's session in ZooKeeper's place.
    membership: Option<Membership>,
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
            membership: None,
            world,
            config,
            _lock: lock,
        };
        let started = match node.start_boxes(&data).await {
            Ok(()) => node.announce().await,
            Err(error) => Err(error),
        };
        if let Err(error) = started {
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

        let lease = self.join(data).await?;
        let kafka = match config.broker {
            Use::Embedded(own) => {
                let start = Broker::start(own, data.join("broker"), world.clone());
                let address = self.run("kafka", start).await?.to_string();
                self.endpoints.kafka = Some(address.clone());
                ClientConfig::new([address], "tidemill")
            }
            Use::External { system, .. } => {
                let address = system.bootstrap_servers.join(",");
                self.reach("broker", "kafka", &address, external::kafka(&system, &world)).await?;
                self.endpoints.kafka = Some(address);
                system
            }
            Use::Off(own) => ClientConfig::new([own.listen.to_string()], "tidemill"),
        };
        let cassandra = match config.store {
            Use::Embedded(own) => {
                let start = Store::start(own, data.join("store"), world.clone());
                let address = self.run("cql", start).await?.to_string();
                self.endpoints.cql = Some(address.clone());
                CassandraAccess::open([address])
            }
            Use::External { system, .. } => {
                let address = system.contact_points.join(",");
                self.reach("store", "cql", &address, external::cassandra(&system)).await?;
                self.endpoints.cql = Some(address);
                system
            }
            Use::Off(own) => CassandraAccess::open([own.listen.to_string()]),
        };
        let kafka_of =
            |client_id: &str| ClientConfig { client_id: client_id.to_owned(), ..kafka.clone() };
        let client = |name: &str| KafkaClient::new(kafka_of(name), world.clone());

        let registry = match config.registry {
            Use::Embedded(own) => {
                let start = Registry::start(own, client("registry"), world.clone());
                let url = url(self.run("http", start).await?);
                self.endpoints.registry = Some(url.clone());
                RegistryAccess::open(url)
            }
            Use::External { system, .. } => {
                let reached = external::registry(&system);
                self.reach("registry", "http", &system.url, reached).await?;
                self.endpoints.registry = Some(system.url.clone());
                system
            }
            Use::Off(own) => RegistryAccess::open(url(own.listen)),
        };
        let mut engine = url(config.engine.settings().listen);
        if let Use::Embedded(own) = config.engine {
            let names = hosts::addresses(&config.hosts, &self.endpoints).await;
            let links = EngineLinks {
                kafka: kafka_of("tidemill-engine"),
                registry: registry.clone(),
                cassandra: cassandra.clone(),
                aliases: names.into_iter().map(|(name, at)| (name, at.to_string())).collect(),
            };
            let paths = EnginePaths { project: config.dir.clone(), data: data.join("engine") };
            let mut spark = None;
            let start = async {
                let engine = Engine::start(own, links, paths, world.clone()).await?;
                spark = Some(engine.spark_address().to_string());
                Ok::<_, tidemill_engine::StartError>(engine)
            };
            engine = url(self.run("http", start).await?);
            self.endpoints.engine = Some(engine.clone());
            self.endpoints.spark = spark;
        }
        let mut scheduler = url(config.scheduler.settings().listen);
        if let Use::Embedded(mut own) = config.scheduler {
            own.engine_url.get_or_insert_with(|| engine.clone());
            own.hosts.extend(hosts::addresses(&config.hosts, &self.endpoints).await);
            let paths =
                SchedulerPaths { project: config.dir.clone(), data: data.join("scheduler") };
            let kafka = client("scheduler");
            let start = Scheduler::start_linked(own, paths, kafka, lease, world.clone());
            scheduler = url(self.run("http", start).await?);
            self.endpoints.scheduler = Some(scheduler.clone());
        }
        if let Use::Embedded(own) = config.console {
            let endpoints = tidemill_console::Endpoints {
                kafka: kafka.bootstrap_servers.join(","),
                kafka_security: kafka.security,
                registry,
                scheduler,
                cql: cassandra,
                engine,
            };
            let start = Console::start(own, endpoints, world.clone());
            self.endpoints.console = Some(url(self.run("http", start).await?));
        }
        Ok(())
    }

    /// Opens this node's session in ZooKeeper's place. Only one that other nodes share can say which
    /// of their schedulers leads; beside our own, which nobody else may know, the database decides.
    async fn join(&mut self, data: &Path) -> anyhow::Result<Option<Arc<dyn Leadership>>> {
        let world = self.world.clone();
        let project = self.config.project.name.clone();
        match self.config.coordination.clone() {
            Use::Embedded(own) => {
                let start = Coordination::start(own, data.join("coordination"), world.clone());
                let address = self.run("zk", start).await?.to_string();
                self.membership = Some(Membership::join(&address, &project, world).await?);
                self.endpoints.coordination = Some(address);
                Ok(None)
            }
            Use::External { system, .. } => {
                let address = system.servers().join(",");
                let joined = async {
                    self.membership =
                        Some(Membership::join(&system.connect, &project, world).await?);
                    Ok(())
                };
                let begun = self.world.clock.monotonic();
                let outcome = joined.await;
                self.reached("coordination", "zk", &address, begun, outcome)?;
                self.endpoints.coordination = Some(address);
                Ok(self.membership.as_ref().map(Membership::scheduler_lease))
            }
            Use::Off(_) => Ok(None),
        }
    }

    /// Says in ZooKeeper's place that this node is there.
    async fn announce(&mut self) -> anyhow::Result<()> {
        match &mut self.membership {
            Some(membership) => membership.announce(&self.endpoints).await,
            None => Ok(()),
        }
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
        let shown = address.to_string();
        self.started.push(Started { name, speaks, address: shown, took, is_external: false });
        self.running.push(Box::new(system));
        Ok(address)
    }

    /// Waits until the real system in place of a box answers: a node whose systems are not there,
    /// or do not let it in, says so at once instead of beginning to wait.
    async fn reach(
        &mut self,
        name: &'static str,
        speaks: &'static str,
        address: &str,
        reached: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        let begun = self.world.clock.monotonic();
        let outcome = reached.await;
        self.reached(name, speaks, address, begun, outcome)
    }

    fn reached(
        &mut self,
        name: &'static str,
        speaks: &'static str,
        address: &str,
        begun: Duration,
        outcome: anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if let Err(error) = outcome {
            bail!(NotReady(format!(
                "the external {name} at {address} does not let this node in: {error:#}; what it \
                 reached and what is missing: tidemill profile check"
            )));
        }
        let took = self.world.clock.monotonic() - begun;
        let address = address.to_owned();
        self.started.push(Started { name, speaks, address, took, is_external: true });
        Ok(())
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
            profile: self.config.profile.clone(),
            endpoints: self.endpoints.clone(),
            external: self
                .started
                .iter()
                .filter(|started| started.is_external)
                .map(|started| endpoint_of(started.name).to_owned())
                .collect(),
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
            if self.running.is_empty() {
                self.leave().await;
            }
            // Those still to come keep at least a second each of what is left.
            let left = end.saturating_sub(clock.monotonic());
            let kept = Duration::from_secs(self.running.len() as u64);
            let share = left.saturating_sub(kept).max(Duration::from_millis(500));
            system.drain(share).await;
        }
        self.leave().await;
    }

    /// Ends the session in ZooKeeper's place, before our own, which started first, is stopped.
    async fn leave(&mut self) {
        if let Some(membership) = self.membership.take() {
            membership.leave().await;
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

/// The name of a box among the endpoints.
fn endpoint_of(name: &'static str) -> &'static str {
    match name {
        "broker" => "kafka",
        "store" => "cql",
        other => other,
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}
