//! `/version`, `/monitor/health` and `/health`.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Api;
use crate::text::json_instant;

/// `GET /api/v2/version`: ours, not Airflow's.
pub(super) async fn version() -> Json<Value> {
    Json(json!({ "version": env!("CARGO_PKG_VERSION"), "git_version": null }))
}

/// `GET /api/v2/monitor/health`. There is no triggerer and no separate DAG processor.
pub(super) async fn health(State(api): State<Api>) -> Json<Value> {
    let database = match api.reader.ping().await {
        Ok(()) => "healthy",
        Err(_) => "unhealthy",
    };
    let heartbeat = api.directory.heartbeat().map(json_instant);
    Json(json!({
        "metadatabase": { "status": database },
        "scheduler": { "status": "healthy", "latest_scheduler_heartbeat": heartbeat },
        "triggerer": { "status": null, "latest_triggerer_heartbeat": null },
        "dag_processor": { "status": "healthy", "latest_dag_processor_heartbeat": heartbeat },
    }))
}
