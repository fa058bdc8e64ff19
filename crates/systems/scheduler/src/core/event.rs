//! What comes into the state machine and what goes out of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::state::{RunState, RunType, TaskState};
use crate::dag::Dag;
use crate::timetable::DataInterval;

/// A run, in this store. Rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey(pub i64);

/// One try handed to the executor. Unique while the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub u64);

/// The XCom that holds what a task returns.
pub const RETURN_VALUE: &str = "return_value";

/// How often a row has changed. An update names the epoch it was decided on, and a row that has
/// moved on since is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub i64);

/// A version of a DAG's file, in this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionKey(pub i64);

/// What the store keeps of a DAG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DagRow {
    /// Its name.
    pub dag_id: Arc<str>,
    /// Whether nothing of it is started.
    pub paused: bool,
    /// The interval of the last run the schedule made.
    pub last: Option<DataInterval>,
}

/// What the store keeps of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// Its key.
    pub key: RunKey,
    /// Its DAG.
    pub dag_id: Arc<str>,
    /// Its name, unique in the DAG.
    pub run_id: Arc<str>,
    /// The version of the DAG it started with and keeps.
    pub version: VersionKey,
    /// Why it exists.
    pub kind: RunType,
    /// Its state.
    pub state: RunState,
    /// How often the row has changed.
    pub epoch: Epoch,
    /// Unique in the DAG; none for most manual runs.
    pub logical_date: Option<Timestamp>,
    /// What it is about.
    pub interval: Option<DataInterval>,
    /// It does not start earlier.
    pub run_after: Timestamp,
    /// When it was made or cleared.
    pub queued_at: Timestamp,
    /// When it became running.
    pub started_at: Option<Timestamp>,
    /// When it finished.
    pub ended_at: Option<Timestamp>,
    /// Given by who asked for it.
    pub conf: Arc<Map<String, Value>>,
    /// Given by who asked for it.
    pub note: Option<Arc<str>>,
    /// Who asked: `rest_api`, `timetable`, `cli`, `ui`.
    pub triggered_by: Arc<str>,
    /// How often it was cleared.
    pub clear_number: u32,
    /// Why it failed, in one line.
    pub reason: Option<Arc<str>>,
}

/// What the store keeps of a task instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// Its run.
    pub run: RunKey,
    /// Its place in the run's version of the DAG.
    pub index: usize,
    /// Its task.
    pub task_id: Arc<str>,
    /// Its state.
    pub state: TaskState,
    /// The pool it takes slots of.
    pub pool: Arc<str>,
    /// How many.
    pub pool_slots: u32,
    /// How often the row has changed.
    pub epoch: Epoch,
    /// The current or last try; 0 before the first.
    pub try_number: u32,
    /// After this many failed tries, one more is the last.
    pub max_tries: u32,
    /// When it became scheduled.
    pub scheduled_at: Option<Timestamp>,
    /// When it was handed to the executor.
    pub queued_at: Option<Timestamp>,
    /// When the executor began.
    pub started_at: Option<Timestamp>,
    /// When the try ended.
    pub ended_at: Option<Timestamp>,
    /// When the next try is due.
    pub retry_at: Option<Timestamp>,
    /// The process that does it.
    pub pid: Option<u32>,
    /// Why it failed, in one line.
    pub reason: Option<Arc<str>>,
}

/// What comes in.
#[derive(Debug)]
pub enum Event {
    /// Time has passed.
    Tick,
    /// A DAG is new or has changed.
    DagLoaded {
        /// The DAG.
        dag: Arc<Dag>,
        /// Where the store keeps its text.
        version: VersionKey,
    },
    /// A DAG's file is gone.
    DagGone {
        /// Its name.
        dag_id: Arc<str>,
    },
    /// Somebody pauses or unpauses a DAG.
    SetPaused {
        /// Its name.
        dag_id: Arc<str>,
        /// Which.
        paused: bool,
    },
    /// Pools have other slots, came or went: all of them, with their slots; -1 is no limit.
    SetPools(BTreeMap<Arc<str>, i64>),
    /// Somebody asks for a run.
    Trigger(Box<Trigger>),
    /// The executor began a try.
    Started {
        /// Which.
        attempt: Attempt,
        /// The process that does it.
        pid: Option<u32>,
    },
    /// A try leaves a value under a name of its own.
    Pushed {
        /// Which.
        attempt: Attempt,
        /// The name.
        key: Arc<str>,
        /// The value.
        value: Value,
    },
    /// A try decided that tasks after it are not needed: a branch not taken.
    SkipTasks {
        /// Which.
        attempt: Attempt,
        /// Places of the tasks in the run's DAG.
        tasks: Vec<usize>,
    },
    /// The executor is done with a try.
    Finished {
        /// Which.
        attempt: Attempt,
        /// How it went.
        outcome: Outcome,
    },
    /// A finished run is taken into memory again, because a change to it follows.
    Adopt(Box<Snapshot>),
    /// Tasks of a run are to be done again.
    Clear {
        /// The run; in memory.
        run: RunKey,
        /// Places of the tasks in the run's DAG.
        tasks: Vec<usize>,
    },
    /// Somebody decides how a run ended, or queues it again.
    SetRunState {
        /// The run; in memory.
        run: RunKey,
        /// What it becomes; not running.
        state: RunState,
    },
    /// Somebody writes on a run.
    SetNote {
        /// The run; in memory.
        run: RunKey,
        /// The text, or none.
        note: Option<Arc<str>>,
    },
    /// Nothing new is started, and what runs is stopped.
    Drain,
}

