//! `/dags/{dag_id}/tasks`: the graph.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::Api;
use super::error::ApiError;
use super::query::Query;
use crate::dag::{Dag, Task};
use crate::text::json_instant;

/// `GET /dags/{dag_id}/tasks`.
pub(super) async fn list(
    State(api): State<Api>,
    Path(dag_id): Path<String>,
    mut query: Query,
) -> Result<Json<Value>, ApiError> {
    let info = api.dag(&dag_id)?;
    let mut tasks: Vec<&Task> = info.dag.tasks.iter().collect();
    match query.one("order_by").as_deref() {
        None => {}
        Some("task_id") => tasks.sort_by(|a, b| a.task_id.cmp(&b.task_id)),
        Some("-task_id") => tasks.sort_by(|a, b| b.task_id.cmp(&a.task_id)),
        Some(other) => {
            return Err(ApiError::bad_request(format!("Ordering with '{other}' is disallowed")));
        }
    }
    let shown: Vec<Value> = tasks.iter().map(|task| task_json(&info.dag, task)).collect();
    Ok(Json(json!({ "total_entries": shown.len(), "tasks": shown })))
}

/// `GET /dags/{dag_id}/tasks/{task_id}`.
pub(super) async fn get(
    State(api): State<Api>,
    Path((dag_id, task_id)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let info = api.dag(&dag_id)?;
    let index = info.dag.index_of(&task_id);
    let index = index
        .ok_or_else(|| ApiError::not_found(format!("Task with id {task_id} was not found")))?;
    Ok(Json(task_json(&info.dag, &info.dag.tasks[index])))
}

/// Airflow's `TaskResponse`.
fn task_json(dag: &Dag, task: &Task) -> Value {
    let downstream: Vec<&str> =
        task.downstream.iter().map(|index| &*dag.tasks[*index].task_id).collect();
    let operator = task.work.operator();
    json!({
        "task_id": &*task.task_id,
        "task_display_name": &*task.task_id,
        "owner": task.owner,
        "start_date": dag.start_date.map(json_instant),
        "end_date": dag.end_date.map(json_instant),
        "trigger_rule": task.trigger_rule.as_str(),
        "depends_on_past": false,
        "wait_for_downstream": false,
        "retries": task.retry.retries,
        "queue": "default",
        "pool": &*task.pool,
        "pool_slots": task.pool_slots,
        "execution_timeout": task.execution_timeout.map(time_delta),
        "retry_delay": time_delta(task.retry.delay),
        "retry_exponential_backoff": if task.retry.backoff > 1.0 { task.retry.backoff } else { 0.0 },
        "priority_weight": task.priority_weight,
        "weight_rule": "absolute",
        "ui_color": "#fff",
        "ui_fgcolor": "#000",
        "template_fields": [],
        "downstream_task_ids": downstream,
        "doc_md": task.doc_md,
        "operator_name": operator,
        "params": dag.params.described(),
        "class_ref": { "module_path": "tidemill", "class_name": operator },
        "is_mapped": false,
        "extra_links": [],
    })
}

/// Airflow's `TimeDelta`.
fn time_delta(length: Duration) -> Value {
    const DAY: u64 = 24 * 60 * 60;
    json!({
        "__type": "TimeDelta", "days": length.as_secs() / DAY, "seconds": length.as_secs() % DAY,
        "microseconds": length.subsec_micros(),
    })
}
