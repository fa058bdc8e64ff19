//! SyncGroup (key 14), v0–v5. Spec: <https://kafka.apache.org/protocol#The_Messages_SyncGroup>
//!
//! v3 static members · v5 names the protocol (KIP-559). Answered when the leader's assignment is
//! durable.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::{SyncGroupRequest, SyncGroupResponse};
use tokio::sync::oneshot;

use super::Context;

pub(super) fn handle(
    context: &Context,
    request: SyncGroupRequest,
) -> impl Future<Output = SyncGroupResponse> + Send + use<> {
    let (reply, answer) = oneshot::channel();
    let refused = match (request.group_id.is_empty(), context.core.groups()) {
        (true, _) => Some(ErrorCode::InvalidGroupId),
        (false, Err(error)) => Some(error),
        // From v5 on a client says which protocol it means.
        (false, Ok(_)) if context.version >= 5 && !says_protocol(&request) => {
            Some(ErrorCode::InconsistentGroupProtocol)
        }
        (false, Ok(groups)) => {
            groups.sync(request, reply);
            None
        }
    };
    async move {
        let error_code = refused.unwrap_or(ErrorCode::NotCoordinator);
        let gone = SyncGroupResponse { error_code, ..Default::default() };
        answer.await.unwrap_or(gone)
    }
}

fn says_protocol(request: &SyncGroupRequest) -> bool {
    request.protocol_type.is_some() && request.protocol_name.is_some()
}
