//! DeleteTopics (key 20).
//!
//! v5 error messages · v6 topics by id (KIP-516). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DeleteTopics>

use uuid::Uuid;

use crate::ErrorCode;
use crate::message::api;

api! {
    DeleteTopics (DeleteTopicsRequest => DeleteTopicsResponse), versions 1..=6, flexible 4..;

    /// Topics by name; from v6 by name or id.
    DeleteTopicsRequest {
        topics: Vec<DeleteTopicState> [6..],
        topic_names: Vec<String>      [..=5],
        timeout_ms: i32,
    }

    /// A topic by name, or by id where the name is `None`.
    DeleteTopicState {
        name: Option<String> [6..],
        topic_id: Uuid       [6..],
    }

    /// What went.
    DeleteTopicsResponse {
        throttle_time_ms: i32,
        responses: Vec<DeletableTopicResult>,
    }

    /// The answer for one topic.
    DeletableTopicResult {
        name: Option<String>          [0.., null 6..],
        topic_id: Uuid                [6..],
        error_code: ErrorCode,
        error_message: Option<String> [5..],
    }
}
