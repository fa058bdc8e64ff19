//! When a checkpoint is taken, what goes into it, and whether one fits the plan.

use std::time::Duration;

use tidemill_connectors::Positions;

use crate::plan::endpoint;
use crate::plan::stream::StreamPlan;

use super::super::checkpoint::{CheckpointStore, Header, Restored, Snapshot, SourceState};
use super::super::status::CheckpointInfo;
use super::{Job, JobError, JobSettings};

/// A checkpoint on its way to disk.
pub(super) struct Writing {
    epoch: u64,
    at_ms: i64,
    began: Duration,
    /// Per input, for the consumer groups.
    positions: Vec<Positions>,
    written: tokio::task::JoinHandle<std::io::Result<u64>>,
}

impl Job {
    /// Begins to write positions and state of this moment to disk, unless nothing happened or the
    /// one before is still being written. The job goes on meanwhile: what is written is a copy.
    pub(super) fn begin_checkpoint(&mut self, finished: bool) -> Result<(), JobError> {
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
    pub(super) async fn end_checkpoint(&mut self) -> Result<(), JobError> {
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
    pub(super) async fn last_checkpoint(&mut self, finished: bool) -> Result<(), JobError> {
        if self.writing.is_some() {
            self.end_checkpoint().await?;
        }
        self.begin_checkpoint(finished)?;
        if self.writing.is_some() {
            self.end_checkpoint().await?;
        }
        Ok(())
    }

    pub(super) fn header(&self, finished: bool) -> Header {
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
pub(super) fn restore(
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

fn shown(states: &[String]) -> String {
    if states.is_empty() { "no state".to_owned() } else { states.join("; ") }
}
