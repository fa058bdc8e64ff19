//! One job from start to end.

mod checkpointing;
mod deliver;
mod process;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tidemill_connectors::{DeadLetters, Positions, Sink, SinkError, Source};
use tidemill_runtime::{Shutdown, Tasks, World};
use tokio::sync::{mpsc, watch};

use crate::catalog::Table;
use crate::catalog::options::Connector;
use crate::formats::Decoder;
use crate::plan::stream::StreamPlan;

use super::checkpoint::{CheckpointStore, Restored};
use super::feeder::{AHEAD_MAX, Backoff, Fed, FedEvent, Feeder};
use super::flow::{Flow, Output};
use super::status::{CheckpointInfo, JobState, JobStatus};
use super::watermark::{NONE, SourceWatermark};
use super::write_clock::WriteClock;
use checkpointing::{Writing, restore};

/// Records that are decoded and written together at most.
const CHUNK_RECORDS_MAX: usize = 8192;
/// How often an idle partition is looked for.
const IDLE_TICK: Duration = Duration::from_millis(200);

/// Where schemas of Avro records come from.
#[async_trait]
pub(crate) trait Schemas: Send + Sync {
    /// The schema with this id; the inner error is the registry's answer that there is none, the
    /// outer one that it did not answer.
    async fn schema(&self, id: u32) -> Result<Result<String, String>, String>;
}

/// What a job is connected to.
pub(crate) struct JobEnds {
    /// One per source of the plan.
    pub(crate) sources: Vec<Box<dyn Source>>,
    /// Where each source's bad records go; none if it is no topic.
    pub(crate) dead_letters: Vec<Option<Box<dyn DeadLetters>>>,
    /// One per source.
    pub(crate) schemas: Vec<Arc<dyn Schemas>>,
    pub(crate) sink: Box<dyn Sink>,
}

/// What a job may decide about.
#[derive(Debug, Clone)]
pub(crate) struct JobSettings {
    /// Zero for a checkpoint after every poll.
    pub(crate) checkpoint_interval: Duration,
    pub(crate) idle_timeout: Option<Duration>,
    /// State that does not fit the plan is thrown away instead of refused.
    pub(crate) discard_state: bool,
    pub(crate) groups_max: usize,
    /// The end of a bounded source is where the next run goes on: windows stay open.
    pub(crate) end_is_pause: bool,
}

/// Why a job ends before its sources do.
#[derive(Debug, thiserror::Error)]
enum JobError {
    /// It was asked to; everything is as the last checkpoint says.
    #[error("stopped")]
    Stopped,
    /// It cannot go on.
    #[error("{0}")]
    Failed(String),
}

impl From<datafusion::common::DataFusionError> for JobError {
    fn from(error: datafusion::common::DataFusionError) -> JobError {
        JobError::Failed(error.strip_backtrace())
    }
}

impl From<arrow::error::ArrowError> for JobError {
    fn from(error: arrow::error::ArrowError) -> JobError {
        JobError::Failed(error.to_string())
    }
}

/// One source as the job sees it.
struct Input {
    table: Arc<Table>,
    topic: String,
    decoder: Decoder,
    schemas: Arc<dyn Schemas>,
    watermark_expr: Option<Arc<dyn datafusion::physical_expr::PhysicalExpr>>,
    watermark: SourceWatermark,
    write_clock: WriteClock,
    /// Up to where everything is written.
    positions: Positions,
    dead_letters: Option<Box<dyn DeadLetters>>,
    checkpointed: watch::Sender<Option<Positions>>,
    ended: bool,
}

/// A running job.
pub(crate) struct Job {
    status: JobStatus,
    world: World,
    shutdown: Shutdown,
    settings: JobSettings,
    inputs: Vec<Input>,
    flow: Flow,
    states: Vec<String>,
    sink: Box<dyn Sink>,
    store: CheckpointStore,
    epoch: u64,
    /// Something happened since the last checkpoint began.
    dirty: bool,
    writing: Option<Writing>,
    tasks: Tasks,
}

