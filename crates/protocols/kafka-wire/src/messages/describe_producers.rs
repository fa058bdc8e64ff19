//! DescribeProducers (key 61): who writes to a partition, and in which transaction (KIP-664). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DescribeProducers>

use crate::ErrorCode;
use crate::message::api;

api! {
    DescribeProducers (DescribeProducersRequest => DescribeProducersResponse), versions 0..=0, flexible 0..;

    /// Which partitions.
    DescribeProducersRequest {
        topics: Vec<TopicRequest>,
    }

    /// Partitions of one topic.
    TopicRequest {
        name: String,
        partition_indexes: Vec<i32>,
    }

    /// The producers of each partition.
    DescribeProducersResponse {
        throttle_time_ms: i32,
        topics: Vec<TopicResponse>,
    }

    /// Answers for one topic.
    TopicResponse {
        name: String,
        partitions: Vec<PartitionResponse>,
    }

    /// The answer for one partition.
    PartitionResponse {
        partition_index: i32,
        error_code: ErrorCode,
        error_message: Option<String>,
        active_producers: Vec<ProducerState>,
    }

    /// A producer; its transaction's first offset is -1 if it has none.
    ProducerState {
        producer_id: i64,
        producer_epoch: i32,
        last_sequence: i32 = -1,
        last_timestamp: i64 = -1,
        coordinator_epoch: i32,
        current_txn_start_offset: i64 = -1,
    }
}
