//! CreatePartitions (key 37): a topic gets more partitions (KIP-195). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_CreatePartitions>

use crate::ErrorCode;
use crate::message::api;

api! {
    CreatePartitions (CreatePartitionsRequest => CreatePartitionsResponse), versions 0..=3, flexible 2..;

    /// Topics that shall have more partitions.
    CreatePartitionsRequest {
        topics: Vec<CreatePartitionsTopic>,
        timeout_ms: i32,
        validate_only: bool,
    }

    /// A topic and how many partitions it shall have in all.
    CreatePartitionsTopic {
        name: String,
        count: i32,
        assignments: Option<Vec<CreatePartitionsAssignment>>,
    }

    /// The brokers of one new partition.
    CreatePartitionsAssignment {
        broker_ids: Vec<i32>,
    }

    /// What was done.
    CreatePartitionsResponse {
        throttle_time_ms: i32,
        results: Vec<CreatePartitionsTopicResult>,
    }

    /// The answer for one topic.
    CreatePartitionsTopicResult {
        name: String,
        error_code: ErrorCode,
        error_message: Option<String>,
    }
}
