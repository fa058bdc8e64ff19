//! `tidemill dag`: over the scheduler's REST API, which has Airflow's shape.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{Client, Response};
use serde_json::{Value, json};

use super::Context;
use crate::arguments::Dag;
use crate::exit::CheckFailed;
use crate::output;
use crate::pipelines::http;

/// How often the state of a run is asked for while somebody waits for it.
const ASK_EVERY: Duration = Duration::from_millis(250);

pub(crate) async fn run(context: Context, dag: Dag) -> anyhow::Result<()> {
    let api = Api::new(format!("{}/api/v2", context.scheduler()?));
    match dag {
        Dag::Ls => list(&context, &api).await,
        Dag::Trigger { dag_id, conf, wait } => {
            let conf = match conf {
                Some(text) => serde_json::from_str(&text)
                    .with_context(|| format!("--conf is not a JSON object: {text}"))?,
                None => json!({}),
            };
            trigger(&context, &api, &dag_id, conf, wait).await
        }
        Dag::Runs { dag_id } => runs(&context, &api, &dag_id).await,
        Dag::Logs { dag_id, run_id, task } => logs(&context, &api, &dag_id, run_id, task).await,
    }
}

/// The scheduler's REST API.
pub(super) struct Api {
    base: String,
    http: Client,
}

