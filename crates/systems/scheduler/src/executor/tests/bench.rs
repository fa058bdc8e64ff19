//! An executor with an HTTP API and a broker that the test plays.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tidemill_python::{PythonHome, Surroundings};
use tidemill_runtime::{ByteSize, OsDisk, Tasks, World};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::core::{
    Attempt, Epoch, Outcome, RunKey, RunRow, RunState, RunType, Start, StopReason, VersionKey,
};
use crate::dag::parse;
use crate::executor::*;
use crate::logs::{LogKey, Logs};

/// What the API does with a request.
#[derive(Debug, Clone)]
pub(super) enum Does {
    Answer(u16, Value),
    Text(&'static str),
    RetryAfter(u64),
    Fail(&'static str),
    /// Answers after a while.
    Slowly(Duration, Value),
}

pub(super) struct FakeApi {
    /// Done in order; the last one for ever.
    pub(super) script: Mutex<VecDeque<Does>>,
    pub(super) asked: Mutex<Vec<(Instant, HttpRequest)>>,
}

#[async_trait]
impl HttpClient for FakeApi {
    async fn send(&self, request: &HttpRequest) -> Result<HttpAnswer, HttpFailure> {
        self.asked.lock().push((Instant::now(), request.clone()));
        let does = {
            let mut script = self.script.lock();
            if script.len() > 1 { script.pop_front() } else { script.front().cloned() }
        };
        let answer = |status, body: &Value| {
            Ok(HttpAnswer { status, retry_after: None, body: Bytes::from(body.to_string()) })
        };
        match does.expect("the script says something") {
            Does::Answer(status, body) => answer(status, &body),
            Does::Text(text) => {
                Ok(HttpAnswer { status: 200, retry_after: None, body: Bytes::from(text) })
            }
            Does::RetryAfter(seconds) => Ok(HttpAnswer {
                status: 429,
                retry_after: Some(Duration::from_secs(seconds)),
                body: Bytes::new(),
            }),
            Does::Fail(reason) => Err(HttpFailure::Later(reason.to_owned())),
            Does::Slowly(wait, body) => {
                tokio::time::sleep(wait).await;
                answer(200, &body)
            }
        }
    }
}

/// Acknowledges, except for the first `refusals` records.
#[derive(Default)]
pub(super) struct FakeBroker {
    pub(super) records: Mutex<Vec<(String, OutRecord)>>,
    pub(super) refusals: Mutex<Vec<SinkError>>,
    pub(super) topics: Mutex<Vec<String>>,
}

#[async_trait]
impl RecordSink for FakeBroker {
    async fn ensure_topic(&self, topic: &str) -> Result<(), SinkError> {
        self.topics.lock().push(topic.to_owned());
        Ok(())
    }

    async fn send(&self, topic: &str, records: &[OutRecord]) -> Vec<Result<(), SinkError>> {
        let mut answers = Vec::new();
        for record in records {
            if let Some(refusal) = self.refusals.lock().pop() {
                answers.push(Err(refusal));
                continue;
            }
            self.records.lock().push((topic.to_owned(), record.clone()));
            answers.push(Ok(()));
        }
        answers
    }

    async fn records_so_far(&self, topic: &str) -> Result<u64, SinkError> {
        let records = self.records.lock();
        Ok(records.iter().filter(|(written, _)| written == topic).count() as u64)
    }
}

impl FakeBroker {
    pub(super) fn values(&self) -> Vec<Value> {
        let records = self.records.lock();
        records.iter().map(|(_, record)| serde_json::from_slice(&record.value).unwrap()).collect()
    }
}

pub(super) struct Bench {
    pub(super) dir: tempfile::TempDir,
    pub(super) api: Arc<FakeApi>,
    pub(super) broker: Arc<FakeBroker>,
    pub(super) executor: Executor,
    pub(super) reports: mpsc::Receiver<Report>,
    logs: Logs,
    attempts: u64,
}

impl Bench {
    pub(super) fn new(script: impl IntoIterator<Item = Does>) -> Bench {
        let api = Arc::new(FakeApi {
            script: Mutex::new(script.into_iter().collect()),
            asked: Mutex::default(),
        });
        Bench::with_http(api.clone(), api)
    }

    pub(super) fn with_http(http: Arc<dyn HttpClient>, api: Arc<FakeApi>) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let world = World::real();
        let logs = Logs::new(world.clone(), dir.path().join("logs"), ByteSize::mib(4));
        let config = ExecutorConfig {
            children: ChildEnvironment {
                project: dir.path().to_owned(),
                dags_folder: dir.path().join("dags"),
                python: "python3".to_owned(),
                pass_environment: Vec::new(),
                home: Some(PythonHome::unpack(&OsDisk::new(), dir.path()).unwrap()),
                surroundings: Surroundings::default(),
                token: "token".to_owned(),
                mark: dir.path().display().to_string(),
            },
            scratch: dir.path().to_owned(),
            engine_url: Some("http://engine".to_owned()),
            kill_grace: Duration::from_millis(300),
        };
        let broker = Arc::new(FakeBroker::default());
        let (sender, reports) = mpsc::channel(64);
        let parts = ExecutorParts {
            world,
            config,
            logs: logs.clone(),
            reader: None,
            sink: broker.clone(),
            http,
        };
        let executor = Executor::new(parts, Tasks::new(), sender);
        Bench { dir, api, broker, executor, reports, logs, attempts: 0 }
    }

    pub(super) fn begin(&mut self, yaml: &str, conf: Value) -> Attempt {
        let dag = parse("test.yaml", yaml).unwrap_or_else(|error| panic!("{error}"));
        self.attempts += 1;
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let start = Start {
            attempt: Attempt(self.attempts),
            run: RunRow {
                key: RunKey(1),
                dag_id: dag.dag_id.clone(),
                run_id: "r".into(),
                version: VersionKey(1),
                kind: RunType::Manual,
                state: RunState::Running,
                epoch: Epoch(1),
                logical_date: Some(now),
                interval: None,
                run_after: now,
                queued_at: now,
                started_at: Some(now),
                ended_at: None,
                conf: Arc::new(conf.as_object().unwrap().clone()),
                note: None,
                triggered_by: "rest_api".into(),
                clear_number: 0,
                reason: None,
            },
            dag: Arc::new(dag),
            index: 0,
            try_number: u32::try_from(self.attempts).unwrap(),
            max_tries: 3,
        };
        self.executor.start(start);
        Attempt(self.attempts)
    }

    pub(super) async fn outcome(&mut self) -> Outcome {
        loop {
            if let Report::Finished { outcome, .. } = self.reports.recv().await.unwrap() {
                return outcome;
            }
        }
    }

    pub(super) async fn run(&mut self, yaml: &str) -> Outcome {
        self.begin(yaml, json!({}));
        self.outcome().await
    }

    pub(super) fn stop(&self, attempt: Attempt, reason: StopReason) {
        self.executor.stop(attempt, reason);
    }

    fn key(&self) -> LogKey {
        LogKey {
            dag_id: "d".into(),
            run_id: "r".into(),
            task_id: "t".into(),
            try_number: u32::try_from(self.attempts).unwrap(),
        }
    }

    /// Waits for a line of the log that has something in it.
    pub(super) async fn line<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        let mut follow = self.logs.follow(self.key(), 0);
        loop {
            let lines = follow.next().await.unwrap().expect("the log goes on");
            let mut events = lines.iter().map(|line| line["event"].as_str().unwrap());
            if let Some(found) = events.find_map(&find) {
                return found;
            }
        }
    }

    pub(super) fn log(&self) -> Vec<String> {
        let lines = self.logs.read(&self.key(), 0).unwrap().unwrap().lines;
        lines.iter().map(|line| line["event"].as_str().unwrap().to_owned()).collect()
    }
}

pub(super) fn failure(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed { reason, .. } => reason,
        other => panic!("it did not fail: {other:?}"),
    }
}
