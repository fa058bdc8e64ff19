//! DAGs of Python files: what the interpreter makes of a file (`_tidemill/parse.py` in
//! `links/python`), checked into the same [`Dag`] as any other.
//!
//! A version of such a DAG is a JSON document with the file's text and the DAG that came out of it:
//! a run keeps both, so that it can be gone on with when the file, or what it imports, has changed
//! or is broken.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::check::{ID_CHARS_MAX, cycle, every, is_id};
use super::{
    Callbacks, DEFAULT_POOL, Dag, DagFile, ImportError, Length, Params, RETRY_DELAY, RetryPolicy,
    TASKS_MAX, Task, Work,
};
use crate::timetable::{CronPolicy, Schedule, ZonedCron, preset};

/// What the interpreter says of a file.
#[derive(Debug, Deserialize)]
pub(crate) struct ParsedFile {
    #[serde(default)]
    dags: Vec<PythonDag>,
    /// What the file says and has no effect.
    #[serde(default)]
    pub(crate) notices: Vec<Notice>,
    /// Files of the project that it loaded, absolute.
    #[serde(default)]
    pub(crate) imports: Vec<String>,
    #[serde(default)]
    error: Option<PythonError>,
}

/// Something in a file that is accepted and has no effect.
#[derive(Debug, Deserialize)]
pub(crate) struct Notice {
    pub(crate) text: String,
    pub(crate) place: String,
}

/// Why a file gave no DAGs.
#[derive(Debug, Deserialize)]
struct PythonError {
    message: String,
    /// The file it happened in, absolute; often another one than was read.
    file: Option<String>,
    line: Option<u64>,
}

/// A DAG in the words of `_tidemill/serialize.py`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct PythonDag {
    dag_id: String,
    line: Option<u64>,
    description: Option<String>,
    doc_md: Option<String>,
    /// Null, a preset, a cron expression, or a number of seconds.
    schedule: Value,
    schedule_text: Option<String>,
    timezone: String,
    start_date: Option<String>,
    end_date: Option<String>,
    catchup: bool,
    max_active_runs: u32,
    max_active_tasks: u32,
    dagrun_timeout: Option<f64>,
    tags: Vec<String>,
    is_paused_upon_creation: Option<bool>,
    params: Map<String, Value>,
    #[serde(default)]
    on_success_callback: bool,
    #[serde(default)]
    on_failure_callback: bool,
    tasks: Vec<PythonTask>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct PythonTask {
    task_id: String,
    operator: String,
    is_empty: bool,
    owner: String,
    doc_md: Option<String>,
    upstream: Vec<String>,
    trigger_rule: String,
    retries: u32,
    retry_delay: Option<f64>,
    /// 0 keeps the delay, 1 (Airflow's `True`) doubles it each time.
    retry_exponential_backoff: f64,
    max_retry_delay: Option<f64>,
    execution_timeout: Option<f64>,
    priority_weight: i32,
    #[serde(default)]
    pool: Option<String>,
    #[serde(default)]
    pool_slots: Option<u32>,
    /// Topics its function writes, as far as the text says it.
    #[serde(default)]
    topics: Vec<String>,
}

/// One version of a Python DAG, as the store keeps it.
#[derive(Debug, Serialize, Deserialize)]
struct Version {
    source: Arc<str>,
    dag: PythonDag,
}

/// The DAGs of a file that was just read. `root` is the DAG folder.
pub(crate) fn dags_of(
    name: &str,
    source: &Arc<str>,
    parsed: ParsedFile,
    root: &std::path::Path,
) -> Result<Vec<Arc<Dag>>, ImportError> {
    if let Some(error) = parsed.error {
        return Err(import_error(name, source, error, root));
    }
    let checked = parsed.dags.into_iter().map(|dag| {
        let line = dag.line;
        check(name, source, dag)
            .map(Arc::new)
            .map_err(|message| ImportError::at_line(name, source, line, message))
    });
    checked.collect()
}

fn import_error(
    name: &str,
    source: &str,
    error: PythonError,
    root: &std::path::Path,
) -> ImportError {
    let own = root.join(name);
    match error.file.filter(|file| *file != own.to_string_lossy()) {
        None => ImportError::at_line(name, source, error.line, error.message),
        Some(file) => {
            let line = error.line.map(|line| format!(":{line}")).unwrap_or_default();
            ImportError::of_file(name, format!("{file}{line}: {}", error.message))
        }
    }
}

