//! What the outside sees of a job, while it runs and afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::catalog::Table;
use crate::catalog::options::Connector;
use crate::plan::stream::StreamPlan;

use super::latency::Latency;

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobState {
    Running,
    Failed,
    Finished,
    Canceled,
}

impl JobState {
    /// Flink's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            JobState::Running => "RUNNING",
            JobState::Failed => "FAILED",
            JobState::Finished => "FINISHED",
            JobState::Canceled => "CANCELED",
        }
    }
}

/// What never changes about a job.
#[derive(Debug, Clone)]
pub(crate) struct JobIdentity {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Relative to the project, if it came from a file.
    pub(crate) file: Option<String>,
    pub(crate) statement: String,
    source: Value,
    sink: Value,
    dead_letter_topic: Option<String>,
}

impl JobIdentity {
    pub(crate) fn new(
        id: String,
        name: String,
        file: Option<String>,
        statement: String,
        plan: Option<&StreamPlan>,
    ) -> JobIdentity {
        let first = plan.and_then(|plan| plan.sources.first()).map(|source| &source.table);
        JobIdentity {
            id,
            name,
            file,
            statement,
            source: first.map_or(Value::Null, |table| endpoint_json(table, true)),
            sink: plan.map_or(Value::Null, |plan| endpoint_json(&plan.sink, false)),
            dead_letter_topic: first.and_then(|table| match &table.connector {
                Connector::Kafka(kafka) => Some(kafka.dead_letter_topic.clone()),
                _ => None,
            }),
        }
    }
}

fn endpoint_json(table: &Table, is_source: bool) -> Value {
    match &table.connector {
        Connector::Kafka(kafka) if is_source => {
            json!({ "connector": "kafka", "topic": kafka.topic, "format": kafka.format.name() })
        }
        Connector::Kafka(kafka) => json!({ "connector": "kafka", "topic": kafka.topic }),
        Connector::Cassandra(cassandra) => json!({
            "connector": "cassandra", "keyspace": cassandra.keyspace, "table": cassandra.table
        }),
        other => json!({ "connector": other.name() }),
    }
}

/// The last checkpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CheckpointInfo {
    pub(crate) epoch: u64,
    pub(crate) at_ms: i64,
    pub(crate) duration_ms: f64,
    pub(crate) bytes: u64,
}

/// What changes about a job.
pub(crate) struct Progress {
    pub(crate) state: JobState,
    pub(crate) records_in: u64,
    pub(crate) records_out: u64,
    pub(crate) dead_letters: u64,
    /// Rows that came after their window had fired.
    pub(crate) late: u64,
    /// Tombstones, and records whose errors were to be ignored.
    pub(crate) skipped: u64,
    pub(crate) first_error: Option<String>,
    /// Why it failed, or what it is trying again to get past.
    pub(crate) failure: Option<String>,
    /// What it waits for that does not exist yet.
    pub(crate) waiting: Option<String>,
    /// What happened that the user should know.
    pub(crate) notice: Option<String>,
    pub(crate) watermark_ms: Option<i64>,
    pub(crate) started_at_ms: i64,
    pub(crate) checkpoint: Option<CheckpointInfo>,
    /// Topic and partition to the next offset and the end.
    pub(crate) partitions: BTreeMap<(String, i32), (i64, i64)>,
    latency: Latency,
}

/// Shared by a job and those who ask about it.
#[derive(Clone)]
pub(crate) struct JobStatus {
    pub(crate) identity: Arc<JobIdentity>,
    progress: Arc<Mutex<Progress>>,
    ended: Arc<watch::Sender<bool>>,
}

impl JobStatus {
    pub(crate) fn new(identity: JobIdentity, started_at_ms: i64, now: Duration) -> JobStatus {
        let progress = Progress {
            state: JobState::Running,
            records_in: 0,
            records_out: 0,
            dead_letters: 0,
            late: 0,
            skipped: 0,
            first_error: None,
            failure: None,
            waiting: None,
            notice: None,
            watermark_ms: None,
            started_at_ms,
            checkpoint: None,
            partitions: BTreeMap::new(),
            latency: Latency::new(now),
        };
        JobStatus {
            identity: Arc::new(identity),
            progress: Arc::new(Mutex::new(progress)),
            ended: Arc::new(watch::channel(false).0),
        }
    }

    /// Nothing of it runs any more.
    pub(crate) fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Completes when nothing of it runs any more.
    pub(crate) async fn ended(&self) {
        // The sender is in `self`, so waiting cannot fail.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Changes or reads the progress; not for long.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Progress) -> T) -> T {
        work(&mut self.progress.lock())
    }

    pub(crate) fn state(&self) -> JobState {
        self.progress.lock().state
    }

    /// It cannot go on.
    pub(crate) fn fail(&self, reason: impl Into<String>) {
        self.with(|progress| {
            progress.state = JobState::Failed;
            progress.failure = Some(reason.into());
        });
    }

    /// Records took so long, each with its number.
    pub(super) fn record_latencies(&self, latencies_us: &[(i64, u64)], now: Duration) {
        self.with(|progress| {
            for (us, count) in latencies_us {
                progress.latency.record(*us, *count, now);
            }
        });
    }

    /// One entry of `GET /v1/pipelines`.
    pub(crate) fn to_json(&self) -> Value {
        let identity = &self.identity;
        let progress = self.progress.lock();
        let lag: i64 =
            progress.partitions.values().map(|(position, end)| (end - position).max(0)).sum();
        let partitions: Vec<Value> = progress
            .partitions
            .iter()
            .map(|((topic, partition), (position, end))| {
                json!({ "topic": topic, "partition": partition, "position": position, "end": end })
            })
            .collect();
        let latency = progress
            .latency
            .summary()
            .map(|latency| json!({ "p50": latency.p50, "p99": latency.p99, "max": latency.max }));
        let checkpoint = progress.checkpoint.map(|checkpoint| {
            json!({ "epoch": checkpoint.epoch, "at_ms": checkpoint.at_ms,
                    "duration_ms": checkpoint.duration_ms, "bytes": checkpoint.bytes })
        });
        json!({
            "id": identity.id,
            "name": identity.name,
            "state": progress.state.name(),
            "file": identity.file,
            "statement": identity.statement,
            "source": identity.source,
            "sink": identity.sink,
            "records_in": progress.records_in,
            "records_out": progress.records_out,
            "dead_letters": progress.dead_letters,
            "dead_letter_topic": identity.dead_letter_topic,
            "late_records": progress.late,
            "skipped_records": progress.skipped,
            "first_error": progress.first_error,
            "lag": lag,
            "latency_ms": latency,
            "watermark_ms": progress.watermark_ms,
            "started_at_ms": progress.started_at_ms,
            "checkpoint": checkpoint,
            "partitions": partitions,
            "failure": progress.failure,
            "waiting": progress.waiting,
            "notice": progress.notice,
        })
    }
}
