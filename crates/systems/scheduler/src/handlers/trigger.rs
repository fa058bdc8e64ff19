//! `POST /dags/{dag_id}/dagRuns`: somebody asks for a run.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::Api;
use super::body::Body;
use super::dag_runs::shown;
use super::error::ApiError;
use crate::core::{Trigger, run_label};
use crate::shell::{Command, instant};
use crate::text::python_isoformat;
use crate::timetable::DataInterval;

/// Longest `dag_run_id`, in characters: Airflow's limit.
const RUN_ID_CHARS_MAX: usize = 250;
/// Prefixes of names the scheduler itself gives.
const RESERVED: [&str; 3] = ["scheduled__", "backfill__", "asset_triggered__"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PostBody {
    dag_run_id: Option<String>,
    data_interval_start: Option<Timestamp>,
    data_interval_end: Option<Timestamp>,
    /// Has to be there, and may be null.
    #[serde(deserialize_with = "nullable")]
    logical_date: Option<Timestamp>,
    run_after: Option<Timestamp>,
    conf: Option<Map<String, Value>>,
    note: Option<String>,
    partition_key: Option<String>,
}

/// A field that is required although it may be null.
fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Option::deserialize(deserializer)
}

pub(super) async fn post(
    State(api): State<Api>,
    Path(dag_id): Path<String>,
    Body(body): Body<PostBody>,
) -> Result<Json<Value>, ApiError> {
    let Some(info) = api.directory.get(&dag_id) else {
        return Err(ApiError::not_found(format!("Dag with dag_id: '{dag_id}' not found")));
    };
    if info.has_import_errors {
        let detail =
            format!("Dag with dag_id: '{dag_id}' has import errors and cannot be triggered");
        return Err(ApiError::bad_request(detail));
    }
    let trigger = trigger(&api, info.dag.dag_id.clone(), body)?;
    let run_id = trigger.run_id.clone();
    api.commands.give(Command::Trigger(Box::new(trigger))).await?;
    let run = api.run(&dag_id, &run_id).await?;
    Ok(Json(shown(&api, &run).await?))
}

fn trigger(api: &Api, dag_id: Arc<str>, body: PostBody) -> Result<Trigger, ApiError> {
    if body.partition_key.is_some() {
        let detail =
            format!("Dag with dag_id: '{dag_id}' is not partitioned; partition_key is not allowed");
        return Err(ApiError::bad_request(detail));
    }
    let interval = match (body.data_interval_start, body.data_interval_end) {
        (None, None) => None,
        (Some(start), Some(end)) if start <= end => Some(DataInterval { start, end }),
        (Some(_), Some(_)) => {
            let message = "data_interval_start must not be after data_interval_end";
            return Err(ApiError::invalid(&["body"], message));
        }
        _ => {
            let message = "Either both data_interval_start and data_interval_end must be provided or both must be None";
            return Err(ApiError::invalid(&["body"], message));
        }
    };
    let now = instant(&api.world);
    let run_after = body.run_after.or(body.logical_date).unwrap_or(now);
    let run_id = match body.dag_run_id.filter(|run_id| !run_id.is_empty()) {
        Some(run_id) => checked(run_id)?,
        None => match body.logical_date {
            Some(date) => run_label("manual", date),
            // Two people may ask in the same microsecond.
            None => format!("manual__{}_{}", python_isoformat(run_after), suffix(api)),
        },
    };
    Ok(Trigger {
        dag_id,
        run_id: run_id.into(),
        logical_date: body.logical_date,
        interval,
        run_after,
        conf: body.conf.unwrap_or_default(),
        note: body.note.map(Into::into),
        triggered_by: "rest_api".into(),
    })
}

fn checked(run_id: String) -> Result<String, ApiError> {
    let invalid = |message: String| ApiError::invalid(&["body", "dag_run_id"], message);
    if run_id.chars().count() > RUN_ID_CHARS_MAX || run_id.chars().any(char::is_control) {
        return Err(invalid(format!(
            "at most {RUN_ID_CHARS_MAX} characters, none of them control characters"
        )));
    }
    if let Some(prefix) = RESERVED.iter().find(|prefix| run_id.starts_with(**prefix)) {
        return Err(invalid(format!("a manual run cannot have a name that begins with {prefix}")));
    }
    Ok(run_id)
}

fn suffix(api: &Api) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut bytes = [0; 8];
    api.world.random.fill(&mut bytes);
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}
