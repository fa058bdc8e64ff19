//! What people ask for.

use std::sync::Arc;

use super::{
    Change, Core, Effect, Epoch, Place, Refusal, Run, RunKey, RunRow, RunState, RunType, Snapshot,
    StopReason, TaskEntry, TaskState, Trigger, Upstream,
};

impl Core {
    fn answer(&mut self, answer: Result<RunKey, Refusal>) {
        self.effects.push(Effect::Answer(answer));
    }

    pub(super) fn set_paused(&mut self, dag_id: &Arc<str>, paused: bool) {
        let Some(entry) = self.dags.get_mut(dag_id) else {
            return self.answer(Err(Refusal::NoDag(dag_id.clone())));
        };
        entry.row.paused = paused;
        let row = entry.row.clone();
        self.change(Change::Dag(row));
        self.answer(Ok(RunKey(0)));
        self.plan(dag_id);
    }

    pub(super) fn trigger(&mut self, trigger: Trigger) {
        let answer = self.try_trigger(&trigger);
        let made = answer.is_ok();
        self.answer(answer);
        if made {
            self.plan(&trigger.dag_id);
        }
    }

    fn try_trigger(&mut self, trigger: &Trigger) -> Result<RunKey, Refusal> {
        let dag_id = &trigger.dag_id;
        if self.draining {
            return Err(Refusal::Draining);
        }
        let entry = self.dags.get(dag_id).and_then(|entry| entry.loaded.clone());
        let Some((dag, version)) = entry else { return Err(Refusal::NoDag(dag_id.clone())) };
        dag.params.resolve(&trigger.conf).map_err(Refusal::Invalid)?;
        let exists = |what: String| Refusal::Exists { dag_id: dag_id.clone(), what };
        for row in self.runs.values().map(|run| &run.row).filter(|row| row.dag_id == *dag_id) {
            if row.run_id == trigger.run_id {
                return Err(exists(format!("run_id: `{}`", trigger.run_id)));
            }
            if trigger.logical_date.is_some() && row.logical_date == trigger.logical_date {
                return Err(exists("this logical_date".to_owned()));
            }
        }
        let inferred = || dag.schedule.manual_interval(trigger.logical_date?);
        let key = self.take_run_key();
        let row = RunRow {
            key,
            dag_id: dag_id.clone(),
            run_id: trigger.run_id.clone(),
            version,
            kind: RunType::Manual,
            state: RunState::Queued,
            epoch: Epoch(0),
            logical_date: trigger.logical_date,
            interval: trigger.interval.or_else(inferred),
            run_after: trigger.run_after,
            queued_at: self.now,
            started_at: None,
            ended_at: None,
            conf: Arc::new(trigger.conf.clone()),
            note: trigger.note.clone(),
            triggered_by: trigger.triggered_by.clone(),
            clear_number: 0,
            reason: None,
        };
        if let (Some(entry), Some(date)) = (self.dags.get_mut(dag_id), trigger.logical_date) {
            entry.taken.insert(date);
        }
        self.insert_run(dag, row);
        Ok(key)
    }

    /// Takes a run from the store into memory.
    pub(super) fn adopt(&mut self, snapshot: Snapshot) {
        let Snapshot { run: row, dag: Some(dag), tasks } = snapshot else { return };
        if self.runs.contains_key(&row.key) || tasks.len() != dag.tasks.len() {
            return;
        }
        let tasks = tasks.into_iter().map(|row| TaskEntry {
            row,
            upstream: Upstream::default(),
            live: None,
        });
        let mut run = Run { row, dag, tasks: tasks.collect(), unfinished: 0 };
        run.recount();
        // Forgotten again unless something is changed about it.
        self.retired.push(run.row.key);
        self.runs.insert(run.row.key, run);
    }

