//! `/dags/{dag_id}/dagRuns`, `/dagStats`. `~` stands for every DAG.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::Api;
use super::dag_sources::version_json;
use super::error::ApiError;
use super::query::Query;
use crate::core::{RunRow, RunState};
use crate::store::{RUN_ORDERS, RunFilter, Version};
use crate::text::json_instant;

/// Dates by which runs can be narrowed down: parameter, column.
const DATES: [(&str, &str); 4] = [
    ("run_after", "r.run_after_us"),
    ("logical_date", "r.logical_us"),
    ("start_date", "r.started_us"),
    ("end_date", "r.ended_us"),
];

/// `GET /dags/{dag_id}/dagRuns`.
pub(super) async fn list(
    State(api): State<Api>,
    Path(dag_id): Path<String>,
    mut query: Query,
) -> Result<Json<Value>, ApiError> {
    let (limit, offset) = query.page()?;
    let mut bounds = Vec::new();
    for (name, column) in DATES {
        for (ending, is_lower) in [("gte", true), ("lte", false)] {
            if let Some(at) = query.instant(&format!("{name}_{ending}"))? {
                bounds.push((column, at, is_lower));
            }
        }
    }
    let filter = RunFilter {
        dag_id: (dag_id != "~").then(|| dag_id.clone()),
        states: query.named("state")?,
        run_types: query.many("run_type"),
        bounds,
        order: query.order(RUN_ORDERS)?,
        limit,
        offset,
    };
    query.finish()?;
    let page = api.reader.runs(&filter).await?;
    if page.total == 0 && dag_id != "~" && api.reader.versions(&dag_id, None).await?.is_empty() {
        api.dag(&dag_id)?;
    }
    let mut shown = Vec::with_capacity(page.items.len());
    let mut versions = Versions::default();
    for run in &page.items {
        shown.push(run_json(run, versions.of(&api, run).await?));
    }
    Ok(Json(json!({ "dag_runs": shown, "total_entries": page.total })))
}

/// `GET /dags/{dag_id}/dagRuns/{dag_run_id}`.
pub(super) async fn get(
    State(api): State<Api>,
    Path((dag_id, run_id)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(shown(&api, &api.run(&dag_id, &run_id).await?).await?))
}

/// `GET /dagStats`: how many runs are in which state.
pub(super) async fn stats(
    State(api): State<Api>,
    mut query: Query,
) -> Result<Json<Value>, ApiError> {
    let wanted = query.many("dag_ids");
    query.finish()?;
    let mut counts: BTreeMap<String, BTreeMap<RunState, i64>> = BTreeMap::new();
    for info in api.directory.all() {
        counts.insert(info.dag.dag_id.to_string(), BTreeMap::new());
    }
    for count in api.reader.state_counts().await? {
        counts.entry(count.dag_id).or_default().insert(count.state, count.count);
    }
    counts.retain(|dag_id, _| wanted.is_empty() || wanted.contains(dag_id));
    let dags: Vec<Value> = counts
        .iter()
        .map(|(dag_id, counts)| {
            let states = RunState::ALL.iter().map(|state| {
                json!({ "state": state.as_str(), "count": counts.get(state).copied().unwrap_or(0) })
            });
            json!({
                "dag_id": dag_id, "dag_display_name": dag_id, "stats": states.collect::<Vec<_>>(),
            })
        })
        .collect();
    Ok(Json(json!({ "total_entries": dags.len(), "dags": dags })))
}

/// A run as the API shows it, with its version.
pub(super) async fn shown(api: &Api, run: &RunRow) -> Result<Value, ApiError> {
    Ok(run_json(run, Versions::default().of(api, run).await?))
}

/// Versions that were asked for once.
#[derive(Default)]
pub(super) struct Versions(BTreeMap<i64, Option<Version>>);

impl Versions {
    pub(super) async fn of(&mut self, api: &Api, run: &RunRow) -> Result<Value, ApiError> {
        let version = match self.0.entry(run.version.0) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(api.reader.version(run.version).await?),
        };
        Ok(version.as_ref().map_or(Value::Null, |version| version_json(&run.dag_id, version)))
    }
}

/// Airflow's `DAGRunResponse`. `tidemill_reason` is ours: why the run failed.
fn run_json(run: &RunRow, version: Value) -> Value {
    let seconds = run.started_at.zip(run.ended_at).map(|(start, end)| seconds(start, end));
    let versions = if version.is_null() { Vec::new() } else { vec![version] };
    json!({
        "dag_run_id": &*run.run_id,
        "dag_id": &*run.dag_id,
        "logical_date": run.logical_date.map(json_instant),
        "queued_at": json_instant(run.queued_at),
        "start_date": run.started_at.map(json_instant),
        "end_date": run.ended_at.map(json_instant),
        "duration": seconds,
        "data_interval_start": run.interval.map(|interval| json_instant(interval.start)),
        "data_interval_end": run.interval.map(|interval| json_instant(interval.end)),
        "run_after": json_instant(run.run_after),
        "last_scheduling_decision": run.started_at.map(json_instant),
        "run_type": run.kind.as_str(),
        "state": run.state.as_str(),
        "triggered_by": &*run.triggered_by,
        "triggering_user_name": null,
        "conf": &*run.conf,
        "note": run.note.as_deref(),
        "dag_versions": versions,
        "bundle_version": null,
        "dag_display_name": &*run.dag_id,
        "partition_key": null,
        "partition_date": null,
        "tidemill_reason": run.reason.as_deref(),
    })
}

/// From one instant to another, in seconds.
pub(super) fn seconds(start: jiff::Timestamp, end: jiff::Timestamp) -> f64 {
    end.duration_since(start).as_secs_f64()
}
