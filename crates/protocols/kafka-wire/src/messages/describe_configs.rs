//! DescribeConfigs (key 32): settings of topics and brokers with where each comes from.
//!
//! v1 synonyms (KIP-226) · v3 types and documentation. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DescribeConfigs>

use crate::ErrorCode;
use crate::message::api;

api! {
    DescribeConfigs (DescribeConfigsRequest => DescribeConfigsResponse), versions 1..=4, flexible 4..;

    /// Whose settings, and with how much detail.
    DescribeConfigsRequest {
        resources: Vec<DescribeConfigsResource>,
        include_synonyms: bool,
        include_documentation: bool             [3..],
    }

    /// A resource: type 2 topic, 4 broker, 8 broker logger, 32 group; `None` asks for all its keys.
    DescribeConfigsResource {
        resource_type: i8,
        resource_name: String,
        configuration_keys: Option<Vec<String>>,
    }

    /// The settings.
    DescribeConfigsResponse {
        throttle_time_ms: i32,
        results: Vec<DescribeConfigsResult>,
    }

    /// Settings of one resource.
    DescribeConfigsResult {
        error_code: ErrorCode,
        error_message: Option<String>,
        resource_type: i8,
        resource_name: String,
        configs: Vec<DescribeConfigsResourceResult>,
    }

    /// One setting: its value, its source, its type.
    DescribeConfigsResourceResult {
        name: String,
        value: Option<String>,
        read_only: bool,
        config_source: i8                           = -1,
        is_sensitive: bool,
        synonyms: Vec<DescribeConfigsSynonym>,
        config_type: i8                       [3..],
        documentation: Option<String>         [3..],
    }

    /// A place the value could come from, the strongest first.
    DescribeConfigsSynonym {
        name: String,
        value: Option<String>,
        source: i8,
    }
}
