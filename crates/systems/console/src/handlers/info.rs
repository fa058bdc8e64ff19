//! The console itself, and how the boxes are.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::ApiError;

/// `GET /health`: the console answers.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({"status": "healthy", "box": "console", "version": env!("CARGO_PKG_VERSION")}))
}

/// `GET /api/v1/info`: version and where the boxes are.
pub(super) async fn info(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "endpoints": {
            "kafka": app.endpoints.kafka,
            "registry": app.registry.base(),
            "scheduler": app.scheduler.base(),
            "cql": app.endpoints.cql.contact_points.first().cloned().unwrap_or_default(),
            "engine": app.engine.base(),
            "console": app.url,
        },
    }))
}

/// `GET /api/v1/health`: each box, as it was last seen.
pub(super) async fn health(State(app): State<Arc<App>>) -> Json<Value> {
    let facts = app.watch.facts.read();
    Json(json!({"boxes": facts.health.values().collect::<Vec<_>>()}))
}

/// `GET /api/v1/cluster`: the Kafka cluster and its brokers.
pub(super) async fn cluster(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let cluster = app.kafka.cluster().await?;
    let brokers: Vec<Value> = cluster
        .brokers
        .iter()
        .map(|broker| json!({"id": broker.id, "address": broker.address}))
        .collect();
    Ok(Json(json!({"id": cluster.id, "controller": cluster.controller, "brokers": brokers})))
}
