//! `tidemill sql`: statements on the engine, over the REST API of a Flink SQL Gateway.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Client;
use serde_json::{Map, Value, json};

use super::cql::split;
use super::{Context, statements};
use crate::arguments::Statement;
use crate::output;

/// How often a result that is not there yet is asked for.
const ASK_EVERY: Duration = Duration::from_millis(20);

pub(crate) async fn run(context: Context, statement: Statement) -> anyhow::Result<()> {
    let text = statements(&statement)?;
    let engine = context.endpoints()?.engine.context("this node runs no engine (--only)")?;
    let http = crate::pipelines::http();
    let gateway = Gateway { http, base: engine };
    let session = gateway.post("/v1/sessions", &json!({})).await?;
    let session = session["sessionHandle"].as_str().context("the engine opened no session")?;
    let outcome = all(&context, &gateway, session, &text).await;
    gateway.close(session).await;
    outcome
}

async fn all(
    context: &Context,
    gateway: &Gateway,
    session: &str,
    text: &str,
) -> anyhow::Result<()> {
    for statement in split(text) {
        let path = format!("/v1/sessions/{session}/statements");
        let started = gateway.post(&path, &json!({ "statement": statement })).await?;
        let operation = started["operationHandle"].as_str().context("no operation was started")?;
        print(context, gateway, session, operation).await?;
    }
    Ok(())
}

/// Prints a result page by page; the widths of a table come from its first page.
async fn print(
    context: &Context,
    gateway: &Gateway,
    session: &str,
    operation: &str,
) -> anyhow::Result<()> {
    let mut next = Some(format!("/v1/sessions/{session}/operations/{operation}/result/0"));
    let mut names = Vec::new();
    let mut rows: Vec<Vec<String>> = Vec::new();
    while let Some(path) = next {
        let page = gateway.get(&path).await?;
        if page["resultType"] == "NOT_READY" {
            tokio::time::sleep(ASK_EVERY).await;
            next = Some(path);
            continue;
        }
        let columns = page["results"]["columns"].as_array().cloned().unwrap_or_default();
        if names.is_empty() {
            names = columns
                .iter()
                .map(|column| column["name"].as_str().unwrap_or_default().to_owned())
                .collect();
        }
        for row in page["results"]["data"].as_array().into_iter().flatten() {
            let fields = row["fields"].as_array().cloned().unwrap_or_default();
            if context.json {
                let object: Map<String, Value> = names.iter().cloned().zip(fields).collect();
                output::json(&object)?;
            } else {
                rows.push(fields.iter().map(shown).collect());
            }
        }
        next = page["nextResultUri"].as_str().map(str::to_owned);
    }
    if context.json {
        return Ok(());
    }
    if rows.is_empty() && names.is_empty() {
        return output::line("OK");
    }
    output::table(&names.iter().map(String::as_str).collect::<Vec<_>>(), &rows)?;
    output::line(&format!("({} rows)", rows.len()))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "NULL".to_owned(),
        other => other.to_string(),
    }
}

struct Gateway {
    http: Client,
    base: String,
}

impl Gateway {
    async fn post(&self, path: &str, content: &Value) -> anyhow::Result<Value> {
        let request = self.http.post(format!("{}{path}", self.base)).json(content);
        self.answer(request).await
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.answer(self.http.get(format!("{}{path}", self.base))).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let answer = request.send().await.with_context(|| {
            format!("the engine does not answer at {}; see: tidemill status", self.base)
        })?;
        let status = answer.status();
        let body: Value = answer.json().await.context("the engine's answer is not JSON")?;
        if status.is_success() {
            return Ok(body);
        }
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        let said: Vec<&str> = errors.iter().filter_map(Value::as_str).collect();
        bail!("{}", if said.is_empty() { body.to_string() } else { said.join("\n") })
    }

    /// A session that stays open costs little and ends by itself: an error here is not the user's.
    async fn close(&self, session: &str) {
        let url = format!("{}/v1/sessions/{session}", self.base);
        if let Err(error) = self.http.delete(url).send().await {
            tracing::debug!(%error, "the session stays open");
        }
    }
}
