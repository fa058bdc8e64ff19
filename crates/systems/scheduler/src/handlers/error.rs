//! Errors as Airflow gives them: a status and `{"detail": …}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::core::Refusal;
use crate::store::StoreError;

/// A status and what is wrong.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ApiError {
    status: StatusCode,
    detail: Value,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> ApiError {
        ApiError { status, detail: Value::String(detail.into()) }
    }

    pub(super) fn not_found(detail: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn no_run(dag_id: &str, run_id: &str) -> ApiError {
        ApiError::not_found(format!(
            "The DagRun with dag_id: `{dag_id}` and run_id: `{run_id}` was not found"
        ))
    }

    pub(super) fn no_task(dag_id: &str, run_id: &str, task_id: &str) -> ApiError {
        ApiError::not_found(format!(
            "The Task Instance with dag_id: `{dag_id}`, run_id: `{run_id}` and task_id: \
             `{task_id}` was not found"
        ))
    }

    /// A field that has to be there: FastAPI's shape.
    pub(super) fn missing(place: &[&str]) -> ApiError {
        ApiError {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            detail: json!([{ "type": "missing", "loc": place, "msg": "Field required" }]),
        }
    }

    /// There is one of that name already: what Airflow makes of its database's refusal.
    pub(super) fn not_unique() -> ApiError {
        ApiError {
            status: StatusCode::CONFLICT,
            detail: json!({
                "reason": "Unique constraint violation", "statement": "hidden",
                "orig_error": "hidden", "message": "there is one of that name already",
            }),
        }
    }

    /// As one of a bulk answer's errors.
    pub(super) fn in_bulk(self) -> Value {
        let detail = match self.detail {
            Value::String(text) => text,
            other => other.to_string(),
        };
        json!({ "error": detail, "status_code": self.status.as_u16() })
    }

    /// A value that is not what it has to be: FastAPI's shape.
    pub(super) fn invalid(place: &[&str], message: impl Into<String>) -> ApiError {
        ApiError {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            detail: json!([{ "type": "value_error", "loc": place, "msg": message.into() }]),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "detail": self.detail }))).into_response()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        if error.is_passing() {
            let detail = format!("{error}; it is tried again");
            return ApiError::new(StatusCode::SERVICE_UNAVAILABLE, detail);
        }
        tracing::error!(%error, "a question to the scheduler's database failed");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        let status = match &refusal {
            Refusal::NoDag(_) | Refusal::NoRun => StatusCode::NOT_FOUND,
            Refusal::Exists { .. } => StatusCode::CONFLICT,
            Refusal::Invalid(_) => StatusCode::BAD_REQUEST,
            Refusal::Draining | Refusal::Standby(_) | Refusal::Unavailable(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        let detail = match refusal {
            Refusal::NoDag(dag_id) => format!("Dag with dag_id: '{dag_id}' not found"),
            other => other.to_string(),
        };
        ApiError::new(status, detail)
    }
}
