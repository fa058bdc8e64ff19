//! Metadata (key 3): brokers, topics, leaders.
//!
//! v0 asks for all topics with an empty list, later versions with null · v4 topic creation by asking
//! · v10 topic ids · v12 topics asked for by id. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_Metadata>

use uuid::Uuid;

use crate::ErrorCode;
use crate::message::api;

api! {
    Metadata (MetadataRequest => MetadataResponse), versions 0..=13, flexible 9..;

    /// Which topics: `None` asks for all.
    MetadataRequest {
        topics: Option<Vec<MetadataRequestTopic>>   [0.., null 1..],
        allow_auto_topic_creation: bool             [4..]           = true,
        include_cluster_authorized_operations: bool [8..=10],
        include_topic_authorized_operations: bool   [8..],
    }

    /// A topic by name, or by id where the name is `None`.
    MetadataRequestTopic {
        topic_id: Uuid       [10..],
        name: Option<String> [0.., null 10..],
    }

    /// The cluster as its clients see it.
    MetadataResponse {
        throttle_time_ms: i32                [3..],
        brokers: Vec<MetadataResponseBroker>,
        cluster_id: Option<String>           [2..],
        controller_id: i32                   [1..]    = -1,
        topics: Vec<MetadataResponseTopic>,
        cluster_authorized_operations: i32   [8..=10] = i32::MIN,
        error_code: ErrorCode                [13..],
    }

    /// A broker and where it listens.
    MetadataResponseBroker {
        node_id: i32,
        host: String,
        port: i32,
        rack: Option<String> [1..],
    }

    /// A topic, or why it is not known.
    MetadataResponseTopic {
        error_code: ErrorCode,
        name: Option<String>                       [0.., null 12..],
        topic_id: Uuid                             [10..],
        is_internal: bool                          [1..],
        partitions: Vec<MetadataResponsePartition>,
        topic_authorized_operations: i32           [8..]            = i32::MIN,
    }

    /// A partition and who leads it.
    MetadataResponsePartition {
        error_code: ErrorCode,
        partition_index: i32,
        leader_id: i32,
        leader_epoch: i32          [7..] = -1,
        replica_nodes: Vec<i32>,
        isr_nodes: Vec<i32>,
        offline_replicas: Vec<i32> [5..],
    }
}
