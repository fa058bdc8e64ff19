//! Produce (key 0): appends record batches.
//!
//! v5 log start offset · v8 the records at fault · v10 current leader (KIP-951) · v13 topic ids
//! (KIP-516) in place of names. Brokers advertise v0 on: librdkafka compresses only if it sees that
//! (KAFKA-18659). Spec: <https://kafka.apache.org/protocol#The_Messages_Produce>

use bytes::Bytes;
use uuid::Uuid;

use crate::ErrorCode;
use crate::message::api;

api! {
    Produce (ProduceRequest => ProduceResponse), versions 3..=13, flexible 9..;

    /// Record batches per topic and partition, and how safe they must be before the answer: `acks` 0
    /// (no answer at all), 1 or -1.
    ProduceRequest {
        transactional_id: Option<String>,
        acks: i16,
        timeout_ms: i32,
        topic_data: Vec<TopicProduceData>,
    }

    /// Batches for one topic, named up to v12 and given by id from v13.
    TopicProduceData {
        name: String                              [..=12],
        topic_id: Uuid                            [13..],
        partition_data: Vec<PartitionProduceData>,
    }

    /// The raw batches for one partition.
    PartitionProduceData {
        index: i32,
        records: Option<Bytes>,
    }

    /// Where each partition's batches begin, or why they were refused.
    ProduceResponse {
        responses: Vec<TopicProduceResponse>,
        throttle_time_ms: i32,
        node_endpoints: Vec<NodeEndpoint>    [10.., tag 0],
    }

    /// Answers for one topic.
    TopicProduceResponse {
        name: String                                       [..=12],
        topic_id: Uuid                                     [13..],
        partition_responses: Vec<PartitionProduceResponse>,
    }

    /// The answer for one partition.
    PartitionProduceResponse {
        index: i32,
        error_code: ErrorCode,
        base_offset: i64,
        log_append_time_ms: i64                                     = -1,
        log_start_offset: i64                         [5..]         = -1,
        record_errors: Vec<BatchIndexAndErrorMessage> [8..],
        error_message: Option<String>                 [8..],
        current_leader: LeaderIdAndEpoch              [10.., tag 0],
    }

    /// A record at fault: its place in the batch, and what is wrong with it.
    BatchIndexAndErrorMessage {
        batch_index: i32                          [8..],
        batch_index_error_message: Option<String> [8..],
    }

    /// Who leads the partition, if the one that was asked does not.
    LeaderIdAndEpoch {
        leader_id: i32    [10..] = -1,
        leader_epoch: i32 [10..] = -1,
    }

    /// Where a leader named in the answer listens.
    NodeEndpoint {
        node_id: i32         [10..],
        host: String         [10..],
        port: i32            [10..],
        rack: Option<String> [10..],
    }
}
