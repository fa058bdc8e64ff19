//! What a DAG is, once its file has been read and checked.
//!
//! `yaml` holds the words of the file, `check` turns them into a [`Dag`] or an [`ImportError`] with
//! a line, `python` does so with what an interpreter says of a Python file, `folder` keeps the last
//! good version of every file.

mod check;
mod folder;

mod import_error;
mod python;
mod yaml;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::core::TriggerRule;
use crate::executor::RecordPath;
use crate::timetable::{DataInterval, Restriction, Schedule};

pub use check::parse;
pub use folder::{DagFolder, FolderChange, KnownVersion, PythonFile};

pub use import_error::ImportError;
pub(crate) use python::{ParsedFile, dags_of};
pub use yaml::{Length, OnError};

/// Airflow's default for `max_active_runs`.
pub const MAX_ACTIVE_RUNS: u32 = 16;
/// Airflow's default for `max_active_tasks`.
pub const MAX_ACTIVE_TASKS: u32 = 16;
/// The pool of tasks that name none.
pub const DEFAULT_POOL: &str = "default_pool";
/// Airflow's default for `retry_delay`.
pub const RETRY_DELAY: Duration = Duration::from_secs(300);
/// Most tasks one DAG may have.
pub const TASKS_MAX: usize = 10_000;

/// A checked DAG: its graph has no cycle and its templates compile. Immutable; a changed file makes
/// a new one, and runs keep the one they started with.
#[derive(Debug)]
pub struct Dag {
    /// Unique in the folder.
    pub dag_id: Arc<str>,
    /// One line about it.
    pub description: Option<String>,
    /// Longer text, Markdown.
    pub doc_md: Option<String>,
    /// When it runs.
    pub schedule: Schedule,
    /// `schedule` as written.
    pub schedule_text: Option<String>,
    /// No interval starts earlier.
    pub start_date: Option<Timestamp>,
    /// No interval starts later.
    pub end_date: Option<Timestamp>,
    /// The zone of its cron expression.
    pub timezone: TimeZone,
    /// Whether missed intervals are run.
    pub catchup: bool,
    /// Most runs in state running, and most active scheduled runs that are made.
    pub max_active_runs: u32,
    /// Most tasks of this DAG that run at one moment.
    pub max_active_tasks: u32,
    /// Whether it starts paused; otherwise the configuration decides.
    pub is_paused_upon_creation: Option<bool>,
    /// Labels.
    pub tags: Vec<String>,
    /// Defaults that a run's `conf` overrides.
    pub params: Params,
    /// A run that takes longer has failed.
    pub dagrun_timeout: Option<Duration>,
    /// What it wants to be told of its runs.
    pub callbacks: Callbacks,
    /// In the order of the file.
    pub tasks: Vec<Task>,
    /// Where it came from.
    pub file: DagFile,
}

/// For which ends of its runs a DAG has callbacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Callbacks {
    /// `on_success_callback`.
    pub success: bool,
    /// `on_failure_callback`.
    pub failure: bool,
}

/// The text a DAG was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DagFile {
    /// Path inside the DAG folder.
    pub name: Arc<str>,
    /// All that is needed to have the DAG again: the content of a YAML file; of a Python file, JSON
    /// with its text and what came out of it.
    pub source: Arc<str>,
}

impl DagFile {
    /// The file's content, for people.
    pub fn text(&self) -> Arc<str> {
        let text = if is_python(&self.name) { python::text_of(&self.source) } else { None };
        text.unwrap_or_else(|| self.source.clone())
    }
}

/// Whether a file is read by an interpreter.
pub(crate) fn is_python(name: &str) -> bool {
    name.ends_with(".py")
}

/// One node of the graph. Neighbours are indexes into [`Dag::tasks`].
#[derive(Debug)]
pub struct Task {
    /// Unique in the DAG.
    pub task_id: Arc<str>,
    /// Who answers for it.
    pub owner: String,
    /// Longer text, Markdown.
    pub doc_md: Option<String>,
    /// Tasks it waits for.
    pub upstream: Vec<usize>,
    /// Tasks that wait for it.
    pub downstream: Vec<usize>,
    /// What has to be true of the upstream tasks.
    pub trigger_rule: TriggerRule,
    /// What happens after a failure.
    pub retry: RetryPolicy,
    /// A try that takes longer has failed.
    pub execution_timeout: Option<Duration>,
    /// Higher goes first when slots are short.
    pub priority_weight: i32,
    /// The pool it takes slots of while it is queued and running.
    pub pool: Arc<str>,
    /// How many.
    pub pool_slots: u32,
    /// What it does.
    pub work: Work,
}

