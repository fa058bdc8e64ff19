//! JoinGroup (key 11): a member enters, or comes again for a rebalance.
//!
//! v4 members must come back with the id they were given (KIP-394) · v5 static members (KIP-345) ·
//! v7 the protocol type is told · v8 reasons (KIP-800) · v9 an assignment may be skipped (KIP-814).
//! Spec: <https://kafka.apache.org/protocol#The_Messages_JoinGroup>

use bytes::Bytes;

use crate::ErrorCode;
use crate::message::api;

api! {
    JoinGroup (JoinGroupRequest => JoinGroupResponse), versions 0..=9, flexible 6..;

    /// A member with the protocols it can follow, the preferred one first.
    JoinGroupRequest {
        group_id: String,
        session_timeout_ms: i32,
        rebalance_timeout_ms: i32                [1..] = -1,
        member_id: String,
        group_instance_id: Option<String>        [5..],
        protocol_type: String,
        protocols: Vec<JoinGroupRequestProtocol>,
        reason: Option<String>                   [8..],
    }

    /// A protocol and the member's metadata for it: for consumers the subscription.
    JoinGroupRequestProtocol {
        name: String,
        metadata: Bytes,
    }

    /// The generation; only the leader is told the members.
    JoinGroupResponse {
        throttle_time_ms: i32                 [2..],
        error_code: ErrorCode,
        generation_id: i32                                    = -1,
        protocol_type: Option<String>         [7..],
        protocol_name: Option<String>         [0.., null 7..],
        leader: String,
        skip_assignment: bool                 [9..],
        member_id: String,
        members: Vec<JoinGroupResponseMember>,
    }

    /// A member as the leader sees it.
    JoinGroupResponseMember {
        member_id: String,
        group_instance_id: Option<String> [5..],
        metadata: Bytes,
    }
}
