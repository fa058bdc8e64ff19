//! `…/dagRuns/{dag_run_id}/taskInstances`. `~` stands for every DAG or every run.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Api;
use super::dag_runs::{Versions, seconds};
use super::error::ApiError;
use super::query::Query;
use crate::core::TaskState;
use crate::store::{StoredTask, StoredTry, TASK_ORDERS, TaskFilter};
use crate::text::json_instant;

/// `GET …/taskInstances`.
pub(super) async fn list(
    State(api): State<Api>,
    Path((dag_id, run_id)): Path<(String, String)>,
    mut query: Query,
) -> Result<Json<Value>, ApiError> {
    if dag_id != "~" && run_id != "~" {
        api.run(&dag_id, &run_id).await?;
    }
    let (limit, offset) = query.page()?;
    let filter = TaskFilter {
        dag_id: (dag_id != "~").then_some(dag_id),
        run_id: (run_id != "~").then_some(run_id),
        task_id: query.one("task_id"),
        states: query.named("state")?,
        order: query.order(TASK_ORDERS)?,
        limit,
        offset,
    };
    query.finish()?;
    let page = api.reader.tasks(&filter).await?;
    let mut shown = tasks_json(&api, &page.items).await?;
    shown["total_entries"] = json!(page.total);
    Ok(Json(shown))
}

/// `GET …/taskInstances/{task_id}`.
pub(super) async fn get(
    State(api): State<Api>,
    Path((dag_id, run_id, task_id)): Path<(String, String, String)>,
) -> Result<Json<Value>, ApiError> {
    let stored = stored(&api, &dag_id, &run_id, &task_id).await?;
    let version = Versions::default().of(&api, &stored.run).await?;
    Ok(Json(task_json(&api, &stored, version)))
}

/// `GET …/taskInstances/{task_id}/tries`: the ended ones, and the one under way.
pub(super) async fn tries(
    State(api): State<Api>,
    Path((dag_id, run_id, task_id)): Path<(String, String, String)>,
) -> Result<Json<Value>, ApiError> {
    let current = stored(&api, &dag_id, &run_id, &task_id).await?;
    let version = Versions::default().of(&api, &current.run).await?;
    let mut tries = api.reader.tries(current.run.key, &task_id).await?;
    if !tries.iter().any(|one| one.task.try_number == current.task.try_number) {
        tries.push(StoredTry { task: current.task.clone(), node: current.node.clone() });
    }
    let shown = tries.into_iter().map(|StoredTry { task, node }| {
        let run = current.run.clone();
        task_json(&api, &StoredTask { task, run, node }, version.clone())
    });
    let shown: Vec<Value> = shown.collect();
    Ok(Json(json!({ "total_entries": shown.len(), "task_instances": shown })))
}

/// One task instance, or Airflow's 404.
pub(super) async fn stored(
    api: &Api,
    dag_id: &str,
    run_id: &str,
    task_id: &str,
) -> Result<StoredTask, ApiError> {
    let found = api.reader.task(dag_id, run_id, task_id).await?;
    found.ok_or_else(|| ApiError::no_task(dag_id, run_id, task_id))
}

/// Airflow's `TaskInstanceCollectionResponse`.
pub(super) async fn tasks_json(api: &Api, tasks: &[StoredTask]) -> Result<Value, ApiError> {
    let mut shown = Vec::with_capacity(tasks.len());
    let mut versions = Versions::default();
    for stored in tasks {
        shown.push(task_json(api, stored, versions.of(api, &stored.run).await?));
    }
    Ok(json!({ "total_entries": shown.len(), "task_instances": shown }))
}

/// Airflow's `TaskInstanceResponse`. `tidemill_reason` is ours: why the try failed.
fn task_json(api: &Api, stored: &StoredTask, version: Value) -> Value {
    let (task, run) = (&stored.task, &stored.run);
    let info = api.directory.get(&run.dag_id);
    let known =
        info.as_ref().and_then(|info| Some(&info.dag.tasks[info.dag.index_of(&task.task_id)?]));
    let operator = known.map(|known| known.work.operator());
    let id = stable_id(run.key.0, task.index, task.try_number);
    let state = Some(task.state).filter(|state| *state != TaskState::None);
    let duration = task.started_at.zip(task.ended_at).map(|(start, end)| seconds(start, end));
    json!({
        "id": id.to_string(),
        "task_id": &*task.task_id,
        "dag_id": &*run.dag_id,
        "dag_run_id": &*run.run_id,
        "map_index": -1,
        "logical_date": run.logical_date.map(json_instant),
        "run_after": json_instant(run.run_after),
        "start_date": task.started_at.map(json_instant),
        "end_date": task.ended_at.map(json_instant),
        "duration": duration,
        "state": state.map(TaskState::as_str),
        "try_number": task.try_number,
        "max_tries": task.max_tries,
        "task_display_name": &*task.task_id,
        "dag_display_name": &*run.dag_id,
        "hostname": stored.node,
        "unixname": null,
        "pool": &*task.pool,
        "pool_slots": task.pool_slots,
        "queue": "default",
        "priority_weight": known.map(|known| known.priority_weight),
        "operator": operator,
        "operator_name": operator,
        "queued_when": task.queued_at.map(json_instant),
        "scheduled_when": task.scheduled_at.map(json_instant),
        "pid": task.pid,
        "executor": null,
        "executor_config": "{}",
        "note": null,
        "rendered_map_index": null,
        "rendered_fields": {},
        "trigger": null,
        "triggerer_job": null,
        "dag_version": version,
        "tidemill_reason": task.reason.as_deref(),
    })
}

/// An identifier that follows from the place: clients want UUIDs. Six bytes of the run, three of
/// the task, four of the try, beside the bits that make it a UUID.
pub(super) fn stable_id(run: i64, index: usize, try_number: u32) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&run.to_be_bytes()[2..]);
    bytes[9..12].copy_from_slice(&(index as u64).to_be_bytes()[5..]);
    bytes[12..].copy_from_slice(&try_number.to_be_bytes());
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
