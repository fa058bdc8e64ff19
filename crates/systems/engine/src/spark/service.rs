//! From a call's path to its handler, and from an error to the status that ends the call.

use std::sync::Arc;

use tidemill_runtime::{Tasks, World};
use tidemill_spark_connect::grpc::frame;
use tidemill_spark_connect::status::{Code, Status};
use tidemill_spark_connect::{
    AnalyzePlanRequest, ArtifactStatusesRequest, CloneSessionRequest, ConfigRequest,
    ExecutePlanRequest, FetchErrorDetailsRequest, InterruptRequest, Message,
    ReattachExecuteRequest, ReleaseExecuteRequest, SERVICE, UserContext,
};

use super::error::SparkError;
use super::handlers;
use super::http2::{Answer, Body};
use super::sessions::{Session, Sessions};
use super::streams::Queries;
use crate::server::EnginePaths;
use crate::session::Core;

/// What handlers work on.
pub(super) struct Service {
    pub(super) core: Arc<Core>,
    pub(super) sessions: Sessions,
    pub(super) queries: Queries,
    pub(super) tasks: Tasks,
    pub(super) world: World,
    pub(super) paths: EnginePaths,
}

/// What every request says about its session.
pub(super) trait OfSession {
    fn session_id(&self) -> &str;
    fn user(&self) -> Option<&UserContext>;
    /// The server's id that the client saw last.
    fn observed(&self) -> Option<&str>;
}

macro_rules! of_session {
    ($($request:ty),+) => {
        $(impl OfSession for $request {
            fn session_id(&self) -> &str {
                &self.session_id
            }

            fn user(&self) -> Option<&UserContext> {
                self.user_context.as_ref()
            }

            fn observed(&self) -> Option<&str> {
                self.client_observed_server_side_session_id.as_deref()
            }
        })+
    };
}

of_session!(
    AnalyzePlanRequest,
    ArtifactStatusesRequest,
    CloneSessionRequest,
    ConfigRequest,
    ExecutePlanRequest,
    FetchErrorDetailsRequest,
    InterruptRequest,
    ReattachExecuteRequest,
    ReleaseExecuteRequest
);

impl Service {
    /// The session of a request, or the status that says why there is none.
    pub(super) fn session(&self, request: &impl OfSession) -> Result<Arc<Session>, Status> {
        self.sessions
            .get_or_make(request.session_id(), request.user(), request.observed())
            .map_err(|error| error.status(""))
    }
}

/// Handles one call; an error is the status it ends with.
pub(super) async fn dispatch(
    path: &str,
    mut body: Body,
    answer: &mut Answer,
    service: &Arc<Service>,
) -> Result<(), Status> {
    let method = path.strip_prefix('/').and_then(|path| path.strip_prefix(SERVICE));
    match method.and_then(|method| method.strip_prefix('/')) {
        Some("ExecutePlan") => {
            handlers::execute_plan::handle(service, body.only().await?, answer).await
        }
        Some("ReattachExecute") => {
            handlers::reattach_execute::handle(service, body.only().await?, answer).await
        }
        Some("AddArtifacts") => {
            let response = handlers::artifacts::add(service, body).await?;
            reply(answer, &response).await
        }
        Some("ReleaseSession") => {
            let response = handlers::release_session::handle(service, &body.only().await?);
            reply(answer, &response).await
        }
        Some("AnalyzePlan") => {
            let request: AnalyzePlanRequest = body.only().await?;
            let session = service.session(&request)?;
            let result = handlers::analyze_plan::handle(service, &session, request).await;
            finish(result, &session, answer).await
        }
        Some("Config") => {
            let request: ConfigRequest = body.only().await?;
            let session = service.session(&request)?;
            let result = handlers::config::handle(&session, request);
            finish(result, &session, answer).await
        }
        Some("ArtifactStatus") => {
            let request: ArtifactStatusesRequest = body.only().await?;
            let session = service.session(&request)?;
            reply(answer, &handlers::artifacts::status(&session, request)).await
        }
        Some("Interrupt") => {
            let request: InterruptRequest = body.only().await?;
            let session = service.session(&request)?;
            let result = handlers::interrupt::handle(&session, request);
            finish(result, &session, answer).await
        }
        Some("ReleaseExecute") => {
            let request: ReleaseExecuteRequest = body.only().await?;
            let session = service.session(&request)?;
            let result = handlers::release_execute::handle(&session, request);
            finish(result, &session, answer).await
        }
        Some("FetchErrorDetails") => {
            let request: FetchErrorDetailsRequest = body.only().await?;
            let session = service.session(&request)?;
            reply(answer, &handlers::error_details::handle(&session, &request)).await
        }
        Some("CloneSession") => {
            let request: CloneSessionRequest = body.only().await?;
            let session = service.session(&request)?;
            let result = handlers::clone_session::handle(service, &session, request);
            finish(result, &session, answer).await
        }
        _ => Err(Status::new(Code::Unimplemented, format!("{path} is not served"))),
    }
}

/// The answer of a call that has one message.
async fn finish<M: Message>(
    result: Result<M, SparkError>,
    session: &Session,
    answer: &mut Answer,
) -> Result<(), Status> {
    match result {
        Ok(response) => reply(answer, &response).await,
        Err(error) => Err(status(&error, session)),
    }
}

/// The status of an error whose details can be asked for.
pub(super) fn status(error: &SparkError, session: &Session) -> Status {
    error.status(&session.remember(error))
}

async fn reply<M: Message>(answer: &mut Answer, response: &M) -> Result<(), Status> {
    let gone = |_| Status::new(Code::Cancelled, "the client went away");
    answer.send(frame(response)).await.map_err(gone)
}
