//! `GET /health`: whether the registry works, and what it left out.

use axum::extract::State;
use serde_json::{Value, json};

use super::Shared;
use super::answer::Answer;

/// Answers as long as the process does; `topic` says whether the log behind it can be read.
pub(super) async fn health(State(app): Shared) -> Answer<Value> {
    let health = app.service.health();
    let topic = if health.cut_off { "unreachable" } else { "connected" };
    Answer(json!({
        "status": if health.cut_off { "degraded" } else { "ok" },
        "topic": topic,
        "offset": health.applied,
        "subjects": health.subjects,
        "versions": health.versions,
        "skipped_records": health.skipped,
    }))
}
