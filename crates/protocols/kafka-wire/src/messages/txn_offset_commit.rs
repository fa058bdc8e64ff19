//! TxnOffsetCommit (key 28): keeps how far a group has read, once the transaction commits.
//!
//! v3 says as which member (KIP-447) · v5 adds the group to the transaction by itself (KIP-890). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_TxnOffsetCommit>

use crate::ErrorCode;
use crate::message::api;

api! {
    TxnOffsetCommit (TxnOffsetCommitRequest => TxnOffsetCommitResponse), versions 0..=5, flexible 3..;

    /// Offsets of a group, within a transaction.
    TxnOffsetCommitRequest {
        transactional_id: String,
        group_id: String,
        producer_id: i64,
        producer_epoch: i16,
        generation_id: i32                [3..] = -1,
        member_id: String                 [3..],
        group_instance_id: Option<String> [3..],
        topics: Vec<TxnOffsetCommitRequestTopic>,
    }

    /// Offsets of one topic.
    TxnOffsetCommitRequestTopic {
        name: String,
        partitions: Vec<TxnOffsetCommitRequestPartition>,
    }

    /// The next offset to read in one partition, with the client's own note.
    TxnOffsetCommitRequestPartition {
        partition_index: i32,
        committed_offset: i64,
        committed_leader_epoch: i32 [2..] = -1,
        committed_metadata: Option<String>,
    }

    /// What was kept.
    TxnOffsetCommitResponse {
        throttle_time_ms: i32,
        topics: Vec<TxnOffsetCommitResponseTopic>,
    }

    /// Answers for one topic.
    TxnOffsetCommitResponseTopic {
        name: String,
        partitions: Vec<TxnOffsetCommitResponsePartition>,
    }

    /// The answer for one partition.
    TxnOffsetCommitResponsePartition {
        partition_index: i32,
        error_code: ErrorCode,
    }
}
