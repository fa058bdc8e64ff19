//! AddOffsetsToTxn (key 25), v0–v4. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_AddOffsetsToTxn>
//!
//! Takes the partition that keeps the group's offsets into the transaction.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};

use super::{Context, fenced};
use crate::topics::name::OFFSETS_TOPIC;
use crate::transactions::state::VERSION_0;

pub(super) fn handle(
    context: &Context,
    request: AddOffsetsToTxnRequest,
) -> AddOffsetsToTxnResponse {
    let error_code = match add(context, &request) {
        Ok(()) => ErrorCode::None,
        Err(error) => fenced(error, context.version, 2),
    };
    AddOffsetsToTxnResponse { error_code, ..Default::default() }
}

fn add(context: &Context, request: &AddOffsetsToTxnRequest) -> Result<(), ErrorCode> {
    // The topic must be there before a marker is written to it.
    context.core.groups()?;
    let transactions = context.core.transactions()?;
    let producer = (request.producer_id, request.producer_epoch);
    let place = (OFFSETS_TOPIC.to_owned(), 0);
    match transactions.add(&request.transactional_id, producer, &[place], VERSION_0)? {
        Some(offset) => transactions.wait(offset),
        None => Ok(()),
    }
}
