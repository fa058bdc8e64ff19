//! The API against small upstream servers of its own: what is passed on, what is refused, what a
//! page sees of a part that is down.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{any, get};
use serde_json::{Value, json};
use tidemill_access::{CassandraAccess, RegistryAccess};
use tidemill_runtime::{Span, System as _, Tasks, World, listen};

use crate::{Config, Console, Endpoints};

/// An address where nothing listens: it was free a moment ago and loopback keeps it so.
const NOBODY: &str = "127.0.0.1:1";

async fn upstream(tasks: &Tasks, router: Router) -> String {
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)), "test").unwrap();
    let address = listener.local_addr().unwrap();
    let stop = tasks.shutdown();
    tasks.spawn("upstream", async move {
        let served = axum::serve(listener, router);
        let _ = served.with_graceful_shutdown(async move { stop.requested().await }).await;
    });
    format!("http://{address}")
}

struct Running {
    console: Console,
    tasks: Tasks,
    client: reqwest::Client,
}

impl Running {
    async fn with(endpoints: Endpoints, tasks: Tasks) -> Running {
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            sample_every: Span::ms(20),
            sample_idle_every: Span::ms(20),
            ..Config::default()
        };
        let console = Console::start(config, endpoints, World::real()).await.unwrap();
        Running { console, tasks, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    async fn alone() -> Running {
        Running::with(Endpoints::default(), Tasks::new()).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.console.address())
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response = self.client.get(self.url(path)).send().await.unwrap();
        (response.status(), response.json().await.unwrap_or_default())
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let response = self.client.post(self.url(path)).json(&body).send().await.unwrap();
        (response.status(), response.json().await.unwrap_or_default())
    }

    /// The first snapshot of the stream that is as wanted.
    async fn snapshot(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut response = self.client.get(self.url("/api/v1/events")).send().await.unwrap();
        let mut text = String::new();
        let found = async {
            loop {
                let chunk = response.chunk().await.unwrap().expect("the stream goes on");
                text.push_str(std::str::from_utf8(&chunk).unwrap());
                while let Some((event, rest)) =
                    text.split_once("\n\n").map(|(e, r)| (e.to_owned(), r.to_owned()))
                {
                    text = rest;
                    let Some(data) = event.strip_prefix("event: snapshot\ndata: ") else {
                        continue;
                    };
                    let snapshot: Value = serde_json::from_str(data).unwrap();
                    if wanted(&snapshot) {
                        return snapshot;
                    }
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), found).await.expect("such a snapshot comes")
    }

    async fn stop(self) {
        self.console.drain(Duration::from_secs(5)).await;
        self.tasks.stop(Duration::from_secs(5)).await;
    }
}

#[tokio::test]
async fn a_foreign_name_is_refused_and_a_page_of_this_console_is_not() {
    let running = Running::alone().await;
    let ask = |host: &'static str| {
        let request = running.client.get(running.url("/health")).header("Host", host);
        async move { request.send().await.unwrap() }
    };
    assert_eq!(ask("evil.example:9021").await.status(), StatusCode::MISDIRECTED_REQUEST);
    let own = ask("localhost:9021").await;
    assert_eq!(own.status(), StatusCode::OK);
    let policy = own.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'self'"), "{policy}");
    running.stop().await;
}

