//! Where the records are: the topic, or (for tests and for trying things out) memory.
//!
//! A storage is a log: records are appended in order, each gets the next offset, and everybody reads
//! them back in that order. What is appended is durable when `append` returns.

use bytes::Bytes;
use tidemill_runtime::BoxFuture;

mod memory;
mod topic;

pub use memory::MemoryStorage;
pub use topic::TopicStorage;

/// A record to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is about; the log is compacted by it.
    pub key: Bytes,
    /// What it says; none removes.
    pub value: Option<Bytes>,
}

/// A record as it is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its place.
    pub offset: i64,
    /// When it was written, in ms.
    pub timestamp: i64,
    /// None in a log that is not a registry's.
    pub key: Option<Bytes>,
    /// None removes.
    pub value: Option<Bytes>,
}

/// What a read gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chunk {
    /// In the order of the log; possibly none.
    pub entries: Vec<StoredEntry>,
    /// Where to read next.
    pub next: i64,
}

/// Why the log did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// The same call may succeed later; an append may even have been done.
    #[error("{0}")]
    Unavailable(String),
    /// No answer in time; an append may have been done.
    #[error("{0}")]
    TimedOut(String),
    /// The record is larger than the log takes.
    #[error("{0}")]
    TooLarge(String),
    /// The log is gone, or is not the one that was read before: what is in memory is worth nothing.
    #[error("{0}")]
    Lost(String),
}

/// A log of the registry's records.
pub trait Storage: Send + Sync + 'static {
    /// Makes the log if there is none, and checks that it keeps what it is given.
    fn open(&self) -> BoxFuture<'_, Result<(), StorageError>>;

    /// Appends records, in order and durably. Gives the offset after the last of them.
    fn append(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<i64, StorageError>>;

    /// The offset after the last record.
    fn end(&self) -> BoxFuture<'_, Result<i64, StorageError>>;

    /// Records from an offset on; waits a while if there are none yet.
    fn read(&self, from: i64) -> BoxFuture<'_, Result<Chunk, StorageError>>;

    /// The id of the cluster that the log is in.
    fn cluster_id(&self) -> BoxFuture<'_, Option<String>>;
}
