//! `/importErrors`: DAG files that could not be taken.

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Api;
use super::error::ApiError;
use super::query::Query;
use crate::dag::ImportError;
use crate::text::json_instant;

/// `GET /importErrors`.
pub(super) async fn list(
    State(api): State<Api>,
    mut query: Query,
) -> Result<Json<Value>, ApiError> {
    let (limit, offset) = query.page()?;
    query.finish()?;
    let errors = api.directory.errors();
    let page = errors
        .iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(usize::try_from(limit).unwrap_or(0));
    let shown: Vec<Value> = page.map(|(error, since)| error_json(&api, error, *since)).collect();
    Ok(Json(json!({ "import_errors": shown, "total_entries": errors.len() })))
}

/// `GET /importErrors/{import_error_id}`.
pub(super) async fn get(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let errors = api.directory.errors();
    let found = errors.iter().find(|(error, _)| number(error).to_string() == id);
    let (error, since) = found.ok_or_else(|| {
        ApiError::not_found(format!("The ImportError with import_error_id: `{id}` was not found"))
    })?;
    Ok(Json(error_json(&api, error, *since)))
}

/// A number that stays the same while the file has an error.
fn number(error: &ImportError) -> u32 {
    error
        .file
        .bytes()
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
        >> 1
}

/// Airflow's `ImportErrorResponse`; the text is in `stack_trace`, its first line says it all.
fn error_json(api: &Api, error: &ImportError, since: Timestamp) -> Value {
    json!({
        "import_error_id": number(error),
        "timestamp": json_instant(since),
        "filename": api.dags_folder.join(&error.file).display().to_string(),
        "bundle_name": "dags-folder",
        "stack_trace": error.to_string(),
    })
}
