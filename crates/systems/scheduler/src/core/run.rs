//! What happens inside a run.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::retry::retry_delay;
use super::{
    Attempt, Change, Core, Decision, Effect, Epoch, Live, Outcome, Place, RETURN_VALUE, Ready, Run,
    RunEnd, RunKey, RunRow, RunState, Start, StopReason, TaskRow, TaskState, Timer,
};
use crate::dag::Work;

/// A run's name in Airflow's manner: `scheduled__2026-01-01T00:00:00+00:00`.
pub fn run_label(kind: &str, at: Timestamp) -> String {
    format!("{kind}__{}", crate::text::python_isoformat(at))
}

impl Core {
    pub(super) fn start_run(&mut self, key: RunKey) {
        let now = self.now;
        let Some(run) = self.runs.get(&key) else { return };
        let (timeout, clear_number) = (run.dag.dagrun_timeout, run.row.clear_number);
        self.change_run(key, |row| {
            row.state = RunState::Running;
            row.started_at = Some(now);
            row.ended_at = None;
            row.reason = None;
        });
        if let Some(at) = timeout.and_then(|timeout| later(now, timeout)) {
            self.timers.insert((at, Timer::RunTimeout(key, clear_number)));
        }
        self.look_at_all(key);
    }

    /// Looks at every task of a run, in the order of the file.
    pub(super) fn look_at_all(&mut self, key: RunKey) {
        let Some(run) = self.runs.get(&key) else { return };
        let all = (0..run.tasks.len()).rev().collect();
        self.look_at(key, all);
    }

    /// Decides about undecided tasks; what follows from that is looked at too.
    fn look_at(&mut self, key: RunKey, mut undecided: Vec<usize>) {
        while let Some(index) = undecided.pop() {
            let Some(run) = self.runs.get(&key) else { return };
            if run.row.state != RunState::Running {
                return;
            }
            let (task, entry) = (&run.dag.tasks[index], &run.tasks[index]);
            if entry.row.state != TaskState::None {
                continue;
            }
            let place = Place { run: key, task: index };
            match task.trigger_rule.decide(entry.upstream) {
                Decision::Wait => continue,
                Decision::Run if !matches!(task.work, Work::Empty) => {
                    self.schedule(place);
                    continue;
                }
                Decision::Run => self.finish_empty(place),
                Decision::Skip => self.finish_task(place, TaskState::Skipped, None),
                Decision::UpstreamFailed => {
                    self.finish_task(place, TaskState::UpstreamFailed, None)
                }
            }
            undecided.extend(self.downstream(place));
        }
        self.conclude(key);
    }

    fn downstream(&self, place: Place) -> Vec<usize> {
        let run = self.runs.get(&place.run);
        run.map(|run| run.dag.tasks[place.task].downstream.clone()).unwrap_or_default()
    }

    /// An empty task needs no executor: it is done as soon as it may run.
    fn finish_empty(&mut self, place: Place) {
        let now = self.now;
        if let Some(entry) = self.task_mut(place) {
            entry.row.try_number += 1;
            entry.row.started_at = Some(now);
        }
        self.finish_task(place, TaskState::Success, None);
    }

    fn schedule(&mut self, place: Place) {
        let now = self.now;
        self.change_task(place, |row| {
            row.state = TaskState::Scheduled;
            row.scheduled_at = Some(now);
            row.retry_at = None;
        });
        self.rejoin(place);
    }

    fn ready_of(&self, place: Place) -> Option<Ready> {
        let run = self.runs.get(&place.run)?;
        let since = run.tasks[place.task].row.scheduled_at?;
        Some(Ready { priority: Reverse(run.dag.tasks[place.task].priority_weight), since, place })
    }

    /// Puts a scheduled task back in the line for a slot.
    pub(super) fn rejoin(&mut self, place: Place) {
        if let Some(ready) = self.ready_of(place) {
            self.ready.insert(ready);
        }
    }

    /// Takes a task out of the line for a slot.
    pub(super) fn unready(&mut self, place: Place) {
        if let Some(ready) = self.ready_of(place) {
            self.ready.remove(&ready);
        }
    }

