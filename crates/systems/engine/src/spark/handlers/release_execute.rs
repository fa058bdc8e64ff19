//! `ReleaseExecute`: the client has some responses, or wants no more of them.

use tidemill_spark_connect::{ReleaseExecuteRequest, ReleaseExecuteResponse, ReleaseWhat};

use crate::spark::error::Result;
use crate::spark::sessions::Session;

pub(in crate::spark) fn handle(
    session: &Session,
    request: ReleaseExecuteRequest,
) -> Result<ReleaseExecuteResponse> {
    let mut response = ReleaseExecuteResponse {
        session_id: session.id.clone(),
        server_side_session_id: session.server_id.clone(),
        operation_id: None,
    };
    // One that is gone needs no release: clients release after the fact.
    let Ok(operation) = session.operation(&request.operation_id) else { return Ok(response) };
    response.operation_id = Some(operation.id.clone());
    match request.release {
        Some(ReleaseWhat::ReleaseUntil(until)) => {
            operation.release(operation.after(&until.response_id)?);
        }
        _ => {
            operation.release_all();
            session.forget(&operation.id);
        }
    }
    Ok(response)
}
