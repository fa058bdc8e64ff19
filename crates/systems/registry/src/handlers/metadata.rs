//! `/` and `/v1/metadata`: what this server is.

use axum::extract::State;
use serde_json::{Value, json};

use super::Shared;
use super::answer::Answer;

/// `GET /`, `POST /`: nothing; clients ask it to see whether somebody is there.
pub(super) async fn root() -> Answer<Value> {
    Answer(json!({}))
}

/// `GET /v1/metadata/id`: the Kafka cluster that holds the schemas.
pub(super) async fn id(State(app): Shared) -> Answer<Value> {
    let cluster = app.service.cluster_id().await;
    let clusters = json!({"kafka-cluster": cluster, "schema-registry-cluster": "schema-registry"});
    Answer(json!({"id": "", "scope": {"path": [], "clusters": clusters}}))
}

/// `GET /v1/metadata/version`: the version whose answers are given, and by whom.
pub(super) async fn version(State(app): Shared) -> Answer<Value> {
    let major = u8::from(app.profile);
    let version = format!("{major}.0.0-tidemill-{}", env!("CARGO_PKG_VERSION"));
    Answer(json!({"version": version, "commitId": ""}))
}

/// `GET /v1/metadata/deployment`: nothing is set.
pub(super) async fn deployment() -> Answer<Value> {
    Answer(json!({}))
}