/// What happens after a failed try.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// Tries after the first.
    pub retries: u32,
    /// From the end of a try to the next.
    pub delay: Duration,
    /// Factor by which the delay grows each time; 1 keeps it.
    pub backoff: f64,
    /// The delay never grows beyond this.
    pub delay_max: Option<Duration>,
}

/// What a task does.
#[derive(Debug)]
pub enum Work {
    /// Nothing: it only orders others.
    Empty,
    /// Polls an HTTP API and writes what it answers to a topic.
    Http(Box<HttpWork>),
    /// Sends a statement to the engine.
    Sql {
        /// The statement, a template.
        statement: String,
        /// The engine; otherwise the configured one.
        engine_url: Option<String>,
    },
    /// Runs a shell command.
    Bash {
        /// For `bash -c`, a template.
        command: String,
        /// Added to the environment; values are templates.
        env: Vec<(String, Value)>,
        /// Relative to the project.
        cwd: Option<String>,
    },
    /// Runs Python in a process of its own.
    Python {
        /// What is run.
        program: PythonProgram,
        /// Keyword arguments, templates.
        args: Map<String, Value>,
        /// Added to the environment; values are templates.
        env: Vec<(String, Value)>,
    },
    /// Runs an operator of a DAG file in Python.
    Airflow {
        /// Its class, or its decorator.
        operator: String,
        /// Topics it writes, as far as the file's text says it.
        topics: Vec<String>,
    },
    /// Writes records given in the file.
    Produce {
        /// Values, templates.
        records: Vec<Value>,
        /// Where they go.
        output: Output,
    },
}

/// What a Python task runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PythonProgram {
    /// A function of a file in the project; its return value becomes the task's XCom.
    Function {
        /// Relative to the project.
        file: String,
        /// Its name; called with the task's `args`.
        function: String,
    },
    /// The text of a program.
    Code(String),
}

/// An HTTP API that is polled.
#[derive(Debug)]
pub struct HttpWork {
    /// A template.
    pub url: String,
    /// `GET` unless said otherwise.
    pub method: String,
    /// Values are templates.
    pub headers: Map<String, Value>,
    /// The query; values are templates.
    pub query: Map<String, Value>,
    /// Sent as JSON; a template.
    pub body: Option<Value>,
    /// For one request.
    pub timeout: Duration,
    /// Where in the answer the records are.
    pub records: RecordPath,
    /// How long it polls: a length, or a template of one. Without it: one good answer.
    pub duration: Option<Value>,
    /// Requests per second: `20/s`, `5/min`, or a template.
    pub rate: Option<Value>,
    /// At most so many requests.
    pub max_requests: Option<u64>,
    /// Requests in flight at one moment.
    pub concurrency: u32,
    /// What one failed request means.
    pub on_error: OnError,
    /// Where the records go. Without a topic they are counted and dropped.
    pub output: Option<Output>,
}

/// Where records go, and in what shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The topic; a template.
    pub topic: String,
    /// The record's key; a template over `record`.
    pub key: Option<Value>,
    /// The record's value; templates over `record`. Without it the record as it is.
    pub value: Option<Value>,
}

impl Work {
    /// The name the API gives it, in Airflow's manner.
    pub fn operator(&self) -> &str {
        match self {
            Work::Airflow { operator, .. } => operator,
            Work::Empty => "EmptyOperator",
            Work::Http(_) => "HttpOperator",
            Work::Sql { .. } => "SQLExecuteQueryOperator",
            Work::Bash { .. } => "BashOperator",
            Work::Python { .. } => "PythonOperator",
            Work::Produce { .. } => "ProduceToTopicOperator",
        }
    }

    /// Where it writes records.
    pub fn output(&self) -> Option<&Output> {
        match self {
            Work::Http(http) => http.output.as_ref(),
            Work::Produce { output, .. } => Some(output),
            Work::Empty
            | Work::Sql { .. }
            | Work::Bash { .. }
            | Work::Python { .. }
            | Work::Airflow { .. } => None,
        }
    }

    /// The topics it writes, as far as they are known beforehand.
    pub fn topics(&self) -> Vec<&str> {
        match self {
            Work::Airflow { topics, .. } => topics.iter().map(String::as_str).collect(),
            other => other.output().map(|output| output.topic.as_str()).into_iter().collect(),
        }
    }
}