    /// Hands a try to the executor.
    pub(super) fn start_try(&mut self, place: Place) {
        let (now, attempt) = (self.now, Attempt(self.next_attempt));
        self.next_attempt += 1;
        self.change_task(place, |row| {
            row.state = TaskState::Queued;
            row.queued_at = Some(now);
            row.started_at = None;
            row.ended_at = None;
            row.pid = None;
            row.reason = None;
            row.try_number += 1;
        });
        let Some(run) = self.runs.get_mut(&place.run) else { return };
        run.tasks[place.task].live = Some(attempt);
        let row = run.tasks[place.task].row.clone();
        let start = Start {
            attempt,
            run: run.row.clone(),
            dag: run.dag.clone(),
            index: place.task,
            try_number: row.try_number,
            max_tries: row.max_tries,
        };
        if let Some(entry) = self.dags.get_mut(&start.run.dag_id) {
            entry.live += 1;
        }
        let (pool, slots) = (row.pool.clone(), i64::from(row.pool_slots));
        *self.taken_slots.entry(pool.clone()).or_default() += slots;
        self.live.insert(attempt, Live { place, dag_id: start.run.dag_id.clone(), pool, slots });
        if row.try_number > 1 {
            // Airflow forgets what the last try left.
            let (run, task_id, key) = (place.run, row.task_id, RETURN_VALUE.into());
            self.change(Change::XCom { run, task_id, key, at: now, value: None });
        }
        self.effects.push(Effect::Start(Box::new(start)));
    }

    pub(super) fn started(&mut self, attempt: Attempt, pid: Option<u32>) {
        let now = self.now;
        let Some(place) = self.live.get(&attempt).map(|live| live.place) else { return };
        let Some(entry) = self.task_mut(place) else { return };
        if entry.live != Some(attempt) || entry.row.state != TaskState::Queued {
            return;
        }
        self.change_task(place, |row| {
            row.state = TaskState::Running;
            row.started_at = Some(now);
            row.pid = pid;
        });
        let run = self.runs.get(&place.run);
        let timeout = run.and_then(|run| run.dag.tasks[place.task].execution_timeout);
        if let Some(at) = timeout.and_then(|timeout| later(now, timeout)) {
            self.timers.insert((at, Timer::TryTimeout(attempt)));
        }
    }

    pub(super) fn finished(&mut self, attempt: Attempt, outcome: Outcome) {
        let Some(live) = self.live.remove(&attempt) else { return };
        let Live { place, dag_id, pool, slots } = live;
        if let Some(taken) = self.taken_slots.get_mut(&pool) {
            *taken -= slots;
        }
        if let Some(dag) = self.dags.get_mut(&dag_id) {
            dag.live = dag.live.saturating_sub(1);
        }
        // Its run may be marked, even forgotten, since it was told to stop.
        let Some(entry) = self.task_mut(place) else { return };
        if entry.live == Some(attempt) {
            entry.live = None;
            if entry.row.state.is_with_executor() {
                self.conclude_try(place, outcome);
            }
        }
    }

    /// What follows from the end of the current try.
    pub(super) fn conclude_try(&mut self, place: Place, outcome: Outcome) {
        let Some(run) = self.runs.get(&place.run) else { return };
        let row = &run.tasks[place.task].row;
        if row.state == TaskState::Restarting {
            self.restart(place);
            return;
        }
        let tries_left = row.try_number <= row.max_tries;
        match outcome {
            Outcome::Success { value } => {
                self.keep_xcom(place, value);
                self.end_try(place, TaskState::Success, None);
            }
            Outcome::Skipped { reason } => {
                self.end_try(place, TaskState::Skipped, Some(reason.into()));
            }
            Outcome::Failed { reason, retry, value } => {
                self.keep_xcom(place, value);
                if retry && tries_left {
                    let delay = self.delay_after(place);
                    self.wait_for_retry(place, delay, reason.into());
                } else {
                    self.end_try(place, TaskState::Failed, Some(reason.into()));
                }
            }
            Outcome::Interrupted { value } => {
                self.keep_xcom(place, value);
                // It did nothing wrong: the try does not count.
                if let Some(entry) = self.task_mut(place) {
                    entry.row.max_tries = entry.row.max_tries.saturating_add(1);
                }
                let reason = "interrupted: the scheduler was stopped";
                self.wait_for_retry(place, std::time::Duration::ZERO, reason.into());
            }
        }
    }

    fn keep_xcom(&mut self, place: Place, value: Option<Value>) {
        if let Some(value) = value {
            self.keep_xcom_as(place, RETURN_VALUE.into(), value);
        }
    }

    fn keep_xcom_as(&mut self, place: Place, key: Arc<str>, value: Value) {
        let (at, Some(entry)) = (self.now, self.task_mut(place)) else { return };
        let task_id = entry.row.task_id.clone();
        self.change(Change::XCom { run: place.run, task_id, key, at, value: Some(value) });
    }

    /// The place of a try that still counts: its task was not marked or cleared meanwhile.
    fn place_of(&mut self, attempt: Attempt) -> Option<Place> {
        let place = self.live.get(&attempt)?.place;
        let entry = self.task_mut(place)?;
        let counts = entry.live == Some(attempt) && entry.row.state != TaskState::Restarting;
        counts.then_some(place)
    }

    pub(super) fn pushed(&mut self, attempt: Attempt, key: Arc<str>, value: Value) {
        if let Some(place) = self.place_of(attempt) {
            self.keep_xcom_as(place, key, value);
        }
    }

