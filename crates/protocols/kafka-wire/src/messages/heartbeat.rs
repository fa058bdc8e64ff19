//! Heartbeat (key 12): a member lives.
//!
//! v3 static members (KIP-345). Spec: <https://kafka.apache.org/protocol#The_Messages_Heartbeat>

use crate::ErrorCode;
use crate::message::api;

api! {
    Heartbeat (HeartbeatRequest => HeartbeatResponse), versions 0..=4, flexible 4..;

    /// Who lives, in which generation.
    HeartbeatRequest {
        group_id: String,
        generation_id: i32,
        member_id: String,
        group_instance_id: Option<String> [3..],
    }

    /// Nothing new, or the reason to join again.
    HeartbeatResponse {
        throttle_time_ms: i32 [1..],
        error_code: ErrorCode,
    }
}
