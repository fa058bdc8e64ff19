//! FindCoordinator (key 10), v0–v6. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_FindCoordinator>
//!
//! v4 many keys at once (KIP-699). This broker coordinates all groups and transactions; it is where
//! the client found it.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::find_coordinator::Coordinator;
use tidemill_kafka_wire::messages::{FindCoordinatorRequest, FindCoordinatorResponse};

use super::Context;
use crate::core::NODE_ID;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

pub(super) fn handle(
    context: &Context,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let key_type = request.key_type;
    if context.version >= 4 {
        let keys = request.coordinator_keys.into_iter();
        let coordinators = keys.map(|key| find(context, key_type, key)).collect();
        return FindCoordinatorResponse { coordinators, ..Default::default() };
    }
    let found = find(context, key_type, request.key);
    FindCoordinatorResponse {
        error_code: found.error_code,
        error_message: found.error_message,
        node_id: found.node_id,
        host: found.host,
        port: found.port,
        ..Default::default()
    }
}

fn find(context: &Context, key_type: i8, key: String) -> Coordinator {
    let refused = match key_type {
        GROUP => context.core.groups().err().map(|code| (code, "groups are not available")),
        TRANSACTION => {
            let refused = context.core.transactions().err();
            refused.map(|code| (code, "transactions are not available"))
        }
        _ => Some((ErrorCode::InvalidRequest, "keys are of groups (0) or transactions (1)")),
    };
    if let Some((error_code, message)) = refused {
        let error_message = Some(message.to_owned());
        return Coordinator {
            key,
            node_id: -1,
            port: -1,
            error_code,
            error_message,
            ..Default::default()
        };
    }
    Coordinator {
        key,
        node_id: NODE_ID,
        host: context.ends.broker.ip().to_string(),
        port: context.ends.broker.port().into(),
        ..Default::default()
    }
}
