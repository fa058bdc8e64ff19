//! The whole box over its REST API, with a broker and an API that the test plays.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tidemill_runtime::{System as _, Tasks, World};

use crate::executor::{OutRecord, RecordSink, ReqwestClient, SinkError};
use crate::{Config, Scheduler, SchedulerPaths};

mod changes;
mod life;
mod python;
mod reading;
mod settings;
mod several;

/// Nothing takes this long; a test that waits longer has failed.
const DEADLINE: Duration = Duration::from_secs(60);

/// A broker that acknowledges everything.
#[derive(Default)]
struct Broker(Mutex<Vec<Value>>);

#[async_trait]
impl RecordSink for Broker {
    async fn ensure_topic(&self, _topic: &str) -> Result<(), SinkError> {
        Ok(())
    }

    async fn send(&self, _topic: &str, records: &[OutRecord]) -> Vec<Result<(), SinkError>> {
        let values = records.iter().map(|record| serde_json::from_slice(&record.value).unwrap());
        self.0.lock().extend(values);
        records.iter().map(|_| Ok(())).collect()
    }

    async fn records_so_far(&self, _topic: &str) -> Result<u64, SinkError> {
        Ok(self.0.lock().len() as u64)
    }
}

/// A project in a folder of its own, and a scheduler on it.
struct Project {
    dir: Arc<tempfile::TempDir>,
    scheduler: Scheduler,
    broker: Arc<Broker>,
    http: reqwest::Client,
}

const CHAIN: &str = "
dag_id: chain
description: Two commands
schedule: \"@daily\"
start_date: 2026-01-01
is_paused_upon_creation: true
tags: [demo]
default_args: {owner: ada, retries: 0}
tasks:
  - {task_id: a, bash: \"echo from a\"}
  - {task_id: b, bash: \"echo {{ xcom.a }}; test '{{ params.fail }}' = 'False'\", upstream: [a]}
params: {fail: false}
";

impl Project {
    async fn new(files: &[(&str, &str)]) -> Project {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        std::fs::create_dir(dir.path().join("dags")).unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join("dags").join(name), text).unwrap();
        }
        Project::on(dir).await
    }

    async fn on(dir: Arc<tempfile::TempDir>) -> Project {
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            kill_grace: tidemill_runtime::Span::ms(300),
            ..Config::default()
        };
        let paths =
            SchedulerPaths { project: dir.path().to_owned(), data: dir.path().join("data") };
        let broker = Arc::new(Broker::default());
        let http = Arc::new(ReqwestClient::new().unwrap());
        let start = Scheduler::start_with(config, paths, broker.clone(), http, World::real()).await;
        Project { dir, scheduler: start.unwrap(), broker, http: reqwest::Client::new() }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.scheduler.address())
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.http.request(method, self.url(&format!("/api/v2{path}")));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn trigger(&self, dag_id: &str, conf: Value) -> String {
        let body = json!({"logical_date": null, "conf": conf});
        let path = format!("/dags/{dag_id}/dagRuns");
        let (status, run) = self.ask(Method::POST, &path, Some(body)).await;
        assert_eq!(status, StatusCode::OK, "{run}");
        run["dag_run_id"].as_str().unwrap().to_owned()
    }

    async fn unpause(&self, dag_id: &str) {
        let path = format!("/dags/{dag_id}");
        let (status, _) = self.ask(Method::PATCH, &path, Some(json!({"is_paused": false}))).await;
        assert_eq!(status, StatusCode::OK);
    }

    /// Asks until the run has ended.
    async fn ended(&self, dag_id: &str, run_id: &str) -> Value {
        let wait = async {
            loop {
                let run = self.get(&format!("/dags/{dag_id}/dagRuns/{}", path(run_id))).await;
                if matches!(run["state"].as_str(), Some("success" | "failed")) {
                    return run;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, wait).await.expect("the run ends")
    }

    async fn states(&self, dag_id: &str, run_id: &str) -> BTreeMap<String, String> {
        let path = format!("/dags/{dag_id}/dagRuns/{}/taskInstances", path(run_id));
        let text = |value: &Value| value.as_str().unwrap_or("null").to_owned();
        let tasks = self.get(&path).await["task_instances"].take();
        let tasks = tasks.as_array().unwrap().iter();
        tasks.map(|task| (text(&task["task_id"]), text(&task["state"]))).collect()
    }
}

/// A run's name in a path.
fn path(run_id: &str) -> String {
    run_id.replace('+', "%2B").replace(':', "%3A")
}

/// An API of users that answers with the status it is told.
async fn users_api(status: StatusCode) -> (String, Tasks) {
    use axum::routing::get;
    let user = json!({"results": [{"name": {"first": "Ada", "last": "L"}, "gender": "f",
        "location": {"street": {"number": 5, "name": "High St"}, "city": "C", "state": "S",
        "country": "UK", "postcode": 1234}, "email": "e", "login": {"username": "u"},
        "dob": {"date": "d"}, "registered": {"date": "r"}, "phone": "p",
        "picture": {"medium": "m"}}]});
    let answer = move || async move { (status, axum::Json(user)) };
    let app = axum::Router::new().route("/", get(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let tasks = Tasks::new();
    tasks.spawn("users api", async move { axum::serve(listener, app).await.unwrap() });
    (url, tasks)
}
