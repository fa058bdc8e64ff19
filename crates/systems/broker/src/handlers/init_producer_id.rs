//! InitProducerId (key 22), v0–v5. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_InitProducerId>
//!
//! An idempotent producer gets a new id with epoch 0 each time it asks, as in Kafka (KIP-360).
//! Differs from Kafka: transactional ids are refused, with the error a client does not retry.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::{InitProducerIdRequest, InitProducerIdResponse};

use super::Context;

pub(super) fn handle(context: &Context, request: InitProducerIdRequest) -> InitProducerIdResponse {
    match new_id(context, request.transactional_id.as_deref()) {
        Ok(producer_id) => InitProducerIdResponse { producer_id, ..Default::default() },
        Err(error_code) => {
            InitProducerIdResponse { error_code, producer_epoch: -1, ..Default::default() }
        }
    }
}

fn new_id(context: &Context, transactional_id: Option<&str>) -> Result<i64, ErrorCode> {
    match transactional_id {
        Some("") => Err(ErrorCode::InvalidRequest),
        Some(_) => Err(ErrorCode::TransactionalIdAuthorizationFailed),
        None => context.core.new_producer_id().map_err(|error| {
            tracing::error!(%error, "producer ids cannot be reserved");
            ErrorCode::CoordinatorNotAvailable
        }),
    }
}
