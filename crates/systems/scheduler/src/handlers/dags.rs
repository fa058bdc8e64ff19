//! `/dags`, `/dags/{dag_id}`, `/dags/{dag_id}/details`, `/dagTags`.
//!
//! Differs from Airflow: DAGs whose file is gone are not listed; there is one bundle.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Api;
use super::body::Body;
use super::dag_sources::version_json;
use super::error::ApiError;
use super::query::{Query, like};
use crate::directory::DagInfo;
use crate::shell::{Command, instant};
use crate::store::RunFilter;
use crate::text::{json_instant, utc};

const ORDERS: &[(&str, &str)] = &[
    ("dag_id", "dag_id"),
    ("dag_display_name", "dag_id"),
    ("next_dagrun", "next_dagrun_run_after"),
    ("next_dagrun_run_after", "next_dagrun_run_after"),
];

/// `GET /dags`.
pub(super) async fn list(
    State(api): State<Api>,
    mut query: Query,
) -> Result<Json<Value>, ApiError> {
    let (limit, offset) = query.page()?;
    let order = query.order(ORDERS)?;
    let (tags, owners) = (query.many("tags"), query.many("owners"));
    let (paused, broken) = (query.flag("paused")?, query.flag("has_import_errors")?);
    let mut patterns = query.many("dag_id_pattern");
    patterns.extend(query.many("dag_display_name_pattern"));
    query.finish()?;
    let mut dags = api.directory.all();
    dags.retain(|info| {
        paused.is_none_or(|paused| info.paused == paused)
            && broken.is_none_or(|broken| info.has_import_errors == broken)
            && (tags.is_empty() || tags.iter().any(|tag| info.dag.tags.contains(tag)))
            && (owners.is_empty()
                || owners.iter().any(|owner| info.dag.owners().contains(&owner.as_str())))
            && patterns.iter().all(|pattern| like(pattern, &info.dag.dag_id))
    });
    let mut shown: Vec<Value> = dags.iter().map(|info| dag_json(&api, info)).collect();
    for (key, descending) in order.iter().rev() {
        shown.sort_by(|a, b| {
            let order = a[*key].as_str().cmp(&b[*key].as_str());
            if *descending { order.reverse() } else { order }
        });
    }
    let total = shown.len();
    let page: Vec<Value> = shown
        .into_iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(usize::try_from(limit).unwrap_or(0))
        .collect();
    Ok(Json(json!({ "dags": page, "total_entries": total })))
}

