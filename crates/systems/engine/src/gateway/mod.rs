//! The SQL gateway: Flink's REST (`/v1/sessions/…`), the list of pipelines, and health.
//!
//! Flink numbers its API up to v4; what is here is the same in all of them, so each prefix works.

mod answer;
mod host;
mod operations;
mod pipelines;
mod results;
mod sessions;
mod statements;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde_json::json;

use crate::catalog::Catalog;
use crate::session::Core;

use sessions::Sessions;

/// Bytes of a request's body at most.
const BODY_BYTES_MAX: usize = 1 << 20;

/// What handlers work on.
pub(crate) struct Gateway {
    pub(crate) core: Arc<Core>,
    pub(crate) sessions: Sessions,
}

impl Gateway {
    /// A new session starts with a copy of `catalog`.
    pub(crate) fn new(
        core: Arc<Core>,
        catalog: Catalog,
        world: tidemill_runtime::World,
        tasks: tidemill_runtime::Tasks,
    ) -> Gateway {
        let sessions_max = core.config.sessions_max;
        Gateway { core, sessions: Sessions::new(catalog, sessions_max, world, tasks) }
    }
}

/// All routes.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    let mut router = Router::new()
        .route("/health", get(health))
        .route("/api_versions", get(api_versions))
        .route("/v1/pipelines", get(pipelines::list))
        .route("/v1/pipelines/{id}", get(pipelines::one))
        .route("/v1/pipelines/{id}/cancel", post(pipelines::cancel));
    for version in ["v1", "v2", "v3", "v4"] {
        router = router.nest(&format!("/{version}"), versioned());
    }
    router
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(host::only_loopback))
        .with_state(gateway)
}

fn versioned() -> Router<Arc<Gateway>> {
    const OPERATION: &str = "/sessions/{session}/operations/{operation}";
    Router::new()
        .route("/info", get(info))
        .route("/sessions", post(sessions::open))
        .route("/sessions/{session}", get(sessions::config).delete(sessions::close))
        .route("/sessions/{session}/heartbeat", post(sessions::heartbeat))
        .route("/sessions/{session}/statements", post(statements::execute))
        .route(&format!("{OPERATION}/status"), get(operations::status))
        .route(&format!("{OPERATION}/cancel"), post(operations::cancel))
        .route(&format!("{OPERATION}/close"), axum::routing::delete(operations::close))
        .route(&format!("{OPERATION}/result/{{token}}"), get(results::fetch))
}

async fn health() -> Json<serde_json::Value> {
    Json(json!({ "status": "healthy" }))
}

async fn info() -> Json<serde_json::Value> {
    Json(json!({ "productName": "Tidemill", "version": env!("CARGO_PKG_VERSION") }))
}

async fn api_versions() -> Json<serde_json::Value> {
    Json(json!({ "versions": ["V1", "V2", "V3", "V4"] }))
}
