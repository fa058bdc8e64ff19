//! FindCoordinator (key 10): which broker answers for a group or a transactional id.
//!
//! v4 many keys at once (KIP-699). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_FindCoordinator>

use crate::ErrorCode;
use crate::message::api;

api! {
    FindCoordinator (FindCoordinatorRequest => FindCoordinatorResponse), versions 0..=6, flexible 3..;

    /// The keys and their type: 0 group, 1 transaction, 2 share group.
    FindCoordinatorRequest {
        key: String                   [..=3],
        key_type: i8                  [1..],
        coordinator_keys: Vec<String> [4..],
    }

    /// One coordinator up to v3, one per key from v4.
    FindCoordinatorResponse {
        throttle_time_ms: i32          [1..],
        error_code: ErrorCode          [..=3],
        error_message: Option<String>  [1..=3],
        node_id: i32                   [..=3],
        host: String                   [..=3],
        port: i32                      [..=3],
        coordinators: Vec<Coordinator> [4..],
    }

    /// The broker that answers for one key.
    Coordinator {
        key: String                   [4..],
        node_id: i32                  [4..],
        host: String                  [4..],
        port: i32                     [4..],
        error_code: ErrorCode         [4..],
        error_message: Option<String> [4..],
    }
}