impl Api {
    pub(super) fn new(base: String) -> Api {
        Api { base, http: http() }
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.base);
        let answer = self.http.get(&url).send().await;
        body(answer.with_context(|| format!("the scheduler does not answer at {}", self.base))?)
            .await
    }

    async fn post(&self, path: &str, content: &Value) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.base);
        let answer = self.http.post(&url).json(content).send().await;
        body(answer.with_context(|| format!("the scheduler does not answer at {}", self.base))?)
            .await
    }

    /// Starts a run; its id.
    pub(super) async fn trigger(&self, dag_id: &str, conf: &Value) -> anyhow::Result<String> {
        let content = json!({ "logical_date": null, "conf": conf });
        let run = self.post(&format!("/dags/{dag_id}/dagRuns"), &content).await?;
        Ok(text(&run, "dag_run_id"))
    }

    /// Waits until a run has ended: its state.
    pub(super) async fn ended(&self, dag_id: &str, run_id: &str) -> anyhow::Result<String> {
        let path = format!("/dags/{dag_id}/dagRuns/{}", escaped(run_id));
        loop {
            let state = text(&self.get(&path).await?, "state");
            if state == "success" || state == "failed" {
                return Ok(state);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    async fn tasks(&self, dag_id: &str, run_id: &str) -> anyhow::Result<Vec<Value>> {
        let path = format!("/dags/{dag_id}/dagRuns/{}/taskInstances", escaped(run_id));
        let mut body = self.get(&path).await?;
        Ok(array(&mut body, "task_instances"))
    }

    /// The lines of one try of a task.
    async fn log(&self, dag_id: &str, run_id: &str, task: &Value) -> anyhow::Result<Vec<Value>> {
        let path = format!(
            "/dags/{dag_id}/dagRuns/{}/taskInstances/{}/logs/{}",
            escaped(run_id),
            text(task, "task_id"),
            task["try_number"].as_u64().unwrap_or(1).max(1)
        );
        let mut body = self.get(&path).await?;
        Ok(array(&mut body, "content"))
    }

    /// Why a run failed: the last error in its failed tasks' logs.
    pub(super) async fn reason(&self, dag_id: &str, run_id: &str) -> anyhow::Result<String> {
        for task in self.tasks(dag_id, run_id).await? {
            if text(&task, "state") == "failed" {
                let lines = self.log(dag_id, run_id, &task).await?;
                let last = lines.iter().rev().find(|line| text(line, "level") == "error");
                let said =
                    last.or(lines.last()).map(|line| text(line, "event")).unwrap_or_default();
                return Ok(format!("{}: {said}", text(&task, "task_id")));
            }
        }
        Ok("no task of it failed".to_owned())
    }
}

async fn body(answer: Response) -> anyhow::Result<Value> {
    let status = answer.status();
    let text = answer.text().await?;
    if status.is_success() {
        return serde_json::from_str(&text).context("the scheduler's answer is not JSON");
    }
    let detail = serde_json::from_str::<Value>(&text).ok().map(|body| match &body["detail"] {
        Value::String(detail) => detail.clone(),
        other => other.to_string(),
    });
    bail!("{} ({status})", detail.unwrap_or(text))
}

async fn list(context: &Context, api: &Api) -> anyhow::Result<()> {
    let mut body = api.get("/dags").await?;
    let mut errors = api.get("/importErrors").await?;
    let dags = array(&mut body, "dags");
    let broken = array(&mut errors, "import_errors");
    if context.json {
        for dag in dags {
            output::json(&dag)?;
        }
        for error in broken {
            output::json(&json!({ "import_error": error }))?;
        }
        return Ok(());
    }
    let rows: Vec<Vec<String>> = dags
        .iter()
        .map(|dag| {
            vec![
                text(dag, "dag_id"),
                text(dag, "timetable_summary"),
                if dag["is_paused"] == json!(true) { "paused" } else { "on" }.to_owned(),
                text(dag, "next_dagrun_run_after"),
            ]
        })
        .collect();
    output::table(&["DAG", "SCHEDULE", "STATE", "NEXT RUN"], &rows)?;
    for error in broken {
        let what = text(&error, "stack_trace");
        output::line(&format!("✗ {}: {what}", text(&error, "filename")))?;
    }
    Ok(())
}

async fn trigger(
    context: &Context,
    api: &Api,
    dag_id: &str,
    conf: Value,
    wait: bool,
) -> anyhow::Result<()> {
    let run_id = api.trigger(dag_id, &conf).await?;
    if !wait {
        if context.json {
            return output::json(&json!({ "dag_id": dag_id, "dag_run_id": run_id }));
        }
        output::line(&format!("started {run_id}"))?;
        return output::line(&format!("see: tidemill dag logs {dag_id}"));
    }
    let state = api.ended(dag_id, &run_id).await?;
    let reason = if state == "failed" { Some(api.reason(dag_id, &run_id).await?) } else { None };
    if context.json {
        output::json(&json!({
            "dag_id": dag_id, "dag_run_id": run_id, "state": state, "reason": reason,
        }))?;
    } else {
        output::line(&format!("{run_id} {state}"))?;
    }
    match reason {
        Some(reason) => bail!(CheckFailed(format!("run {run_id} failed: {reason}"))),
        None => Ok(()),
    }
}

async fn runs(context: &Context, api: &Api, dag_id: &str) -> anyhow::Result<()> {
    let mut body = api.get(&format!("/dags/{dag_id}/dagRuns?order_by=-run_after")).await?;
    let runs = array(&mut body, "dag_runs");
    if context.json {
        return runs.iter().try_for_each(output::json);
    }
    let rows: Vec<Vec<String>> = runs
        .iter()
        .map(|run| {
            let keys = ["dag_run_id", "state", "run_type", "start_date", "end_date"];
            keys.iter().map(|key| text(run, key)).collect()
        })
        .collect();
    output::table(&["RUN", "STATE", "TYPE", "STARTED", "ENDED"], &rows)
}

async fn logs(
    context: &Context,
    api: &Api,
    dag_id: &str,
    run_id: Option<String>,
    only: Option<String>,
) -> anyhow::Result<()> {
    let run_id = match run_id {
        Some(run_id) => run_id,
        None => {
            let path = format!("/dags/{dag_id}/dagRuns?order_by=-run_after&limit=1");
            let mut body = api.get(&path).await?;
            let newest = array(&mut body, "dag_runs").into_iter().next();
            let Some(newest) = newest else {
                bail!("{dag_id} has not run yet; start it with: tidemill dag trigger {dag_id}");
            };
            text(&newest, "dag_run_id")
        }
    };
    for task in api.tasks(dag_id, &run_id).await? {
        let task_id = text(&task, "task_id");
        if only.as_ref().is_some_and(|only| *only != task_id) {
            continue;
        }
        for line in api.log(dag_id, &run_id, &task).await? {
            if context.json {
                output::json(&json!({ "dag_run_id": run_id, "task_id": task_id, "line": line }))?;
                continue;
            }
            let (at, level) = (text(&line, "timestamp"), text(&line, "level"));
            output::line(&format!("{at} {task_id} {level:<5} {}", text(&line, "event")))?;
        }
    }
    Ok(())
}

fn array(body: &mut Value, key: &str) -> Vec<Value> {
    match body.get_mut(key).map(Value::take) {
        Some(Value::Array(values)) => values,
        _ => Vec::new(),
    }
}

fn text(value: &Value, key: &str) -> String {
    match &value[key] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Run ids hold `+` and `:`; a path must not change them.
fn escaped(run_id: &str) -> String {
    run_id
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
