//! EndTxn (key 26): commits a transaction, or aborts it.
//!
//! v5 gives the producer the epoch of its next transaction (KIP-890). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_EndTxn>

use crate::ErrorCode;
use crate::message::api;

api! {
    EndTxn (EndTxnRequest => EndTxnResponse), versions 0..=5, flexible 3..;

    /// The transaction, and whether it is committed.
    EndTxnRequest {
        transactional_id: String,
        producer_id: i64,
        producer_epoch: i16,
        committed: bool,
    }

    /// Whether it was, and as whom to go on.
    EndTxnResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode,
        producer_id: i64    [5..] = -1,
        producer_epoch: i16 [5..] = -1,
    }
}
