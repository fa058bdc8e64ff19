//! A Cassandra cluster.

use serde::Deserialize;

use crate::{Credentials, Tls};

/// A Cassandra cluster: ours, or any other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CassandraAccess {
    /// `host:port` of the nodes to ask first; empty for no cluster.
    pub contact_points: Vec<String>,
    /// User and password.
    pub credentials: Option<Credentials>,
    /// How nodes are checked; plain connections if there is none.
    pub tls: Option<Tls>,
    /// The datacentre whose nodes are asked first, and which keeps what is made.
    pub local_datacenter: Option<String>,
    /// How many replicas have to answer; the driver's `LOCAL_QUORUM` if it is not said.
    pub consistency: Option<Consistency>,
    /// Copies of a row in a keyspace that is made, unless its maker says; 1 if neither does.
    pub replication_factor: Option<u32>,
}

impl CassandraAccess {
    /// A cluster that asks for nothing.
    pub fn open(contact_points: impl IntoIterator<Item = impl Into<String>>) -> CassandraAccess {
        let contact_points = contact_points.into_iter().map(Into::into).collect();
        CassandraAccess { contact_points, ..CassandraAccess::default() }
    }
}

/// How many replicas have to answer, in Cassandra's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Consistency {
    /// One replica anywhere.
    One,
    /// Two replicas.
    Two,
    /// Three replicas.
    Three,
    /// Most replicas of all datacentres together.
    Quorum,
    /// Every replica.
    All,
    /// Most replicas of the local datacentre.
    LocalQuorum,
    /// Most replicas of each datacentre.
    EachQuorum,
    /// One replica of the local datacentre.
    LocalOne,
}
