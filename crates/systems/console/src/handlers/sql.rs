//! `POST /api/v1/sql`: one statement at the engine's Flink SQL gateway (REST API v1).
//!
//! Spec: nightlies.apache.org/flink/flink-docs-stable/docs/dev/table/sql-gateway/rest/

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::cql::Body;
use super::segment;
use super::tables::milliseconds;
use crate::app::App;
use crate::error::{ApiError, Part};

/// Rows one answer gives; a query that never ends is closed then.
const ROWS_MAX: usize = 1000;
/// How long rows are waited for.
const PATIENCE: Duration = Duration::from_secs(8);
/// Pauses between two questions for the next rows: short at first, for statements that answer at
/// once, then longer.
const PAUSE: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// Runs a statement in the console's own session.
pub(super) async fn run(
    State(app): State<Arc<App>>,
    Json(body): Json<Body>,
) -> Result<Json<Value>, ApiError> {
    if body.statement.trim().is_empty() {
        return Err(ApiError::bad("there is no statement"));
    }
    let began = app.world.clock.monotonic();
    // One statement at a time: they share a session.
    let mut session = app.sql_session.lock().await;
    let submitted = submit(&app, &mut session, &body.statement).await;
    let (handle, operation) = submitted?;
    let answer = read(&app, &handle, &operation, began).await;
    let path = format!("/v1/sessions/{handle}/operations/{operation}/close");
    // A gateway that lost the operation has closed it.
    let _ = app.engine.send(Method::DELETE, &path, None).await;
    let mut answer = answer?;
    answer["took_ms"] = milliseconds(&app, began).into();
    Ok(Json(answer))
}

/// Session and operation; a session that the engine forgot is opened anew.
async fn submit(
    app: &App,
    session: &mut Option<String>,
    statement: &str,
) -> Result<(String, String), ApiError> {
    let body = json!({"statement": statement});
    if let Some(handle) = session.clone() {
        let path = format!("/v1/sessions/{handle}/statements");
        match app.engine.send(Method::POST, &path, Some(&body)).await {
            Ok(answer) => return Ok((handle, text_in(&answer, "operationHandle")?)),
            Err(error) if !is_session_lost(&error) => return Err(error),
            Err(_) => *session = None,
        }
    }
    let opened = app.engine.send(Method::POST, "/v1/sessions", Some(&json!({}))).await?;
    let handle = segment(&text_in(&opened, "sessionHandle")?);
    *session = Some(handle.clone());
    let path = format!("/v1/sessions/{handle}/statements");
    let answer = app.engine.send(Method::POST, &path, Some(&body)).await?;
    Ok((handle, text_in(&answer, "operationHandle")?))
}

fn is_session_lost(error: &ApiError) -> bool {
    error.status == StatusCode::NOT_FOUND || error.message.contains("ession")
}

fn text_in(answer: &[u8], key: &str) -> Result<String, ApiError> {
    let value: Value = serde_json::from_slice(answer).unwrap_or_default();
    let found = value[key].as_str().map(segment);
    found.ok_or_else(|| ApiError::down(Part::Engine, format!("the gateway gave no {key}")))
}

async fn read(
    app: &App,
    session: &str,
    operation: &str,
    began: Duration,
) -> Result<Value, ApiError> {
    let mut path = format!("/v1/sessions/{session}/operations/{operation}/result/0?rowFormat=JSON");
    let (mut columns, mut rows, mut job) = (Vec::new(), Vec::new(), Value::Null);
    let mut truncated = false;
    let mut pause = PAUSE;
    loop {
        let page: Value = app.engine.get(&path).await?;
        if page["jobID"].is_string() && page["isQueryResult"] == Value::Bool(false) {
            job = page["jobID"].clone();
        }
        if columns.is_empty() {
            columns = names(&page["results"]["columns"]);
        }
        rows.extend(fields(&page["results"]["data"]));
        let is_over = page["resultType"] == "EOS" || page["nextResultUri"].is_null();
        if rows.len() > ROWS_MAX {
            rows.truncate(ROWS_MAX);
            truncated = true;
        }
        let took = app.world.clock.monotonic().saturating_sub(began);
        if is_over || truncated {
            break;
        }
        if took > PATIENCE {
            truncated = true;
            break;
        }
        if let Some(next) = page["nextResultUri"].as_str() {
            path = local_path(next);
        }
        if page["resultType"] == "NOT_READY"
            || page["results"]["data"].as_array().is_none_or(Vec::is_empty)
        {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
    Ok(json!({"columns": columns, "rows": rows, "truncated": truncated, "job": job}))
}

/// The gateway may give a whole URL; only its path is followed, at the same gateway.
fn local_path(uri: &str) -> String {
    match uri.split_once("://") {
        Some((_, rest)) => {
            rest.find('/').map_or_else(|| "/".to_owned(), |at| rest[at..].to_owned())
        }
        None => format!("/{}", uri.trim_start_matches('/')),
    }
}

fn names(columns: &Value) -> Vec<Value> {
    columns.as_array().into_iter().flatten().map(|column| column["name"].clone()).collect()
}

fn fields(data: &Value) -> impl Iterator<Item = Value> {
    data.as_array().into_iter().flatten().map(|row| row["fields"].clone())
}
