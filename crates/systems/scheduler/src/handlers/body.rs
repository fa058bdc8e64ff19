//! JSON bodies: what they hold is checked field by field, and an unknown field is an error.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::error::ApiError;

/// Of a field that may be missing or null: missing leaves it, null removes it.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// There are no teams here, as in an Airflow that is not told to have them.
pub(super) fn no_team(name: Option<&str>) -> Result<(), ApiError> {
    match name {
        None => Ok(()),
        Some(_) => Err(ApiError::invalid(
            &["body"],
            "Value error, team_name cannot be set when multi_team mode is disabled. \
             Please contact your administrator.",
        )),
    }
}

/// A body of type `T`.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, ApiError> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Body(body)),
            Err(rejection) => Err(refused(&rejection)),
        }
    }
}

fn refused(rejection: &JsonRejection) -> ApiError {
    let mut text = rejection.body_text();
    // The framework's preamble tells nothing.
    if let Some((_, reason)) = text.split_once(": ") {
        text = reason.to_owned();
    }
    match rejection.status() {
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => {
            ApiError::invalid(&["body"], text)
        }
        other => ApiError::new(other, text),
    }
}
