//! A scheduler with a store in memory and an executor the test plays.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::core::*;
use crate::dag::{Dag, parse};

/// What a database would hold. A change whose guard does not hold fails the test.
#[derive(Debug, Clone, Default)]
pub(super) struct MemoryStore {
    pub(super) dags: BTreeMap<Arc<str>, DagRow>,
    pub(super) runs: BTreeMap<RunKey, RunRow>,
    pub(super) tasks: BTreeMap<(RunKey, usize), TaskRow>,
    pub(super) tries: Vec<TaskRow>,
    pub(super) xcoms: BTreeMap<(RunKey, Arc<str>), Value>,
}

impl MemoryStore {
    fn apply(&mut self, change: &Change) {
        match change.clone() {
            Change::Dag(row) => drop(self.dags.insert(row.dag_id.clone(), row)),
            Change::NewRun { run, tasks } => {
                let twin = self.runs.values().find(|other| {
                    other.dag_id == run.dag_id
                        && (other.run_id == run.run_id
                            || run.logical_date.is_some() && other.logical_date == run.logical_date)
                });
                assert_eq!(twin, None, "a second run for {run:?}");
                for task in tasks {
                    self.tasks.insert((run.key, task.index), task);
                }
                assert_eq!(self.runs.insert(run.key, run), None);
            }
            Change::Run { from, row } => {
                let stored = self.runs.get_mut(&row.key).expect("the run exists");
                assert_eq!((stored.state, stored.epoch), from, "stale run {row:?}");
                *stored = row;
            }
            Change::Task { from, row } => {
                let stored = self.tasks.get_mut(&(row.run, row.index)).expect("the task exists");
                assert_eq!((stored.state, stored.epoch), from, "stale task {row:?}");
                *stored = row;
            }
            Change::Try { row } => self.tries.push(row),
            Change::XCom { run, task_id, value: Some(value), .. } => {
                self.xcoms.insert((run, task_id), value);
            }
            Change::XCom { run, task_id, value: None, .. } => {
                self.xcoms.remove(&(run, task_id));
            }
        }
    }

    /// What a new process finds.
    pub(super) fn restored(&self, dags: &[Arc<Dag>]) -> Restored {
        let dag_of = |id: &str| dags.iter().find(|dag| &*dag.dag_id == id).cloned();
        let open = self.runs.values().filter(|run| !run.state.is_finished());
        let mut taken: BTreeMap<Arc<str>, Vec<Timestamp>> = BTreeMap::new();
        for run in self.runs.values().filter(|run| run.kind == RunType::Manual) {
            if let Some(date) = run.logical_date {
                taken.entry(run.dag_id.clone()).or_default().push(date);
            }
        }
        Restored {
            dags: self.dags.values().cloned().collect(),
            runs: open
                .map(|run| Snapshot {
                    run: run.clone(),
                    dag: dag_of(&run.dag_id),
                    tasks: self.tasks_of(run.key),
                })
                .collect(),
            taken,
            pools: BTreeMap::new(),
            last_run: self.runs.keys().next_back().map_or(0, |key| key.0),
        }
    }

    pub(super) fn tasks_of(&self, run: RunKey) -> Vec<TaskRow> {
        self.tasks.range((run, 0)..(RunKey(run.0 + 1), 0)).map(|(_, row)| row.clone()).collect()
    }
}

pub(super) struct Sim {
    pub(super) core: Core,
    pub(super) store: MemoryStore,
    pub(super) now: Timestamp,
    pub(super) dags: Vec<Arc<Dag>>,
    /// Tries with the executor, in the order they were started.
    pub(super) live: Vec<Start>,
    pub(super) stops: Vec<(Attempt, StopReason)>,
    pub(super) answers: Vec<Result<RunKey, Refusal>>,
}

