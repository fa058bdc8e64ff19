//! Runs tries: each in a task of its own, with a log, a way to be stopped, and one report at its end.
//!
//! `http`, `produce`: records to a topic through [`RecordSink`]. `process`: bash and Python in a
//! child's own process group. `airflow`: an operator of a Python DAG file, in such a child; `moves`:
//! what its producers moved. `sql`: a statement to the engine's gateway.

mod airflow;
mod callback;
mod context;
mod environment;
mod http;
mod moves;
mod orphans;
mod pace;
mod path;
mod poll;
mod process;
mod produce;
mod sink;
mod sql;
mod stop;
mod tally;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use parking_lot::Mutex;
use tidemill_runtime::{Tasks, World};
use tokio::sync::mpsc;

use crate::core::{Attempt, Outcome, RunEnd, Start, StopReason};
use crate::dag::Work;
use crate::logs::{LogKey, Logs};
use crate::store::{Reader, XCom};
use crate::template::Templates;

use context::TryContext;
pub use environment::{ChildEnvironment, PASSED_VARIABLES};
pub use http::{HttpAnswer, HttpClient, HttpFailure, HttpRequest, ReqwestClient};
pub use orphans::kill_orphans;
pub use pace::{Rate, length_of};
pub use path::RecordPath;
pub use sink::{KafkaSink, OutRecord, RecordSink, SinkError};
use stop::Stop;

/// What the executor tells of a try.
#[derive(Debug)]
pub enum Report {
    /// It began.
    Started {
        /// Which.
        attempt: Attempt,
        /// The process that does it.
        pid: Option<u32>,
    },
    /// It leaves a value under a name of its own.
    Pushed {
        /// Which.
        attempt: Attempt,
        /// The name.
        key: Arc<str>,
        /// The value.
        value: serde_json::Value,
    },
    /// It found that tasks after it are not needed.
    SkipTasks {
        /// Which.
        attempt: Attempt,
        /// Places of the tasks in the run's DAG.
        tasks: Vec<usize>,
    },
    /// It ended.
    Finished {
        /// Which.
        attempt: Attempt,
        /// How.
        outcome: Outcome,
    },
}

/// What the executor needs of the configuration.
#[derive(Debug, Clone)]
pub struct ExecutorConfig {
    /// What children find around them.
    pub children: ChildEnvironment,
    /// For files of a single try.
    pub scratch: PathBuf,
    /// The engine's SQL gateway.
    pub engine_url: Option<String>,
    /// From SIGTERM to SIGKILL.
    pub kill_grace: Duration,
}

/// Everything a try may use.
pub(crate) struct Tools {
    world: World,
    config: ExecutorConfig,
    logs: Logs,
    reader: Option<Reader>,
    sink: Arc<dyn RecordSink>,
    http: Arc<dyn HttpClient>,
    templates: Templates,
}

/// Starts and stops tries.
#[derive(Clone)]
pub struct Executor {
    tools: Arc<Tools>,
    tasks: Tasks,
    reports: mpsc::Sender<Report>,
    running: Arc<Mutex<HashMap<Attempt, Stop>>>,
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("running", &self.running.lock().len()).finish()
    }
}

/// The parts an executor is made of.
pub struct ExecutorParts {
    /// Clock, chance, disk.
    pub world: World,
    /// Settings.
    pub config: ExecutorConfig,
    /// Where tries write what they do.
    pub logs: Logs,
    /// Where XComs of other tasks come from; none in tests.
    pub reader: Option<Reader>,
    /// Where records go.
    pub sink: Arc<dyn RecordSink>,
    /// How HTTP is spoken.
    pub http: Arc<dyn HttpClient>,
}

