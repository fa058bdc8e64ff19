//! `GET /api/v1/pipelines`: the engine's listing, whole.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::topics::seen;
use crate::app::App;
use crate::error::{ApiError, Part};

/// As the engine last told it, a second ago at most while somebody looks.
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let pipelines = seen(&app.watch.facts.read().pipelines, Part::Engine)?;
    Ok(Json(json!({"pipelines": *pipelines})))
}
