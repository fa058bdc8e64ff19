//! The sql task: a statement to the engine, over the REST interface of a Flink SQL Gateway
//! (sessions, statements, operations), so that the same task runs on a real one.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::context::TryContext;
use super::http::{HttpFailure, HttpRequest};
use super::stop::stopped;
use crate::core::Outcome;

/// For one request to the gateway.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// From one look at the operation to the next, at first; it doubles.
const LOOK_AFTER: Duration = Duration::from_millis(20);
/// And never more than this.
const LOOK_AFTER_MAX: Duration = Duration::from_secs(2);

pub(super) async fn run(
    context: &TryContext<'_>,
    statement: &str,
    engine_url: Option<&str>,
) -> Outcome {
    let statement = match context.render_text(statement) {
        Ok(statement) => statement,
        Err(error) => return error.into(),
    };
    let Some(url) = engine_url.or(context.tools.config.engine_url.as_deref()) else {
        let reason = "no engine: set engine_url under [scheduler], or in the task's sql".to_owned();
        return Outcome::Failed { reason, retry: false, value: None };
    };
    context.log.info(format!("{url}: {statement}"));
    let gateway = Gateway { context, url: url.trim_end_matches('/') };
    tokio::select! {
        done = gateway.execute(&statement) => match done {
            Ok(value) => Outcome::Success { value: Some(value) },
            Err(reason) => Outcome::Failed { reason, retry: true, value: None },
        },
        reason = context.stop.requested() => stopped(&reason, None),
    }
}

struct Gateway<'a> {
    context: &'a TryContext<'a>,
    url: &'a str,
}

impl Gateway<'_> {
    async fn execute(&self, statement: &str) -> Result<Value, String> {
        let session = self.ask("POST", "/v1/sessions", Some(json!({}))).await?;
        let session = text(&session, "sessionHandle")?;
        let outcome = self.in_session(&session, statement).await;
        // The statement has its answer; a session that stays open ends by itself.
        let _ = self.ask("DELETE", &format!("/v1/sessions/{session}"), None).await;
        outcome
    }

    async fn in_session(&self, session: &str, statement: &str) -> Result<Value, String> {
        let path = format!("/v1/sessions/{session}/statements");
        let operation = self.ask("POST", &path, Some(json!({ "statement": statement }))).await?;
        let operation = text(&operation, "operationHandle")?;
        let base = format!("/v1/sessions/{session}/operations/{operation}");
        let mut look_after = LOOK_AFTER;
        loop {
            let status = self.ask("GET", &format!("{base}/status"), None).await?;
            match status["status"].as_str().unwrap_or_default() {
                "FINISHED" => break,
                // The result of a failed operation says why it failed.
                "ERROR" => break,
                "CANCELED" | "CLOSED" | "TIMEOUT" => {
                    return Err(format!("the statement ended as {}", status["status"]));
                }
                _ => tokio::time::sleep(look_after).await,
            }
            look_after = (look_after * 2).min(LOOK_AFTER_MAX);
        }
        let result = self.ask("GET", &format!("{base}/result/0"), None).await?;
        let job = result.get("jobID").cloned().unwrap_or(Value::Null);
        let rows = result["results"]["data"].as_array().map_or(0, Vec::len);
        if let Some(rows) = result["results"]["data"].as_array() {
            for row in rows.iter().take(20) {
                self.context.log.info(row.get("fields").unwrap_or(row).to_string());
            }
        }
        Ok(json!({ "job_id": job, "rows": rows }))
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, String> {
        let request = HttpRequest {
            method: method.to_owned(),
            url: format!("{}{path}", self.url),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.map(|body| Bytes::from(body.to_string())),
            timeout: REQUEST_TIMEOUT,
        };
        let answer = self.context.tools.http.send(&request).await;
        let answer = answer.map_err(|error| match error {
            HttpFailure::Later(reason) | HttpFailure::Never(reason) => {
                format!("the engine at {}: {reason}", self.url)
            }
        })?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        if (200..300).contains(&answer.status) {
            return Ok(body);
        }
        Err(complaint(&body)
            .unwrap_or_else(|| format!("the engine answered HTTP {}", answer.status)))
    }
}

/// The gateway's own words: `errors` is a title and a stack of causes; the last line of causes is
/// the reason.
fn complaint(body: &Value) -> Option<String> {
    let errors = body["errors"].as_array()?;
    let last = errors.last()?.as_str()?;
    let cause = last.lines().rev().find_map(|line| line.trim().strip_prefix("Caused by: "));
    Some(cause.or_else(|| last.lines().next())?.to_owned())
}

fn text(value: &Value, key: &str) -> Result<String, String> {
    let found = value[key].as_str().map(str::to_owned);
    found.ok_or_else(|| format!("the engine's answer has no {key}: {value}"))
}