    /// Tasks that have not begun become skipped; what follows from that is looked at.
    pub(super) fn skip_tasks(&mut self, attempt: Attempt, tasks: &[usize]) {
        let Some(place) = self.place_of(attempt) else { return };
        let mut next = Vec::new();
        for task in tasks.iter().copied() {
            let skipped = Place { run: place.run, task };
            let waits = |entry: &mut super::TaskEntry| entry.row.state == TaskState::None;
            if self.task_mut(skipped).is_some_and(waits) {
                self.finish_task(skipped, TaskState::Skipped, None);
                next.extend(self.downstream(skipped));
            }
        }
        self.look_at(place.run, next);
    }

    /// A task that was cleared while it ran begins again.
    fn restart(&mut self, place: Place) {
        self.change_task(place, |row| {
            row.state = TaskState::None;
            row.pid = None;
        });
        self.look_at(place.run, vec![place.task]);
    }

    fn end_try(&mut self, place: Place, state: TaskState, reason: Option<Arc<str>>) {
        self.finish_task(place, state, reason);
        self.remember_try(place);
        let next = self.downstream(place);
        self.look_at(place.run, next);
    }

    fn remember_try(&mut self, place: Place) {
        if let Some(entry) = self.task_mut(place) {
            let row = entry.row.clone();
            self.change(Change::Try { row });
        }
    }

    fn delay_after(&self, place: Place) -> std::time::Duration {
        let Some(run) = self.runs.get(&place.run) else { return std::time::Duration::ZERO };
        let (task, row) = (&run.dag.tasks[place.task], &run.tasks[place.task].row);
        let seed = format!("{}#{}#{}", run.row.dag_id, task.task_id, run.row.run_id);
        // Tries that do not count, and those before a clear, do not make the wait longer.
        let uncounted = row.max_tries.saturating_sub(task.retry.retries);
        retry_delay(&task.retry, row.try_number.saturating_sub(uncounted).max(1), &seed)
    }

    fn wait_for_retry(&mut self, place: Place, delay: std::time::Duration, reason: Arc<str>) {
        let now = self.now;
        let due = later(now, delay).unwrap_or(Timestamp::MAX);
        self.change_task(place, |row| {
            row.state = TaskState::UpForRetry;
            row.ended_at = Some(now);
            row.retry_at = Some(due);
            row.reason = Some(reason);
            row.pid = None;
        });
        self.remember_try(place);
        self.set_retry_timer(place);
    }

    pub(super) fn set_retry_timer(&mut self, place: Place) {
        let Some(entry) = self.task_mut(place) else { return };
        let (epoch, due) = (entry.row.epoch, entry.row.retry_at);
        if let Some(due) = due {
            self.timers.insert((due, Timer::Retry(place, epoch)));
        }
    }

    pub(super) fn retry_due(&mut self, place: Place, epoch: Epoch) {
        let Some(entry) = self.task_mut(place) else { return };
        if entry.row.state == TaskState::UpForRetry && entry.row.epoch == epoch {
            self.schedule(place);
        }
    }

    pub(super) fn try_timed_out(&mut self, attempt: Attempt) {
        let Some(place) = self.live.get(&attempt).map(|live| live.place) else { return };
        let run = self.runs.get(&place.run);
        let Some(timeout) = run.and_then(|run| run.dag.tasks[place.task].execution_timeout) else {
            return;
        };
        self.effects.push(Effect::Stop { attempt, reason: StopReason::Timeout(timeout) });
    }

    pub(super) fn run_timed_out(&mut self, key: RunKey, clear_number: u32) {
        let Some(run) = self.runs.get(&key) else { return };
        if run.row.state != RunState::Running || run.row.clear_number != clear_number {
            return;
        }
        let timeout = run.dag.dagrun_timeout.unwrap_or_default();
        let unfinished = run.unfinished;
        for index in 0..run.tasks.len() {
            self.cut_short(Place { run: key, task: index }, TaskState::Skipped);
        }
        let reason =
            format!("dagrun_timeout: not finished after {timeout:?}, {unfinished} tasks were left");
        self.finish_run(key, RunState::Failed, Some(reason.into()));
        self.call_back(key);
    }

    /// Gives an unfinished task a final state; a try that runs is stopped.
    pub(super) fn cut_short(&mut self, place: Place, state: TaskState) {
        let Some(entry) = self.task_mut(place) else { return };
        if entry.row.state.is_finished() {
            return;
        }
        if let Some(attempt) = entry.live.take() {
            self.effects.push(Effect::Stop { attempt, reason: StopReason::Marked });
        }
        self.unready(place);
        self.finish_task(place, state, None);
    }

