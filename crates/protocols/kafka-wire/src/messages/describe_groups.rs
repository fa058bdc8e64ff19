//! DescribeGroups (key 15): groups of the classic protocol with their members.
//!
//! v3 permitted operations · v4 static members · v6 GROUP_ID_NOT_FOUND for what is not there. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DescribeGroups>

use bytes::Bytes;

use crate::ErrorCode;
use crate::message::api;

api! {
    DescribeGroups (DescribeGroupsRequest => DescribeGroupsResponse), versions 0..=6, flexible 5..;

    /// Which groups.
    DescribeGroupsRequest {
        groups: Vec<String>,
        include_authorized_operations: bool [3..],
    }

    /// The groups asked for.
    DescribeGroupsResponse {
        throttle_time_ms: i32       [1..],
        groups: Vec<DescribedGroup>,
    }

    /// A group and its state: `PreparingRebalance`, `CompletingRebalance`, `Stable`, `Empty`, `Dead`.
    DescribedGroup {
        error_code: ErrorCode,
        error_message: Option<String>      [6..],
        group_id: String,
        group_state: String,
        protocol_type: String,
        protocol_data: String,
        members: Vec<DescribedGroupMember>,
        authorized_operations: i32         [3..] = i32::MIN,
    }

    /// A member with its metadata and assignment.
    DescribedGroupMember {
        member_id: String,
        group_instance_id: Option<String> [4..],
        client_id: String,
        client_host: String,
        member_metadata: Bytes,
        member_assignment: Bytes,
    }
}
