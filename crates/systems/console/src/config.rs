//! What can be set, and where the other boxes are.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};
use tidemill_access::{CassandraAccess, RegistryAccess};
use tidemill_kafka_client::Security;
use tidemill_runtime::{ByteSize, Span};

/// Settings of the console: section `[console]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where pages and REST are served; loopback only.
    pub listen: SocketAddr,
    /// How often the other boxes are asked what moves while somebody looks.
    pub sample_every: Span,
    /// The same while nobody looks.
    pub sample_idle_every: Span,
    /// Records one browse may read before it stops and says so.
    pub scan_records_max: u64,
    /// Bytes one browse may read before it stops and says so.
    pub scan_bytes_max: ByteSize,
    /// Streams (events and live tails) open at once; one more is refused.
    pub streams_max: usize,
    /// Bearer token for an external Airflow; empty for none. A simple-auth Airflow that takes
    /// everybody as admin is asked for one.
    pub scheduler_token: String,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9021)),
            sample_every: Span::secs(1),
            sample_idle_every: Span::secs(5),
            scan_records_max: 2_000_000,
            scan_bytes_max: ByteSize::gib(1),
            streams_max: 64,
            scheduler_token: String::new(),
        }
    }
}

/// Where the other boxes answer, and what they want to see. Each may be a real external system, or
/// down. An empty text: not part of this node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Bootstrap servers, `host:port`, separated by commas.
    pub kafka: String,
    /// How connections to those are protected.
    pub kafka_security: Security,
    /// The schema registry.
    pub registry: RegistryAccess,
    /// URL of the scheduler (Airflow's REST API below it).
    pub scheduler: String,
    /// The cluster that speaks CQL.
    pub cql: CassandraAccess,
    /// URL of the engine (Flink SQL gateway below it).
    pub engine: String,
}
