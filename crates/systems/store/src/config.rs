//! `[store]`: what can be set. Names as in `cassandra.yaml` where it has them.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use tidemill_runtime::{ByteSize, Span};

/// When a write is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommitlogSync {
    /// After the fsync it shares with the writes that came meanwhile.
    Group,
    /// The same: groups form by themselves while the disk works.
    Batch,
    /// At once; the fsync follows within `commitlog_sync_period`. A power failure may lose that much.
    Periodic,
}

/// The settings of the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where CQL clients connect.
    pub listen: SocketAddr,
    /// What `system.local` calls the cluster.
    pub cluster_name: String,
    /// When a write is acknowledged.
    pub commitlog_sync: CommitlogSync,
    /// With `commitlog_sync = "periodic"`: how long a write may wait for its fsync.
    pub commitlog_sync_period: Span,
    /// Blocks of rows kept in memory.
    pub cache_bytes: ByteSize,
    /// New rows of one table kept in memory before they are written out.
    pub memtable_bytes: ByteSize,
    /// All journals together before tables are made to write out. At least 64 MiB.
    pub journal_bytes: ByteSize,
    /// The longest request; a longer one is refused, the connection goes on.
    pub frame_bytes_max: ByteSize,
    /// Connections at the same moment; the next one is closed.
    pub connections_max: usize,
    /// Requests of one connection in the works; the next one is answered OVERLOADED.
    pub requests_per_connection_max: usize,
    /// Requests of all connections in the works; the next one is answered OVERLOADED.
    pub requests_max: usize,
    /// Bytes of all requests in the works; the next one is answered OVERLOADED.
    pub requests_bytes_max: ByteSize,
    /// Prepared statements kept; the oldest go.
    pub prepared_statements_max: usize,
    /// Threads that run statements.
    pub worker_threads: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 9042)),
            cluster_name: "tidemill".to_owned(),
            commitlog_sync: CommitlogSync::Group,
            commitlog_sync_period: Span::secs(10),
            cache_bytes: ByteSize::mib(16),
            memtable_bytes: ByteSize::mib(8),
            journal_bytes: ByteSize::mib(128),
            frame_bytes_max: ByteSize::mib(16),
            connections_max: 1024,
            requests_per_connection_max: 4096,
            requests_max: 16_384,
            requests_bytes_max: ByteSize::mib(128),
            prepared_statements_max: 10_000,
            worker_threads: 4,
        }
    }
}
