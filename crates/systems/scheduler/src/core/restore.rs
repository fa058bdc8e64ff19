//! The state machine rebuilt from the store, after a stop or a crash.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{
    Change, Core, DagEntry, DagRow, Effect, Epoch, Limits, Outcome, Place, Run, RunKey, RunState,
    Snapshot, TaskEntry, TaskState, Timer, Upstream,
};

/// What the store has that is not finished.
#[derive(Debug, Clone, Default)]
pub struct Restored {
    /// Every DAG ever seen.
    pub dags: Vec<DagRow>,
    /// Runs in state queued or running.
    pub runs: Vec<Snapshot>,
    /// Logical dates of manual runs after the last interval of their DAG's schedule.
    pub taken: BTreeMap<Arc<str>, Vec<Timestamp>>,
    /// Slots of every pool; none at all leaves the default pool as it is.
    pub pools: BTreeMap<Arc<str>, i64>,
    /// The highest key a run has.
    pub last_run: i64,
}

impl Core {
    /// A scheduler that goes on where another one stopped. Tries that were with the executor of the
    /// other process are lost: they are tried again or have failed, and say so. The effects are to
    /// be carried out as those of a step.
    pub fn restore(limits: Limits, restored: Restored, now: Timestamp) -> (Core, Vec<Effect>) {
        let mut core = Core::new(limits, now);
        core.next_run = RunKey(restored.last_run + 1);
        if !restored.pools.is_empty() {
            core.pools = restored.pools;
        }
        for row in restored.dags {
            let mut entry = DagEntry::new(row);
            let taken = restored.taken.get(&entry.row.dag_id).cloned().unwrap_or_default();
            entry.taken.extend(taken);
            core.dags.insert(entry.row.dag_id.clone(), entry);
        }
        for snapshot in restored.runs {
            core.restore_run(snapshot);
        }
        core.settle_lost();
        let effects = std::mem::take(&mut core.effects);
        (core, effects)
    }

    fn restore_run(&mut self, snapshot: Snapshot) {
        let Snapshot { run: row, dag, tasks } = snapshot;
        let Some(dag) = dag.filter(|dag| dag.tasks.len() == tasks.len()) else {
            self.abandon(row, tasks);
            return;
        };
        let key = row.key;
        let entry = self.dags.entry(row.dag_id.clone()).or_insert_with(|| {
            DagEntry::new(DagRow { dag_id: row.dag_id.clone(), paused: false, last: None })
        });
        if row.state == RunState::Queued {
            entry.queued.insert((row.run_after, key));
        } else {
            entry.running.insert(key);
        }
        let tasks = tasks.into_iter().map(|row| TaskEntry {
            row,
            upstream: Upstream::default(),
            live: None,
        });
        let mut run = Run { row, dag, tasks: tasks.collect(), unfinished: 0 };
        run.recount();
        if run.row.state == RunState::Running
            && let Some(timeout) = run.dag.dagrun_timeout
            && let Some(at) = run.row.started_at.and_then(|at| super::run::later(at, timeout))
        {
            self.timers.insert((at, Timer::RunTimeout(key, run.row.clear_number)));
        }
        self.runs.insert(key, run);
    }

    /// The text of the run's DAG can no longer be read: nothing can be done for it.
    fn abandon(&mut self, mut row: super::RunRow, tasks: Vec<super::TaskRow>) {
        for mut task in tasks {
            if !task.state.is_finished() {
                let from = (task.state, task.epoch);
                task.state = TaskState::Removed;
                task.epoch = Epoch(from.1.0 + 1);
                task.ended_at = Some(self.now);
                self.change(Change::Task { from, row: task });
            }
        }
        let from = (row.state, row.epoch);
        row.state = RunState::Failed;
        row.epoch = Epoch(from.1.0 + 1);
        row.ended_at = Some(self.now);
        row.reason = Some("the version of the DAG it started with can no longer be read".into());
        self.change(Change::Run { from, row });
    }

    fn settle_lost(&mut self) {
        let keys: Vec<RunKey> = self.runs.keys().copied().collect();
        for key in keys {
            let count = self.runs.get(&key).map_or(0, |run| run.tasks.len());
            for task in 0..count {
                self.settle_task(Place { run: key, task });
            }
            self.look_at_all(key);
            self.conclude(key);
        }
        let dags: Vec<Arc<str>> = self.dags.keys().cloned().collect();
        for dag_id in dags {
            self.plan(&dag_id);
        }
        self.dispatch();
    }

    fn settle_task(&mut self, place: Place) {
        let Some(entry) = self.task_mut(place) else { return };
        match entry.row.state {
            state @ (TaskState::Queued | TaskState::Running | TaskState::Restarting) => {
                let reason =
                    format!("lost: the scheduler's process ended while this try was {state}");
                self.conclude_try(place, Outcome::Failed { reason, retry: true, value: None });
            }
            TaskState::Scheduled => self.rejoin(place),
            TaskState::UpForRetry => self.set_retry_timer(place),
            TaskState::None
            | TaskState::Success
            | TaskState::Failed
            | TaskState::Skipped
            | TaskState::UpstreamFailed
            | TaskState::Removed => {}
        }
    }
}
