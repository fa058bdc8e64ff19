//! Streaming queries: started as jobs of the engine, asked about, stopped.

mod checkpoint;
pub(super) mod files;
mod manage;
mod progress;
mod sinks;
mod start;

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::error::{Result, SparkError};
use crate::jobs::Jobs;
use crate::runtime::status::{JobState, JobStatus};

pub(super) use manage::{command, manage};
pub(super) use sinks::{MemoryRows, Target, resolve};
pub(super) use start::start;

/// Queries that are remembered at most, the running ones included.
const QUERIES_MAX: usize = 1000;
/// Progress reports of one query that are kept; Spark keeps 100.
const PROGRESS_MAX: usize = 100;

/// One run of a query.
pub(super) struct Query {
    /// The same for all runs from one checkpoint.
    pub(super) id: String,
    pub(super) run_id: String,
    pub(super) name: Option<String>,
    pub(super) session_id: String,
    pub(super) job: JobStatus,
    /// What it reads and writes, as Spark describes it.
    pub(super) source: String,
    pub(super) sink: String,
    pub(super) explained: String,
    pub(super) reports: Mutex<VecDeque<progress::Report>>,
}

impl Query {
    pub(super) fn is_active(&self) -> bool {
        self.job.state() == JobState::Running
    }

    /// Why it failed; none if it did not.
    pub(super) fn failure(&self) -> Option<SparkError> {
        if self.job.state() != JobState::Failed {
            return None;
        }
        let reason = self.job.with(|progress| progress.failure.clone()).unwrap_or_default();
        let (id, run_id) = (&self.id, &self.run_id);
        let text =
            format!("Query [id = {id}, runId = {run_id}] terminated with exception: {reason}");
        let kind = super::error::Kind::StreamingQuery;
        Some(
            SparkError::new(kind, "STREAM_FAILED", "XXKST", &text)
                .with("id", id)
                .with("runId", run_id)
                .with("message", reason),
        )
    }
}

/// All queries of this engine's life.
#[derive(Default)]
pub(super) struct Queries {
    all: Mutex<Vec<Arc<Query>>>,
}

impl Queries {
    fn add(&self, query: Arc<Query>) {
        let mut all = self.all.lock();
        if all.len() >= QUERIES_MAX
            && let Some(ended) = all.iter().position(|query| !query.is_active())
        {
            all.remove(ended);
        }
        all.push(query);
    }

    /// The run with this id.
    fn get(&self, id: &str, run_id: &str) -> Result<Arc<Query>> {
        let all = self.all.lock();
        let found = all.iter().rev().find(|query| query.id == id && query.run_id == run_id);
        found.cloned().ok_or_else(|| {
            let kind = super::error::Kind::Argument;
            let text = format!("Streaming query {id} is not found");
            SparkError::new(kind, "STREAMING_CONNECT_SERIALIZATION_ERROR", "XXKST", &text)
        })
    }

    /// The running query of this id.
    fn running(&self, id: &str) -> Option<Arc<Query>> {
        let all = self.all.lock();
        all.iter().rev().find(|query| query.id == id && query.is_active()).cloned()
    }

    /// The queries that a session started.
    fn of(&self, session: &str) -> Vec<Arc<Query>> {
        let all = self.all.lock();
        all.iter().filter(|query| query.session_id == session).cloned().collect()
    }

    /// Whether a session's queries run.
    pub(super) fn runs_in(&self, session: &str) -> bool {
        self.of(session).iter().any(|query| query.is_active())
    }

    /// Stops what a session started: it has ended.
    pub(super) fn stop_all_of(&self, session: &str, jobs: &Jobs) {
        for query in self.of(session).iter().filter(|query| query.is_active()) {
            jobs.cancel(&query.job.identity.id);
        }
    }
}
