//! `FetchErrorDetails`: an error told whole, which a status has no room for.

use tidemill_spark_connect::{FetchErrorDetailsRequest, FetchErrorDetailsResponse};

use crate::spark::sessions::Session;

/// An error that is not kept any more has no details, as in Spark.
pub(in crate::spark) fn handle(
    session: &Session,
    request: &FetchErrorDetailsRequest,
) -> FetchErrorDetailsResponse {
    let details = session.error(&request.error_id).map(|error| error.details());
    FetchErrorDetailsResponse {
        session_id: session.id.clone(),
        server_side_session_id: session.server_id.clone(),
        ..details.unwrap_or_default()
    }
}
