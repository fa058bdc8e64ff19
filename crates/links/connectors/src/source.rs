//! Where records come from.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Record;

/// Where a reader stands: the offset of the next record, per partition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Positions {
    /// Which topic the offsets belong to: a recreated topic has the same name and another id.
    pub topic_id: Option<Uuid>,
    /// Partition to the offset of the next record.
    pub next: BTreeMap<i32, i64>,
}

/// One answer of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// Records, or news about partitions.
    Fetched(Fetched),
    /// A bounded source has handed out its last record.
    End,
}

/// Records of one poll, and where the reader stands after them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    /// In offset order within each partition.
    pub records: Vec<Record>,
    /// Offset of the next record, for every partition that moved. It can be past the last record:
    /// compaction and transaction markers leave gaps.
    pub next: BTreeMap<i32, i64>,
    /// One past the last offset there is, for every partition known.
    pub ends: BTreeMap<i32, i64>,
    /// The topic's id, if it is known.
    pub topic_id: Option<Uuid>,
    /// What the user should know: a recreated topic, records that expired before they were read.
    pub notice: Option<String>,
}

/// Why a source gave nothing. Variants differ by what the caller does next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Wait and ask again: what is to be read does not exist yet.
    #[error("{0}")]
    NotThere(String),
    /// Retry with backoff: the other side does not answer, or not well.
    #[error("{0}")]
    Unavailable(String),
    /// Stop: asking again cannot help.
    #[error("{0}")]
    Failed(String),
}

/// A stream of records that can be read again from any position.
#[async_trait]
pub trait Source: Send {
    /// Finds the partitions and goes to `from`; without it, to where the options say. May be
    /// called again after an error.
    async fn open(&mut self, from: Option<&Positions>) -> Result<Positions, SourceError>;

    /// The next records; waits a bounded time for the first one and may answer with none. Safe to
    /// drop: what was not returned is returned by the next call.
    async fn poll(&mut self) -> Result<Polled, SourceError>;

    /// Tells others how far the reader is, once a checkpoint holds `positions`. Nothing depends on
    /// it: a failure is only logged.
    async fn commit(&mut self, positions: &Positions) -> Result<(), SourceError>;
}
