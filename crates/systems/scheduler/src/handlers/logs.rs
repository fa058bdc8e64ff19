//! `…/taskInstances/{task_id}/logs/{try_number}`: JSON, text, or a stream that follows.
//!
//! JSON gives `content` and, while the try runs, a `continuation_token` to go on with. `?follow=true`
//! (ours) and `Accept: application/x-ndjson` give a line per event; with follow, or `Accept:
//! text/event-stream`, the answer goes on until the try ends.

use std::convert::Infallible;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use serde_json::{Value, json};

use super::Api;
use super::error::ApiError;
use super::query::Query;
use super::task_instances::stored;
use crate::logs::{Chunk, Follow, LogKey};
use crate::store::StoredTask;

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Json,
    Text,
    Lines,
    Events,
}

/// `GET …/logs/{try_number}`.
pub(super) async fn get(
    State(api): State<Api>,
    Path((dag_id, run_id, task_id, try_number)): Path<(String, String, String, String)>,
    headers: HeaderMap,
    mut query: Query,
) -> Result<Response, ApiError> {
    let wrong = || ApiError::invalid(&["path", "try_number"], "a whole number of 0 or more");
    let try_number: u32 = try_number.parse().map_err(|_| wrong())?;
    let stored = stored(&api, &dag_id, &run_id, &task_id).await?;
    if try_number > stored.task.try_number {
        return Err(ApiError::not_found("TaskInstance not found"));
    }
    let from = match query.one("token") {
        None => 0,
        Some(token) => token.parse().map_err(|_| {
            let detail = "Bad Signature. Please use only the tokens provided by the API.";
            ApiError::bad_request(detail)
        })?,
    };
    let form = form(&headers);
    if let Some(elsewhere) = elsewhere(&api, &stored, try_number).await? {
        return Ok(whole(Some(elsewhere), form, &log_key(&stored, try_number)));
    }
    let key = log_key(&stored, try_number);
    if query.flag("follow")?.unwrap_or(false) || form == Form::Events {
        let form = if form == Form::Json { Form::Lines } else { form };
        return Ok(followed(api.logs.follow(key, from), form));
    }
    let read = api.logs.read(&key, from).map_err(|error| {
        ApiError::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, format!("the log: {error}"))
    })?;
    Ok(whole(read, form, &key))
}

fn log_key(stored: &StoredTask, try_number: u32) -> LogKey {
    LogKey {
        dag_id: stored.run.dag_id.clone(),
        run_id: stored.run.run_id.clone(),
        task_id: stored.task.task_id.clone(),
        try_number,
    }
}

/// Logs are files of the scheduler that ran the try: another one can only say where they are.
async fn elsewhere(
    api: &Api,
    stored: &StoredTask,
    try_number: u32,
) -> Result<Option<Chunk>, ApiError> {
    let node = if try_number == stored.task.try_number {
        stored.node.clone()
    } else {
        let tries = api.reader.tries(stored.run.key, &stored.task.task_id).await?;
        tries.into_iter().find(|one| one.task.try_number == try_number).and_then(|one| one.node)
    };
    let Some(node) = node.filter(|node| *node != api.node) else { return Ok(None) };
    let text =
        format!("this try ran on the scheduler {node}, which has its log; this is {}", api.node);
    Ok(Some(Chunk { lines: vec![json!({ "event": text })], next: 0, is_complete: true }))
}

fn form(headers: &HeaderMap) -> Form {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    match accept.and_then(|accept| accept.split([',', ';']).next()).map(str::trim) {
        Some("text/plain") => Form::Text,
        Some("application/x-ndjson") => Form::Lines,
        Some("text/event-stream") => Form::Events,
        _ => Form::Json,
    }
}

fn whole(read: Option<Chunk>, form: Form, key: &LogKey) -> Response {
    let chunk = read.unwrap_or_else(|| Chunk {
        lines: vec![json!({ "event": format!("try {} has written no log", key.try_number) })],
        next: 0,
        is_complete: true,
    });
    let token = (!chunk.is_complete).then(|| chunk.next.to_string());
    if form == Form::Json {
        let shape = json!({ "content": chunk.lines, "continuation_token": token });
        return Json(shape).into_response();
    }
    let text: String = chunk.lines.iter().map(|line| written(line, form)).collect();
    let mut response = ([(header::CONTENT_TYPE, content_type(form))], text).into_response();
    if let Some(token) = token.and_then(|token| token.parse().ok()) {
        response.headers_mut().insert("airflow-continuation-token", token);
    }
    response
}

fn followed(follow: Follow, form: Form) -> Response {
    let lines = stream::unfold(follow, move |mut follow| async move {
        // A log that cannot be read any more ends.
        let lines = follow.next().await.ok().flatten()?;
        let text: String = lines.iter().map(|line| written(line, form)).collect();
        Some((Ok::<Bytes, Infallible>(Bytes::from(text)), follow))
    });
    let headers = [(header::CONTENT_TYPE, content_type(form)), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(lines)).into_response()
}

fn content_type(form: Form) -> &'static str {
    match form {
        Form::Json => "application/json",
        Form::Text => "text/plain; charset=utf-8",
        Form::Lines => "application/x-ndjson",
        Form::Events => "text/event-stream",
    }
}

fn written(line: &Value, form: Form) -> String {
    let text = |key: &str| line[key].as_str().unwrap_or_default();
    match form {
        Form::Text => {
            let level = text("level").to_uppercase();
            format!("[{}] {{{}}} {level} - {}\n", text("timestamp"), text("logger"), text("event"))
        }
        Form::Events => format!("data: {line}\n\n"),
        Form::Json | Form::Lines => format!("{line}\n"),
    }
}