    /// A task reaches a final state: its children count it.
    pub(super) fn finish_task(&mut self, place: Place, state: TaskState, reason: Option<Arc<str>>) {
        let now = self.now;
        self.change_task(place, |row| {
            row.state = state;
            row.ended_at = Some(now);
            row.retry_at = None;
            row.pid = None;
            row.reason = reason;
        });
        let Some(run) = self.runs.get_mut(&place.run) else { return };
        run.unfinished = run.unfinished.saturating_sub(1);
        for child in run.dag.tasks[place.task].downstream.clone() {
            run.tasks[child].upstream.count(state);
        }
    }

    /// Ends the run if nothing is left to do.
    pub(super) fn conclude(&mut self, key: RunKey) {
        let Some(run) = self.runs.get(&key) else { return };
        if run.row.state != RunState::Running {
            return;
        }
        if run.unfinished > 0 {
            let moves = |state| !matches!(state, TaskState::None) && !TaskState::is_finished(state);
            if !run.tasks.iter().any(|task| moves(task.row.state)) {
                let reason = "deadlock: the remaining tasks wait for what never comes";
                self.finish_run(key, RunState::Failed, Some(reason.into()));
                self.call_back(key);
            }
            return;
        }
        match run.failure() {
            Some(reason) => self.finish_run(key, RunState::Failed, Some(reason.into())),
            None => self.finish_run(key, RunState::Success, None),
        }
        self.call_back(key);
    }

    /// Callbacks of a DAG: for a run that ended by itself, not for one that somebody marked.
    fn call_back(&mut self, key: RunKey) {
        let Some(run) = self.runs.get(&key) else { return };
        let wanted = match run.row.state {
            RunState::Success => run.dag.callbacks.success,
            RunState::Failed => run.dag.callbacks.failure,
            RunState::Queued | RunState::Running => false,
        };
        let failed = run.tasks.iter().find(|task| task.row.state == TaskState::Failed);
        let Some(task) = failed.or(run.tasks.last()).filter(|_| wanted) else { return };
        let (dag, task_id) = (run.dag.clone(), task.row.task_id.clone());
        let end = RunEnd { run: run.row.clone(), dag, task_id };
        self.effects.push(Effect::CallBack(Box::new(end)));
    }

    pub(super) fn finish_run(&mut self, key: RunKey, state: RunState, reason: Option<Arc<str>>) {
        let now = self.now;
        self.change_run(key, |row| {
            row.state = state;
            row.ended_at = Some(now);
            row.reason = reason;
        });
        let Some(run) = self.runs.get(&key) else { return };
        let (dag_id, run_after) = (run.row.dag_id.clone(), run.row.run_after);
        self.retired.push(key);
        if let Some(entry) = self.dags.get_mut(&dag_id) {
            entry.running.remove(&key);
            entry.queued.remove(&(run_after, key));
        }
        self.freed.insert(dag_id);
    }

    pub(super) fn task_mut(&mut self, place: Place) -> Option<&mut super::TaskEntry> {
        self.runs.get_mut(&place.run)?.tasks.get_mut(place.task)
    }

    /// Every change of a task goes through here: the epoch rises, and the row is written.
    pub(super) fn change_task(&mut self, place: Place, change: impl FnOnce(&mut TaskRow)) {
        let Some(entry) = self.task_mut(place) else { return };
        let from = (entry.row.state, entry.row.epoch);
        change(&mut entry.row);
        entry.row.epoch = Epoch(from.1.0 + 1);
        let row = entry.row.clone();
        self.change(Change::Task { from, row });
    }

    /// Every change of a run goes through here.
    pub(super) fn change_run(&mut self, key: RunKey, change: impl FnOnce(&mut RunRow)) {
        let Some(run) = self.runs.get_mut(&key) else { return };
        let from = (run.row.state, run.row.epoch);
        change(&mut run.row);
        run.row.epoch = Epoch(from.1.0 + 1);
        let row = run.row.clone();
        self.change(Change::Run { from, row });
    }
}

impl Run {
    /// Why the run failed, if it did: its failed leaves, or what failed before them.
    fn failure(&self) -> Option<String> {
        let is_failed = |index: usize| self.tasks[index].row.state.is_failure();
        if !(0..self.tasks.len()).any(|index| self.dag.is_leaf(index) && is_failed(index)) {
            return None;
        }
        let mut failed = self.tasks.iter().filter(|task| task.row.state == TaskState::Failed);
        let Some(first) = failed.next() else { return Some("a leaf task failed".to_owned()) };
        let reason = first.row.reason.as_deref().unwrap_or("no reason was given");
        let more = failed.count();
        let others = if more == 0 { String::new() } else { format!(" (and {more} more)") };
        Some(format!("task {} failed: {reason}{others}", first.row.task_id))
    }
}

pub(super) fn later(now: Timestamp, delay: std::time::Duration) -> Option<Timestamp> {
    now.checked_add(SignedDuration::try_from(delay).ok()?).ok()
}
