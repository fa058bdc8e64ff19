//! OffsetFetch (key 9): how far a group has read.
//!
//! v2 null asks for all topics · v7 stable offsets (KIP-447) · v8 many groups at once (KIP-709) ·
//! v10 topic ids. Spec: <https://kafka.apache.org/protocol#The_Messages_OffsetFetch>

use uuid::Uuid;

use crate::ErrorCode;
use crate::message::api;

api! {
    OffsetFetch (OffsetFetchRequest => OffsetFetchResponse), versions 1..=10, flexible 6..;

    /// Whose offsets, of what: one group up to v7, any number from v8; `None` asks for all topics.
    OffsetFetchRequest {
        group_id: String                             [..=7],
        topics: Option<Vec<OffsetFetchRequestTopic>> [..=7, null 2..],
        groups: Vec<OffsetFetchRequestGroup>         [8..],
        require_stable: bool                         [7..],
    }

    /// Partitions of one topic (up to v7).
    OffsetFetchRequestTopic {
        name: String                [..=7],
        partition_indexes: Vec<i32> [..=7],
    }

    /// One group's question (from v8).
    OffsetFetchRequestGroup {
        group_id: String                              [8..],
        member_id: Option<String>                     [9..],
        member_epoch: i32                             [9..] = -1,
        topics: Option<Vec<OffsetFetchRequestTopics>> [8..],
    }

    /// Partitions of one topic (from v8).
    OffsetFetchRequestTopics {
        name: String                [8..=9],
        topic_id: Uuid              [10..],
        partition_indexes: Vec<i32> [8..],
    }

    /// Committed offsets: one group up to v7, per group from v8.
    OffsetFetchResponse {
        throttle_time_ms: i32                 [3..],
        topics: Vec<OffsetFetchResponseTopic> [..=7],
        error_code: ErrorCode                 [2..=7],
        groups: Vec<OffsetFetchResponseGroup> [8..],
    }

    /// Offsets of one topic (up to v7).
    OffsetFetchResponseTopic {
        name: String                                  [..=7],
        partitions: Vec<OffsetFetchResponsePartition> [..=7],
    }

    /// A committed offset, -1 if there is none (up to v7).
    OffsetFetchResponsePartition {
        partition_index: i32        [..=7],
        committed_offset: i64       [..=7],
        committed_leader_epoch: i32 [5..=7] = -1,
        metadata: Option<String>    [..=7],
        error_code: ErrorCode       [..=7],
    }

    /// One group's answer (from v8).
    OffsetFetchResponseGroup {
        group_id: String                       [8..],
        topics: Vec<OffsetFetchResponseTopics> [8..],
        error_code: ErrorCode                  [8..],
    }

    /// Offsets of one topic (from v8).
    OffsetFetchResponseTopics {
        name: String                                   [8..=9],
        topic_id: Uuid                                 [10..],
        partitions: Vec<OffsetFetchResponsePartitions> [8..],
    }

    /// A committed offset, -1 if there is none (from v8).
    OffsetFetchResponsePartitions {
        partition_index: i32        [8..],
        committed_offset: i64       [8..],
        committed_leader_epoch: i32 [8..] = -1,
        metadata: Option<String>    [8..],
        error_code: ErrorCode       [8..],
    }
}
