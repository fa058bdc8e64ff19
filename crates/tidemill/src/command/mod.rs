//! One file per command.

pub(crate) mod cql;
pub(crate) mod dag;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod init;
pub(crate) mod profile;
pub(crate) mod run;
pub(crate) mod sql;
pub(crate) mod status;
pub(crate) mod topic;
pub(crate) mod up;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use tidemill_access::CassandraAccess;
use tidemill_kafka_client::{ClientConfig, KafkaClient};
use tidemill_runtime::World;

use crate::config::{Config, ConfigError, PROFILE_VARIABLE};
use crate::node::{Endpoints, Ready};

/// How long a command waits for a box to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What every command needs.
pub(crate) struct Context {
    pub(crate) dir: PathBuf,
    /// `--profile`; the environment's if it is absent.
    pub(crate) profile: Option<String>,
    pub(crate) json: bool,
    pub(crate) world: World,
}

impl Context {
    /// The configuration, with the profile that was chosen.
    fn config(&self) -> Result<Config, ConfigError> {
        self.config_with(self.profile.clone())
    }

    fn config_with(&self, profile: Option<String>) -> Result<Config, ConfigError> {
        let chosen = profile.map(|name| (PROFILE_VARIABLE.to_owned(), name));
        Config::load(&self.dir, std::env::vars().chain(chosen))
    }

    /// The node that runs on the project's data, if there is one, and the configuration: with the
    /// profile that was chosen, else with that of the node.
    fn running(&self) -> Result<(Option<Ready>, Config), ConfigError> {
        let config = self.config()?;
        let running = Ready::of_running(&config.data_dir());
        let profile = running.as_ref().and_then(|ready| ready.profile.clone());
        match (&config.profile, profile) {
            (None, Some(profile)) => Ok((running, self.config_with(Some(profile))?)),
            _ => Ok((running, config)),
        }
    }

    /// Where the project's boxes answer: as the running node says, else as configured.
    fn endpoints(&self) -> Result<Endpoints, ConfigError> {
        Ok(match self.running()? {
            (Some(ready), _) => ready.endpoints,
            (None, config) => configured(&config),
        })
    }

    fn kafka(&self) -> anyhow::Result<KafkaClient> {
        let (_, config) = self.running()?;
        let client = self.kafka_of(&config, &self.endpoints()?);
        client.context("this node runs no broker (--only)")
    }

    /// A client of the broker that a node has, or of the real one in its place.
    fn kafka_of(&self, config: &Config, endpoints: &Endpoints) -> Option<KafkaClient> {
        let address = endpoints.kafka.as_ref()?;
        let own = || ClientConfig::new([address], "tidemill-cli");
        let mut client = config.broker.external().cloned().unwrap_or_else(own);
        client.client_id = "tidemill-cli".to_owned();
        client.request_timeout = ANSWER_WITHIN;
        Some(KafkaClient::new(client, self.world.clone()))
    }

    /// The store that a node has, or the real one in its place.
    fn cassandra(&self) -> anyhow::Result<CassandraAccess> {
        let (_, config) = self.running()?;
        cassandra_of(&config, &self.endpoints()?)
    }

    fn scheduler(&self) -> anyhow::Result<String> {
        self.endpoints()?.scheduler.context("this node runs no scheduler (--only)")
    }
}

/// The store that a node has, or the real one in its place.
fn cassandra_of(config: &Config, endpoints: &Endpoints) -> anyhow::Result<CassandraAccess> {
    let address = endpoints.cql.as_ref().context("this node runs no store (--only)")?;
    let own = || CassandraAccess::open([address]);
    Ok(config.store.external().cloned().unwrap_or_else(own))
}

/// The endpoints that the configuration names, for a node that was started elsewhere.
fn configured(config: &Config) -> Endpoints {
    let url = |address| Some(format!("http://{address}"));
    let kafka = match config.broker.external() {
        Some(kafka) => kafka.bootstrap_servers.join(","),
        None => config.broker.settings().listen.to_string(),
    };
    let cql = match config.store.external() {
        Some(cassandra) => cassandra.contact_points.join(","),
        None => config.store.settings().listen.to_string(),
    };
    let registry = match config.registry.external() {
        Some(registry) => Some(registry.url.clone()),
        None => url(config.registry.settings().listen),
    };
    Endpoints {
        kafka: Some(kafka),
        registry,
        scheduler: url(config.scheduler.settings().listen),
        cql: Some(cql),
        engine: url(config.engine.settings().listen),
        spark: Some(config.engine.settings().spark_listen.to_string()),
        console: url(config.console.settings().listen),
        coordination: Some(match config.coordination.external() {
            Some(zookeeper) => zookeeper.servers().join(","),
            None => config.coordination.settings().listen.to_string(),
        }),
    }
}

/// The text of `-c`, of `-f`, or of stdin.
fn statements(arguments: &crate::arguments::Statement) -> anyhow::Result<String> {
    match (&arguments.command, &arguments.file) {
        (Some(text), _) => Ok(text.clone()),
        (None, Some(path)) => {
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
        }
        (None, None) => std::io::read_to_string(std::io::stdin()).context("cannot read stdin"),
    }
}
