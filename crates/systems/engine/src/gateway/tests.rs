//! The whole engine over topics and tables in memory, asked over its own HTTP.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tidemill_connectors::memory::{Fuse, MemoryDeadLetters, MemoryTable, MemoryTopic};
use tidemill_connectors::{DeadLetters, Sink, Source};
use tidemill_runtime::{System, World};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::catalog::Table;
use crate::config::Config;
use crate::ends::{Ends, NoSchemas, Reading};
use crate::runtime::job::Schemas;
use crate::server::{Engine, EnginePaths};

/// One topic, one table, whatever their names.
struct MemoryEnds {
    topic: MemoryTopic,
    table: MemoryTable,
    letters: MemoryDeadLetters,
}

impl Ends for MemoryEnds {
    fn source(&self, _: &Table, reading: Reading<'_>) -> Result<Box<dyn Source>, String> {
        if reading == Reading::Query {
            self.topic.close();
        }
        Ok(Box::new(self.topic.source(100, Fuse::never())))
    }

    fn dead_letters(&self, _: &Table) -> Option<Box<dyn DeadLetters>> {
        Some(Box::new(self.letters.clone()))
    }

    fn schemas(&self, _: &Table) -> Result<Arc<dyn Schemas>, String> {
        Ok(Arc::new(NoSchemas))
    }

    fn sink(&self, _: &Table) -> Result<Box<dyn Sink>, String> {
        Ok(Box::new(self.table.sink(Fuse::never())))
    }
}

const USERS: &str = include_str!("../../../../../examples/users/pipelines/users.sql");

struct Running {
    engine: Engine,
    ends: Arc<MemoryEnds>,
    dir: tempfile::TempDir,
}

impl Running {
    async fn start(files: &[(&str, &str)]) -> Running {
        let dir = tempfile::tempdir().unwrap();
        let ends = Arc::new(MemoryEnds {
            topic: MemoryTopic::new(1),
            table: MemoryTable::new(vec![0]),
            letters: MemoryDeadLetters::new(Fuse::never()),
        });
        std::fs::create_dir_all(dir.path().join("pipelines")).unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join("pipelines").join(name), text).unwrap();
        }
        let engine = start(dir.path(), &ends).await;
        Running { engine, ends, dir }
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        ask(&self.engine, "localhost", method, path, body).await
    }

    async fn get(&self, path: &str) -> Value {
        self.ask("GET", path, &Value::Null).await.1
    }

    /// Executes a statement in a session of its own, and gives its rows or its error.
    async fn sql(&self, session: &str, statement: &str) -> Result<Value, String> {
        let path = format!("/v1/sessions/{session}/statements");
        let (_, answer) = self.ask("POST", &path, &json!({ "statement": statement })).await;
        let operation = answer["operationHandle"].as_str().expect("a handle").to_owned();
        let path = format!("/v1/sessions/{session}/operations/{operation}");
        loop {
            let (status, answer) = self.ask("GET", &format!("{path}/result/0"), &Value::Null).await;
            if status != 200 {
                return Err(answer["errors"][0].as_str().unwrap().to_owned());
            }
            if answer["resultType"] != "NOT_READY" {
                let end = self.get(&format!("{path}/result/1")).await;
                assert_eq!(end["resultType"], "EOS", "{end}");
                assert_eq!(self.get(&format!("{path}/status")).await["status"], "FINISHED");
                return Ok(answer["results"].clone());
            }
        }
    }

    async fn session(&self) -> String {
        let (_, answer) = self.ask("POST", "/v1/sessions", &json!({})).await;
        answer["sessionHandle"].as_str().expect("a handle").to_owned()
    }

    /// Waits until the first pipeline says so.
    async fn until(&self, done: impl Fn(&Value) -> bool) -> Value {
        loop {
            let pipelines = self.get("/v1/pipelines").await;
            let first = pipelines["pipelines"][0].clone();
            if done(&first) {
                return first;
            }
            tokio::task::yield_now().await;
        }
    }
}

async fn start(dir: &Path, ends: &Arc<MemoryEnds>) -> Engine {
    let any = "127.0.0.1:0".parse().unwrap();
    let config = Config { listen: any, spark_listen: any, ..Config::default() };
    let paths = EnginePaths { project: dir.to_owned(), data: dir.join("data") };
    Engine::start_with(config, ends.clone(), paths, World::real()).await.unwrap()
}

