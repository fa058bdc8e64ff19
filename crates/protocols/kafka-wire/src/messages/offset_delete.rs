//! OffsetDelete (key 47): committed offsets of topics nobody in the group reads (KIP-496). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_OffsetDelete>

use crate::ErrorCode;
use crate::message::{NEVER, api};

api! {
    OffsetDelete (OffsetDeleteRequest => OffsetDeleteResponse), versions 0..=0, flexible NEVER;

    /// Which committed offsets go.
    OffsetDeleteRequest {
        group_id: String,
        topics: Vec<OffsetDeleteRequestTopic>,
    }

    /// Partitions of one topic.
    OffsetDeleteRequestTopic {
        name: String,
        partitions: Vec<OffsetDeleteRequestPartition>,
    }

    /// One partition.
    OffsetDeleteRequestPartition {
        partition_index: i32,
    }

    /// What went.
    OffsetDeleteResponse {
        error_code: ErrorCode,
        throttle_time_ms: i32,
        topics: Vec<OffsetDeleteResponseTopic>,
    }

    /// Answers for one topic.
    OffsetDeleteResponseTopic {
        name: String,
        partitions: Vec<OffsetDeleteResponsePartition>,
    }

    /// The answer for one partition.
    OffsetDeleteResponsePartition {
        partition_index: i32,
        error_code: ErrorCode,
    }
}
