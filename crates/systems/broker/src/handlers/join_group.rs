//! JoinGroup (key 11), v0–v9. Spec: <https://kafka.apache.org/protocol#The_Messages_JoinGroup>
//!
//! v4 a new member comes back with the id it was given (KIP-394) · v5 static members (KIP-345) · v9
//! a leader may be told not to assign again (KIP-814). Answered when the rebalance is over.

use std::time::Duration;

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::{JoinGroupRequest, JoinGroupResponse};
use tokio::sync::oneshot;

use super::Context;
use crate::group::Join;

pub(super) fn handle(
    context: &Context,
    request: JoinGroupRequest,
) -> impl Future<Output = JoinGroupResponse> + Send + use<> {
    let (reply, answer) = oneshot::channel();
    let member_id = request.member_id.clone();
    let refused = start(context, request, reply).err();
    async move {
        let gone = JoinGroupResponse {
            error_code: refused.unwrap_or(ErrorCode::NotCoordinator),
            member_id,
            protocol_name: Some(String::new()),
            ..Default::default()
        };
        answer.await.unwrap_or(gone)
    }
}

fn start(
    context: &Context,
    request: JoinGroupRequest,
    reply: oneshot::Sender<JoinGroupResponse>,
) -> Result<(), ErrorCode> {
    let config = &context.core.config;
    if request.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    let millis = |ms: i32| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    let session_timeout = millis(request.session_timeout_ms);
    let allowed = config.group_min_session_timeout.0..=config.group_max_session_timeout.0;
    if !allowed.contains(&session_timeout) {
        return Err(ErrorCode::InvalidSessionTimeout);
    }
    let groups = context.core.groups()?;
    let client_id = context.client_id.clone().unwrap_or_default();
    let named_after = request.group_instance_id.as_ref().unwrap_or(&client_id);
    let join = Join {
        version: context.version,
        fresh_id: format!("{named_after}-{}", context.core.world.random.uuid()),
        member_id: request.member_id,
        instance_id: request.group_instance_id,
        client_id,
        client_host: format!("/{}", context.ends.client.ip()),
        session_timeout,
        // v0 has only one timeout.
        rebalance_timeout: match request.rebalance_timeout_ms {
            -1 => session_timeout,
            ms => millis(ms),
        },
        protocol_type: request.protocol_type,
        protocols: request.protocols,
    };
    groups.join(&request.group_id, join, reply);
    Ok(())
}
