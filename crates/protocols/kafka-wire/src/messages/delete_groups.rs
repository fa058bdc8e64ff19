//! DeleteGroups (key 42): groups without members go, with their offsets (KIP-229). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DeleteGroups>

use crate::ErrorCode;
use crate::message::api;

api! {
    DeleteGroups (DeleteGroupsRequest => DeleteGroupsResponse), versions 0..=2, flexible 2..;

    /// Groups to delete.
    DeleteGroupsRequest {
        groups_names: Vec<String>,
    }

    /// What went.
    DeleteGroupsResponse {
        throttle_time_ms: i32,
        results: Vec<DeletableGroupResult>,
    }

    /// The answer for one group.
    DeletableGroupResult {
        group_id: String,
        error_code: ErrorCode,
    }
}
