//! EndTxn (key 26), v0–v5. Spec: <https://kafka.apache.org/protocol#The_Messages_EndTxn>
//!
//! v5 gives the producer the epoch of its next transaction, so that a late request can never end
//! that one (KIP-890). Answered when the markers are durable: the next transaction can begin at once,
//! and readers see this one. Kafka answers when the decision is.

use tidemill_kafka_wire::messages::{EndTxnRequest, EndTxnResponse};

use super::{Context, fenced};
use crate::transactions::state::{VERSION_0, VERSION_2};

/// From this version on each transaction has its own epoch.
const BUMPS_FROM: i16 = 5;

pub(super) fn handle(context: &Context, request: EndTxnRequest) -> EndTxnResponse {
    let (core, version) = (&context.core, context.version);
    let client_version = if version >= BUMPS_FROM { VERSION_2 } else { VERSION_0 };
    let producer = (request.producer_id, request.producer_epoch);
    let ended = core.transactions().and_then(|transactions| {
        transactions.end(
            core,
            &request.transactional_id,
            producer,
            request.committed,
            client_version,
        )
    });
    match ended {
        Ok((producer_id, producer_epoch)) => {
            EndTxnResponse { producer_id, producer_epoch, ..Default::default() }
        }
        Err(error) => {
            EndTxnResponse { error_code: fenced(error, version, 2), ..Default::default() }
        }
    }
}
