//! `…/taskInstances/{task_id}/xcomEntries`. `~` as task stands for every task of the run.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::Api;
use super::error::ApiError;
use super::query::Query;
use crate::core::RunRow;
use crate::store::XCom;
use crate::text::json_instant;

/// `GET …/xcomEntries`.
pub(super) async fn list(
    State(api): State<Api>,
    Path((dag_id, run_id, task_id)): Path<(String, String, String)>,
    mut query: Query,
) -> Result<Json<Value>, ApiError> {
    let run = api.run(&dag_id, &run_id).await?;
    let (limit, offset) = query.page()?;
    let key = query.one("xcom_key");
    query.finish()?;
    let mut xcoms = api.reader.xcoms(run.key).await?;
    xcoms.retain(|xcom| {
        (task_id == "~" || xcom.task_id == task_id)
            && key.as_ref().is_none_or(|key| *key == xcom.key)
    });
    let total = xcoms.len();
    let page = xcoms
        .iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(usize::try_from(limit).unwrap_or(0));
    let shown: Vec<Value> = page.map(|xcom| xcom_json(&run, xcom)).collect();
    Ok(Json(json!({ "xcom_entries": shown, "total_entries": total })))
}

/// `GET …/xcomEntries/{xcom_key}`: with its value; `stringify=true` gives it as text.
pub(super) async fn get(
    State(api): State<Api>,
    Path((dag_id, run_id, task_id, key)): Path<(String, String, String, String)>,
    mut query: Query,
) -> Result<Json<Value>, ApiError> {
    let run = api.run(&dag_id, &run_id).await?;
    let as_text = query.flag("stringify")?.unwrap_or(false);
    let xcoms = api.reader.xcoms(run.key).await?;
    let xcom = xcoms.iter().find(|xcom| xcom.task_id == task_id && xcom.key == key);
    let xcom =
        xcom.ok_or_else(|| ApiError::not_found(format!("XCom entry with key: `{key}` not found")))?;
    let mut shown = xcom_json(&run, xcom);
    shown["value"] = if as_text { json!(xcom.value.to_string()) } else { xcom.value.clone() };
    Ok(Json(shown))
}

/// Airflow's `XComResponse`.
fn xcom_json(run: &RunRow, xcom: &XCom) -> Value {
    json!({
        "key": xcom.key,
        "timestamp": json_instant(xcom.created),
        "logical_date": run.logical_date.map(json_instant),
        "map_index": -1,
        "task_id": xcom.task_id,
        "dag_id": &*run.dag_id,
        "run_id": &*run.run_id,
        "dag_display_name": &*run.dag_id,
        "task_display_name": xcom.task_id,
        "run_after": json_instant(run.run_after),
    })
}
