//! AddOffsetsToTxn (key 25): a transaction is about to commit offsets of a group. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_AddOffsetsToTxn>

use crate::ErrorCode;
use crate::message::api;

api! {
    AddOffsetsToTxn (AddOffsetsToTxnRequest => AddOffsetsToTxnResponse), versions 0..=4, flexible 3..;

    /// The transaction and the group.
    AddOffsetsToTxnRequest {
        transactional_id: String,
        producer_id: i64,
        producer_epoch: i16,
        group_id: String,
    }

    /// Whether it may.
    AddOffsetsToTxnResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode,
    }
}
