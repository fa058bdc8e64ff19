//! OffsetCommit (key 8): keeps how far a group has read.
//!
//! v2 to v4 carry a retention · v7 static members (KIP-345) · v9 answers the new group protocol ·
//! v10 topic ids. Spec: <https://kafka.apache.org/protocol#The_Messages_OffsetCommit>

use uuid::Uuid;

use crate::ErrorCode;
use crate::message::api;

api! {
    OffsetCommit (OffsetCommitRequest => OffsetCommitResponse), versions 2..=10, flexible 8..;

    /// Offsets of a group; a generation of -1 and no member id is a simple consumer.
    OffsetCommitRequest {
        group_id: String,
        generation_id_or_member_epoch: i32           = -1,
        member_id: String,
        group_instance_id: Option<String>     [7..],
        retention_time_ms: i64                [..=4] = -1,
        topics: Vec<OffsetCommitRequestTopic>,
    }

    /// Offsets of one topic.
    OffsetCommitRequestTopic {
        name: String                                  [..=9],
        topic_id: Uuid                                [10..],
        partitions: Vec<OffsetCommitRequestPartition>,
    }

    /// The next offset to read in one partition, with the client's own note.
    OffsetCommitRequestPartition {
        partition_index: i32,
        committed_offset: i64,
        committed_leader_epoch: i32        [6..] = -1,
        committed_metadata: Option<String>,
    }

    /// What was kept.
    OffsetCommitResponse {
        throttle_time_ms: i32                  [3..],
        topics: Vec<OffsetCommitResponseTopic>,
    }

    /// Answers for one topic.
    OffsetCommitResponseTopic {
        name: String                                   [..=9],
        topic_id: Uuid                                 [10..],
        partitions: Vec<OffsetCommitResponsePartition>,
    }

    /// The answer for one partition.
    OffsetCommitResponsePartition {
        partition_index: i32,
        error_code: ErrorCode,
    }
}
