//! Why a question could not be answered, in words for the page.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use tidemill_kafka_client::{ClientError, ErrorCode};

/// The boxes as the API names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Part {
    Broker,
    Registry,
    Scheduler,
    Engine,
    Store,
    Console,
}

/// A failure of `/api/v1`: which part, what, and what to do about it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) part: Part,
    pub(crate) message: String,
    pub(crate) hint: Option<&'static str>,
}

impl ApiError {
    /// The part does not answer, or not its own protocol.
    pub(crate) fn down(part: Part, message: impl ToString) -> ApiError {
        ApiError { status: StatusCode::BAD_GATEWAY, part, message: message.to_string(), hint: None }
    }

    /// The part answers that there is no such thing.
    pub(crate) fn missing(part: Part, message: impl ToString) -> ApiError {
        ApiError { status: StatusCode::NOT_FOUND, ..ApiError::down(part, message) }
    }

    /// The question makes no sense.
    pub(crate) fn bad(message: impl ToString) -> ApiError {
        ApiError { status: StatusCode::BAD_REQUEST, ..ApiError::down(Part::Console, message) }
    }

    /// The part refuses what was asked, with its own status and words.
    pub(crate) fn refused(part: Part, status: StatusCode, message: impl ToString) -> ApiError {
        ApiError { status, ..ApiError::down(part, message) }
    }

    pub(crate) fn with_hint(self, hint: &'static str) -> ApiError {
        ApiError { hint: Some(hint), ..self }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body =
            json!({"error": {"part": self.part, "message": self.message, "hint": self.hint}});
        (self.status, Json(body)).into_response()
    }
}

impl From<ClientError> for ApiError {
    fn from(error: ClientError) -> ApiError {
        let missing = [
            ErrorCode::UnknownTopicOrPartition,
            ErrorCode::UnknownTopicId,
            ErrorCode::GroupIdNotFound,
        ];
        match error.code() {
            Some(code) if missing.contains(&code) => ApiError::missing(Part::Broker, error),
            _ => ApiError::down(Part::Broker, error),
        }
    }
}

/// Why something could not be reached, without what was tried on the way: the innermost cause, in
/// words that say what to look at.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let text = with_causes(error);
    let cause = text.rsplit(": ").next().unwrap_or(&text);
    if cause.contains("onnection refused") {
        return "connection refused, nothing listens there".to_owned();
    }
    cause.to_owned()
}

/// An error with its causes: what people need to see is usually the last one.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