/// Runs a job to its end; what became of it is in `status`. `shutdown` stops it after a last
/// checkpoint.
pub(crate) async fn run_job(
    plan: StreamPlan,
    ends: JobEnds,
    settings: JobSettings,
    status: JobStatus,
    store: CheckpointStore,
    world: World,
    shutdown: Shutdown,
) {
    let tasks = Tasks::new();
    let result = match Job::start(plan, ends, settings, &status, store, world, &shutdown, &tasks) {
        Ok((job, fed)) => job.run(fed).await,
        Err(error) => Err(error),
    };
    if let Err(JobError::Failed(reason)) = &result {
        tracing::error!(job = status.identity.name, reason, "job failed");
        status.fail(reason.clone());
    }
    tasks.stop(Duration::from_secs(5)).await;
}

impl Job {
    fn start(
        plan: StreamPlan,
        ends: JobEnds,
        settings: JobSettings,
        status: &JobStatus,
        store: CheckpointStore,
        world: World,
        shutdown: &Shutdown,
        tasks: &Tasks,
    ) -> Result<(Job, mpsc::Receiver<Fed>), JobError> {
        let mut flow = Flow::new(&plan, settings.groups_max)?;
        let states = plan.state_descriptions();
        let restored = restore(&store, &plan, &states, &settings)?;
        if let Some(restored) = &restored {
            flow.load(&restored.states)?;
        }
        let (out, fed) = mpsc::channel(AHEAD_MAX);
        let mut inputs = Vec::with_capacity(plan.sources.len());
        let now = world.clock.monotonic();
        let parts = plan.sources.iter().zip(ends.sources).zip(ends.dead_letters).zip(ends.schemas);
        for (number, (((source_plan, source), dead_letters), schemas)) in parts.enumerate() {
            let saved = restored.as_ref().and_then(|restored| restored.header.sources.get(number));
            let mut watermark = SourceWatermark::new(settings.idle_timeout);
            let mut write_clock = WriteClock::default();
            if let Some(saved) = saved {
                watermark.load(&saved.watermarks, now);
                write_clock.load(&saved.write_clock);
            }
            let ended = saved.is_some_and(|saved| saved.ended) && !settings.end_is_pause;
            let (checkpointed, watched) = watch::channel(None);
            if !ended {
                let feeder = Feeder {
                    number,
                    source,
                    from: saved.map(|saved| saved.positions.clone()),
                    out: out.clone(),
                    checkpointed: watched,
                    told: None,
                    shutdown: tasks.shutdown(),
                };
                tasks.spawn("feeder", feeder.run());
            }
            let schema = Arc::clone(&source_plan.schema);
            inputs.push(Input {
                topic: match &source_plan.table.connector {
                    Connector::Kafka(kafka) => kafka.topic.clone(),
                    _ => source_plan.table.name.clone(),
                },
                table: Arc::clone(&source_plan.table),
                decoder: Decoder::new(&source_plan.table, &source_plan.columns, schema)?,
                schemas,
                watermark_expr: source_plan.watermark.as_ref().map(|plan| Arc::clone(&plan.expr)),
                watermark,
                write_clock,
                positions: saved.map(|saved| saved.positions.clone()).unwrap_or_default(),
                dead_letters,
                checkpointed,
                ended,
            });
        }
        let mut job = Job {
            status: status.clone(),
            world,
            shutdown: shutdown.clone(),
            settings,
            inputs,
            flow,
            states,
            sink: ends.sink,
            store,
            epoch: 0,
            dirty: false,
            writing: None,
            tasks: tasks.clone(),
        };
        job.resume(restored)?;
        Ok((job, fed))
    }

    /// Counters and event time of the checkpoint.
    fn resume(&mut self, restored: Option<Restored>) -> Result<(), JobError> {
        let Some(Restored { header, bytes, .. }) = restored else { return Ok(()) };
        self.epoch = header.epoch;
        self.status.with(|progress| {
            progress.records_in = header.records_in;
            progress.records_out = header.records_out;
            progress.dead_letters = header.dead_letters;
            progress.late = header.late;
            progress.skipped = header.skipped;
            progress.first_error = header.first_error.clone();
            progress.checkpoint = Some(CheckpointInfo {
                epoch: header.epoch,
                at_ms: header.at_ms,
                duration_ms: 0.0,
                bytes,
            });
        });
        // Operators learn the time again. Nothing fires: a checkpoint is taken when all that was due
        // has been delivered.
        let mut output = Output::default();
        for (number, input) in self.inputs.iter_mut().enumerate() {
            let watermark =
                if input.ended { input.watermark.end() } else { input.watermark.reached() };
            if watermark != NONE {
                self.flow.watermark(number, watermark, &mut output)?;
            }
        }
        debug_assert!(output.rows.is_empty(), "a window fired while its job was restored");
        Ok(())
    }

