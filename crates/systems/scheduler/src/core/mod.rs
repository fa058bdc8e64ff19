//! The scheduler itself, as a synchronous state machine: `step(now, event)` → effects.
//!
//! It holds what is not finished: DAGs, their queued and running runs, timers, and which tries the
//! executor has. Everything it decides is an [`Effect`]: rows first, which the shell writes in one
//! transaction, then what may happen once they are written. It asks nobody for the time.
//!
//! - `plan`: which runs exist, and when the next one is due.
//! - `run`: what happens inside a run: trigger rules, tries, retries, its end.
//! - `command`: what people ask for.
//! - `restore`: how it is rebuilt from the store after a stop or a crash.
//!
//! Invariants: a run is in memory as long as it is not finished; a try is in `live` as long as the
//! executor has not reported its end; one data interval of a DAG has at most one run.

mod command;
mod event;
mod plan;
mod restore;
mod retry;
mod run;
mod state;
mod trigger_rule;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::dag::{DEFAULT_POOL, Dag};

pub use event::{
    Attempt, Change, DagRow, Effect, Epoch, Event, Outcome, RETURN_VALUE, Refusal, RunEnd, RunKey,
    RunRow, Snapshot, Start, StopReason, TaskRow, Trigger, VersionKey,
};
pub use restore::Restored;
pub use retry::RETRY_DELAY_MAX;
pub use run::run_label;
pub use state::{RunState, RunType, TaskState};
pub use trigger_rule::{Decision, TriggerRule, Upstream};

/// What bounds the whole scheduler.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most tries with the executor at one moment.
    pub parallelism: usize,
    /// Whether a new DAG that does not say so itself starts paused.
    pub paused_at_creation: bool,
}

/// Slots of the default pool, until it is given others.
pub const DEFAULT_POOL_SLOTS: i64 = 128;

/// The state machine.
#[derive(Debug)]
pub struct Core {
    limits: Limits,
    now: Timestamp,
    dags: BTreeMap<Arc<str>, DagEntry>,
    runs: BTreeMap<RunKey, Run>,
    /// Runs that finished since the last commit: they are forgotten once that is written.
    retired: Vec<RunKey>,
    timers: BTreeSet<(Timestamp, Timer)>,
    ready: BTreeSet<Ready>,
    live: BTreeMap<Attempt, Live>,
    /// Slots of every pool; -1 is no limit.
    pools: BTreeMap<Arc<str>, i64>,
    /// Slots that tries with the executor have.
    taken_slots: BTreeMap<Arc<str>, i64>,
    next_run: RunKey,
    next_attempt: u64,
    draining: bool,
    /// DAGs of runs that finished in this step: a place is free.
    freed: BTreeSet<Arc<str>>,
    effects: Vec<Effect>,
}

/// What is known of one DAG.
#[derive(Debug)]
struct DagEntry {
    row: DagRow,
    /// None while its file is gone.
    loaded: Option<(Arc<Dag>, VersionKey)>,
    /// Runs in state queued, by when they may start.
    queued: BTreeSet<(Timestamp, RunKey)>,
    /// Runs in state running.
    running: BTreeSet<RunKey>,
    /// Logical dates of manual runs that the schedule has yet to reach.
    taken: BTreeSet<Timestamp>,
    /// Tries with the executor.
    live: usize,
    /// The timer that is set for its next run.
    planned: Option<Timestamp>,
}

/// One run that is not finished (or not yet forgotten).
#[derive(Debug)]
struct Run {
    row: RunRow,
    dag: Arc<Dag>,
    tasks: Vec<TaskEntry>,
    /// Tasks that are not in a final state.
    unfinished: usize,
}

#[derive(Debug)]
struct TaskEntry {
    row: TaskRow,
    upstream: Upstream,
    live: Option<Attempt>,
}

/// Where a try belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    run: RunKey,
    task: usize,
}

/// A try the executor has.
#[derive(Debug)]
struct Live {
    place: Place,
    dag_id: Arc<str>,
    pool: Arc<str>,
    slots: i64,
}

/// A task that waits for a slot. The order is the order in which slots are given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Ready {
    priority: Reverse<i32>,
    since: Timestamp,
    place: Place,
}

/// What is to be looked at when its time comes. A timer that is no longer true does nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The DAG's next run may be due.
    Plan(Arc<str>),
    /// A queued run of the DAG may start.
    Admit(Arc<str>),
    /// A retry is due.
    Retry(Place, Epoch),
    /// A try takes too long.
    TryTimeout(Attempt),
    /// A run takes too long; cleared since, it has another number.
    RunTimeout(RunKey, u32),
}

impl Core {
    /// A scheduler that knows nothing yet.
    pub fn new(limits: Limits, now: Timestamp) -> Core {
        Core {
            limits,
            now,
            dags: BTreeMap::new(),
            runs: BTreeMap::new(),
            retired: Vec::new(),
            timers: BTreeSet::new(),
            ready: BTreeSet::new(),
            live: BTreeMap::new(),
            pools: BTreeMap::from([(DEFAULT_POOL.into(), DEFAULT_POOL_SLOTS)]),
            taken_slots: BTreeMap::new(),
            next_run: RunKey(1),
            next_attempt: 1,
            draining: false,
            freed: BTreeSet::new(),
            effects: Vec::new(),
        }
    }

