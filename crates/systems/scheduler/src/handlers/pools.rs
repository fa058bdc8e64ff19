//! `/pools`: there is one, and its slots are `[scheduler] parallelism`.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::Api;
use super::error::ApiError;
use crate::core::TaskState;
use crate::store::TaskFilter;

/// The one pool.
const DEFAULT: &str = "default_pool";

/// `GET /pools`.
pub(super) async fn list(State(api): State<Api>) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({ "pools": [pool(&api).await?], "total_entries": 1 })))
}

/// `GET /pools/{pool_name}`.
pub(super) async fn get(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    if name != DEFAULT {
        let detail = format!("The Pool with name: `{name}` was not found");
        return Err(ApiError::not_found(detail));
    }
    Ok(Json(pool(&api).await?))
}

/// Airflow's `PoolResponse`.
async fn pool(api: &Api) -> Result<Value, ApiError> {
    let mut counts = [0; 3];
    let states = [TaskState::Running, TaskState::Queued, TaskState::Scheduled];
    for (count, state) in counts.iter_mut().zip(states) {
        let filter = TaskFilter { states: vec![state], limit: 1, ..TaskFilter::default() };
        *count = api.reader.tasks(&filter).await?.total;
    }
    let [running, queued, scheduled] = counts;
    let slots = i64::try_from(api.parallelism).unwrap_or(i64::MAX);
    Ok(json!({
        "name": DEFAULT,
        "slots": slots,
        "description": "Default pool",
        "include_deferred": false,
        "occupied_slots": running + queued,
        "running_slots": running,
        "queued_slots": queued,
        "scheduled_slots": scheduled,
        "open_slots": (slots - running - queued).max(0),
        "deferred_slots": 0,
        "team_name": null,
    }))
}
