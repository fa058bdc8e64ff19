//! `[scheduler]` of `tidemill.toml`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Deserialize;
use tidemill_runtime::{ByteSize, Span};

/// The scheduler's settings; Airflow's words where Airflow has them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the REST API listens.
    pub listen: SocketAddr,
    /// Most tasks that run at one moment.
    pub parallelism: usize,
    /// Whether a new DAG that does not say so itself starts paused. Airflow's default is true.
    pub dags_are_paused_at_creation: bool,
    /// The folder of DAG files, relative to the project.
    pub dags_folder: String,
    /// The engine's SQL gateway, for sql tasks: `http://127.0.0.1:8083`.
    pub engine_url: Option<String>,
    /// The interpreter of python tasks.
    pub python: String,
    /// Variables that bash and python tasks get besides the documented ones.
    pub pass_environment: Vec<String>,
    /// Host names that tasks use, as `name:port` or `name`, and where they lead to: of a compose
    /// file's services.
    pub hosts: BTreeMap<String, SocketAddr>,
    /// Variables of every task, such as `AIRFLOW_*` of a compose file.
    pub environment: BTreeMap<String, String>,
    /// From SIGTERM to SIGKILL, when a task's process is stopped.
    pub kill_grace: Span,
    /// How long runs that ended are kept, with their logs.
    pub keep_runs: Span,
    /// Most bytes of the log of one try.
    pub log_bytes_max: ByteSize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            parallelism: 32,
            dags_are_paused_at_creation: false,
            dags_folder: "dags".to_owned(),
            engine_url: None,
            python: "python3".to_owned(),
            pass_environment: Vec::new(),
            hosts: BTreeMap::new(),
            environment: BTreeMap::new(),
            kill_grace: Span::secs(3),
            keep_runs: Span::secs(90 * 24 * 60 * 60),
            log_bytes_max: ByteSize::mib(16),
        }
    }
}
