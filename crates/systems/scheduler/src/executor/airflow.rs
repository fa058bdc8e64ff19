//! A task of a Python DAG file: the operator runs in a child (`_tidemill/run.py` in `links/python`),
//! which gets the text the run began with, and leaves how it ended in a file.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::process::Command;

use super::context::TryContext;
use super::environment::environment;
use super::moves::{self, Moves};
use super::process::{Ended, EnvsOnly as _, left_file, run};
use super::{Executor, Report};
use crate::core::{Outcome, RETURN_VALUE, RunRow};
use crate::dag::Dag;
use crate::store::XCom;
use crate::text::python_isoformat;

/// Bytes of other tasks' values that a child is given at its start; it asks for the rest.
const XCOM_BYTES_MAX: usize = 4 << 20;
/// Largest file a child leaves, in bytes.
const RESULT_BYTES_MAX: u64 = 8 << 20;
/// Most values a task may leave.
const XCOMS_MAX: usize = 1000;

/// What the child says of its end.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Left {
    state: String,
    reason: Option<String>,
    retry: bool,
    xcoms: Map<String, Value>,
    skip: Vec<String>,
}

pub(super) async fn operator(
    executor: &Executor,
    context: &TryContext<'_>,
    xcoms: &[XCom],
    topics: &[String],
) -> Outcome {
    let config = &context.tools.config;
    let mut variables = match environment(context, &[]) {
        Ok(variables) => variables,
        Err(error) => return error.into(),
    };
    let scratch =
        |what: &str| config.scratch.join(format!("{what}-{}.json", context.start.attempt.0));
    let (result, moved) = (scratch("result"), scratch("moves"));
    variables.push(("TIDEMILL_MOVES".to_owned(), moved.display().to_string()));
    variables.push(("PYTHONUNBUFFERED".to_owned(), "1".to_owned()));
    let input = input(context, xcoms, &result.display().to_string());
    let mut child = Command::new(&config.children.python);
    child.args(["-m", "_tidemill.run"]);
    child.envs_only(variables).current_dir(&config.children.project);
    let before = moves::ends(context, topics).await;
    let ended = run(executor, context, child, Some(input.to_string())).await;
    let left: Option<Left> = left_file(context, &result, RESULT_BYTES_MAX)
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let moves = Moves::read(context, &moved);
    let moves = moves.compared(context, before).await;
    moves.tell(context);
    let Some(left) = left else {
        return unsaid(ended);
    };
    leave(executor, context, &left).await;
    conclude(ended, left, &moves)
}

/// Everything the child needs, in the words of `_tidemill/run.py`.
fn input(context: &TryContext<'_>, xcoms: &[XCom], result: &str) -> Value {
    let (start, run, dag) = (context.start, &context.start.run, &context.start.dag);
    let config = &context.tools.config;
    let mut room = XCOM_BYTES_MAX;
    let mut known = Vec::new();
    for xcom in xcoms {
        room = room.saturating_sub(xcom.value.to_string().len());
        if room == 0 {
            break;
        }
        known.push(json!([xcom.task_id, xcom.key, xcom.value]));
    }
    json!({
        "path": config.children.dags_folder.join(&*dag.file.name).display().to_string(),
        "source": &*dag.file.text(),
        "dag_id": &*run.dag_id,
        "task_id": context.task_id(),
        "try_number": start.try_number,
        "max_tries": start.max_tries,
        "result": result,
        "has_all_xcoms": known.len() == xcoms.len(),
        "xcoms": known,
        "dag_run": dag_run(run, dag),
    })
}

/// The run, as a context knows it. One that somebody asked for has the interval that Airflow 2 would
/// have given it: the last complete one.
pub(super) fn dag_run(run: &RunRow, dag: &Dag) -> Value {
    let interval = run.interval.or_else(|| dag.schedule.manual_interval(run.run_after));
    json!({
        "run_id": &*run.run_id,
        "dag_id": &*run.dag_id,
        "run_type": run.kind.as_str(),
        "state": run.state.as_str(),
        "conf": *run.conf,
        "logical_date": run.logical_date.map(python_isoformat),
        "data_interval_start": interval.map(|interval| python_isoformat(interval.start)),
        "data_interval_end": interval.map(|interval| python_isoformat(interval.end)),
        "run_after": python_isoformat(run.run_after),
        "queued_at": python_isoformat(run.queued_at),
        "start_date": run.started_at.map(python_isoformat),
        "end_date": run.ended_at.map(python_isoformat),
        "triggered_by": &*run.triggered_by,
    })
}

/// Tells the scheduler of values under names of their own, and of branches not taken.
async fn leave(executor: &Executor, context: &TryContext<'_>, left: &Left) {
    let attempt = context.start.attempt;
    if left.xcoms.len() > XCOMS_MAX {
        context.log.warning(format!("only {XCOMS_MAX} of {} XComs are kept", left.xcoms.len()));
    }
    let others = left.xcoms.iter().filter(|(key, _)| *key != RETURN_VALUE).take(XCOMS_MAX);
    for (key, value) in others {
        let (key, value): (Arc<str>, Value) = (key.as_str().into(), value.clone());
        executor.report(Report::Pushed { attempt, key, value }).await;
    }
    let dag = &context.start.dag;
    let tasks: Vec<usize> = left.skip.iter().filter_map(|task_id| dag.index_of(task_id)).collect();
    if !tasks.is_empty() {
        executor.report(Report::SkipTasks { attempt, tasks }).await;
    }
}

/// The child was killed, could not even begin, or left in the middle.
fn unsaid(ended: Ended) -> Outcome {
    let is_calm = matches!(&ended, Ended::Exited { status, .. } if status.success());
    if is_calm {
        let reason = "the process ended by itself before the task was done (os._exit?)".to_owned();
        return Outcome::Failed { reason, retry: true, value: None };
    }
    ended.outcome(|_| None)
}

fn conclude(ended: Ended, mut left: Left, moves: &Moves) -> Outcome {
    let value = left.xcoms.remove(RETURN_VALUE);
    match ended {
        Ended::Exited { .. } => {}
        // What it left does not count against why it was stopped.
        other => return other.outcome(|_| value),
    }
    let reason = left.reason.unwrap_or_else(|| "no reason was given".to_owned());
    match left.state.as_str() {
        "success" => match moves.complaint() {
            Some(reason) => Outcome::Failed { reason, retry: true, value },
            None => Outcome::Success { value },
        },
        "skipped" => Outcome::Skipped { reason },
        _ => Outcome::Failed { reason, retry: left.retry, value },
    }
}
