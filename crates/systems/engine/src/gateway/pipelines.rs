//! `/v1/pipelines`: our own list of jobs, for the console and the command line.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Gateway;
use super::answer::Refusal;

pub(super) async fn list(State(gateway): State<Arc<Gateway>>) -> Json<Value> {
    let jobs: Vec<Value> = gateway.core.jobs.list().iter().map(|job| job.to_json()).collect();
    Json(json!({ "pipelines": jobs }))
}

pub(super) async fn one(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let job = gateway.core.jobs.get(&id).ok_or_else(|| unknown(&id))?;
    Ok(Json(job.to_json()))
}

pub(super) async fn cancel(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let job = gateway.core.jobs.cancel(&id).ok_or_else(|| unknown(&id))?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id, "state": job.state().name() }))))
}

fn unknown(id: &str) -> Refusal {
    Refusal::not_found(format!("Pipeline '{id}' does not exist."))
}
