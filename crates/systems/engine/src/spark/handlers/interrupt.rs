//! `Interrupt`: running operations are ended, all, by tag or by id.

use tidemill_spark_connect::{InterruptRequest, InterruptResponse, InterruptTarget, InterruptType};

use crate::spark::error::{Result, SparkError};
use crate::spark::sessions::Session;

pub(in crate::spark) fn handle(
    session: &Session,
    request: InterruptRequest,
) -> Result<InterruptResponse> {
    let interrupted_ids = match (request.interrupt_type(), &request.interrupt) {
        (InterruptType::All, _) => session.interrupt(|_| true),
        (InterruptType::Tag, Some(InterruptTarget::OperationTag(tag))) => {
            session.interrupt(|operation| operation.tags.contains(tag))
        }
        (InterruptType::OperationId, Some(InterruptTarget::OperationId(id))) => {
            session.interrupt(|operation| operation.id == *id)
        }
        _ => return Err(SparkError::invalid_plan("the interrupt names nothing")),
    };
    Ok(InterruptResponse {
        session_id: session.id.clone(),
        server_side_session_id: session.server_id.clone(),
        interrupted_ids,
    })
}
