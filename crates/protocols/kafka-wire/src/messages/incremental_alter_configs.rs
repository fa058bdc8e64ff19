//! IncrementalAlterConfigs (key 44): single settings change (KIP-339). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_IncrementalAlterConfigs>

use crate::ErrorCode;
use crate::message::api;

api! {
    IncrementalAlterConfigs (IncrementalAlterConfigsRequest => IncrementalAlterConfigsResponse), versions 0..=1, flexible 1..;

    /// Whose settings change, or are only checked.
    IncrementalAlterConfigsRequest {
        resources: Vec<AlterConfigsResource>,
        validate_only: bool,
    }

    /// A resource and the changes to it.
    AlterConfigsResource {
        resource_type: i8,
        resource_name: String,
        configs: Vec<AlterableConfig>,
    }

    /// A change: operation 0 set, 1 delete, 2 append, 3 subtract.
    AlterableConfig {
        name: String,
        config_operation: i8,
        value: Option<String>,
    }

    /// What changed.
    IncrementalAlterConfigsResponse {
        throttle_time_ms: i32,
        responses: Vec<AlterConfigsResourceResponse>,
    }

    /// The answer for one resource.
    AlterConfigsResourceResponse {
        error_code: ErrorCode,
        error_message: Option<String>,
        resource_type: i8,
        resource_name: String,
    }
}