pub(super) const LIMITS: Limits = Limits { parallelism: 32, paused_at_creation: false };

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl Sim {
    pub(super) fn new(now: &str) -> Sim {
        Sim::with_limits(now, LIMITS)
    }

    pub(super) fn with_limits(now: &str, limits: Limits) -> Sim {
        Sim {
            core: Core::new(limits, at(now)),
            store: MemoryStore::default(),
            now: at(now),
            dags: Vec::new(),
            live: Vec::new(),
            stops: Vec::new(),
            answers: Vec::new(),
        }
    }

    pub(super) fn step(&mut self, event: Event) {
        let effects = self.core.step(self.now, event);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in &effects {
            if let Effect::Change(change) = effect {
                self.store.apply(change);
            }
        }
        self.core.committed();
        for effect in effects {
            match effect {
                Effect::Change(_) => {}
                Effect::Start(start) => self.live.push(*start),
                Effect::Stop { attempt, reason } => self.stops.push((attempt, reason)),
                Effect::Answer(answer) => self.answers.push(answer),
                Effect::CallBack(_) => {}
            }
        }
    }

    /// A crash in the middle of a step: `written` says whether its transaction came through.
    pub(super) fn crash_in(&mut self, event: Event, written: bool) {
        let effects = self.core.step(self.now, event);
        if written {
            for effect in &effects {
                if let Effect::Change(change) = effect {
                    self.store.apply(change);
                }
            }
        }
        self.restart();
    }

    /// A new process on the same store.
    pub(super) fn restart(&mut self) {
        self.live.clear();
        let restored = self.store.restored(&self.dags);
        let (core, effects) = Core::restore(LIMITS, restored, self.now);
        self.core = core;
        self.carry_out(effects);
        for dag in self.dags.clone() {
            self.step(Event::DagLoaded { dag, version: VersionKey(1) });
        }
    }

    pub(super) fn load(&mut self, yaml: &str) -> Arc<Dag> {
        let dag = Arc::new(parse("test.yaml", yaml).unwrap_or_else(|error| panic!("{error}")));
        self.dags.retain(|other| other.dag_id != dag.dag_id);
        self.dags.push(dag.clone());
        self.step(Event::DagLoaded { dag: dag.clone(), version: VersionKey(1) });
        dag
    }

    /// Time passes; timers fire at their moments.
    pub(super) fn pass(&mut self, length: SignedDuration) {
        let end = self.now + length;
        while let Some(wake) = self.core.next_wake().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.step(Event::Tick);
        }
        self.now = end;
    }

    pub(super) fn trigger(&mut self, dag_id: &str, run_id: &str) {
        let trigger = self.manual(dag_id, run_id);
        self.step(Event::Trigger(Box::new(trigger)));
    }

    pub(super) fn manual(&self, dag_id: &str, run_id: &str) -> Trigger {
        Trigger {
            dag_id: dag_id.into(),
            run_id: run_id.into(),
            logical_date: None,
            interval: None,
            run_after: self.now,
            conf: Map::new(),
            note: None,
            triggered_by: "rest_api".into(),
        }
    }

    /// The executor ends the try of a task.
    pub(super) fn finish(&mut self, task_id: &str, outcome: Outcome) {
        let place =
            self.live.iter().position(|start| &*start.dag.tasks[start.index].task_id == task_id);
        let start = self.live.remove(place.unwrap_or_else(|| panic!("{task_id} does not run")));
        self.step(Event::Started { attempt: start.attempt, pid: Some(7) });
        self.step(Event::Finished { attempt: start.attempt, outcome });
    }

    pub(super) fn succeed(&mut self, task_id: &str) {
        self.finish(task_id, Outcome::Success { value: None });
    }

    pub(super) fn fail(&mut self, task_id: &str) {
        let reason = "it broke".to_owned();
        self.finish(task_id, Outcome::Failed { reason, retry: true, value: None });
    }

    /// Everything the executor has succeeds, until nothing is left.
    pub(super) fn succeed_all(&mut self) {
        while let Some(start) = self.live.first() {
            let task_id = start.dag.tasks[start.index].task_id.clone();
            self.succeed(&task_id);
        }
    }

    pub(super) fn running(&self) -> Vec<&str> {
        self.live.iter().map(|start| &*start.dag.tasks[start.index].task_id).collect()
    }

    pub(super) fn state(&self, task_id: &str) -> TaskState {
        let mut rows = self.store.tasks.values().rev();
        rows.find(|row| &*row.task_id == task_id).expect("the task has a row").state
    }

    pub(super) fn run(&self, run_id: &str) -> &RunRow {
        let mut runs = self.store.runs.values();
        runs.find(|run| &*run.run_id == run_id).expect("the run has a row")
    }

    /// Starts of the intervals that were run, oldest first.
    pub(super) fn intervals(&self) -> Vec<String> {
        let scheduled = self.store.runs.values().filter(|run| run.kind == RunType::Scheduled);
        scheduled.map(|run| run.logical_date.unwrap().to_string()).collect()
    }
}

pub(super) fn secs(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

pub(super) fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}