/// The DAG of a stored version.
pub(super) fn restored(file: &DagFile) -> Result<Dag, ImportError> {
    let unreadable = |message: String| ImportError::of_file(&file.name, message);
    let version: Version =
        serde_json::from_str(&file.source).map_err(|error| unreadable(error.to_string()))?;
    check(&file.name, &version.source, version.dag).map_err(unreadable)
}

/// The text of a Python file in a stored version.
pub(super) fn text_of(source: &str) -> Option<Arc<str>> {
    serde_json::from_str::<Version>(source).ok().map(|version| version.source)
}

fn check(name: &str, source: &Arc<str>, dag: PythonDag) -> Result<Dag, String> {
    let version = Version { source: source.clone(), dag: dag.clone() };
    // Everything in it came out of JSON.
    let kept = serde_json::to_string(&version).map_err(|error| error.to_string())?;
    id("dag_id", &dag.dag_id)?;
    let timezone = zone(&dag.timezone)?;
    let schedule = schedule(&dag.schedule, &timezone)?;
    let start_date = instant("start_date", dag.start_date.as_deref())?;
    if start_date.is_none() && schedule.is_periodic() {
        // Airflow's own words for the same mistake.
        return Err(format!("DAG {} is missing the start_date parameter", dag.dag_id));
    }
    Ok(Dag {
        dag_id: dag.dag_id.as_str().into(),
        description: dag.description,
        doc_md: dag.doc_md,
        schedule,
        schedule_text: dag.schedule_text,
        start_date,
        end_date: instant("end_date", dag.end_date.as_deref())?,
        timezone,
        catchup: dag.catchup,
        max_active_runs: dag.max_active_runs.max(1),
        max_active_tasks: dag.max_active_tasks.max(1),
        is_paused_upon_creation: dag.is_paused_upon_creation,
        tags: dag.tags,
        params: Params::from_python(&dag.params)?,
        dagrun_timeout: length(dag.dagrun_timeout)?,
        callbacks: Callbacks { success: dag.on_success_callback, failure: dag.on_failure_callback },
        tasks: tasks(&dag.dag_id, dag.tasks)?,
        file: DagFile { name: name.into(), source: kept.into() },
    })
}

fn id(what: &str, text: &str) -> Result<(), String> {
    if is_id(text) {
        return Ok(());
    }
    Err(format!(
        "{what} {text:?} has to be made of letters, digits, dashes, dots and underscores, at most \
         {ID_CHARS_MAX}"
    ))
}

fn zone(name: &str) -> Result<TimeZone, String> {
    if let Ok(zone) = TimeZone::get(name) {
        return Ok(zone);
    }
    // A fixed offset, such as `+05:30`.
    let offset = || -> Option<TimeZone> {
        let (hours, minutes) = name.split_once(':')?;
        let sign = if hours.starts_with('-') { -1 } else { 1 };
        let hours: i32 = hours.parse().ok()?;
        let minutes: i32 = minutes.parse().ok()?;
        Offset::from_seconds(hours * 3600 + sign * minutes * 60).ok().map(TimeZone::fixed)
    };
    offset().ok_or_else(|| format!("timezone {name:?} is unknown"))
}

fn schedule(written: &Value, zone: &TimeZone) -> Result<Schedule, String> {
    let text = match written {
        Value::Null => return Ok(Schedule::Manual),
        Value::Number(seconds) => {
            let length = length(seconds.as_f64())?.unwrap_or_default();
            return every(length).ok_or_else(|| format!("schedule {length:?}: too short or long"));
        }
        Value::String(text) => text.as_str(),
        other => return Err(format!("schedule {other} is not a cron expression")),
    };
    if text == "@once" {
        return Ok(Schedule::Once);
    }
    if text.starts_with('@') && preset(text).is_none() {
        return Err(format!(
            "schedule {text:?} is not supported; known: @once, @hourly, @daily, @weekly, @monthly, \
             @quarterly, @yearly, a cron expression, a timedelta"
        ));
    }
    let cron =
        preset(text).unwrap_or(text).parse().map_err(|error| format!("schedule: {error}"))?;
    Ok(Schedule::Cron(ZonedCron { cron, zone: zone.clone(), policy: CronPolicy::Airflow }))
}

