//! Answers: JSON, or a refusal with Schema Registry's code and message.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::RegistryError;

/// The usual type of a body.
pub(super) const USUAL_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// A body of JSON.
pub(super) struct Answer<T>(pub(super) T);

/// A schema's text as it is, without quotes around it.
pub(super) struct Text(pub(super) String);

/// What a handler gives.
pub(super) type Outcome<T> = Result<Answer<T>, Refusal>;

/// A refusal. Its body is written by the guard, which knows the profile.
#[derive(Debug, Clone)]
pub(super) struct Refusal(pub(super) RegistryError);

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Refusal {
        Refusal(error)
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => typed(StatusCode::OK, body),
            Err(error) => Refusal(RegistryError::Store(error.to_string())).into_response(),
        }
    }
}

impl IntoResponse for Text {
    fn into_response(self) -> Response {
        typed(StatusCode::OK, self.0.into_bytes())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = typed(status, Vec::new());
        response.extensions_mut().insert(self);
        response
    }
}

pub(super) fn typed(status: StatusCode, body: Vec<u8>) -> Response {
    let kind = HeaderValue::from_static(USUAL_TYPE);
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}
