//! One job from start to end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::TimestampMillisecondType;
use async_trait::async_trait;
use tidemill_connectors::{
    DATA_EXCEPTION, DeadLetter, DeadLetters, Fetched, Positions, Record, Sink, SinkError, SinkRows,
    Source, Stage,
};
use tidemill_runtime::{Shutdown, Tasks, World};
use tokio::sync::{mpsc, watch};

use crate::catalog::Table;
use crate::formats::Decoder;
use crate::plan::endpoint;
use crate::plan::stream::StreamPlan;

use super::checkpoint::{CheckpointStore, Header, Restored, Snapshot, SourceState};
use super::feeder::{AHEAD_MAX, Backoff, Fed, FedEvent, Feeder};
use super::flow::{Flow, Output};
use super::rows::{Origin, RowFault, Rows, Subject};
use super::status::{CheckpointInfo, JobState, JobStatus};
use super::watermark::{NONE, SourceWatermark};
use super::write_clock::WriteClock;

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

/// A checkpoint on its way to disk.
struct Writing {
    epoch: u64,
    at_ms: i64,
    began: Duration,
    /// Per input, for the consumer groups.
    positions: Vec<Positions>,
    written: tokio::task::JoinHandle<std::io::Result<u64>>,
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
            let ended = saved.is_some_and(|saved| saved.ended);
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
                    crate::catalog::options::Connector::Kafka(kafka) => kafka.topic.clone(),
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
                let mut output = Output::default();
                let watermark = self.inputs[fed.source].watermark.end();
                self.flow.watermark(fed.source, watermark, &mut output)?;
                self.deliver(fed.source, &[], &[], output).await?;
                self.inputs[fed.source].ended = true;
                self.dirty = true;
            }
        }
        Ok(())
    }

    /// Records of one poll, all the way to the sink.
    async fn process(&mut self, source: usize, fetched: Fetched) -> Result<(), JobError> {
        self.note(source, &fetched);
        for chunk in fetched.records.chunks(CHUNK_RECORDS_MAX) {
            self.process_chunk(source, chunk).await?;
            let next = &mut self.inputs[source].positions.next;
            for record in chunk {
                next.insert(record.partition, record.offset + 1);
            }
            self.dirty = true;
        }
        let now = self.world.clock.monotonic();
        let input = &mut self.inputs[source];
        for (partition, next) in &fetched.next {
            let before = input.positions.next.insert(*partition, *next);
            self.dirty |= before != Some(*next);
        }
        for (partition, end) in &fetched.ends {
            let next = input.positions.next.get(partition).copied().unwrap_or(0);
            input.watermark.caught_up(*partition, next >= *end, now);
        }
        let topic = &input.topic;
        let positions = &input.positions.next;
        self.status.with(|progress| {
            for (partition, end) in &fetched.ends {
                let position = positions.get(partition).copied().unwrap_or(0);
                progress.partitions.insert((topic.clone(), *partition), (position, *end));
            }
        });
        self.advance_time().await
    }

    /// News that came with the records.
    fn note(&mut self, source: usize, fetched: &Fetched) {
        let input = &mut self.inputs[source];
        if fetched.topic_id.is_some() && fetched.topic_id != input.positions.topic_id {
            input.positions = Positions { topic_id: fetched.topic_id, next: BTreeMap::new() };
            self.dirty = true;
        }
        if let Some(notice) = &fetched.notice {
            tracing::warn!(job = self.status.identity.name, notice, "source");
        }
        self.status.with(|progress| {
            progress.failure = None;
            progress.waiting = None;
            if fetched.notice.is_some() {
                progress.notice.clone_from(&fetched.notice);
            }
        });
    }

    async fn process_chunk(&mut self, source: usize, records: &[Record]) -> Result<(), JobError> {
        self.fetch_schemas(source, records).await?;
        let input = &mut self.inputs[source];
        let stamps = input.write_clock.stamp(records);
        let decoded = input.decoder.decode(records)?;
        let mut output = Output::default();
        output.faults.extend(decoded.faults.into_iter().map(|fault| RowFault {
            subject: Subject::Record(fault.row),
            stage: Stage::ValueConverter,
            reason: fault.reason,
        }));
        let rows = Rows { batch: decoded.batch, origin: Origin::Records(decoded.rows) };
        self.observe_time(source, &rows, records)?;
        self.flow.push(source, rows, &stamps, &mut output)?;
        self.status.with(|progress| {
            progress.records_in += records.len() as u64;
            progress.skipped += decoded.skipped;
        });
        self.deliver(source, records, &stamps, output).await
    }

    async fn fetch_schemas(&mut self, source: usize, records: &[Record]) -> Result<(), JobError> {
        let mut backoff = Backoff::default();
        while let Some(id) = self.inputs[source].decoder.missing_schema(records) {
            match Arc::clone(&self.inputs[source].schemas).schema(id).await {
                Ok(schema) => {
                    self.inputs[source].decoder.add_schema(id, schema);
                    self.status.with(|progress| progress.failure = None);
                }
                Err(reason) => {
                    let error = SinkError::Unavailable(reason);
                    retry_later(error, &self.status, &self.shutdown, &mut backoff).await?;
                }
            }
        }
        Ok(())
    }

    /// The rows' watermarks. A row whose watermark cannot be computed says nothing about time.
    fn observe_time(
        &mut self,
        source: usize,
        rows: &Rows,
        records: &[Record],
    ) -> Result<(), JobError> {
        let now = self.world.clock.monotonic();
        let input = &mut self.inputs[source];
        let Some(expr) = &input.watermark_expr else { return Ok(()) };
        let mut ignored = Vec::new();
        let exprs = std::slice::from_ref(expr);
        let (rows, columns) = super::calc::evaluate(rows.clone(), exprs, &mut ignored)?;
        let Origin::Records(origins) = &rows.origin else { return Ok(()) };
        let watermarks = columns[0].as_primitive::<TimestampMillisecondType>();
        for (origin, watermark) in origins.iter().zip(watermarks) {
            if let Some(watermark) = watermark {
                let partition = records[*origin as usize].partition;
                input.watermark.observe(partition, watermark, now);
            }
        }
        Ok(())
    }

    /// Lets windows fire whose end has come.
    async fn advance_time(&mut self) -> Result<(), JobError> {
        let now = self.world.clock.monotonic();
        for source in 0..self.inputs.len() {
            let input = &mut self.inputs[source];
            if input.ended || input.watermark_expr.is_none() {
                continue;
            }
            let before = input.watermark.current();
            let watermark = input.watermark.advance(now);
            if input.watermark.current() == before {
                continue;
            }
            self.dirty = true;
            let mut output = Output::default();
            self.flow.watermark(source, watermark, &mut output)?;
            self.deliver(source, &[], &[], output).await?;
        }
        let least = self.inputs.iter().filter_map(|input| input.watermark.current()).min();
        self.status.with(|progress| progress.watermark_ms = least);
        Ok(())
    }

    /// Rows to the sink, then faults to the dead letters; both are durable afterwards.
    async fn deliver(
        &mut self,
        source: usize,
        records: &[Record],
        stamps: &[i64],
        output: Output,
    ) -> Result<(), JobError> {
        let mut faults = output.faults;
        let mut written = 0;
        for rows in output.rows {
            written += self.write(&rows, stamps, &mut faults).await?;
            self.measure(&rows, records);
        }
        self.status.with(|progress| {
            progress.records_out += written;
            progress.late += output.late;
        });
        self.bury(source, records, faults).await
    }

    /// Writes rows until each is durable or refused. Returns how many are durable.
    async fn write(
        &mut self,
        rows: &Rows,
        stamps: &[i64],
        faults: &mut Vec<RowFault>,
    ) -> Result<u64, JobError> {
        let write_timestamps_us = match &rows.origin {
            Origin::Records(records) => {
                records.iter().map(|record| stamps[*record as usize]).collect()
            }
            Origin::Computed(stamps) => stamps.clone(),
        };
        let mut rows = rows.clone();
        let mut sink_rows = SinkRows { batch: rows.batch.clone(), write_timestamps_us };
        let (mut durable, mut backoff) = (0, Backoff::default());
        loop {
            let written = self.sink.write(&sink_rows).await;
            for rejected in &written.rejected {
                let reason = rejected.reason.clone();
                faults.push(rows.fault(rejected.row, Stage::TaskPut, reason));
            }
            durable += (rows.len() - written.rejected.len() - written.unfinished.len()) as u64;
            let Some(error) = written.error else {
                self.status.with(|progress| progress.failure = None);
                return Ok(durable);
            };
            retry_later(error, &self.status, &self.shutdown, &mut backoff).await?;
            let left: Vec<u32> = written.unfinished.iter().map(|row| *row as u32).collect();
            rows = rows.take(&left)?;
            let stamps = written.unfinished.iter();
            let stamps = stamps.map(|row| sink_rows.write_timestamps_us[*row]).collect();
            sink_rows = SinkRows { batch: rows.batch.clone(), write_timestamps_us: stamps };
        }
    }

    /// From the records' timestamps to now, when their rows can be read.
    fn measure(&self, rows: &Rows, records: &[Record]) {
        let Origin::Records(origins) = &rows.origin else { return };
        let now_us = self.world.clock.now_us();
        let mut latencies: Vec<(i64, u64)> = Vec::new();
        for origin in origins {
            let Some(record) = records.get(*origin as usize) else { continue };
            if record.timestamp_ms < 0 {
                continue;
            }
            let us = now_us - record.timestamp_ms.saturating_mul(1000);
            match latencies.last_mut() {
                Some((last, count)) if *last == us => *count += 1,
                _ => latencies.push((us, 1)),
            }
        }
        self.status.record_latencies(&latencies, self.world.clock.monotonic());
    }

    async fn bury(
        &mut self,
        source: usize,
        records: &[Record],
        faults: Vec<RowFault>,
    ) -> Result<(), JobError> {
        if faults.is_empty() {
            return Ok(());
        }
        let input = &self.inputs[source];
        let letters: Vec<DeadLetter> =
            faults.into_iter().map(|fault| self.letter(input, records, fault)).collect();
        let mut backoff = Backoff::default();
        while let Some(dead_letters) = &mut self.inputs[source].dead_letters {
            match dead_letters.write(&letters).await {
                Ok(()) => break,
                Err(error) => {
                    retry_later(error, &self.status, &self.shutdown, &mut backoff).await?;
                }
            }
        }
        let first = &letters[0];
        let shown = format!(
            "{}-{}@{}: {}",
            first.topic, first.record.partition, first.record.offset, first.message
        );
        tracing::debug!(
            job = self.status.identity.name,
            count = letters.len(),
            first = shown,
            "dead letters"
        );
        self.status.with(|progress| {
            progress.dead_letters += letters.len() as u64;
            progress.failure = None;
            progress.first_error.get_or_insert(shown);
        });
        Ok(())
    }

    fn letter(&self, input: &Input, records: &[Record], fault: RowFault) -> DeadLetter {
        let record = match fault.subject {
            Subject::Record(index) => records[index as usize].clone(),
            // A computed row has no place in a topic.
            Subject::Row(json) => Record {
                partition: -1,
                offset: -1,
                timestamp_ms: self.world.clock.now_ms(),
                key: None,
                value: Some(json.into()),
                headers: Vec::new(),
            },
        };
        DeadLetter {
            topic: input.topic.clone(),
            record,
            stage: fault.stage,
            class: DATA_EXCEPTION,
            message: fault.reason,
            connector: self.status.identity.name.clone(),
        }
    }

    /// Begins to write positions and state of this moment to disk, unless nothing happened or the
    /// one before is still being written. The job goes on meanwhile: what is written is a copy.
    fn begin_checkpoint(&mut self, finished: bool) -> Result<(), JobError> {
        if self.writing.is_some() || !(self.dirty || finished) {
            return Ok(());
        }
        let snapshot = Snapshot { header: self.header(finished), states: self.flow.save()? };
        let (epoch, at_ms) = (snapshot.header.epoch, snapshot.header.at_ms);
        let store = self.store.clone();
        self.dirty = false;
        self.writing = Some(Writing {
            epoch,
            at_ms,
            began: self.world.clock.monotonic(),
            positions: self.inputs.iter().map(|input| input.positions.clone()).collect(),
            written: self.tasks.spawn_blocking(move || store.write(&snapshot)),
        });
        Ok(())
    }

    /// Waits for the checkpoint being written; for ever if there is none.
    async fn end_checkpoint(&mut self) -> Result<(), JobError> {
        let Some(writing) = &mut self.writing else { return std::future::pending().await };
        let written = (&mut writing.written).await;
        let Some(writing) = self.writing.take() else { return Ok(()) };
        let epoch = writing.epoch;
        let bytes = match written {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => {
                let dir = self.store.dir().display().to_string();
                return Err(JobError::Failed(format!("checkpoint {epoch} in {dir}: {error}")));
            }
            Err(_) => return Err(JobError::Failed("the checkpoint writer panicked".to_owned())),
        };
        self.epoch = epoch;
        for (input, positions) in self.inputs.iter().zip(writing.positions) {
            input.checkpointed.send_replace(Some(positions));
        }
        let took = self.world.clock.monotonic().saturating_sub(writing.began);
        let duration_ms = took.as_secs_f64() * 1000.0;
        let info = CheckpointInfo { epoch, at_ms: writing.at_ms, duration_ms, bytes };
        self.status.with(|progress| progress.checkpoint = Some(info));
        Ok(())
    }

    /// The last checkpoint of this run, written to its end.
    async fn last_checkpoint(&mut self, finished: bool) -> Result<(), JobError> {
        if self.writing.is_some() {
            self.end_checkpoint().await?;
        }
        self.begin_checkpoint(finished)?;
        if self.writing.is_some() {
            self.end_checkpoint().await?;
        }
        Ok(())
    }

    fn header(&self, finished: bool) -> Header {
        let sources = self
            .inputs
            .iter()
            .map(|input| SourceState {
                endpoint: endpoint(&input.table),
                positions: input.positions.clone(),
                write_clock: input.write_clock.save(),
                watermarks: input.watermark.save(),
                ended: input.ended,
            })
            .collect();
        self.status.with(|progress| Header {
            epoch: self.epoch + 1,
            at_ms: self.world.clock.now_ms(),
            sources,
            states: self.states.clone(),
            parts: Vec::new(),
            finished,
            records_in: progress.records_in,
            records_out: progress.records_out,
            dead_letters: progress.dead_letters,
            late: progress.late,
            skipped: progress.skipped,
            first_error: progress.first_error.clone(),
        })
    }
}