/// `GET /dags/{dag_id}`.
pub(super) async fn get(
    State(api): State<Api>,
    Path(dag_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let info = api.dag(&dag_id)?;
    Ok(Json(dag_json(&api, &info)))
}

/// `GET /dags/{dag_id}/details`.
pub(super) async fn details(
    State(api): State<Api>,
    Path(dag_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let info = api.dag(&dag_id)?;
    let dag = &info.dag;
    let active = RunFilter {
        dag_id: Some(dag_id),
        states: vec![crate::core::RunState::Running, crate::core::RunState::Queued],
        limit: 1,
        ..RunFilter::default()
    };
    let active = api.reader.runs(&active).await?.total;
    let version = api.reader.version(info.version).await?;
    let timeout = dag.dagrun_timeout.map(|timeout| format!("PT{}S", timeout.as_secs_f64()));
    let mut shape = dag_json(&api, &info);
    let more = json!({
        "catchup": dag.catchup,
        "dag_run_timeout": timeout,
        "asset_expression": null,
        "doc_md": dag.doc_md,
        "start_date": dag.start_date.map(json_instant),
        "end_date": dag.end_date.map(json_instant),
        "is_paused_upon_creation": dag.is_paused_upon_creation,
        "params": dag.params.described(),
        "render_template_as_native_obj": true,
        "template_search_path": null,
        "timezone": dag.timezone.iana_name().unwrap_or("UTC"),
        "last_parsed": json_instant(info.parsed),
        "default_args": null,
        "owner_links": {},
        "is_favorite": false,
        "active_runs_count": active,
        "concurrency": dag.max_active_tasks,
        "latest_dag_version": version.map(|version| version_json(&dag.dag_id, &version)),
    });
    merge(&mut shape, more);
    Ok(Json(shape))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatchBody {
    is_paused: bool,
}

/// `PATCH /dags/{dag_id}`: pause or unpause.
pub(super) async fn patch(
    State(api): State<Api>,
    Path(dag_id): Path<String>,
    mut query: Query,
    Body(body): Body<PatchBody>,
) -> Result<Json<Value>, ApiError> {
    let info = api.dag(&dag_id)?;
    if query.many("update_mask").iter().any(|mask| mask != "is_paused") {
        let detail = "Only `is_paused` field can be updated through the REST API";
        return Err(ApiError::bad_request(detail));
    }
    let (dag_id, paused) = (info.dag.dag_id.clone(), body.is_paused);
    api.commands.give(Command::SetPaused { dag_id, paused }).await?;
    Ok(Json(dag_json(&api, &api.dag(&info.dag.dag_id)?)))
}

/// `GET /dagTags`.
pub(super) async fn tags(State(api): State<Api>) -> Json<Value> {
    let mut tags: Vec<String> =
        api.directory.all().iter().flat_map(|info| info.dag.tags.clone()).collect();
    tags.sort();
    tags.dedup();
    Json(json!({ "total_entries": tags.len(), "tags": tags }))
}

fn merge(shape: &mut Value, more: Value) {
    if let (Value::Object(shape), Value::Object(more)) = (shape, more) {
        shape.extend(more);
    }
}

/// Airflow's `DAGResponse`.
fn dag_json(api: &Api, info: &DagInfo) -> Value {
    let dag = &info.dag;
    let next = dag.next_interval(info.last, instant(&api.world)).filter(|_| !info.paused);
    let tag = |name: &String| json!({ "name": name, "dag_id": &*dag.dag_id, "dag_display_name": &*dag.dag_id });
    let mut shape = Map::new();
    let mut set = |name: &str, value: Value| drop(shape.insert(name.to_owned(), value));
    set("dag_id", json!(&*dag.dag_id));
    set("dag_display_name", json!(&*dag.dag_id));
    set("is_paused", json!(info.paused));
    set("is_stale", json!(false));
    set("last_parsed_time", json!(json_instant(info.parsed)));
    set("last_parse_duration", Value::Null);
    set("last_expired", Value::Null);
    set("bundle_name", json!("dags-folder"));
    set("bundle_version", Value::Null);
    set("relative_fileloc", json!(&*dag.file.name));
    set("fileloc", json!(api.dags_folder.join(&*dag.file.name).display().to_string()));
    set("description", json!(dag.description));
    set("timetable_summary", json!(dag.schedule_text));
    set("timetable_description", json!(timetable_description(info)));
    set("timetable_partitioned", json!(false));
    set("timetable_periodic", json!(dag.schedule.is_periodic()));
    set("tags", json!(dag.tags.iter().map(tag).collect::<Vec<_>>()));
    set("max_active_tasks", json!(dag.max_active_tasks));
    set("max_active_runs", json!(dag.max_active_runs));
    set("max_consecutive_failed_dag_runs", json!(0));
    set("has_task_concurrency_limits", json!(false));
    set("has_import_errors", json!(info.has_import_errors));
    set("next_dagrun_logical_date", json!(next.map(|next| json_instant(next.start))));
    set("next_dagrun_data_interval_start", json!(next.map(|next| json_instant(next.start))));
    set("next_dagrun_data_interval_end", json!(next.map(|next| json_instant(next.end))));
    set("next_dagrun_run_after", json!(next.map(|next| json_instant(next.end))));
    set("allowed_run_types", Value::Null);
    set("owners", json!(dag.owners()));
    set("is_backfillable", json!(false));
    set("file_token", json!(&*dag.file.name));
    Value::Object(shape)
}

fn timetable_description(info: &DagInfo) -> String {
    use crate::timetable::Schedule;
    match &info.dag.schedule {
        Schedule::Manual => "Never, external triggers only".to_owned(),
        Schedule::Once => "Once, as soon as possible".to_owned(),
        Schedule::Every(length) => format!("Every {length:#}"),
        Schedule::Cron(cron) => {
            let zone = info.dag.timezone.iana_name().unwrap_or("UTC");
            let next = info.last.and_then(|last| cron.next(last.end));
            let example = next.map(|next| format!(", next at {}", utc(next, "%Y-%m-%d %H:%M UTC")));
            format!("cron {} ({zone}){}", cron.cron, example.unwrap_or_default())
        }
    }
}