fn instant(what: &str, text: Option<&str>) -> Result<Option<Timestamp>, String> {
    let Some(text) = text else { return Ok(None) };
    let at = text.parse::<Timestamp>().ok();
    let at = at.and_then(|at| Timestamp::from_microsecond(at.as_microsecond()).ok());
    at.map(Some).ok_or_else(|| format!("{what} {text:?} is out of range"))
}

fn length(seconds: Option<f64>) -> Result<Option<Duration>, String> {
    seconds.map(|seconds| Length::seconds(seconds).map(|length| length.0)).transpose()
}

fn tasks(dag_id: &str, written: Vec<PythonTask>) -> Result<Vec<Task>, String> {
    if written.is_empty() {
        return Err(format!("dag {dag_id} has no tasks"));
    }
    if written.len() > TASKS_MAX {
        return Err(format!("dag {dag_id} has {} tasks; at most {TASKS_MAX}", written.len()));
    }
    let places: HashMap<String, usize> =
        written.iter().enumerate().map(|(index, task)| (task.task_id.clone(), index)).collect();
    let built = written.into_iter().map(|written| task(written, &places));
    let mut tasks = built.collect::<Result<Vec<Task>, String>>()?;
    for index in 0..tasks.len() {
        for upstream in tasks[index].upstream.clone() {
            tasks[upstream].downstream.push(index);
        }
    }
    match cycle(&tasks) {
        None => Ok(tasks),
        Some(cycle) => {
            let path: Vec<&str> = cycle.iter().map(|index| &*tasks[*index].task_id).collect();
            Err(format!("Cycle detected in DAG: {dag_id}. {}", path.join(" → ")))
        }
    }
}

fn task(written: PythonTask, places: &HashMap<String, usize>) -> Result<Task, String> {
    id("task_id", &written.task_id)?;
    let upstream: Option<Vec<usize>> =
        written.upstream.iter().map(|id| places.get(id).copied()).collect();
    let work = match written.is_empty {
        true => Work::Empty,
        false => Work::Airflow { operator: written.operator, topics: written.topics },
    };
    // Airflow: true is a factor of 2, a number is the factor.
    let backoff = match written.retry_exponential_backoff {
        factor if factor <= 0.0 => 1.0,
        factor if factor <= 1.0 => 2.0,
        factor => factor,
    };
    Ok(Task {
        upstream: upstream.ok_or_else(|| format!("task {} waits for none", written.task_id))?,
        task_id: written.task_id.as_str().into(),
        owner: written.owner,
        doc_md: written.doc_md,
        downstream: Vec::new(),
        trigger_rule: written.trigger_rule.parse()?,
        retry: RetryPolicy {
            retries: written.retries,
            delay: length(written.retry_delay)?.unwrap_or(RETRY_DELAY),
            backoff,
            delay_max: length(written.max_retry_delay)?,
        },
        execution_timeout: length(written.execution_timeout)?,
        priority_weight: written.priority_weight,
        pool: written.pool.as_deref().unwrap_or(DEFAULT_POOL).into(),
        pool_slots: written.pool_slots.unwrap_or(1).max(1),
        work,
    })
}

