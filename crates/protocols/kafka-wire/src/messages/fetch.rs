//! Fetch (key 1): reads record batches, waiting until there are enough.
//!
//! v7 sessions (KIP-227) · v11 racks (KIP-392) · v12 diverging epochs · v13 topic ids (KIP-516) in
//! place of names. Spec: <https://kafka.apache.org/protocol#The_Messages_Fetch>

use bytes::Bytes;
use uuid::Uuid;

use crate::ErrorCode;
use crate::message::api;

api! {
    Fetch (FetchRequest => FetchResponse), versions 4..=18, flexible 12..;

    /// What to read and how long to wait for it: `max_wait_ms` or until `min_bytes` are there.
    FetchRequest {
        cluster_id: Option<String>                 [12.., tag 0],
        replica_id: i32                            [..=14]       = -1,
        replica_state: ReplicaState                [15.., tag 1],
        max_wait_ms: i32,
        min_bytes: i32,
        max_bytes: i32                                           = i32::MAX,
        isolation_level: i8,
        session_id: i32                            [7..],
        session_epoch: i32                         [7..]         = -1,
        topics: Vec<FetchTopic>,
        forgotten_topics_data: Vec<ForgottenTopic> [7..],
        rack_id: String                            [11..],
    }

    /// Who asks, if it is a follower.
    ReplicaState {
        replica_id: i32    [15..] = -1,
        replica_epoch: i64 [15..] = -1,
    }

    /// Partitions of one topic, named up to v12 and given by id from v13.
    FetchTopic {
        topic: String                   [..=12],
        topic_id: Uuid                  [13..],
        partitions: Vec<FetchPartition>,
    }

    /// Where to read in one partition, and how many bytes at most.
    FetchPartition {
        partition: i32,
        current_leader_epoch: i32  [9..]         = -1,
        fetch_offset: i64,
        last_fetched_epoch: i32    [12..]        = -1,
        log_start_offset: i64      [5..]         = -1,
        partition_max_bytes: i32,
        replica_directory_id: Uuid [17.., tag 0],
        high_watermark: i64        [18.., tag 1] = i64::MAX,
    }

    /// Partitions that leave the session.
    ForgottenTopic {
        topic: String        [7..=12],
        topic_id: Uuid       [13..],
        partitions: Vec<i32> [7..],
    }

    /// Raw batches per partition; in a session only the partitions with news.
    FetchResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode                  [7..],
        session_id: i32                        [7..],
        responses: Vec<FetchableTopicResponse>,
        node_endpoints: Vec<NodeEndpoint>      [16.., tag 0],
    }

    /// Answers for one topic.
    FetchableTopicResponse {
        topic: String                  [..=12],
        topic_id: Uuid                 [13..],
        partitions: Vec<PartitionData>,
    }

    /// The batches of one partition with its bounds.
    PartitionData {
        partition_index: i32,
        error_code: ErrorCode,
        high_watermark: i64,
        last_stable_offset: i64                                             = -1,
        log_start_offset: i64                                 [5..]         = -1,
        diverging_epoch: EpochEndOffset                       [12.., tag 0],
        current_leader: LeaderIdAndEpoch                      [12.., tag 1],
        snapshot_id: SnapshotId                               [12.., tag 2],
        aborted_transactions: Option<Vec<AbortedTransaction>>,
        preferred_read_replica: i32                           [11..]        = -1,
        records: Option<Bytes>,
    }

    /// Where an epoch of leadership ended.
    EpochEndOffset {
        epoch: i32      [12..] = -1,
        end_offset: i64 [12..] = -1,
    }

    /// Who leads the partition, if the one that was asked does not.
    LeaderIdAndEpoch {
        leader_id: i32    [12..] = -1,
        leader_epoch: i32 [12..] = -1,
    }

    /// The snapshot a follower must read first (KRaft only).
    SnapshotId {
        end_offset: i64 = -1,
        epoch: i32 = -1,
    }

    /// A transaction whose records a `read_committed` reader drops.
    AbortedTransaction {
        producer_id: i64,
        first_offset: i64,
    }

    /// Where a leader named in the answer listens.
    NodeEndpoint {
        node_id: i32         [16..],
        host: String         [16..],
        port: i32            [16..],
        rack: Option<String> [16..],
    }
}