    pub(super) fn clear(&mut self, key: RunKey, tasks: &[usize]) {
        let Some(run) = self.runs.get(&key) else { return self.answer(Err(Refusal::NoRun)) };
        if self.draining {
            return self.answer(Err(Refusal::Draining));
        }
        let was_finished = run.row.state.is_finished();
        let known = run.tasks.len();
        for index in tasks.iter().copied().filter(|index| *index < known) {
            self.clear_task(Place { run: key, task: index });
        }
        if let Some(run) = self.runs.get_mut(&key) {
            run.recount();
        }
        let now = self.now;
        if was_finished {
            self.change_run(key, |row| {
                row.state = RunState::Queued;
                row.queued_at = now;
                row.started_at = None;
                row.ended_at = None;
                row.reason = None;
                row.clear_number += 1;
            });
            self.enqueue(key);
        } else {
            self.look_at_all(key);
        }
        self.answer(Ok(key));
    }

    fn clear_task(&mut self, place: Place) {
        let Some(run) = self.runs.get(&place.run) else { return };
        let retries = run.dag.tasks[place.task].retry.retries;
        let entry = &run.tasks[place.task];
        let (state, live) = (entry.row.state, entry.live);
        if state == TaskState::None {
            return;
        }
        self.unready(place);
        if let Some(attempt) = live {
            self.effects.push(Effect::Stop { attempt, reason: StopReason::Marked });
        }
        self.change_task(place, |row| {
            let running = live.is_some();
            row.state = if running { TaskState::Restarting } else { TaskState::None };
            row.max_tries = row.try_number.saturating_add(retries);
            row.retry_at = None;
            row.reason = None;
        });
    }

    /// Puts a run back in the line of its DAG.
    fn enqueue(&mut self, key: RunKey) {
        let Some(run) = self.runs.get(&key) else { return };
        let (dag_id, run_after) = (run.row.dag_id.clone(), run.row.run_after);
        if let Some(entry) = self.dags.get_mut(&dag_id) {
            entry.running.remove(&key);
            entry.queued.insert((run_after, key));
        }
        self.plan(&dag_id);
    }

    pub(super) fn set_run_state(&mut self, key: RunKey, state: RunState) {
        let Some(run) = self.runs.get(&key) else { return self.answer(Err(Refusal::NoRun)) };
        let tasks = run.tasks.len();
        match state {
            RunState::Running => {
                let reason = "a run becomes running by itself: queue it".to_owned();
                return self.answer(Err(Refusal::Invalid(reason)));
            }
            RunState::Queued => {
                let now = self.now;
                self.change_run(key, |row| {
                    row.state = RunState::Queued;
                    row.queued_at = now;
                    row.ended_at = None;
                    row.reason = None;
                    row.clear_number += 1;
                });
                self.enqueue(key);
            }
            RunState::Success => {
                for task in 0..tasks {
                    self.mark_success(Place { run: key, task });
                }
                self.finish_run(key, state, None);
            }
            RunState::Failed => {
                for task in 0..tasks {
                    let place = Place { run: key, task };
                    let with_executor = self
                        .task_mut(place)
                        .is_some_and(|entry| entry.row.state.is_with_executor());
                    let to = if with_executor { TaskState::Failed } else { TaskState::Skipped };
                    self.cut_short(place, to);
                }
                self.finish_run(key, state, Some("marked as failed".into()));
            }
        }
        self.answer(Ok(key));
    }

    fn mark_success(&mut self, place: Place) {
        self.cut_short(place, TaskState::Success);
        let Some(entry) = self.task_mut(place) else { return };
        if entry.row.state != TaskState::Success {
            self.change_task(place, |row| {
                row.state = TaskState::Success;
                row.reason = None;
            });
        }
    }

    pub(super) fn set_note(&mut self, key: RunKey, note: Option<Arc<str>>) {
        if !self.runs.contains_key(&key) {
            return self.answer(Err(Refusal::NoRun));
        }
        self.change_run(key, |row| row.note = note);
        self.answer(Ok(key));
    }
}

impl Run {
    /// Counts again what each task sees of the tasks before it.
    pub(super) fn recount(&mut self) {
        for index in 0..self.tasks.len() {
            let upstream = &self.dag.tasks[index].upstream;
            let mut counts = Upstream { total: upstream.len(), ..Upstream::default() };
            for before in upstream {
                counts.count(self.tasks[*before].row.state);
            }
            self.tasks[index].upstream = counts;
        }
        self.unfinished = self.tasks.iter().filter(|task| !task.row.state.is_finished()).count();
    }
}