impl Params {
    /// Reads what the interpreter tells of `params`.
    fn from_python(written: &Map<String, Value>) -> Result<Params, String> {
        let file: Map<String, Value> = written
            .iter()
            .map(|(name, param)| {
                let mut entry = json!({ "default": param["value"] });
                // A param without a value waits for one: its default is no value of its type.
                if param["type"].as_array().is_some_and(|kinds| !kinds.is_empty())
                    && !param["value"].is_null()
                {
                    entry["type"] = param["type"].clone();
                }
                if param["description"].is_string() {
                    entry["description"] = param["description"].clone();
                }
                (name.clone(), entry)
            })
            .collect();
        Params::from_file(&file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the interpreter would say of a file with one DAG of two tasks.
    fn written() -> Value {
        let task = |id: &str, upstream: &[&str]| {
            json!({
                "task_id": id, "operator": "PythonOperator", "is_empty": false, "owner": "ada",
                "doc_md": null, "upstream": upstream, "trigger_rule": "all_success", "retries": 2,
                "retry_delay": 60.0, "retry_exponential_backoff": 1.0, "max_retry_delay": null,
                "execution_timeout": 5.0, "priority_weight": 1, "topics": ["users_created"],
            })
        };
        json!({"dags": [{
            "dag_id": "d", "line": 3, "description": null, "doc_md": null, "schedule": "@daily",
            "schedule_text": "@daily", "timezone": "Europe/Berlin",
            "start_date": "2023-09-03T10:00:00+00:00", "end_date": null, "catchup": false,
            "max_active_runs": 16, "max_active_tasks": 16, "dagrun_timeout": 3600.0,
            "tags": ["a"], "is_paused_upon_creation": null,
            "params": {"n": {"value": 3, "type": ["integer"], "description": "how many"}},
            "tasks": [task("a", &[]), task("b", &["a"])],
        }], "notices": [], "imports": []})
    }

    fn dags(written: Value) -> Result<Vec<Arc<Dag>>, ImportError> {
        let parsed = serde_json::from_value(written).unwrap();
        dags_of("x.py", &"import airflow\n\ndag\n".into(), parsed, std::path::Path::new("/p/dags"))
    }

    #[test]
    fn a_python_dag_is_a_dag_like_any_other() {
        let dag = dags(written()).unwrap().pop().unwrap();
        assert_eq!((&*dag.dag_id, dag.tasks[1].upstream.as_slice()), ("d", &[0][..]));
        assert_eq!(dag.tasks[0].retry.backoff, 2.0);
        assert_eq!(dag.tasks[0].execution_timeout, Some(Duration::from_secs(5)));
        assert_eq!(dag.params.defaults()["n"], 3);
        assert!(
            matches!(&dag.schedule, Schedule::Cron(cron) if cron.policy == CronPolicy::Airflow)
        );
        assert_eq!(dag.outlets().next().unwrap().0, "users_created");
    }

    #[test]
    fn a_stored_version_gives_the_same_dag_without_an_interpreter() {
        let dag = dags(written()).unwrap().pop().unwrap();
        let again = restored(&dag.file).unwrap();
        assert_eq!(again.file, dag.file);
        assert_eq!(&*dag.file.text(), "import airflow\n\ndag\n");
        assert_eq!(again.tasks.len(), 2);
    }

    #[test]
    fn what_is_wrong_with_a_dag_is_told_with_its_line() {
        for (path, value, part) in [
            ("/dags/0/schedule", json!("@continuous"), "schedule \"@continuous\" is not supported"),
            ("/dags/0/schedule", json!("0 25 * * *"), "is not a hour"),
            ("/dags/0/start_date", json!(null), "DAG d is missing the start_date parameter"),
            ("/dags/0/tasks/0/upstream", json!(["b"]), "Cycle detected in DAG: d. a → b → a"),
            ("/dags/0/tasks/0/trigger_rule", json!("all_sucess"), "\"all_sucess\" is unknown"),
            ("/dags/0/tasks", json!([]), "dag d has no tasks"),
            ("/dags/0/timezone", json!("Mars/Base"), "timezone \"Mars/Base\" is unknown"),
        ] {
            let mut changed = written();
            *changed.pointer_mut(path).unwrap() = value;
            let error = dags(changed).unwrap_err().to_string();
            assert!(error.starts_with("x.py:3: ") && error.contains(part), "{error}");
            assert!(error.ends_with("  3 | dag"), "{error}");
        }
    }

    #[test]
    fn an_error_of_the_file_keeps_its_place_also_in_another_file() {
        let error = |file: &str| {
            let error = json!({"error": {"message": "NameError: x", "file": file, "line": 1}});
            dags(error).unwrap_err().to_string()
        };
        assert_eq!(error("/p/dags/x.py"), "x.py:1: NameError: x\n\n  1 | import airflow");
        assert_eq!(error("/p/dags/lib/y.py"), "x.py: /p/dags/lib/y.py:1: NameError: x");
    }

    #[test]
    fn a_fixed_offset_is_a_time_zone() {
        let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let seconds = |name: &str| zone(name).unwrap().to_offset(at).seconds();
        assert_eq!((seconds("+05:30"), seconds("-03:30"), seconds("UTC")), (19800, -12600, 0));
        let week = jiff::SignedDuration::from_hours(168);
        assert!(matches!(
            schedule(&json!(604_800.0), &TimeZone::UTC).unwrap(),
            Schedule::Every(length) if length == week
        ));
    }
}
