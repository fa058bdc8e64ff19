//! SyncGroup (key 14): the leader hands out assignments, every member collects its own.
//!
//! v3 static members (KIP-345) · v5 the protocol is checked (KIP-559). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_SyncGroup>

use bytes::Bytes;

use crate::ErrorCode;
use crate::message::api;

api! {
    SyncGroup (SyncGroupRequest => SyncGroupResponse), versions 0..=5, flexible 4..;

    /// Sent by all members; only the leader's has assignments.
    SyncGroupRequest {
        group_id: String,
        generation_id: i32,
        member_id: String,
        group_instance_id: Option<String>            [3..],
        protocol_type: Option<String>                [5..],
        protocol_name: Option<String>                [5..],
        assignments: Vec<SyncGroupRequestAssignment>,
    }

    /// What one member shall do.
    SyncGroupRequestAssignment {
        member_id: String,
        assignment: Bytes,
    }

    /// The member's own assignment.
    SyncGroupResponse {
        throttle_time_ms: i32         [1..],
        error_code: ErrorCode,
        protocol_type: Option<String> [5..],
        protocol_name: Option<String> [5..],
        assignment: Bytes,
    }
}
