//! ListGroups (key 16): all groups.
//!
//! v4 filter by state (KIP-518) · v5 filter by type (KIP-848). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_ListGroups>

use crate::ErrorCode;
use crate::message::api;

api! {
    ListGroups (ListGroupsRequest => ListGroupsResponse), versions 0..=5, flexible 3..;

    /// Which states and types; empty lists mean all.
    ListGroupsRequest {
        states_filter: Vec<String> [4..],
        types_filter: Vec<String>  [5..],
    }

    /// All groups that fit.
    ListGroupsResponse {
        throttle_time_ms: i32    [1..],
        error_code: ErrorCode,
        groups: Vec<ListedGroup>,
    }

    /// A group in the list.
    ListedGroup {
        group_id: String,
        protocol_type: String,
        group_state: String   [4..],
        group_type: String    [5..],
    }
}
