//! Why a log did not do what was asked.

use std::io;
use std::sync::Arc;

use crate::batch::BatchError;

/// The variants differ by what the *caller* does next. Cheap to clone: one failed sync answers many
/// waiting requests.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// The client sent bytes that are no record batches. Nothing was written.
    #[error("invalid record batch: {0}")]
    Batch(#[from] BatchError),

    /// The client sent more than fits in a segment. Nothing was written.
    #[error("{size} bytes of batches exceed the segment size of {max} bytes")]
    TooLarge {
        /// Bytes in the append.
        size: u64,
        /// The configured `segment_bytes`.
        max: u64,
    },

    /// No record has, had or is about to have this offset: the reader must reset its position.
    #[error("offset {offset} is out of range: the log holds {start} to {end}")]
    OutOfRange {
        /// What was asked for.
        offset: i64,
        /// First readable offset.
        start: i64,
        /// The offset after the last record.
        end: i64,
    },

    /// The disk is full. Nothing of this append remains; a later one succeeds when space returns.
    #[error("no space left on the disk")]
    NoSpace,

    /// A write or a sync failed, so the disk no longer vouches for what it holds. Final for this
    /// log until it is opened again: nothing is acknowledged any more; what was durable stays
    /// readable.
    #[error("the log takes no more records: {0}")]
    Poisoned(Arc<str>),

    /// Bytes on the disk are not what was written. They are never served; what lies before and
    /// after them stays readable.
    #[error(
        "corrupt record batch at offset {offset}, segment {segment}, byte {position}: {reason}"
    )]
    Corrupt {
        /// The offset the damaged batch should have or hold.
        offset: i64,
        /// Base offset of the segment file.
        segment: i64,
        /// Byte position in that file.
        position: u64,
        /// What is wrong with it.
        reason: BatchError,
    },

    /// What is on the disk contradicts the recovery checkpoint: synced records are gone. A person
    /// must look.
    #[error("records are missing: {0}")]
    Missing(Arc<str>),

    /// The log was closed.
    #[error("the log is closed")]
    Closed,

    /// The disk refused something that leaves the log as it was; trying again may help.
    #[error("failed to {action}: {source}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The disk's answer.
        source: Arc<io::Error>,
    },
}

impl LogError {
    /// For `map_err`: names what was attempted.
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> LogError {
        move |source| LogError::Io { action, source: Arc::new(source) }
    }
}

/// Whether the disk or the user's quota is full.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
