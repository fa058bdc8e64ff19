//! `[scheduler]` of `tidemill.toml`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

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
    /// Where runs, variables, connections and pools are kept: `postgres://user:password@host/db`,
    /// which several schedulers may share; none is SQLite in the data directory.
    pub database: Option<String>,
    /// The schema in PostgreSQL; it is made if the user may.
    pub database_schema: String,
    /// A file with the password of the database.
    pub database_password_file: Option<PathBuf>,
    /// A file with 32 random bytes as base64, which seal variables and connections. Schedulers on
    /// one database need the same; none is a file of its own in the data directory.
    pub secrets_key_file: Option<PathBuf>,
    /// How long a leader that is not heard of keeps the others waiting.
    pub leader_lease: Span,
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
            database: None,
            database_schema: "tidemill".to_owned(),
            database_password_file: None,
            secrets_key_file: None,
            leader_lease: Span::secs(10),
            kill_grace: Span::secs(3),
            keep_runs: Span::secs(90 * 24 * 60 * 60),
            log_bytes_max: ByteSize::mib(16),
        }
    }
}
