//! One file per command.

pub(crate) mod cql;
pub(crate) mod dag;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod init;
pub(crate) mod sql;
pub(crate) mod status;
pub(crate) mod topic;
pub(crate) mod up;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use tidemill_kafka_client::{ClientConfig, KafkaClient};
use tidemill_runtime::World;

use crate::config::{Config, ConfigError};
use crate::node::{Endpoints, Ready};

/// How long a command waits for a box to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What every command needs.
pub(crate) struct Context {
    pub(crate) dir: PathBuf,
    pub(crate) json: bool,
    pub(crate) world: World,
}

impl Context {
    fn config(&self) -> Result<Config, ConfigError> {
        Config::load(&self.dir, std::env::vars())
    }

    /// Where the project's boxes answer: as the running node says, else as configured.
    fn endpoints(&self) -> Result<Endpoints, ConfigError> {
        let config = self.config()?;
        Ok(match Ready::of_running(&config.data_dir()) {
            Some(ready) => ready.endpoints,
            None => configured(&config),
        })
    }

    fn kafka(&self) -> anyhow::Result<KafkaClient> {
        let kafka = self.endpoints()?.kafka.context("this node runs no broker (--only)")?;
        Ok(self.kafka_at(&kafka))
    }

    fn kafka_at(&self, address: &str) -> KafkaClient {
        let mut config = ClientConfig::new([address], "tidemill-cli");
        config.request_timeout = ANSWER_WITHIN;
        KafkaClient::new(config, self.world.clone())
    }

    fn scheduler(&self) -> anyhow::Result<String> {
        self.endpoints()?.scheduler.context("this node runs no scheduler (--only)")
    }
}

/// The endpoints that the configuration names, for a node that was started elsewhere.
fn configured(config: &Config) -> Endpoints {
    let url = |address| Some(format!("http://{address}"));
    Endpoints {
        kafka: Some(config.broker.settings().listen.to_string()),
        registry: url(config.registry.settings().listen),
        scheduler: url(config.scheduler.settings().listen),
        cql: Some(config.store.settings().listen.to_string()),
        engine: url(config.engine.settings().listen),
        console: url(config.console.settings().listen),
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
