//! DeleteRecords (key 21): the beginning of a partition goes (KIP-107). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DeleteRecords>

use crate::ErrorCode;
use crate::message::api;

api! {
    DeleteRecords (DeleteRecordsRequest => DeleteRecordsResponse), versions 0..=2, flexible 2..;

    /// Up to where records go.
    DeleteRecordsRequest {
        topics: Vec<DeleteRecordsTopic>,
        timeout_ms: i32,
    }

    /// Partitions of one topic.
    DeleteRecordsTopic {
        name: String,
        partitions: Vec<DeleteRecordsPartition>,
    }

    /// The first offset that stays; -1 means the high watermark.
    DeleteRecordsPartition {
        partition_index: i32,
        offset: i64,
    }

    /// What went.
    DeleteRecordsResponse {
        throttle_time_ms: i32,
        topics: Vec<DeleteRecordsTopicResult>,
    }

    /// Answers for one topic.
    DeleteRecordsTopicResult {
        name: String,
        partitions: Vec<DeleteRecordsPartitionResult>,
    }

    /// The partition's new first offset.
    DeleteRecordsPartitionResult {
        partition_index: i32,
        low_watermark: i64,
        error_code: ErrorCode,
    }
}
