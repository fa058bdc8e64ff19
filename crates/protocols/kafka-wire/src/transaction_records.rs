//! What the transaction coordinator keeps in topic `__transaction_state`, in Kafka's own schemas, so
//! that Kafka's tools can read it. A null value deletes its key.

use bytes::Bytes;

use crate::message::{NEVER, message, structs};
use crate::{DecodeError, group_records};

structs! {
    /// Key of a [`TransactionLogValue`].
    TransactionLogKey {
        transactional_id: String,
    }

    /// A transactional id after a change. Kafka writes v1 once the feature `transaction.version` is
    /// on.
    TransactionLogValue {
        producer_id: i64,
        previous_producer_id: i64                             [1.., tag 0] = -1,
        next_producer_id: i64                                 [1.., tag 1] = -1,
        producer_epoch: i16,
        next_producer_epoch: i16                              [1.., tag 3] = -1,
        transaction_timeout_ms: i32,
        transaction_status: i8,
        transaction_partitions: Option<Vec<PartitionsSchema>>,
        transaction_last_update_timestamp_ms: i64,
        transaction_start_timestamp_ms: i64,
        client_transaction_version: i16                       [1.., tag 2],
    }

    /// Partitions a transaction has written to.
    PartitionsSchema {
        topic: String,
        partition_ids: Vec<i32>,
    }
}

message!(TransactionLogKey, versions 0..=0, flexible NEVER);
message!(TransactionLogValue, versions 0..=1, flexible 1);

/// Reads the key of a record; `None` if it is of a kind that is not known.
pub fn decode_key(bytes: Bytes) -> Result<Option<TransactionLogKey>, DecodeError> {
    if bytes.first_chunk::<2>().is_some_and(|kind| *kind != [0, 0]) {
        return Ok(None);
    }
    group_records::decode_value(bytes).map(Some)
}

/// The names Kafka's tools give to the numbers in `transaction_status`.
pub const STATE_NAMES: [&str; 8] = [
    "Empty",
    "Ongoing",
    "PrepareCommit",
    "PrepareAbort",
    "CompleteCommit",
    "CompleteAbort",
    "Dead",
    "PrepareEpochFence",
];