/// `params`: defaults, and what a value must be.
#[derive(Debug, Default)]
pub struct Params(Vec<Param>);

/// One parameter.
#[derive(Debug)]
struct Param {
    name: String,
    default: Value,
    /// JSON Schema's `type`, if the file gives one.
    kinds: Vec<String>,
    description: Option<String>,
}

impl Params {
    /// Reads `name: value` or `name: {default: …, type: …, description: …}`.
    fn from_file(written: &Map<String, Value>) -> Result<Params, String> {
        let params = written.iter().map(|(name, value)| Param::from_file(name, value));
        Ok(Params(params.collect::<Result<_, _>>()?))
    }

    /// The values of a run: defaults, overridden by its `conf`. An error names the parameter.
    pub fn resolve(&self, conf: &Map<String, Value>) -> Result<Map<String, Value>, String> {
        let mut values = self.defaults();
        for (name, value) in conf {
            if let Some(param) = self.0.iter().find(|param| param.name == *name) {
                param.check(value)?;
            }
            values.insert(name.clone(), value.clone());
        }
        Ok(values)
    }

    /// Name → default.
    pub fn defaults(&self) -> Map<String, Value> {
        self.0.iter().map(|param| (param.name.clone(), param.default.clone())).collect()
    }

    /// Name → what the API tells about it.
    pub fn described(&self) -> Map<String, Value> {
        let described = self.0.iter().map(|param| {
            let schema = match param.kinds.as_slice() {
                [] => Value::Object(Map::new()),
                [kind] => serde_json::json!({ "type": kind }),
                kinds => serde_json::json!({ "type": kinds }),
            };
            let shape = serde_json::json!({
                "value": param.default, "schema": schema, "description": param.description,
            });
            (param.name.clone(), shape)
        });
        described.collect()
    }
}

impl Param {
    fn from_file(name: &str, value: &Value) -> Result<Param, String> {
        let plain = |default: Value| Param {
            name: name.to_owned(),
            default,
            kinds: Vec::new(),
            description: None,
        };
        let Some(map) = value.as_object().filter(|map| map.contains_key("default")) else {
            return Ok(plain(value.clone()));
        };
        let mut param = plain(map["default"].clone());
        for (key, value) in map {
            match (key.as_str(), value) {
                ("default", _) => {}
                ("type", Value::String(kind)) => param.kinds = vec![kind.clone()],
                ("type", Value::Array(kinds)) => {
                    param.kinds =
                        kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                }
                ("description", Value::String(text)) => param.description = Some(text.clone()),
                _ => {
                    return Err(format!(
                        "param {name}: unknown key {key:?}; known: default, type, description"
                    ));
                }
            }
        }
        param.check(&param.default)?;
        Ok(param)
    }

    fn check(&self, value: &Value) -> Result<(), String> {
        let is = |kind: &str| match kind {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => true,
        };
        if self.kinds.is_empty() || self.kinds.iter().any(|kind| is(kind)) {
            return Ok(());
        }
        Err(format!("param {}: {value} is not of type {}", self.name, self.kinds.join(" or ")))
    }
}

impl Dag {
    /// The next interval after `last`, as seen at `now`; it may lie in the future.
    pub fn next_interval(
        &self,
        last: Option<DataInterval>,
        now: Timestamp,
    ) -> Option<DataInterval> {
        let bounds =
            Restriction { earliest: self.start_date, latest: self.end_date, catchup: self.catchup };
        self.schedule.next_interval(last, bounds, now)
    }

    /// The place of a task in [`Dag::tasks`].
    pub fn index_of(&self, task_id: &str) -> Option<usize> {
        self.tasks.iter().position(|task| &*task.task_id == task_id)
    }

    /// Whether the tasks behind an index decide about the run: nothing comes after them.
    pub fn is_leaf(&self, index: usize) -> bool {
        self.tasks[index].downstream.is_empty()
    }

    /// Everybody's owner, each once.
    pub fn owners(&self) -> Vec<&str> {
        let mut owners: Vec<&str> = self.tasks.iter().map(|task| task.owner.as_str()).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// The topics its tasks write: topic, task.
    pub fn outlets(&self) -> impl Iterator<Item = (&str, &Arc<str>)> {
        self.tasks.iter().flat_map(|task| {
            task.work.topics().into_iter().map(move |topic| (topic, &task.task_id))
        })
    }
}

#[cfg(test)]
mod tests;
