//! Heartbeat (key 12), v0–v4. Spec: <https://kafka.apache.org/protocol#The_Messages_Heartbeat>
//!
//! v3 static members (KIP-345).

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::{HeartbeatRequest, HeartbeatResponse};

use super::Context;

pub(super) fn handle(context: &Context, request: HeartbeatRequest) -> HeartbeatResponse {
    let outcome = match request.group_id.is_empty() {
        true => Err(ErrorCode::InvalidGroupId),
        false => context.core.existing_groups().heartbeat(&request),
    };
    HeartbeatResponse { error_code: outcome.err().unwrap_or_default(), ..Default::default() }
}