    /// Takes one event and says what follows. Whatever has become due by `now` is done first.
    pub fn step(&mut self, now: Timestamp, event: Event) -> Vec<Effect> {
        // A clock set back repeats nothing: what was run is known by its interval, not by the time.
        self.now = now;
        self.fire_timers();
        match event {
            Event::Tick => {}
            Event::DagLoaded { dag, version } => self.dag_loaded(dag, version),
            Event::DagGone { dag_id } => self.dag_gone(&dag_id),
            Event::SetPaused { dag_id, paused } => self.set_paused(&dag_id, paused),
            Event::SetPools(pools) => self.pools = pools,
            Event::Trigger(trigger) => self.trigger(*trigger),
            Event::Started { attempt, pid } => self.started(attempt, pid),
            Event::Pushed { attempt, key, value } => self.pushed(attempt, key, value),
            Event::SkipTasks { attempt, tasks } => self.skip_tasks(attempt, &tasks),
            Event::Finished { attempt, outcome } => self.finished(attempt, outcome),
            Event::Adopt(snapshot) => self.adopt(*snapshot),
            Event::Clear { run, tasks } => self.clear(run, &tasks),
            Event::SetRunState { run, state } => self.set_run_state(run, state),
            Event::SetNote { run, note } => self.set_note(run, note),
            Event::Drain => self.drain(),
        }
        while let Some(dag_id) = self.freed.pop_first() {
            self.plan(&dag_id);
        }
        self.dispatch();
        std::mem::take(&mut self.effects)
    }

    /// What the last steps decided is written: finished runs can be forgotten.
    pub fn committed(&mut self) {
        for key in std::mem::take(&mut self.retired) {
            if self.runs.get(&key).is_some_and(|run| run.row.state.is_finished()) {
                self.runs.remove(&key);
            }
        }
    }

    /// When `step` has to be called even if nothing happens.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Tries the executor has.
    pub fn live_tries(&self) -> usize {
        self.live.len()
    }

    /// Whether a run is in memory, so that a change to it needs no look into the store.
    pub fn holds(&self, run: RunKey) -> bool {
        self.runs.contains_key(&run)
    }

    /// A run in memory, by its name.
    pub fn find_run(&self, dag_id: &str, run_id: &str) -> Option<RunKey> {
        let mut runs = self.runs.values().map(|run| &run.row);
        runs.find(|row| &*row.dag_id == dag_id && &*row.run_id == run_id).map(|row| row.key)
    }

    /// The interval the schedule runs next, as seen now.
    pub fn next_interval(
        &self,
        dag_id: &str,
        now: Timestamp,
    ) -> Option<crate::timetable::DataInterval> {
        let entry = self.dags.get(dag_id)?;
        let (dag, _) = entry.loaded.as_ref()?;
        dag.next_interval(entry.row.last, now)
    }

    fn fire_timers(&mut self) {
        while let Some((at, _)) = self.timers.first()
            && *at <= self.now
            && let Some((_, timer)) = self.timers.pop_first()
        {
            match timer {
                Timer::Plan(dag_id) => {
                    if let Some(entry) = self.dags.get_mut(&dag_id) {
                        entry.planned = None;
                    }
                    self.plan(&dag_id);
                }
                Timer::Admit(dag_id) => self.admit(&dag_id),
                Timer::Retry(place, epoch) => self.retry_due(place, epoch),
                Timer::TryTimeout(attempt) => self.try_timed_out(attempt),
                Timer::RunTimeout(run, clear_number) => self.run_timed_out(run, clear_number),
            }
        }
    }

    fn change(&mut self, change: Change) {
        self.effects.push(Effect::Change(Box::new(change)));
    }

    fn drain(&mut self) {
        self.draining = true;
        let live: Vec<Attempt> = self.live.keys().copied().collect();
        for attempt in live {
            self.effects.push(Effect::Stop { attempt, reason: StopReason::Drain });
        }
    }

    /// Whether a task's pool has its slots free. A task of a pool that does not exist waits for it.
    fn has_slots(&self, row: &TaskRow, taken: &BTreeMap<Arc<str>, i64>) -> bool {
        match self.pools.get(&row.pool) {
            None => false,
            Some(-1) => true,
            Some(slots) => {
                let taken = taken.get(&row.pool).copied().unwrap_or(0);
                taken + i64::from(row.pool_slots) <= *slots
            }
        }
    }

    /// Gives free slots to the tasks that have waited longest at the highest priority.
    fn dispatch(&mut self) {
        if self.draining {
            return;
        }
        let mut started: Vec<&Ready> = Vec::new();
        let mut taken = self.taken_slots.clone();
        for ready in &self.ready {
            if self.live.len() + started.len() >= self.limits.parallelism {
                break;
            }
            let Some(run) = self.runs.get(&ready.place.run) else { continue };
            let Some(entry) = self.dags.get(&run.row.dag_id) else { continue };
            let same_dag = |ready: &&&Ready| {
                let other = self.runs.get(&ready.place.run);
                other.is_some_and(|other| other.row.dag_id == run.row.dag_id)
            };
            let slots = run.dag.max_active_tasks as usize;
            if entry.row.paused || entry.live + started.iter().filter(same_dag).count() >= slots {
                continue;
            }
            let row = &run.tasks[ready.place.task].row;
            if !self.has_slots(row, &taken) {
                continue;
            }
            *taken.entry(row.pool.clone()).or_default() += i64::from(row.pool_slots);
            started.push(ready);
        }
        let places: Vec<Ready> = started.into_iter().cloned().collect();
        for ready in places {
            self.ready.remove(&ready);
            self.start_try(ready.place);
        }
    }
}

#[cfg(test)]
mod tests;
