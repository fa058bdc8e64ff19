//! Why the broker, or one partition of it, did not do what was asked.

use std::io;
use std::path::PathBuf;

use tidemill_kafka_wire::ErrorCode;
use tidemill_log::{BatchError, LogError};
use tidemill_runtime::ListenError;

/// Why the broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be had; choose another.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Another process works in the directory; stop it, or choose another directory.
    #[error("{dir} is in use by another process")]
    InUse {
        /// The data directory.
        dir: PathBuf,
    },
    /// The directory cannot be used.
    #[error("failed to {action} in {dir}")]
    Dir {
        /// The data directory.
        dir: PathBuf,
        /// What was attempted.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// What is on the disk is not what a broker wrote, or of a later release.
    #[error("{path} cannot be read: {reason}")]
    Unreadable {
        /// File or directory.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// One of the broker's own logs, without which it cannot work, did not open.
    #[error("failed to open the log in {dir}")]
    Log {
        /// Its directory.
        dir: PathBuf,
        /// What the log said.
        source: LogError,
    },
}

/// Why a partition did not do what was asked. Each variant has its code on the wire.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum PartitionError {
    #[error("this broker has no such topic or partition")]
    Unknown,
    #[error("this broker has no topic of this id")]
    UnknownId,
    #[error("the leader epoch is {current}, the request names an older one")]
    FencedEpoch { current: i32 },
    #[error("the leader epoch is {current}, the request names a later one")]
    UnknownEpoch { current: i32 },
    #[error("offset {offset} is not in the log, which holds {start} to {end}")]
    OutOfRange { offset: i64, start: i64, end: i64 },
    #[error("the log of this partition is offline: {0}")]
    Storage(String),
}

impl PartitionError {
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            PartitionError::Unknown => ErrorCode::UnknownTopicOrPartition,
            PartitionError::UnknownId => ErrorCode::UnknownTopicId,
            PartitionError::FencedEpoch { .. } => ErrorCode::FencedLeaderEpoch,
            PartitionError::UnknownEpoch { .. } => ErrorCode::UnknownLeaderEpoch,
            PartitionError::OutOfRange { .. } => ErrorCode::OffsetOutOfRange,
            PartitionError::Storage(_) => ErrorCode::KafkaStorageError,
        }
    }
}

impl From<LogError> for PartitionError {
    fn from(error: LogError) -> PartitionError {
        match error {
            LogError::OutOfRange { offset, start, end } => {
                PartitionError::OutOfRange { offset, start, end }
            }
            other => PartitionError::Storage(other.to_string()),
        }
    }
}

/// Why a batch was not appended. Never `UNKNOWN_SERVER_ERROR`: an idempotent producer would then
/// begin a new epoch and write its batches again.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum AppendError {
    #[error(transparent)]
    Partition(#[from] PartitionError),
    #[error("a batch of {size} bytes exceeds max.message.bytes, which is {max}")]
    TooLarge { size: usize, max: usize },
    #[error("a batch of {size} bytes does not fit in a segment of {max}")]
    LargerThanSegment { size: u64, max: u64 },
    #[error("{0}")]
    Corrupt(BatchError),
    #[error("record format {0} is not supported, only 2 is")]
    OldFormat(i8),
    #[error("{0}")]
    InvalidRecord(&'static str),
    #[error("compacted topics take no record without a key")]
    NoKey { index: i32 },
    #[error("zstd needs Produce version 7")]
    Compression,
    #[error("timestamp {timestamp} lies further from the broker's time than the topic allows")]
    Timestamp { timestamp: i64 },
    #[error("sequence number {received} where {expected} was next")]
    OutOfOrderSequence { received: i32, expected: i32 },
    #[error("epoch {received} of a producer that is at {current}")]
    OldEpoch { received: i16, current: i16 },
    #[error("internal topics are not written to by clients")]
    Internal,
    #[error("acks must be 0, 1 or -1")]
    Acks,
    #[error("a batch of a transaction needs the transactional id in its request")]
    Transactional,
    #[error("the transaction does not allow it: {0}")]
    Transaction(ErrorCode),
}

impl AppendError {
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            AppendError::Partition(error) => error.code(),
            AppendError::TooLarge { .. } => ErrorCode::MessageTooLarge,
            AppendError::LargerThanSegment { .. } => ErrorCode::RecordListTooLarge,
            AppendError::Corrupt(_) => ErrorCode::CorruptMessage,
            AppendError::OldFormat(_) => ErrorCode::InvalidRecord,
            AppendError::InvalidRecord(_) | AppendError::NoKey { .. } => ErrorCode::InvalidRecord,
            AppendError::Compression => ErrorCode::UnsupportedCompressionType,
            AppendError::Timestamp { .. } => ErrorCode::InvalidTimestamp,
            AppendError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
            AppendError::OldEpoch { .. } => ErrorCode::InvalidProducerEpoch,
            AppendError::Internal => ErrorCode::InvalidTopicException,
            AppendError::Acks => ErrorCode::InvalidRequiredAcks,
            AppendError::Transactional => ErrorCode::TransactionalIdAuthorizationFailed,
            AppendError::Transaction(code) => *code,
        }
    }
}

impl From<LogError> for AppendError {
    fn from(error: LogError) -> AppendError {
        match error {
            LogError::Batch(BatchError::Magic(magic)) => AppendError::OldFormat(magic),
            LogError::Batch(BatchError::Count { .. }) => {
                AppendError::InvalidRecord("the number of records contradicts the last offset")
            }
            LogError::Batch(error) => AppendError::Corrupt(error),
            LogError::TooLarge { size, max } => AppendError::LargerThanSegment { size, max },
            other => AppendError::Partition(other.into()),
        }
    }
}
