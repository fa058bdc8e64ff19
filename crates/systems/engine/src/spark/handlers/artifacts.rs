//! `AddArtifacts`, `ArtifactStatus`: files and classes for user code, which does not run here.

use std::sync::Arc;

use tidemill_spark_connect::status::Status;
use tidemill_spark_connect::{
    AddArtifactsRequest, AddArtifactsResponse, ArtifactPayload, ArtifactStatus,
    ArtifactStatusesRequest, ArtifactStatusesResponse,
};

use crate::spark::error::SparkError;
use crate::spark::http2::{Body, read};
use crate::spark::service::{Service, status as status_of};
use crate::spark::sessions::Session;

/// Refuses the first artifact by its name.
pub(in crate::spark) async fn add(
    service: &Arc<Service>,
    mut body: Body,
) -> Result<AddArtifactsResponse, Status> {
    let mut response = AddArtifactsResponse::default();
    while let Some(message) = body.next().await? {
        let request: AddArtifactsRequest = read(&message)?;
        let observed = request.client_observed_server_side_session_id.as_deref();
        let user = request.user_context.as_ref();
        let session = service
            .sessions
            .get_or_make(&request.session_id, user, observed)
            .map_err(|error| error.status(""))?;
        response.session_id.clone_from(&session.id);
        response.server_side_session_id.clone_from(&session.server_id);
        let name = match &request.payload {
            Some(ArtifactPayload::Batch(batch)) => batch.artifacts.first().map(|one| &one.name),
            Some(ArtifactPayload::BeginChunk(begin)) => Some(&begin.name),
            _ => None,
        };
        if let Some(name) = name {
            let what = format!("artifact {name}: code of the client does not run in this server");
            return Err(status_of(&SparkError::unsupported(what), &session));
        }
    }
    Ok(response)
}

pub(in crate::spark) fn status(
    session: &Session,
    request: ArtifactStatusesRequest,
) -> ArtifactStatusesResponse {
    let names = request.names.into_iter();
    ArtifactStatusesResponse {
        session_id: session.id.clone(),
        server_side_session_id: session.server_id.clone(),
        statuses: names.map(|name| (name, ArtifactStatus { exists: false })).collect(),
    }
}
