//! The one place where things happen: events in, steps, one transaction, then what follows.
//!
//! Whatever waits is taken together, up to a limit; every event is a step of the state machine, and
//! what they all decided is committed at once. Only then are tries started and people answered. A
//! commit that fails ends the scheduler: nobody is told what is not on disk.
//!
//! Where several schedulers share a database, the shell works only while it leads ([`Role`]).

mod term;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tidemill_runtime::{Shutdown, World};
use tokio::sync::{mpsc, oneshot};

use crate::core::{
    Change, Core, Effect, Event, Limits, Outcome, Refusal, RunKey, RunState, Trigger, VersionKey,
};
use crate::dag::{Dag, DagFile, DagFolder, FolderChange, parse};
use crate::directory::Directory;
use crate::executor::{Executor, Report};
use crate::leadership::Lead;
use crate::logs::{LogKey, Logs};
use crate::parser::{Parsed, Parser};
use crate::store::{Availability, LeaderTable, Store, StoreError};
use crate::watch::FolderWatch;

/// Events that share one transaction.
const BATCH_MAX: usize = 64;
/// Commands that wait.
pub(crate) const COMMANDS_MAX: usize = 256;
/// Editors write a file in several steps: they are looked at together.
const SETTLE: Duration = Duration::from_millis(50);
/// The wall clock may be set, and a laptop may sleep: no longer than this is slept without a look.
const SLEEP_MAX: Duration = Duration::from_secs(30);
/// How often old runs are looked for.
const FORGET_EVERY: Duration = Duration::from_secs(10 * 60);
/// How long the start waits for Python files to be read.
const FIRST_PARSE_WAIT: Duration = Duration::from_secs(5);
/// How often files are looked at when nobody tells of changes.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What people ask for.
#[derive(Debug)]
pub(crate) enum Command {
    /// A run.
    Trigger(Box<Trigger>),
    /// A DAG paused or not.
    SetPaused {
        /// The DAG.
        dag_id: Arc<str>,
        /// Which.
        paused: bool,
    },
    /// How a run ended, or that it is queued again.
    SetRunState {
        /// The DAG.
        dag_id: String,
        /// The run.
        run_id: String,
        /// The state.
        state: RunState,
    },
    /// A text on a run.
    SetNote {
        /// The DAG.
        dag_id: String,
        /// The run.
        run_id: String,
        /// The text, or none.
        note: Option<Arc<str>>,
    },
    /// Tasks of a run done again.
    Clear {
        /// The DAG.
        dag_id: String,
        /// The run.
        run_id: String,
        /// Places of the tasks.
        tasks: Vec<usize>,
    },
    /// Pools have other slots, came or went.
    PoolsChanged,
    /// Nothing new, what runs is stopped. Answered when nothing runs and all is on disk.
    Drain,
}

/// A command and where its answer goes.
pub(crate) type Asked = (Command, AnswerTo);

/// What became of a command.
type Answer = Result<RunKey, Refusal>;
/// Where it is told.
type AnswerTo = oneshot::Sender<Answer>;

/// How commands are given. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Commands {
    pub(crate) sender: mpsc::Sender<Asked>,
    pub(crate) availability: Availability,
}

impl Commands {
    /// Gives a command and waits until what follows is on disk.
    pub(crate) async fn give(&self, command: Command) -> Answer {
        let (answer, answered) = oneshot::channel();
        if let Some(reason) = self.availability.reason() {
            return Err(Refusal::Unavailable(reason));
        }
        let done = async {
            self.sender.send((command, answer)).await.map_err(|_| Refusal::Draining)?;
            answered.await.unwrap_or(Err(Refusal::Draining))
        };
        tokio::select! {
            done = done => done,
            reason = self.availability.lost() => Err(Refusal::Unavailable(reason)),
        }
    }
}

/// What the shell does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It schedules.
    Leading,
    /// Another scheduler does, or nobody knows yet.
    Standby,
    /// It has led, and waits for its tries to end.
    Leaving,
}

/// Everything the shell holds.
pub(crate) struct Shell {
    pub(crate) world: World,
    pub(crate) limits: Limits,
    pub(crate) role: Role,
    /// What it is told about leading.
    pub(crate) leads: mpsc::Receiver<Lead>,
    /// Where it says that it has stopped.
    pub(crate) yielded: mpsc::Sender<()>,
    /// Who leads, where others can.
    pub(crate) leaders: Option<LeaderTable>,
    pub(crate) core: Core,
    pub(crate) store: Store,
    pub(crate) executor: Executor,
    pub(crate) folder: DagFolder,
    pub(crate) watch: FolderWatch,
    pub(crate) directory: Directory,
    pub(crate) reports: mpsc::Receiver<Report>,
    pub(crate) commands: mpsc::Receiver<Asked>,
    pub(crate) changed: mpsc::Receiver<()>,
    pub(crate) parser: Parser,
    pub(crate) parsed: mpsc::Receiver<Parsed>,
    pub(crate) logs: Logs,
    /// How long runs that ended are kept.
    pub(crate) keep_runs: Duration,
    /// When old runs are looked for next, on the monotonic clock.
    pub(crate) forget_at: Duration,
}