async fn ask(engine: &Engine, host: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let mut stream = TcpStream::connect(engine.address()).await.unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: \
         application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

fn user(n: u32) -> String {
    format!(
        r#"{{"id": "9b0f6c26-4a9d-4c3e-8a57-{n:012}", "first_name": "Ann", "last_name": "Li",
            "gender": "female", "address": "1 Main St", "post_code": {n}, "email": "a@b.c",
            "username": "ann", "dob": "1990-01-01T00:00:00.000Z", "registered_date": "x",
            "phone": "1", "picture": "p"}}"#
    )
}

#[tokio::test]
async fn the_users_pipeline_runs_from_its_file_and_shows_how_it_is_doing() {
    let running = Running::start(&[("users.sql", USERS), ("broken.sql", "SELEC 1")]).await;
    let topic = &running.ends.topic;
    topic.append(0, 1000, user(7));
    topic.append(0, 1000, "{\"id\": \"x\"");
    let pipelines = running.get("/v1/pipelines").await;
    let broken = &pipelines["pipelines"][0];
    assert_eq!(
        (&broken["state"], &broken["file"]),
        (&json!("FAILED"), &json!("pipelines/broken.sql"))
    );
    let failure = broken["failure"].as_str().unwrap();
    assert!(
        failure.starts_with("pipelines/broken.sql:1:1: SQL parse failed. Encountered \"SELEC\"")
    );
    let id = pipelines["pipelines"][1]["id"].as_str().unwrap().to_owned();
    let users = loop {
        let users = running.get(&format!("/v1/pipelines/{id}")).await;
        if users["records_in"] == 2 && users["dead_letters"] == 1 && !users["checkpoint"].is_null()
        {
            break users;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(
        users["source"],
        json!({"connector": "kafka", "topic": "users_created", "format": "json"})
    );
    let sink =
        json!({"connector": "cassandra", "keyspace": "spark_streams", "table": "created_users"});
    assert_eq!(users["sink"], sink);
    assert_eq!(users["dead_letter_topic"], "users_created.dlq");
    assert!(users["first_error"].as_str().unwrap().starts_with("users_created-0@1: "), "{users}");
    assert!(users["latency_ms"]["p99"].as_f64().unwrap() > 0.0);
    let row = &running.ends.table.rows()[0];
    assert_eq!(row.len(), 12);
    assert_eq!((row[0].as_str(), row[5].as_str()), ("9b0f6c26-4a9d-4c3e-8a57-000000000007", "7"));

    // A restart goes on behind the last checkpoint.
    running.engine.drain(Duration::from_secs(5)).await;
    let Running { engine, ends, dir } = running;
    drop(engine);
    ends.topic.append(0, 1000, user(8));
    let engine = start(dir.path(), &ends).await;
    let running = Running { engine, ends, dir };
    while running.ends.table.rows().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(running.ends.table.writes(), 2, "nothing was written twice");
    let (status, answer) =
        running.ask("POST", &format!("/v1/pipelines/{id}/cancel"), &Value::Null).await;
    assert_eq!((status, &answer["state"]), (202, &json!("CANCELED")), "the id outlives a restart");
    running.engine.drain(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_session_queries_a_topic_to_its_end() {
    let running = Running::start(&[(
        "users.sql",
        "CREATE TABLE users (id STRING, n INT,
        ts TIMESTAMP(3) METADATA FROM 'timestamp' VIRTUAL, WATERMARK FOR ts AS ts) WITH
        ('connector'='kafka', 'topic'='users', 'format'='json')",
    )])
    .await;
    for n in 0..5 {
        running.ends.topic.append(0, 50_000 * n, format!(r#"{{"id": "u{n}", "n": {n}}}"#));
    }
    running.ends.topic.append(0, 0, "no json");
    let session = running.session().await;
    let rows =
        running.sql(&session, "SELECT id, n * 2 FROM users WHERE n > 1 LIMIT 2").await.unwrap();
    assert_eq!(rows["columns"][0]["name"], "id");
    assert_eq!(rows["columns"][1]["name"], "EXPR$1");
    assert_eq!(rows["columns"][0]["logicalType"]["type"], "VARCHAR");
    assert_eq!(
        rows["data"],
        json!([{"kind": "INSERT", "fields": ["u2", 4]},
                                    {"kind": "INSERT", "fields": ["u3", 6]}])
    );
    let counts = running
        .sql(
            &session,
            "SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE users, DESCRIPTOR(ts),
             INTERVAL '1' MINUTE)) GROUP BY window_start, window_end ORDER BY window_start",
        )
        .await
        .unwrap();
    assert_eq!(counts["data"][0]["fields"], json!(["1970-01-01T00:00:00", 2]));
    assert_eq!(counts["data"].as_array().unwrap().len(), 4);
    running.sql(&session, "CREATE VIEW v (a) AS SELECT id FROM users").await.unwrap();
    let described = running.sql(&session, "DESCRIBE v").await.unwrap();
    assert_eq!(described["data"][0]["fields"][1], "STRING");
    let tables = running.sql(&session, "SHOW TABLES").await.unwrap();
    assert_eq!(tables["data"].as_array().unwrap().len(), 2);
    let other = running.session().await;
    let tables = running.sql(&other, "SHOW TABLES").await.unwrap();
    assert_eq!(
        tables["data"].as_array().unwrap().len(),
        1,
        "a view of another session is not seen"
    );
    for (statement, words) in [
        ("SELECT nme FROM users", "At line 1, column 8: Column 'nme' not found"),
        ("SELECT 1; SELECT 2", "Only single statement supported"),
        ("SET 'parallelism.defalt' = '2'", "execution.checkpointing.interval"),
        ("SELEC", "Encountered \"SELEC\""),
    ] {
        let error = running.sql(&session, statement).await.unwrap_err();
        assert!(error.contains(words), "{statement}: {error}");
    }
    running.engine.drain(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_session_starts_and_stops_a_job() {
    let running = Running::start(&[("tables.sql", &USERS[..USERS.find("INSERT").unwrap()])]).await;
    let session = running.session().await;
    running.sql(&session, "SET 'pipeline.name' = 'by hand'").await.unwrap();
    let insert = &USERS[USERS.find("INSERT").unwrap()..];
    let plan = running.sql(&session, &format!("EXPLAIN {insert}")).await.unwrap();
    let text = plan["data"][0]["fields"][0].as_str().unwrap();
    assert!(text.contains("Sink(cassandra:spark_streams.created_users"), "{text}");
    let started = running.sql(&session, insert).await.unwrap();
    let id = started["data"][0]["fields"][0].as_str().unwrap().to_owned();
    assert!(id.starts_with("by-hand-"), "{id}");
    running.until(|job| job["state"] == "RUNNING").await;
    running.sql(&session, &format!("STOP JOB '{id}'")).await.unwrap();
    assert_eq!(running.get(&format!("/v1/pipelines/{id}")).await["state"], "CANCELED");
    let jobs = running.sql(&session, "SHOW JOBS").await.unwrap();
    assert_eq!(jobs["data"][0]["fields"][2], "CANCELED");
    running.engine.drain(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn requests_are_judged_before_they_are_heard() {
    let running = Running::start(&[]).await;
    let engine = &running.engine;
    assert_eq!(ask(engine, "evil.example", "GET", "/health", &Value::Null).await.0, 400);
    assert_eq!(ask(engine, "127.0.0.1", "GET", "/health", &Value::Null).await.0, 200);
    assert_eq!(running.ask("GET", "/v2/info", &Value::Null).await.1["productName"], "Tidemill");
    assert_eq!(running.ask("GET", "/v1/sessions/none", &Value::Null).await.0, 404);
    assert_eq!(running.ask("POST", "/v1/pipelines/none/cancel", &Value::Null).await.0, 404);
    let session = running.session().await;
    let path = format!("/v1/sessions/{session}/statements");
    assert_eq!(running.ask("POST", &path, &json!({ "statemnt": "SELECT 1" })).await.0, 400);
    assert_eq!(
        running.ask("DELETE", &format!("/v1/sessions/{session}"), &Value::Null).await.0,
        200
    );
    assert_eq!(running.ask("POST", &path, &json!({ "statement": "SELECT 1" })).await.0, 404);
    engine.drain(Duration::from_secs(5)).await;
}
