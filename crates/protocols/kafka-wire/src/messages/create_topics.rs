//! CreateTopics (key 19).
//!
//! v4 defaults for -1 partitions (KIP-464) · v5 the configuration in the answer (KIP-525) · v7 the
//! topic id. Spec: <https://kafka.apache.org/protocol#The_Messages_CreateTopics>

use uuid::Uuid;

use crate::ErrorCode;
use crate::message::api;

api! {
    CreateTopics (CreateTopicsRequest => CreateTopicsResponse), versions 2..=7, flexible 5..;

    /// Topics to make, or only to check.
    CreateTopicsRequest {
        topics: Vec<CreatableTopic>,
        timeout_ms: i32 = 60000,
        validate_only: bool,
    }

    /// A topic: -1 for partitions or replication factor asks for the broker's default.
    CreatableTopic {
        name: String,
        num_partitions: i32,
        replication_factor: i16,
        assignments: Vec<CreatableReplicaAssignment>,
        configs: Vec<CreatableTopicConfig>,
    }

    /// Which brokers hold one partition.
    CreatableReplicaAssignment {
        partition_index: i32,
        broker_ids: Vec<i32>,
    }

    /// A setting for the new topic.
    CreatableTopicConfig {
        name: String,
        value: Option<String>,
    }

    /// What was made.
    CreateTopicsResponse {
        throttle_time_ms: i32,
        topics: Vec<CreatableTopicResult>,
    }

    /// The answer for one topic.
    CreatableTopicResult {
        name: String,
        topic_id: Uuid                              [7..],
        error_code: ErrorCode,
        error_message: Option<String>,
        topic_config_error_code: ErrorCode          [5.., tag 0],
        num_partitions: i32                         [5..]        = -1,
        replication_factor: i16                     [5..]        = -1,
        configs: Option<Vec<CreatableTopicConfigs>> [5..],
    }

    /// A setting the new topic has.
    CreatableTopicConfigs {
        name: String          [5..],
        value: Option<String> [5..],
        read_only: bool       [5..],
        config_source: i8     [5..] = -1,
        is_sensitive: bool    [5..],
    }
}