#[tokio::test]
async fn any_path_is_the_page_except_the_api_and_missing_files() {
    let running = Running::alone().await;
    for (path, status, kind) in [
        ("/", 200, "text/html"),
        ("/topics/users_created.js?tab=config", 200, "text/html"),
        ("/dags/x/runs/manual__2026-11-22T14:00:00+00:00", 200, "text/html"),
        ("/theme.js", 200, "text/javascript"),
        ("/favicon.svg", 200, "image/svg+xml"),
        ("/assets/gone-12345678.js", 404, "text/plain"),
        ("/gone.js", 404, "text/plain"),
        ("/api/v1/nothing", 404, "application/json"),
        ("/api/v2/dags", 404, "application/json"),
    ] {
        let response = running.client.get(running.url(path)).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
        let content = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(content.starts_with(kind), "{path}: {content}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_file_is_sent_once_and_then_found_unchanged() {
    let running = Running::alone().await;
    let page = running.client.get(running.url("/")).send().await.unwrap();
    assert_eq!(page.headers()["cache-control"], "no-cache");
    let tag = page.headers()["etag"].clone();
    let text = page.text().await.unwrap();
    let script = text.split("src=\"").find_map(|part| part.strip_prefix("/assets/")).unwrap();
    let script = format!("/assets/{}", script.split('"').next().unwrap());
    let script = running.client.get(running.url(&script)).send().await.unwrap();
    assert_eq!(script.headers()["cache-control"], "public, max-age=31536000, immutable");
    let again = running.client.get(running.url("/")).header("If-None-Match", tag);
    assert_eq!(again.send().await.unwrap().status(), StatusCode::NOT_MODIFIED);
    assert!(!text.contains("http://") && !text.contains("https://"), "nothing from elsewhere");
    running.stop().await;
}

#[tokio::test]
async fn a_part_that_is_down_says_so_and_the_rest_answers() {
    let url = format!("http://{NOBODY}");
    let endpoints = Endpoints {
        kafka: NOBODY.into(),
        registry: RegistryAccess::open(url.clone()),
        scheduler: url.clone(),
        cql: CassandraAccess::open([NOBODY]),
        engine: url,
        ..Endpoints::default()
    };
    let running = Running::with(endpoints, Tasks::new()).await;
    for (path, part) in [
        ("/api/v1/schemas", "registry"),
        ("/api/v1/dags", "scheduler"),
        ("/api/v1/keyspaces", "store"),
    ] {
        let (status, body) = running.get(path).await;
        assert_eq!(status, StatusCode::BAD_GATEWAY, "{path}: {body}");
        assert_eq!(body["error"]["part"], part, "{path}");
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains("connection refused"), "{path}: {message}");
    }
    let seen = running
        .snapshot(|snapshot| {
            let boxes = snapshot["boxes"].as_array().unwrap();
            boxes.iter().filter(|one| one["status"] == "down").count() == 5
        })
        .await;
    assert_eq!(seen["problems"].as_array().unwrap().len(), 5);
    assert_eq!(running.get("/api/v1/info").await.0, StatusCode::OK);
    running.stop().await;
}

#[tokio::test]
async fn subjects_are_listed_with_their_versions_and_levels() {
    let registry = Router::new()
        .route("/subjects", get(|| async { axum::Json(json!(["a/b", "gone"])) }))
        .route(
            "/subjects/{s}/versions",
            get(|axum::extract::Path(s): axum::extract::Path<String>| async move {
                match s.as_str() {
                    "a/b" => Ok(axum::Json(json!([1, 3]))),
                    _ => Err((
                        StatusCode::NOT_FOUND,
                        axum::Json(json!({"error_code": 40401, "message": "gone"})),
                    )),
                }
            }),
        )
        .route(
            "/subjects/{s}/versions/{v}",
            get(|| async {
                axum::Json(json!({"subject": "a/b", "version": 3, "id": 7, "schema": "\"string\""}))
            }),
        )
        .route("/config", get(|| async { axum::Json(json!({"compatibilityLevel": "BACKWARD"})) }))
        .route(
            "/config/{s}",
            get(|| async {
                (StatusCode::NOT_FOUND, axum::Json(json!({"error_code": 40408, "message": "none"})))
            }),
        );
    let tasks = Tasks::new();
    let registry = RegistryAccess::open(upstream(&tasks, registry).await);
    let running = Running::with(Endpoints { registry, ..Endpoints::default() }, tasks).await;
    let (status, body) = running.get("/api/v1/schemas").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(
        body["subjects"],
        json!([{"subject": "a/b", "versions": 2, "latest": 3, "id": 7, "type": "AVRO", "compatibility": "BACKWARD"}])
    );
    let (_, body) = running.get("/api/v1/schemas/a%2Fb").await;
    assert_eq!(body["compatibility_inherited"], true);
    let (status, body) = running.get("/api/v1/schemas/gone").await;
    assert_eq!((status, &body["error"]["message"]), (StatusCode::NOT_FOUND, &json!("gone")));
    running.stop().await;
}

/// A scheduler that tells what it was asked.
fn echo() -> Router {
    Router::new().fallback(any(|request: axum::extract::Request| async move {
        let asked = format!("{} {}", request.method(), request.uri());
        let body = axum::body::to_bytes(request.into_body(), 1 << 16).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        axum::Json(json!({"asked": asked, "body": body}))
    }))
}

#[tokio::test]
async fn only_known_questions_are_passed_on_and_names_stay_names() {
    let tasks = Tasks::new();
    let scheduler = upstream(&tasks, echo()).await;
    let running = Running::with(Endpoints { scheduler, ..Endpoints::default() }, tasks).await;
    let (status, body) =
        running.post("/api/v1/scheduler/dags/a%20b/dagRuns", json!({"conf": {"n": 1}})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["asked"], "POST /api/v2/dags/a%20b/dagRuns");
    assert_eq!(body["body"], json!({"conf": {"n": 1}}));
    let (_, body) =
        running.get("/api/v1/scheduler/dags/x/dagRuns?limit=5&order_by=-run_after").await;
    assert_eq!(body["asked"], "GET /api/v2/dags/x/dagRuns?limit=5&order_by=-run_after");
    for path in ["connections", "variables", "dags/..%2F..%2Fvariables%2Fx/dagRuns", "dags"] {
        let (status, body) = running.post(&format!("/api/v1/scheduler/{path}"), json!({})).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {body}");
    }
    let deleted = running
        .client
        .delete(running.url("/api/v1/scheduler/dags/x"))
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.status(), StatusCode::NOT_FOUND);
    running.stop().await;
}

