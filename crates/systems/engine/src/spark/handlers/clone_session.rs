//! `CloneSession`: another session with the same settings and views.

use tidemill_spark_connect::{CloneSessionRequest, CloneSessionResponse};

use crate::spark::error::Result;
use crate::spark::service::Service;
use crate::spark::sessions::Session;

pub(in crate::spark) fn handle(
    service: &Service,
    session: &Session,
    request: CloneSessionRequest,
) -> Result<CloneSessionResponse> {
    let id = request.new_session_id.filter(|id| !id.is_empty());
    let id = id.unwrap_or_else(|| session.new_id());
    let clone = service.sessions.get_or_make(&id, request.user_context.as_ref(), None)?;
    *clone.conf.lock() = session.conf.lock().clone();
    *clone.views.lock() = session.views.lock().clone();
    Ok(CloneSessionResponse {
        session_id: session.id.clone(),
        server_side_session_id: session.server_id.clone(),
        new_session_id: clone.id.clone(),
        new_server_side_session_id: clone.server_id.clone(),
    })
}
