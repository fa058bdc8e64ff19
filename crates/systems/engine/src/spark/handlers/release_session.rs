//! `ReleaseSession`: its operations and its streaming queries end.

use tidemill_spark_connect::{ReleaseSessionRequest, ReleaseSessionResponse};

use crate::spark::service::Service;

pub(in crate::spark) fn handle(
    service: &Service,
    request: &ReleaseSessionRequest,
) -> ReleaseSessionResponse {
    let released = service.sessions.release(&request.session_id, request.user_context.as_ref());
    if released.is_some() {
        service.queries.stop_all_of(&request.session_id, &service.core.jobs);
    }
    ReleaseSessionResponse {
        session_id: request.session_id.clone(),
        server_side_session_id: released.map(|one| one.server_id.clone()).unwrap_or_default(),
    }
}
