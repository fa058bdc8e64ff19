//! OffsetForLeaderEpoch (key 23): where an epoch of leadership ended (KIP-101, KIP-320). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_OffsetForLeaderEpoch>

use crate::ErrorCode;
use crate::message::api;

api! {
    OffsetForLeaderEpoch (OffsetForLeaderEpochRequest => OffsetForLeaderEpochResponse), versions 2..=4, flexible 4..;

    /// Which epochs.
    OffsetForLeaderEpochRequest {
        replica_id: i32                   [3..] = -2,
        topics: Vec<OffsetForLeaderTopic>,
    }

    /// Questions about one topic.
    OffsetForLeaderTopic {
        topic: String,
        partitions: Vec<OffsetForLeaderPartition>,
    }

    /// The epoch asked about, and the one the client believes current.
    OffsetForLeaderPartition {
        partition: i32,
        current_leader_epoch: i32 = -1,
        leader_epoch: i32,
    }

    /// Where the epochs ended.
    OffsetForLeaderEpochResponse {
        throttle_time_ms: i32,
        topics: Vec<OffsetForLeaderTopicResult>,
    }

    /// Answers about one topic.
    OffsetForLeaderTopicResult {
        topic: String,
        partitions: Vec<EpochEndOffset>,
    }

    /// Where an epoch of leadership ended.
    EpochEndOffset {
        error_code: ErrorCode,
        partition: i32,
        leader_epoch: i32 = -1,
        end_offset: i64 = -1,
    }
}
