//! `POST /api/v1/cql`: one CQL statement, its first rows.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::tables::milliseconds;
use crate::app::App;
use crate::error::ApiError;

/// Rows one answer gives.
const ROWS_MAX: i32 = 1000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    pub(super) statement: String,
}

/// Runs it as cqlsh would.
pub(super) async fn run(
    State(app): State<Arc<App>>,
    Json(body): Json<Body>,
) -> Result<Json<Value>, ApiError> {
    let statement = body.statement.trim().trim_end_matches(';').trim_end();
    if statement.is_empty() {
        return Err(ApiError::bad("there is no statement"));
    }
    let began = app.world.clock.monotonic();
    let page = app.store.page(statement, (), ROWS_MAX, None).await?;
    Ok(Json(json!({
        "columns": page.columns,
        "rows": page.rows,
        "truncated": page.next.is_some(),
        "took_ms": milliseconds(&app, began),
        "job": null,
    })))
}
