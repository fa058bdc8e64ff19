//! DescribeTopicPartitions (key 75): partitions of topics, page by page (KIP-966). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DescribeTopicPartitions>

use uuid::Uuid;

use crate::ErrorCode;
use crate::message::{api, nullable};

api! {
    DescribeTopicPartitions (DescribeTopicPartitionsRequest => DescribeTopicPartitionsResponse), versions 0..=0, flexible 0..;

    /// Which topics (none: all), from where, how many partitions at most.
    DescribeTopicPartitionsRequest {
        topics: Vec<TopicRequest>,
        response_partition_limit: i32 = 2000,
        cursor: Option<Cursor>,
    }

    /// A topic by name.
    TopicRequest {
        name: String,
    }

    /// Where a page begins.
    Cursor {
        topic_name: String,
        partition_index: i32,
    }

    /// A page of partitions, and where the next one begins.
    DescribeTopicPartitionsResponse {
        throttle_time_ms: i32,
        topics: Vec<DescribeTopicPartitionsResponseTopic>,
        next_cursor: Option<Cursor>,
    }

    /// A topic with its partitions on this page.
    DescribeTopicPartitionsResponseTopic {
        error_code: ErrorCode,
        name: Option<String>,
        topic_id: Uuid,
        is_internal: bool,
        partitions: Vec<DescribeTopicPartitionsResponsePartition>,
        topic_authorized_operations: i32 = i32::MIN,
    }

    /// A partition with its replicas.
    DescribeTopicPartitionsResponsePartition {
        error_code: ErrorCode,
        partition_index: i32,
        leader_id: i32,
        leader_epoch: i32 = -1,
        replica_nodes: Vec<i32>,
        isr_nodes: Vec<i32>,
        eligible_leader_replicas: Option<Vec<i32>>,
        last_known_elr: Option<Vec<i32>>,
        offline_replicas: Vec<i32>,
    }
}

nullable!(Cursor);
