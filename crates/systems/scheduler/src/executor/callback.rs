//! Callbacks of a whole DAG: a run has ended, and its file has a function that wants to know.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::Tools;
use super::airflow::dag_run;
use crate::core::{RunEnd, RunState};

/// For one callback.
const TIME_MAX: Duration = Duration::from_secs(60);
/// Lines of its output that are kept.
const LINES_MAX: usize = 100;

pub(super) async fn run(tools: &Tools, end: RunEnd) {
    let (dag_id, run_id) = (end.run.dag_id.clone(), end.run.run_id.clone());
    match tokio::time::timeout(TIME_MAX, call(tools, &end)).await {
        Ok(Ok(output)) => {
            for line in output.lines().take(LINES_MAX) {
                tracing::info!(dag = &*dag_id, run = &*run_id, "callback: {line}");
            }
        }
        Ok(Err(reason)) => {
            tracing::warn!(dag = &*dag_id, run = &*run_id, reason, "the DAG's callback failed");
        }
        Err(_) => {
            tracing::warn!(
                dag = &*dag_id,
                run = &*run_id,
                "the DAG's callback took over {TIME_MAX:?}"
            );
        }
    }
}

/// What it printed; otherwise why it failed.
async fn call(tools: &Tools, end: &RunEnd) -> Result<String, String> {
    let children = &tools.config.children;
    let input = json!({
        "callback": match end.run.state {
            RunState::Success => "on_success_callback",
            RunState::Failed | RunState::Queued | RunState::Running => "on_failure_callback",
        },
        "path": children.dags_folder.join(&*end.dag.file.name).display().to_string(),
        "source": &*end.dag.file.text(),
        "dag_id": &*end.run.dag_id,
        "task_id": &*end.task_id,
        "reason": end.run.reason.as_deref(),
        "try_number": 1,
        "max_tries": 0,
        "has_all_xcoms": false,
        "dag_run": dag_run(&end.run, &end.dag),
    });
    let mut command = Command::new(&children.python);
    command.args(["-m", "_tidemill.run"]).env_clear().envs(children.variables());
    command.current_dir(&children.project).process_group(0).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    if let Some(mut stdin) = child.stdin.take() {
        // A child that does not read has ended; how is told below.
        let _ = stdin.write_all(input.to_string().as_bytes()).await;
    }
    let output = child.wait_with_output().await.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Err(format!("{}: {last}", output.status))
}
