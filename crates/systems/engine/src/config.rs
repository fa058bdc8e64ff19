//! `[engine]` of `tidemill.toml`.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};
use tidemill_runtime::Span;

/// Settings of the engine. A pipeline's own `SET` goes before them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address of the SQL gateway.
    pub listen: SocketAddr,
    /// Address of Spark Connect.
    pub spark_listen: SocketAddr,
    /// How often a job's position and state are written (`execution.checkpointing.interval`).
    pub checkpoint_interval: Span,
    /// A partition that was read to its end and got nothing for so long holds event time of the
    /// others back no longer (`table.exec.source.idle-timeout`); `"0ms"` for never, Flink's default.
    pub source_idle_timeout: Span,
    /// Groups of all open windows of one aggregate at most; more fail the job.
    pub window_groups_max: usize,
    /// Sessions at most; the one that was idle longest goes for a new one.
    pub sessions_max: usize,
    /// Rows of one query's result at most.
    pub result_rows_max: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8083)),
            spark_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 15002)),
            checkpoint_interval: Span::secs(1),
            source_idle_timeout: Span::secs(5),
            window_groups_max: 1_000_000,
            sessions_max: 100,
            result_rows_max: 100_000,
        }
    }
}