/// What is waiting to happen once the batch is on disk.
#[derive(Default)]
struct Batch {
    effects: Vec<Effect>,
    answers: Vec<(AnswerTo, Answer)>,
    drained: Vec<AnswerTo>,
}

/// DAG and run.
pub(crate) type RunName = (Arc<str>, Arc<str>);

enum Input {
    Lead(Lead),
    Report(Report),
    Command(Asked),
    Files,
    Parsed(Parsed),
    Time,
}

pub(crate) fn instant(world: &World) -> Timestamp {
    Timestamp::from_microsecond(world.clock.now_us()).unwrap_or_default()
}

/// The DAG of a stored text.
pub(crate) fn reparse(file: &DagFile) -> Option<Arc<Dag>> {
    parse(&file.name, &file.source).ok().map(Arc::new)
}

impl Shell {
    /// The first thing it does: takes over what is there if it leads, and looks at the DAG folder.
    pub(crate) async fn begin(&mut self, first: Option<Lead>) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        match first {
            Some(Lead::Gained(term)) => self.lead(term, &mut batch).await?,
            Some(Lead::Lost) | None => {
                if let Refusal::Standby(reason) = self.standby().await {
                    tracing::info!(reason, "this scheduler stands by");
                }
            }
        }
        self.look_at_files(&mut batch).await?;
        self.finish(&mut batch).await?;
        self.first_parses(&mut batch).await
    }

    /// Waits a while for the Python files that are there at the start, so that whoever asks when we
    /// are ready finds their DAGs. What takes longer comes later.
    async fn first_parses(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let end = tokio::time::Instant::now() + FIRST_PARSE_WAIT;
        for _ in 0..self.parser.under_way() {
            let Ok(Some(parsed)) = tokio::time::timeout_at(end, self.parsed.recv()).await else {
                break;
            };
            self.take_parsed(parsed, batch).await?;
            self.finish(batch).await?;
        }
        Ok(())
    }

    /// A lost try has a log that ends in the middle: it gets its last line.
    fn tell_lost(&self, restored: &[Effect], runs: &HashMap<RunKey, RunName>) {
        for effect in restored {
            let Effect::Change(change) = effect else { continue };
            let Change::Try { row } = &**change else { continue };
            let Some((dag_id, run_id)) = runs.get(&row.run).cloned() else { continue };
            let (task_id, try_number) = (row.task_id.clone(), row.try_number);
            let log = self.logs.create(LogKey { dag_id, run_id, task_id, try_number });
            log.error(row.reason.as_deref().unwrap_or("lost"));
            log.finish();
        }
    }

    /// Works until it is drained or its database fails.
    pub(crate) async fn work(mut self, shutdown: Shutdown) -> Result<(), StoreError> {
        let mut draining = Vec::new();
        loop {
            if !draining.is_empty() && self.core.live_tries() == 0 {
                break;
            }
            let sleep = self.sleep();
            let input = tokio::select! {
                biased;
                Some(lead) = self.leads.recv() => Input::Lead(lead),
                Some(report) = self.reports.recv() => Input::Report(report),
                Some(asked) = self.commands.recv() => Input::Command(asked),
                Some(()) = self.changed.recv() => Input::Files,
                Some(parsed) = self.parsed.recv() => Input::Parsed(parsed),
                () = tokio::time::sleep(sleep) => Input::Time,
                () = shutdown.requested() => break,
            };
            let mut batch = Batch::default();
            match self.round(input, &mut batch).await {
                Err(StoreError::Fenced) => self.deposed(&mut batch).await,
                done => done?,
            }
            draining.append(&mut batch.drained);
        }
        self.store.close().await?;
        for drained in draining {
            let _ = drained.send(Ok(RunKey(0)));
        }
        shutdown.requested().await;
        Ok(())
    }

    async fn round(&mut self, input: Input, batch: &mut Batch) -> Result<(), StoreError> {
        self.take(input, batch).await?;
        for _ in 1..BATCH_MAX {
            let Some(input) = self.waiting() else { break };
            self.take(input, batch).await?;
        }
        self.finish(batch).await
    }

    fn waiting(&mut self) -> Option<Input> {
        if let Ok(report) = self.reports.try_recv() {
            return Some(Input::Report(report));
        }
        self.commands.try_recv().ok().map(Input::Command)
    }

    fn sleep(&self) -> Duration {
        let longest = if self.watch.is_watching() { SLEEP_MAX } else { LOOK_EVERY };
        let wake = self.core.next_wake().filter(|_| self.role == Role::Leading);
        let Some(wake) = wake else { return longest };
        let wait = wake.duration_since(instant(&self.world));
        // A timer of tokio counts whole milliseconds: one more, so that it is not early.
        let wait = Duration::try_from(wait).unwrap_or_default() + Duration::from_millis(1);
        if wake <= instant(&self.world) { Duration::ZERO } else { wait.min(longest) }
    }

    async fn take(&mut self, input: Input, batch: &mut Batch) -> Result<(), StoreError> {
        match input {
            Input::Lead(Lead::Gained(term)) => self.lead(term, batch).await?,
            Input::Lead(Lead::Lost) => self.leave(batch).await,
            Input::Report(report) if self.role != Role::Leading => self.ended(report).await,
            Input::Report(Report::Started { attempt, pid }) => {
                self.step(Event::Started { attempt, pid }, batch);
            }
            Input::Report(Report::Pushed { attempt, key, value }) => {
                self.step(Event::Pushed { attempt, key, value }, batch);
            }
            Input::Report(Report::SkipTasks { attempt, tasks }) => {
                self.step(Event::SkipTasks { attempt, tasks }, batch);
            }
            Input::Report(Report::Finished { attempt, outcome }) => {
                let outcome = self.masked(outcome);
                self.step(Event::Finished { attempt, outcome }, batch);
            }
            Input::Command((command, answer)) => self.command(command, answer, batch).await?,
            Input::Files => {
                tokio::time::sleep(SETTLE).await;
                while self.changed.try_recv().is_ok() {}
                self.look_at_files(batch).await?;
            }
            Input::Parsed(parsed) => self.take_parsed(parsed, batch).await?,
            Input::Time => {
                if self.role == Role::Leading {
                    self.step(Event::Tick, batch);
                    self.forget_old_runs().await?;
                    if self.leaders.is_some() {
                        // They may have been changed through another scheduler.
                        self.look_at_pools(batch).await?;
                    }
                }
                if !self.watch.is_watching() {
                    self.look_at_files(batch).await?;
                }
            }
        }
        Ok(())
    }

    /// Why a try ended is shown to everybody: what it was given in confidence is not in it.
    fn masked(&self, mut outcome: Outcome) -> Outcome {
        if let Outcome::Failed { reason, .. } | Outcome::Skipped { reason } = &mut outcome
            && let Some(masked) = self.logs.masked(reason)
        {
            *reason = masked;
        }
        outcome
    }

    /// One event; the answer to it, if it was a command's.
    fn step(&mut self, event: Event, batch: &mut Batch) -> Option<Answer> {
        let mut answer = None;
        for effect in self.core.step(instant(&self.world), event) {
            match effect {
                Effect::Answer(given) => answer = Some(given),
                other => batch.effects.push(other),
            }
        }
        answer
    }

    async fn command(
        &mut self,
        command: Command,
        answer: AnswerTo,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        if answer.is_closed() {
            // Whoever asked was told that it is not done.
            return Ok(());
        }
        let answered = match command {
            Command::Drain => {
                if self.role == Role::Leading {
                    self.step(Event::Drain, batch);
                }
                batch.drained.push(answer);
                return Ok(());
            }
            _ if self.role != Role::Leading => {
                batch.answers.push((answer, Err(self.standby().await)));
                return Ok(());
            }
            Command::PoolsChanged => {
                self.look_at_pools(batch).await?;
                Some(Ok(RunKey(0)))
            }
            Command::Trigger(trigger) => self.trigger(trigger, batch).await?,
            Command::SetPaused { dag_id, paused } => {
                self.step(Event::SetPaused { dag_id, paused }, batch)
            }
            Command::SetRunState { dag_id, run_id, state } => {
                match self.held(&dag_id, &run_id).await? {
                    Some(run) => self.step(Event::SetRunState { run, state }, batch),
                    None => None,
                }
            }
            Command::SetNote { dag_id, run_id, note } => match self.held(&dag_id, &run_id).await? {
                Some(run) => self.step(Event::SetNote { run, note }, batch),
                None => None,
            },
            Command::Clear { dag_id, run_id, tasks } => match self.held(&dag_id, &run_id).await? {
                Some(run) => self.step(Event::Clear { run, tasks }, batch),
                None => None,
            },
        };
        batch.answers.push((answer, answered.unwrap_or(Err(Refusal::NoRun))));
        Ok(())
    }

    async fn trigger(
        &mut self,
        trigger: Box<Trigger>,
        batch: &mut Batch,
    ) -> Result<Option<Answer>, StoreError> {
        // Finished runs are not in memory.
        let existing =
            self.store.has_run(&trigger.dag_id, &trigger.run_id, trigger.logical_date).await?;
        if let Some(what) = existing {
            return Ok(Some(Err(Refusal::Exists { dag_id: trigger.dag_id, what })));
        }
        Ok(self.step(Event::Trigger(trigger), batch))
    }

    /// A run in memory; a finished one is fetched from the store first.
    async fn held(&mut self, dag_id: &str, run_id: &str) -> Result<Option<RunKey>, StoreError> {
        if let Some(run) = self.core.find_run(dag_id, run_id) {
            return Ok(Some(run));
        }
        let Some(snapshot) = self.store.snapshot(dag_id, run_id, reparse).await? else {
            return Ok(None);
        };
        let run = snapshot.run.key;
        // Adopting decides nothing that would have to be carried out.
        let _ = self.core.step(instant(&self.world), Event::Adopt(Box::new(snapshot)));
        Ok(self.core.holds(run).then_some(run))
    }

    async fn look_at_files(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        self.watch.renew();
        let now = instant(&self.world);
        let changes = self.folder.scan(now);
        for file in self.folder.take_wanted() {
            self.parser.start(file);
        }
        self.take_changes(changes, batch).await
    }

    /// What an interpreter says of a Python file.
    async fn take_parsed(
        &mut self,
        (file, answer): Parsed,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        for notice in answer.iter().flat_map(|parsed| &parsed.notices) {
            tracing::warn!(place = notice.place, "{}", notice.text);
        }
        let now = instant(&self.world);
        let changes = self.folder.parsed(&file, answer, now);
        self.take_changes(changes, batch).await
    }

    async fn take_changes(
        &mut self,
        changes: Vec<FolderChange>,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let now = instant(&self.world);
        for change in changes {
            match change {
                FolderChange::Loaded(dag) => {
                    tracing::info!(dag = &*dag.dag_id, file = &*dag.file.name, "DAG loaded");
                    self.loaded(dag, now, batch).await?;
                }
                FolderChange::Gone(dag_id) => {
                    tracing::info!(dag = &*dag_id, "DAG gone: its file is no longer there");
                    self.directory.set_gone(&dag_id);
                    if self.role == Role::Leading {
                        self.step(Event::DagGone { dag_id }, batch);
                    }
                }
            }
        }
        self.directory.set_errors(self.folder.errors());
        Ok(())
    }

    /// The leader keeps the text and schedules the DAG; the others only show it.
    async fn loaded(
        &mut self,
        dag: Arc<Dag>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        if self.role == Role::Leading {
            let version = self.store.save_version(&dag.dag_id, &dag.file, now).await?;
            self.directory.set_loaded(dag.clone(), version, now);
            self.step(Event::DagLoaded { dag, version }, batch);
        } else {
            let known = self.store.latest_versions().await?;
            let same = known.into_iter().find(|(_, file)| *file == dag.file);
            let version = same.map_or(VersionKey(0), |(version, _)| version);
            self.directory.set_loaded(dag, version, now);
        }
        Ok(())
    }

    /// Nothing is kept for ever: runs that ended long ago go, with their logs.
    async fn forget_old_runs(&mut self) -> Result<(), StoreError> {
        let now = self.world.clock.monotonic();
        if now < self.forget_at {
            return Ok(());
        }
        let kept = jiff::SignedDuration::try_from(self.keep_runs).ok();
        let before = kept.and_then(|kept| instant(&self.world).checked_sub(kept).ok());
        let Some(before) = before else { return Ok(()) };
        let forgotten = self.store.forget_runs(before).await?;
        // There may be more: they come soon, and other work has its turn between.
        self.forget_at = if forgotten.is_empty() { now + FORGET_EVERY } else { now };
        for (dag_id, run_id) in &forgotten {
            self.logs.forget_run(dag_id, run_id);
        }
        Ok(())
    }

    /// Commits the batch and does what follows from it.
    async fn finish(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let changes: Vec<&Change> = batch
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Change(change) => Some(&**change),
                Effect::Start(_)
                | Effect::Stop { .. }
                | Effect::CallBack(_)
                | Effect::Answer(_) => None,
            })
            .collect();
        self.store.commit(&changes).await?;
        self.core.committed();
        if self.role == Role::Leading {
            self.directory.beat(instant(&self.world));
        }
        for change in changes {
            if let Change::Dag(row) = change {
                self.directory.set_row(row.clone());
            }
        }
        for effect in std::mem::take(&mut batch.effects) {
            match effect {
                Effect::Start(start) => self.executor.start(*start),
                Effect::Stop { attempt, reason } => self.executor.stop(attempt, reason),
                Effect::CallBack(end) => self.executor.call_back(*end),
                Effect::Change(_) | Effect::Answer(_) => {}
            }
        }
        for (answer, answered) in std::mem::take(&mut batch.answers) {
            // Whoever asked may have gone.
            let _ = answer.send(answered);
        }
        Ok(())
    }
}