    async fn run(mut self, mut fed: mpsc::Receiver<Fed>) -> Result<(), JobError> {
        self.open_sink().await?;
        let shutdown = self.shutdown.clone();
        let interval = self.settings.checkpoint_interval;
        let mut checkpoint_at = tokio::time::interval(interval.max(Duration::from_millis(1)));
        checkpoint_at.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut idle_tick = tokio::time::interval(IDLE_TICK);
        idle_tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let waits_for_time = self.flow.needs_watermarks();
        while self.inputs.iter().any(|input| !input.ended) {
            tokio::select! {
                biased;
                () = shutdown.requested() => {
                    self.last_checkpoint(false).await?;
                    return Err(JobError::Stopped);
                }
                _ = checkpoint_at.tick() => self.begin_checkpoint(false)?,
                written = self.end_checkpoint() => written?,
                event = fed.recv() => match event {
                    Some(event) => {
                        self.handle(event).await?;
                        if self.settings.checkpoint_interval.is_zero() {
                            self.last_checkpoint(false).await?;
                        }
                    }
                    None => return Err(JobError::Failed("a source ended early".to_owned())),
                },
                _ = idle_tick.tick(), if waits_for_time => self.advance_time().await?,
            }
        }
        self.last_checkpoint(true).await?;
        self.status.with(|progress| progress.state = JobState::Finished);
        tracing::info!(job = self.status.identity.name, "job finished");
        Ok(())
    }

    async fn open_sink(&mut self) -> Result<(), JobError> {
        let mut backoff = Backoff::default();
        loop {
            match self.sink.open().await {
                Ok(()) => {
                    self.status.with(|progress| progress.failure = None);
                    return Ok(());
                }
                Err(error) => {
                    retry_later(error, &self.status, &self.shutdown, &mut backoff).await?;
                }
            }
        }
    }

    async fn handle(&mut self, fed: Fed) -> Result<(), JobError> {
        match fed.event {
            FedEvent::Opened(positions) => {
                let now = self.world.clock.monotonic();
                let input = &mut self.inputs[fed.source];
                for partition in positions.next.keys() {
                    input.watermark.know(*partition, now);
                }
                if input.positions != positions {
                    input.positions = positions;
                    self.dirty = true;
                }
                self.status.with(|progress| {
                    progress.waiting = None;
                    progress.failure = None;
                });
            }
            FedEvent::Records(fetched) => self.process(fed.source, fetched).await?,
            FedEvent::Waiting(what) => {
                self.status.with(|progress| progress.waiting = Some(what));
            }
            FedEvent::Retrying(what) => {
                tracing::warn!(
                    job = self.status.identity.name,
                    reason = what,
                    "source tried again"
                );
                self.status.with(|progress| progress.failure = Some(what));
            }
            FedEvent::Failed(what) => return Err(JobError::Failed(what)),
            FedEvent::End => {
                if !self.settings.end_is_pause {
                    let mut output = Output::default();
                    let watermark = self.inputs[fed.source].watermark.end();
                    self.flow.watermark(fed.source, watermark, &mut output)?;
                    self.deliver(fed.source, &[], &[], output).await?;
                }
                self.inputs[fed.source].ended = true;
                self.dirty = true;
            }
        }
        Ok(())
    }
}

/// Shows what is wrong, and waits; an error if waiting cannot help or the job has to stop.
async fn retry_later(
    error: SinkError,
    status: &JobStatus,
    shutdown: &Shutdown,
    backoff: &mut Backoff,
) -> Result<(), JobError> {
    match error {
        SinkError::Failed(reason) => Err(JobError::Failed(reason)),
        SinkError::Unavailable(reason) => {
            let delay = backoff.next();
            tracing::warn!(job = status.identity.name, reason, ?delay, "tried again");
            status.with(|progress| progress.failure = Some(reason));
            tokio::select! {
                () = shutdown.requested() => Err(JobError::Stopped),
                () = tokio::time::sleep(delay) => Ok(()),
            }
        }
    }
}