impl std::fmt::Debug for ExecutorParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecutorParts").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Executor {
    /// Reports go to `reports`; tries are owned by `tasks`.
    pub fn new(parts: ExecutorParts, tasks: Tasks, reports: mpsc::Sender<Report>) -> Executor {
        let ExecutorParts { world, config, logs, reader, sink, http } = parts;
        let templates = Templates::new(&world);
        let tools = Arc::new(Tools { world, config, logs, reader, sink, http, templates });
        Executor { tools, tasks, reports, running: Arc::default() }
    }

    /// Begins a try. It reports once that it began and once how it ended, whatever happens.
    pub fn start(&self, start: Start) {
        let stop = Stop::default();
        self.running.lock().insert(start.attempt, stop.clone());
        let executor = self.clone();
        self.tasks.spawn("a task's try", async move {
            let attempt = start.attempt;
            let outcome = executor.run(start, &stop).await;
            executor.running.lock().remove(&attempt);
            executor.report(Report::Finished { attempt, outcome }).await;
        });
    }

    /// Tells a DAG's own callback of the end of a run. It changes nothing about the run, and is not
    /// told again if we end before it does.
    pub fn call_back(&self, end: RunEnd) {
        let tools = self.tools.clone();
        self.tasks.spawn("a DAG's callback", async move { callback::run(&tools, end).await });
    }

    /// Asks a try to end. It reports as any other.
    pub fn stop(&self, attempt: Attempt, reason: StopReason) {
        if let Some(stop) = self.running.lock().get(&attempt) {
            stop.request(reason);
        }
    }

    async fn run(&self, start: Start, stop: &Stop) -> Outcome {
        let key = LogKey {
            dag_id: start.run.dag_id.clone(),
            run_id: start.run.run_id.clone(),
            task_id: start.dag.tasks[start.index].task_id.clone(),
            try_number: start.try_number,
        };
        let log = self.tools.logs.create(key);
        let work = AssertUnwindSafe(self.work(start, &log, stop)).catch_unwind().await;
        let outcome = work.unwrap_or_else(|_| Outcome::Failed {
            reason: "the scheduler has an error: the task's code panicked".to_owned(),
            retry: true,
            value: None,
        });
        match &outcome {
            Outcome::Success { value: Some(value) } => log.info(format!("success: {value}")),
            Outcome::Success { value: None } => log.info("success"),
            Outcome::Skipped { reason } => log.info(format!("skipped: {reason}")),
            Outcome::Failed { reason, .. } => log.error(format!("failed: {reason}")),
            Outcome::Interrupted { .. } => {
                log.info("interrupted: the scheduler stops; the task will be tried again");
            }
        }
        log.finish();
        outcome
    }

    async fn work(&self, start: Start, log: &crate::logs::TaskLog, stop: &Stop) -> Outcome {
        let (tools, attempt) = (&self.tools, start.attempt);
        let xcoms = match self.xcoms(&start).await {
            Ok(xcoms) => xcoms,
            Err(reason) => return Outcome::Failed { reason, retry: true, value: None },
        };
        let values = context::values(&start, &xcoms);
        let context = TryContext { tools, start: &start, values, log, stop };
        let work = &start.dag.tasks[start.index].work;
        if !matches!(work, Work::Bash { .. } | Work::Python { .. } | Work::Airflow { .. }) {
            self.report(Report::Started { attempt, pid: None }).await;
        }
        match work {
            // The core ends empty tasks itself; one that comes here has nothing to do.
            Work::Empty => Outcome::Success { value: None },
            Work::Http(http) => poll::run(&context, http).await,
            Work::Produce { records, output } => produce::run(&context, records, output).await,
            Work::Sql { statement, engine_url } => {
                sql::run(&context, statement, engine_url.as_deref()).await
            }
            Work::Bash { command, env, cwd } => {
                process::bash(self, &context, command, env, cwd.as_deref()).await
            }
            Work::Python { program, args, env } => {
                process::python(self, &context, program, args, env).await
            }
            Work::Airflow { topics, .. } => airflow::operator(self, &context, &xcoms, topics).await,
        }
    }

    async fn xcoms(&self, start: &Start) -> Result<Vec<XCom>, String> {
        let Some(reader) = self.tools.reader.as_ref().filter(|_| start.dag.tasks.len() > 1) else {
            return Ok(Vec::new());
        };
        reader.xcoms(start.run.key).await.map_err(|error| error.to_string())
    }

    async fn report(&self, report: Report) {
        // The scheduler is gone: nobody is left to be told.
        let _ = self.reports.send(report).await;
    }
}

#[cfg(test)]
mod tests;
