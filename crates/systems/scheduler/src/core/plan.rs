//! Which runs exist: made by the schedule, started within `max_active_runs`.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;

use super::{
    Change, Core, DagEntry, DagRow, Epoch, Run, RunKey, RunRow, RunState, RunType, TaskEntry,
    TaskRow, TaskState, Timer, Upstream, VersionKey,
};
use crate::dag::Dag;
use crate::timetable::DataInterval;

/// Runs one look at a DAG makes; more come at once, but other work has a turn between.
const RUNS_PER_LOOK: usize = 16;

impl DagEntry {
    pub(super) fn new(row: DagRow) -> DagEntry {
        DagEntry {
            row,
            loaded: None,
            queued: BTreeSet::new(),
            running: BTreeSet::new(),
            taken: BTreeSet::new(),
            live: 0,
            planned: None,
        }
    }
}

impl Core {
    pub(super) fn dag_loaded(&mut self, dag: Arc<Dag>, version: VersionKey) {
        let dag_id = dag.dag_id.clone();
        let default = self.limits.paused_at_creation;
        if !self.dags.contains_key(&dag_id) {
            let paused = dag.is_paused_upon_creation.unwrap_or(default);
            let row = DagRow { dag_id: dag_id.clone(), paused, last: None };
            self.change(Change::Dag(row.clone()));
            self.dags.insert(dag_id.clone(), DagEntry::new(row));
        }
        if let Some(entry) = self.dags.get_mut(&dag_id) {
            entry.loaded = Some((dag, version));
        }
        self.plan(&dag_id);
    }

    pub(super) fn dag_gone(&mut self, dag_id: &str) {
        // Runs that exist go on with the version they started with.
        if let Some(entry) = self.dags.get_mut(dag_id) {
            entry.loaded = None;
        }
        self.plan(dag_id);
    }

    /// Makes the runs that are due, starts what may start, and sets the timer for what comes.
    pub(super) fn plan(&mut self, dag_id: &str) {
        self.admit(dag_id);
        let mut made = 0;
        let wake = loop {
            let Some(entry) = self.dags.get(dag_id) else { return };
            let Some((dag, version)) = entry.loaded.clone() else { break None };
            let active = entry.queued.len() + entry.running.len();
            if self.draining || entry.row.paused || active >= dag.max_active_runs as usize {
                break None;
            }
            let Some(next) = dag.next_interval(entry.row.last, self.now) else { break None };
            if next.end > self.now {
                break Some(next.end);
            }
            if made == RUNS_PER_LOOK {
                break self.now.checked_add(SignedDuration::from_micros(1)).ok();
            }
            made += 1;
            self.make_scheduled(&dag, version, next);
            self.admit(dag_id);
        };
        self.set_plan_timer(dag_id, wake);
        // One look settles a DAG: what finished during it was seen by it.
        self.freed.remove(dag_id);
    }

    fn set_plan_timer(&mut self, dag_id: &str, wake: Option<Timestamp>) {
        let Some(entry) = self.dags.get_mut(dag_id) else { return };
        let name = entry.row.dag_id.clone();
        let before = std::mem::replace(&mut entry.planned, wake);
        if before != wake {
            if let Some(before) = before {
                self.timers.remove(&(before, Timer::Plan(name.clone())));
            }
            if let Some(wake) = wake {
                self.timers.insert((wake, Timer::Plan(name)));
            }
        }
    }

    fn make_scheduled(&mut self, dag: &Arc<Dag>, version: VersionKey, interval: DataInterval) {
        let Some(entry) = self.dags.get_mut(&dag.dag_id) else { return };
        entry.row.last = Some(interval);
        let row = entry.row.clone();
        let taken = entry.taken.contains(&interval.start);
        entry.taken = entry.taken.split_off(&interval.start);
        self.change(Change::Dag(row));
        if taken {
            // Somebody asked for this logical date already: that run is the one.
            return;
        }
        let key = self.take_run_key();
        self.insert_run(
            dag.clone(),
            RunRow {
                key,
                dag_id: dag.dag_id.clone(),
                run_id: super::run_label("scheduled", interval.end).into(),
                version,
                kind: RunType::Scheduled,
                state: RunState::Queued,
                epoch: Epoch(0),
                logical_date: Some(interval.start),
                interval: Some(interval),
                run_after: interval.end,
                queued_at: self.now,
                started_at: None,
                ended_at: None,
                conf: Arc::new(Map::new()),
                note: None,
                triggered_by: "timetable".into(),
                clear_number: 0,
                reason: None,
            },
        );
    }

    pub(super) fn take_run_key(&mut self) -> RunKey {
        let key = self.next_run;
        self.next_run = RunKey(key.0 + 1);
        key
    }

    /// A new run, queued, with its tasks.
    pub(super) fn insert_run(&mut self, dag: Arc<Dag>, row: RunRow) {
        let tasks: Vec<TaskEntry> = dag
            .tasks
            .iter()
            .enumerate()
            .map(|(index, task)| TaskEntry {
                row: TaskRow {
                    run: row.key,
                    index,
                    task_id: task.task_id.clone(),
                    state: TaskState::None,
                    pool: task.pool.clone(),
                    pool_slots: task.pool_slots,
                    epoch: Epoch(0),
                    try_number: 0,
                    max_tries: task.retry.retries,
                    scheduled_at: None,
                    queued_at: None,
                    started_at: None,
                    ended_at: None,
                    retry_at: None,
                    pid: None,
                    reason: None,
                },
                upstream: Upstream { total: task.upstream.len(), ..Upstream::default() },
                live: None,
            })
            .collect();
        let rows = tasks.iter().map(|task| task.row.clone()).collect();
        self.change(Change::NewRun { run: row.clone(), tasks: rows });
        if let Some(entry) = self.dags.get_mut(&row.dag_id) {
            entry.queued.insert((row.run_after, row.key));
        }
        let unfinished = tasks.len();
        self.runs.insert(row.key, Run { row, dag, tasks, unfinished });
    }

    /// Starts queued runs, oldest first, as far as `max_active_runs` allows.
    pub(super) fn admit(&mut self, dag_id: &str) {
        loop {
            let Some(entry) = self.dags.get(dag_id) else { return };
            let Some((run_after, key)) = entry.queued.first().copied() else { return };
            if self.draining || entry.row.paused {
                return;
            }
            if run_after > self.now {
                let timer = Timer::Admit(entry.row.dag_id.clone());
                self.timers.insert((run_after, timer));
                return;
            }
            let limit = match (&entry.loaded, self.runs.get(&key)) {
                (Some((dag, _)), _) => dag.max_active_runs,
                (None, Some(run)) => run.dag.max_active_runs,
                (None, None) => return,
            };
            if entry.running.len() >= limit as usize {
                return;
            }
            if let Some(entry) = self.dags.get_mut(dag_id) {
                entry.queued.remove(&(run_after, key));
                entry.running.insert(key);
            }
            self.start_run(key);
        }
    }
}