#[tokio::test]
async fn what_writes_must_be_json_from_this_origin() {
    let tasks = Tasks::new();
    let scheduler = upstream(&tasks, echo()).await;
    let running = Running::with(Endpoints { scheduler, ..Endpoints::default() }, tasks).await;
    let post = || running.client.post(running.url("/api/v1/scheduler/dags/x/dagRuns"));
    let foreign =
        post().header("Origin", "https://evil.example").json(&json!({})).send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    let form = post().header("Content-Type", "text/plain").body("{}").send().await.unwrap();
    assert_eq!(form.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let huge = post().json(&json!({"conf": "x".repeat(2 << 20)})).send().await.unwrap();
    assert_eq!(huge.status(), StatusCode::PAYLOAD_TOO_LARGE);
    running.stop().await;
}

#[tokio::test]
async fn an_airflow_that_wants_a_token_is_asked_for_one() {
    let guarded = Router::new()
        .route("/auth/token", get(|| async { axum::Json(json!({"access_token": "t"})) }))
        .route(
            "/api/v2/dags/{dag}",
            get(|headers: axum::http::HeaderMap| async move {
                match headers.get("authorization").map(|value| value.as_bytes()) {
                    Some(b"Bearer t") => Ok(axum::Json(json!({"dag_id": "x"}))),
                    _ => Err((
                        StatusCode::UNAUTHORIZED,
                        axum::Json(json!({"detail": "Not authenticated"})),
                    )),
                }
            }),
        );
    let tasks = Tasks::new();
    let scheduler = upstream(&tasks, guarded).await;
    let running = Running::with(Endpoints { scheduler, ..Endpoints::default() }, tasks).await;
    let (status, body) = running.get("/api/v1/scheduler/dags/x").await;
    assert_eq!((status, &body["dag_id"]), (StatusCode::OK, &json!("x")), "{body}");
    running.stop().await;
}

#[tokio::test]
async fn the_engines_pipelines_are_on_the_map_and_in_the_list() {
    let engine = Router::new().route(
        "/v1/pipelines",
        get(|| async {
            axum::Json(json!({"pipelines": [{
                "id": "users", "name": "users", "state": "FAILED", "file": "pipelines/users.sql",
                "statement": "INSERT INTO t SELECT * FROM s",
                "source": {"connector": "kafka", "topic": "s"},
                "sink": {"connector": "cassandra", "keyspace": "k", "table": "t"},
                "records_in": 10, "records_out": 9, "dead_letters": 1, "lag": 5,
                "failure": "the table is gone", "checkpoint": {"epoch": 3},
            }]}))
        }),
    );
    let tasks = Tasks::new();
    let engine = upstream(&tasks, engine).await;
    let running = Running::with(Endpoints { engine, ..Endpoints::default() }, tasks).await;
    let seen =
        running.snapshot(|snapshot| !snapshot["problems"].as_array().unwrap().is_empty()).await;
    assert_eq!(seen["problems"][0]["reason"], "the table is gone");
    assert_eq!(seen["totals"]["rows_out"], 9);
    let (_, body) = running.get("/api/v1/pipelines").await;
    assert_eq!(
        body["pipelines"][0]["checkpoint"]["epoch"], 3,
        "what the map does not need is kept"
    );
    assert_eq!(body["pipelines"][0]["statement"], "INSERT INTO t SELECT * FROM s");
    running.stop().await;
}

#[tokio::test]
async fn a_statement_goes_through_the_gateway_in_one_session() {
    let engine = Router::new()
        .route("/v1/sessions", axum::routing::post(|| async { axum::Json(json!({"sessionHandle": "s1"})) }))
        .route("/v1/sessions/s1/statements", axum::routing::post(|| async { axum::Json(json!({"operationHandle": "o1"})) }))
        .route("/v1/sessions/s1/operations/o1/result/0", get(|| async {
            axum::Json(json!({
                "resultType": "PAYLOAD", "isQueryResult": true, "resultKind": "SUCCESS_WITH_CONTENT",
                "results": {"columns": [{"name": "n"}], "data": [{"kind": "INSERT", "fields": [1]}]},
                "nextResultUri": "/v1/sessions/s1/operations/o1/result/1?rowFormat=JSON",
            }))
        }))
        .route("/v1/sessions/s1/operations/o1/result/1", get(|| async {
            axum::Json(json!({
                "resultType": "EOS", "results": {"columns": [{"name": "n"}], "data": [{"fields": [2]}]},
            }))
        }))
        .route("/v1/sessions/s1/operations/o1/close", axum::routing::delete(|| async { "{}" }));
    let tasks = Tasks::new();
    let engine = upstream(&tasks, engine).await;
    let running = Running::with(Endpoints { engine, ..Endpoints::default() }, tasks).await;
    let (status, body) = running.post("/api/v1/sql", json!({"statement": "SELECT n FROM t"})).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!((&body["columns"], &body["rows"]), (&json!(["n"]), &json!([[1], [2]])));
    assert_eq!(
        running.post("/api/v1/sql", json!({"statement": " "})).await.0,
        StatusCode::BAD_REQUEST
    );
    running.stop().await;
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused_and_all_end_with_the_console() {
    let config = Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        streams_max: 1,
        ..Config::default()
    };
    let console = Console::start(config, Endpoints::default(), World::real()).await.unwrap();
    let running = Running { console, tasks: Tasks::new(), client: reqwest::Client::new() };
    let mut first = running.client.get(running.url("/api/v1/events")).send().await.unwrap();
    assert!(first.chunk().await.unwrap().is_some());
    let (status, body) = running.get("/api/v1/events").await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{body}");
    running.console.drain(Duration::from_secs(5)).await;
    while first.chunk().await.unwrap().is_some() {}
}
