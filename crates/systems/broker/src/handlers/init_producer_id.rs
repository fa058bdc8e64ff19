//! InitProducerId (key 22), v0–v5. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_InitProducerId>
//!
//! An idempotent producer gets a new id with epoch 0 each time it asks, as in Kafka (KIP-360). One
//! with a transactional id gets the id's producer with the next epoch, which fences the one before;
//! v3 says who it believes it is.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::{InitProducerIdRequest, InitProducerIdResponse};

use super::Context;
use crate::transactions::Identity;

/// From this version on a fenced producer is told so by name.
const FENCED_FROM: i16 = 4;

pub(super) fn handle(context: &Context, request: InitProducerIdRequest) -> InitProducerIdResponse {
    match begin(context, &request) {
        Ok((producer_id, producer_epoch)) => {
            InitProducerIdResponse { producer_id, producer_epoch, ..Default::default() }
        }
        Err(error_code) => InitProducerIdResponse {
            error_code: match error_code {
                ErrorCode::ProducerFenced if context.version < FENCED_FROM => {
                    ErrorCode::InvalidProducerEpoch
                }
                error_code => error_code,
            },
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        },
    }
}

fn begin(context: &Context, request: &InitProducerIdRequest) -> Result<Identity, ErrorCode> {
    let core = &context.core;
    let expected = match (request.producer_id, request.producer_epoch) {
        (-1, -1) => None,
        (id, epoch) if id >= 0 && epoch >= 0 => Some((id, epoch)),
        // One without the other names nobody.
        _ => return Err(ErrorCode::InvalidRequest),
    };
    let Some(transactional_id) = &request.transactional_id else {
        let id = core.new_producer_id().map_err(|error| {
            tracing::error!(%error, "producer ids cannot be reserved");
            ErrorCode::CoordinatorNotAvailable
        })?;
        return Ok((id, 0));
    };
    let timeout_ms = request.transaction_timeout_ms;
    core.transactions()?.begin(core, transactional_id, timeout_ms, expected)
}
