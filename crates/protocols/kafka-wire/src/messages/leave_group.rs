//! LeaveGroup (key 13): members go.
//!
//! v3 many members at once (KIP-345) · v5 reasons (KIP-800). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_LeaveGroup>

use crate::ErrorCode;
use crate::message::api;

api! {
    LeaveGroup (LeaveGroupRequest => LeaveGroupResponse), versions 0..=5, flexible 4..;

    /// Who goes: one member up to v2, any number from v3.
    LeaveGroupRequest {
        group_id: String,
        member_id: String            [..=2],
        members: Vec<MemberIdentity> [3..],
    }

    /// A member by its id, or by its instance id.
    MemberIdentity {
        member_id: String                 [3..],
        group_instance_id: Option<String> [3..],
        reason: Option<String>            [5..],
    }

    /// Who went.
    LeaveGroupResponse {
        throttle_time_ms: i32        [1..],
        error_code: ErrorCode,
        members: Vec<MemberResponse> [3..],
    }

    /// The answer for one member.
    MemberResponse {
        member_id: String                 [3..],
        group_instance_id: Option<String> [3..],
        error_code: ErrorCode             [3..],
    }
}