/// A wish for a run.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Its DAG.
    pub dag_id: Arc<str>,
    /// Its name.
    pub run_id: Arc<str>,
    /// Its logical date, if it has one.
    pub logical_date: Option<Timestamp>,
    /// What it is about; otherwise the last complete interval before its logical date.
    pub interval: Option<DataInterval>,
    /// It does not start earlier.
    pub run_after: Timestamp,
    /// Overrides the DAG's params.
    pub conf: Map<String, Value>,
    /// Free text.
    pub note: Option<Arc<str>>,
    /// Who asks.
    pub triggered_by: Arc<str>,
}

/// A run with its tasks, as the store had it.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The run.
    pub run: RunRow,
    /// Its DAG as it was then; none if that text can no longer be read.
    pub dag: Option<Arc<Dag>>,
    /// All its tasks, by place.
    pub tasks: Vec<TaskRow>,
}

/// How a try went.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It did its work.
    Success {
        /// Its XCom `return_value`.
        value: Option<Value>,
    },
    /// It found that it was not needed.
    Skipped {
        /// Why.
        reason: String,
    },
    /// It did not do its work.
    Failed {
        /// Why, in one line.
        reason: String,
        /// Whether another try can help.
        retry: bool,
        /// Its XCom `return_value`: what it did do.
        value: Option<Value>,
    },
    /// It was stopped because the scheduler stops: that costs no try.
    Interrupted {
        /// Its XCom `return_value`: what it did do.
        value: Option<Value>,
    },
}

/// What goes out. Changes are written, all of one step in one transaction, before anything else of
/// the step happens.
#[derive(Debug)]
pub enum Effect {
    /// To be written.
    Change(Box<Change>),
    /// To be run.
    Start(Box<Start>),
    /// To be stopped; the executor still reports how it ended.
    Stop {
        /// Which.
        attempt: Attempt,
        /// Why.
        reason: StopReason,
    },
    /// A run came to its end by itself, and its DAG wants to be called then.
    CallBack(Box<RunEnd>),
    /// To be told to who sent the event.
    Answer(Result<RunKey, Refusal>),
}

/// Why a try is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// It took longer than its `execution_timeout`.
    Timeout(std::time::Duration),
    /// Its run or task was cleared, marked, or took too long.
    Marked,
    /// The scheduler stops.
    Drain,
}

/// A run that ended.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// The run, in its last state.
    pub run: RunRow,
    /// Its DAG.
    pub dag: Arc<Dag>,
    /// The task it is told with: the first that failed, otherwise the last one.
    pub task_id: Arc<str>,
}

/// A try to be run.
#[derive(Debug, Clone)]
pub struct Start {
    /// Its name in reports.
    pub attempt: Attempt,
    /// Its run.
    pub run: RunRow,
    /// The run's DAG.
    pub dag: Arc<Dag>,
    /// The task's place in it.
    pub index: usize,
    /// From 1.
    pub try_number: u32,
    /// Tries that may still follow.
    pub max_tries: u32,
}

/// One row to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Made or replaced.
    Dag(DagRow),
    /// A new run with its tasks.
    NewRun {
        /// The run.
        run: RunRow,
        /// All its tasks, by place.
        tasks: Vec<TaskRow>,
    },
    /// A run that was in this state at this epoch.
    Run {
        /// State and epoch before.
        from: (RunState, Epoch),
        /// All of it, after.
        row: RunRow,
    },
    /// A task instance that was in this state at this epoch.
    Task {
        /// State and epoch before.
        from: (TaskState, Epoch),
        /// All of it, after.
        row: TaskRow,
    },
    /// A try has ended: kept for the history.
    Try {
        /// The task instance as it was when the try ended.
        row: TaskRow,
    },
    /// A value a task leaves for others.
    XCom {
        /// Its run.
        run: RunKey,
        /// Its task.
        task_id: Arc<str>,
        /// Its name: [`RETURN_VALUE`], or what the task calls it.
        key: Arc<str>,
        /// When.
        at: Timestamp,
        /// The value; none removes all that the task left.
        value: Option<Value>,
    },
}

/// Why a command is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such DAG.
    #[error("The DAG with dag_id: `{0}` was not found")]
    NoDag(Arc<str>),
    /// There is no such run.
    #[error("the run is not known")]
    NoRun,
    /// A run of this name or logical date exists.
    #[error("A DAG run with {what} already exists for dag_id: `{dag_id}`")]
    Exists {
        /// Its DAG.
        dag_id: Arc<str>,
        /// Which of its keys.
        what: String,
    },
    /// The wish contradicts the DAG.
    #[error("{0}")]
    Invalid(String),
    /// The scheduler stops.
    #[error("the scheduler is stopping")]
    Draining,
    /// Another scheduler leads.
    #[error("this scheduler stands by: {0}")]
    Standby(String),
    /// The database does not answer.
    #[error(
        "the scheduler's database does not answer ({0}): it is tried again; \
         what was asked for may still be done"
    )]
    Unavailable(Arc<str>),
}
