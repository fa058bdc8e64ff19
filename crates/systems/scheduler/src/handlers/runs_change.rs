//! `PATCH …/dagRuns/{dag_run_id}`, `POST …/clear`, `POST …/clearTaskInstances`.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::body::Body;
use super::dag_runs::shown;
use super::error::ApiError;
use super::task_instances::tasks_json;
use crate::core::{RunRow, RunState, TaskState};
use crate::dag::Dag;
use crate::shell::{Command, reparse};
use crate::store::{StoredTask, TaskFilter};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatchBody {
    state: Option<String>,
    /// Missing leaves it, null removes it.
    #[serde(default, deserialize_with = "super::body::present")]
    note: Option<Option<String>>,
}

/// `PATCH /dags/{dag_id}/dagRuns/{dag_run_id}`: state `queued`, `success` or `failed`; note.
pub(super) async fn patch(
    State(api): State<Api>,
    Path((dag_id, run_id)): Path<(String, String)>,
    Body(body): Body<PatchBody>,
) -> Result<Json<Value>, ApiError> {
    api.run(&dag_id, &run_id).await?;
    if let Some(state) = body.state {
        let wrong = |message: String| ApiError::invalid(&["body", "state"], message);
        let state: RunState = state.parse().map_err(wrong)?;
        if state == RunState::Running {
            return Err(wrong("a state can be set to queued, success or failed".to_owned()));
        }
        let command =
            Command::SetRunState { dag_id: dag_id.clone(), run_id: run_id.clone(), state };
        api.commands.give(command).await?;
    }
    if let Some(note) = body.note {
        let note: Option<Arc<str>> = note.map(Into::into);
        let command = Command::SetNote { dag_id: dag_id.clone(), run_id: run_id.clone(), note };
        api.commands.give(command).await?;
    }
    Ok(Json(shown(&api, &api.run(&dag_id, &run_id).await?).await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClearRunBody {
    #[serde(default = "yes")]
    dry_run: bool,
    #[serde(default)]
    only_failed: bool,
    #[serde(default)]
    only_new: bool,
    run_on_latest_version: Option<bool>,
    note: Option<String>,
}

fn yes() -> bool {
    true
}

/// `POST /dags/{dag_id}/dagRuns/{dag_run_id}/clear`.
pub(super) async fn clear_run(
    State(api): State<Api>,
    Path((dag_id, run_id)): Path<(String, String)>,
    Body(body): Body<ClearRunBody>,
) -> Result<Json<Value>, ApiError> {
    unsupported(body.only_new, "only_new")?;
    unsupported(body.run_on_latest_version == Some(true), "run_on_latest_version")?;
    api.run(&dag_id, &run_id).await?;
    let mut tasks = tasks_of(&api, &dag_id, &run_id).await?;
    if body.only_failed {
        tasks.retain(|stored| stored.task.state.is_failure());
    }
    if body.dry_run {
        return Ok(Json(tasks_json(&api, &tasks).await?));
    }
    clear(&api, &dag_id, &run_id, &tasks).await?;
    if let Some(note) = body.note {
        let note: Option<Arc<str>> = Some(note.into());
        let command = Command::SetNote { dag_id: dag_id.clone(), run_id: run_id.clone(), note };
        api.commands.give(command).await?;
    }
    Ok(Json(shown(&api, &api.run(&dag_id, &run_id).await?).await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClearTasksBody {
    #[serde(default = "yes")]
    dry_run: bool,
    start_date: Option<Timestamp>,
    end_date: Option<Timestamp>,
    #[serde(default = "yes")]
    only_failed: bool,
    #[serde(default)]
    only_running: bool,
    #[serde(default = "yes")]
    reset_dag_runs: bool,
    task_ids: Option<Vec<Value>>,
    dag_run_id: Option<String>,
    #[serde(default)]
    include_upstream: bool,
    #[serde(default)]
    include_downstream: bool,
    #[serde(default)]
    include_future: bool,
    #[serde(default)]
    include_past: bool,
    run_on_latest_version: Option<bool>,
    #[serde(default)]
    prevent_running_task: bool,
    note: Option<String>,
}

/// `POST /dags/{dag_id}/clearTaskInstances`: tasks of one run.
pub(super) async fn clear_tasks(
    State(api): State<Api>,
    Path(dag_id): Path<String>,
    Body(body): Body<ClearTasksBody>,
) -> Result<Json<Value>, ApiError> {
    let other_runs = body.include_future || body.include_past;
    unsupported(other_runs, "include_past and include_future")?;
    unsupported(body.start_date.is_some() || body.end_date.is_some(), "start_date and end_date")?;
    unsupported(body.run_on_latest_version == Some(true), "run_on_latest_version")?;
    unsupported(!body.reset_dag_runs, "reset_dag_runs: false")?;
    unsupported(body.note.is_some(), "note")?;
    let Some(run_id) = &body.dag_run_id else {
        return Err(ApiError::bad_request("dag_run_id is required by this version"));
    };
    let run = api.run(&dag_id, run_id).await?;
    let mut tasks = tasks_of(&api, &dag_id, run_id).await?;
    if let Some(task_ids) = &body.task_ids {
        let dag = dag_of(&api, &run).await?;
        let wanted = wanted(&dag, task_ids, body.include_upstream, body.include_downstream)?;
        tasks.retain(|stored| wanted.contains(&stored.task.index));
    }
    if body.only_failed {
        tasks.retain(|stored| stored.task.state.is_failure());
    }
    if body.only_running {
        tasks.retain(|stored| stored.task.state == TaskState::Running);
    }
    let runs = |stored: &&StoredTask| stored.task.state == TaskState::Running;
    if body.prevent_running_task
        && let Some(running) = tasks.iter().find(runs)
    {
        let detail = format!("Task {} is running", running.task.task_id);
        return Err(ApiError::new(axum::http::StatusCode::CONFLICT, detail));
    }
    let shown = tasks_json(&api, &tasks).await?;
    if !body.dry_run {
        clear(&api, &dag_id, run_id, &tasks).await?;
    }
    Ok(Json(json!({
        "task_instances": shown["task_instances"], "total_entries": tasks.len(),
    })))
}

fn unsupported(is_asked: bool, what: &str) -> Result<(), ApiError> {
    if is_asked {
        return Err(ApiError::bad_request(format!("{what} is not supported by this version")));
    }
    Ok(())
}

/// The run's own version of its DAG.
async fn dag_of(api: &Api, run: &RunRow) -> Result<Arc<Dag>, ApiError> {
    let version = api.reader.version(run.version).await?;
    let dag = version.and_then(|version| reparse(&version.file));
    dag.ok_or_else(|| ApiError::bad_request("the run's version of its DAG can no longer be read"))
}

/// Places of the named tasks, and of all before or after them if that is asked for.
fn wanted(
    dag: &Dag,
    task_ids: &[Value],
    upstream: bool,
    downstream: bool,
) -> Result<BTreeSet<usize>, ApiError> {
    let mut named = Vec::new();
    for id in task_ids {
        // Airflow also takes [task_id, map_index].
        let task_id = id.as_str().or_else(|| id.get(0)?.as_str()).unwrap_or_default();
        let index = dag
            .index_of(task_id)
            .ok_or_else(|| ApiError::not_found(format!("Task with id {task_id} was not found")))?;
        named.push(index);
    }
    let mut wanted: BTreeSet<usize> = named.iter().copied().collect();
    type Neighbours = fn(&crate::dag::Task) -> &Vec<usize>;
    let directions: [(bool, Neighbours); 2] =
        [(upstream, |task| &task.upstream), (downstream, |task| &task.downstream)];
    for (_, neighbours) in directions.into_iter().filter(|(is_asked, _)| *is_asked) {
        let mut open = named.clone();
        let mut seen: BTreeSet<usize> = named.iter().copied().collect();
        while let Some(index) = open.pop() {
            open.extend(
                neighbours(&dag.tasks[index]).iter().copied().filter(|next| seen.insert(*next)),
            );
        }
        wanted.extend(seen);
    }
    Ok(wanted)
}

async fn tasks_of(api: &Api, dag_id: &str, run_id: &str) -> Result<Vec<StoredTask>, ApiError> {
    let filter = TaskFilter {
        dag_id: Some(dag_id.to_owned()),
        run_id: Some(run_id.to_owned()),
        limit: i64::try_from(crate::dag::TASKS_MAX).unwrap_or(i64::MAX),
        ..TaskFilter::default()
    };
    Ok(api.reader.tasks(&filter).await?.items)
}

async fn clear(
    api: &Api,
    dag_id: &str,
    run_id: &str,
    tasks: &[StoredTask],
) -> Result<(), ApiError> {
    if tasks.is_empty() {
        return Ok(());
    }
    let tasks = tasks.iter().map(|stored| stored.task.index).collect();
    let command = Command::Clear { dag_id: dag_id.to_owned(), run_id: run_id.to_owned(), tasks };
    api.commands.give(command).await?;
    Ok(())
}