/// The last checkpoint, if it fits the plan.
fn restore(
    store: &CheckpointStore,
    plan: &StreamPlan,
    states: &[String],
    settings: &JobSettings,
) -> Result<Option<Restored>, JobError> {
    let dir = store.dir().display();
    let restored = store
        .latest()
        .map_err(|error| JobError::Failed(format!("checkpoints in {dir}: {error}")))?;
    let Some(restored) = restored else { return Ok(None) };
    let sources: Vec<String> = plan.sources.iter().map(|source| endpoint(&source.table)).collect();
    let saved: Vec<&str> =
        restored.header.sources.iter().map(|source| source.endpoint.as_str()).collect();
    if restored.header.states == states && saved == sources {
        return Ok(Some(restored));
    }
    if settings.discard_state {
        tracing::warn!(dir = %dir, "state of another version of the statement thrown away");
        return Ok(None);
    }
    Err(JobError::Failed(format!(
        "the state in {dir} (checkpoint {}) was written by another version of this statement and \
         cannot be read by this one.\nwritten by: {} from {}\nnow:        {} from {}\nKeep the old \
         statement; or give the new one another name with SET 'pipeline.name' = '…' (it then starts \
         anew beside the old one); or throw the old state away with SET 'tidemill.state.on-mismatch' \
         = 'discard'",
        restored.header.epoch,
        shown(&restored.header.states),
        saved.join(", "),
        shown(states),
        sources.join(", ")
    )))
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

fn shown(states: &[String]) -> String {
    if states.is_empty() { "no state".to_owned() } else { states.join("; ") }
}
