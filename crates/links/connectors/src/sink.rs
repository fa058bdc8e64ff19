//! Where rows go.

use arrow::array::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;

use crate::DeadLetter;

/// Rows for a sink.
#[derive(Debug, Clone)]
pub struct SinkRows {
    /// `n` rows with the columns of the table, in its order.
    pub batch: RecordBatch,
    /// `n` write timestamps in microseconds. They come from the source, not from the clock, so
    /// that a replay writes the same again; of two rows with one key the later one has the higher.
    pub write_timestamps_us: Vec<i64>,
}

/// A row the sink will never take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Index of the row in the batch.
    pub row: usize,
    /// Class of the error, in Kafka Connect's names.
    pub class: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// What became of the rows of one call.
#[derive(Debug, Default)]
pub struct Written {
    /// Rows for the dead letters.
    pub rejected: Vec<Rejected>,
    /// Rows to give again, with the reason, in ascending order. Empty when all is done.
    pub unfinished: Vec<usize>,
    /// Why `unfinished` is not empty.
    pub error: Option<SinkError>,
}

/// Why a sink did not take rows. Variants differ by what the caller does next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// Retry with backoff: the other side does not answer, or not well.
    #[error("{0}")]
    Unavailable(String),
    /// Stop: asking again cannot help.
    #[error("{0}")]
    Failed(String),
}

/// A table or topic that takes rows.
#[async_trait]
pub trait Sink: Send {
    /// Connects, and makes what is absent. May be called again after an error.
    async fn open(&mut self) -> Result<(), SinkError>;

    /// Writes rows, and returns when each is durable, rejected or listed as unfinished.
    async fn write(&mut self, rows: &SinkRows) -> Written;
}

/// Rows to the bytes of a record.
pub trait Encode: Send + Sync {
    /// Key and value of one row.
    fn encode(&self, batch: &RecordBatch, row: usize) -> (Option<Bytes>, Option<Bytes>);
}

/// Takes what nobody could use.
#[async_trait]
pub trait DeadLetters: Send {
    /// Returns when all letters are durable. After an error all are given again.
    async fn write(&mut self, letters: &[DeadLetter]) -> Result<(), SinkError>;
}
