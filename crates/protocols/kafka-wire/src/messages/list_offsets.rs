//! ListOffsets (key 2): offsets by time, or of the ends.
//!
//! v2 isolation · v4 leader epochs (KIP-320) · v7 maximum timestamp (KIP-734) · v8 earliest local
//! (KIP-405) · v10 timeout. Spec: <https://kafka.apache.org/protocol#The_Messages_ListOffsets>

use crate::ErrorCode;
use crate::message::api;

api! {
    ListOffsets (ListOffsetsRequest => ListOffsetsResponse), versions 1..=11, flexible 6..;

    /// Which offsets, for which isolation level (0 uncommitted, 1 committed).
    ListOffsetsRequest {
        replica_id: i32,
        isolation_level: i8           [2..],
        topics: Vec<ListOffsetsTopic>,
        timeout_ms: i32               [10..],
    }

    /// Questions about one topic.
    ListOffsetsTopic {
        name: String,
        partitions: Vec<ListOffsetsPartition>,
    }

    /// One question: the first record at or after `timestamp` in ms, or one of the negative
    /// specials: -1 latest, -2 earliest, -3 maximum timestamp, -4 earliest local, -5 latest tiered.
    ListOffsetsPartition {
        partition_index: i32,
        current_leader_epoch: i32 [4..] = -1,
        timestamp: i64,
    }

    /// The offsets found.
    ListOffsetsResponse {
        throttle_time_ms: i32                 [2..],
        topics: Vec<ListOffsetsTopicResponse>,
    }

    /// Answers about one topic.
    ListOffsetsTopicResponse {
        name: String,
        partitions: Vec<ListOffsetsPartitionResponse>,
    }

    /// The offset found and its record's timestamp; -1 for both if there is none.
    ListOffsetsPartitionResponse {
        partition_index: i32,
        error_code: ErrorCode,
        timestamp: i64              = -1,
        offset: i64                 = -1,
        leader_epoch: i32     [4..] = -1,
    }
}
