use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};

use super::bench::*;
use crate::core::{Outcome, StopReason};
use crate::executor::*;

fn users(n: u64) -> Value {
    json!({"results": [{"name": {"first": "Ada"}, "location": {"postcode": n}}]})
}

const POLL: &str = r#"
dag_id: d
params: {for: 10s, rate: 20/s}
tasks:
  - task_id: t
    http: {url: "http://api/", records: "results[*]", for: "{{ params.for }}", rate: "{{ params.rate }}"}
    topic: users
    key: "{{ record.name.first }}"
    value: {id: "{{ uuid4() }}", post_code: "{{ record.location.postcode }}", day: "{{ ds }}"}
"#;

#[tokio::test(start_paused = true)]
async fn an_api_is_polled_at_its_rate_and_every_record_is_acknowledged() {
    let mut bench = Bench::new([Does::Answer(200, users(7))]);
    let outcome = bench.run(POLL).await;
    let value = json!({"fetched": 200, "produced": 200, "rejected": 0});
    assert_eq!(outcome, Outcome::Success { value: Some(value) });
    let asked = bench.api.asked.lock();
    let length = asked.last().unwrap().0 - asked[0].0;
    assert_eq!((asked.len(), length), (200, Duration::from_millis(9950)));
    let (topic, record) = bench.broker.records.lock()[0].clone();
    assert_eq!((topic.as_str(), &record.key.unwrap()[..]), ("users", &b"Ada"[..]));
    let first = &bench.broker.values()[0];
    assert_eq!((&first["post_code"], &first["day"]), (&json!(7), &json!("2026-01-02")));
    let ids: std::collections::HashSet<String> =
        bench.broker.values().iter().map(|value| value["id"].to_string()).collect();
    assert_eq!(ids.len(), 200, "every record has an id of its own");
}

#[tokio::test(start_paused = true)]
async fn conf_changes_how_long_and_how_often() {
    let mut bench = Bench::new([Does::Answer(200, users(1))]);
    bench.begin(POLL, json!({"for": "2s", "rate": 5}));
    assert!(matches!(bench.outcome().await, Outcome::Success { .. }));
    assert_eq!(bench.api.asked.lock().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_moved_nothing_has_failed_and_says_why() {
    for (does, part) in [
        (Does::Answer(500, json!({})), "× HTTP 500 Internal Server Error"),
        (Does::Answer(404, json!({})), "× HTTP 404 Not Found"),
        (Does::Text("<html>maintenance"), "× the answer is not JSON"),
        (
            Does::Answer(200, json!({"data": []})),
            "× path results[*] leads nowhere: no field results in an object with data",
        ),
        (Does::Answer(200, json!({"results": {}})), "[*] needs an array, found an object"),
        (Does::Fail("cannot connect: refused"), "× cannot connect: refused"),
        (
            Does::Answer(200, json!({"results": []})),
            "the API answered, with no records at results[*]",
        ),
    ] {
        let mut bench = Bench::new([does.clone()]);
        let outcome = bench.run(POLL).await;
        let Outcome::Failed { reason, retry, value } = outcome else { panic!("{does:?}") };
        assert!(reason.starts_with("fetched 0 records in ") && reason.contains(part), "{reason}");
        assert!(retry);
        assert_eq!(value, Some(json!({"fetched": 0, "produced": 0, "rejected": 0})));
        assert!(bench.log().len() < 40, "the log stays short: {:?}", bench.log());
    }
}

#[tokio::test(start_paused = true)]
async fn records_of_the_wrong_shape_are_rejected_and_the_others_go_on() {
    let mixed = json!({"results": [{"name": {"first": "Ada"}}, users(3)["results"][0]]});
    let mut bench = Bench::new([Does::Answer(200, mixed)]);
    bench.begin(POLL, json!({"for": "1s", "rate": "2/s"}));
    let value = json!({"fetched": 4, "produced": 2, "rejected": 2});
    assert_eq!(bench.outcome().await, Outcome::Success { value: Some(value) });
    let mut bench = Bench::new([Does::Answer(200, json!({"results": [{}]}))]);
    let reason = failure(bench.run(POLL).await);
    assert!(
        reason.contains("fetched 200 records, produced 0") && reason.contains("record.name.first"),
        "{reason}"
    );
}

#[tokio::test(start_paused = true)]
async fn failed_requests_slow_the_poll_down_and_a_good_one_speeds_it_up() {
    let failing = std::iter::repeat_n(Does::Answer(503, json!({})), 8);
    let script = failing.chain([Does::RetryAfter(1), Does::Answer(200, users(1))]);
    let mut bench = Bench::new(script);
    bench.begin(POLL, json!({"for": "60s"}));
    let Outcome::Success { value: Some(value) } = bench.outcome().await else { panic!() };
    let asked = bench.api.asked.lock();
    assert!(asked.len() < 1200 && asked.len() > 700, "{}", asked.len());
    assert!(asked[8].0 - asked[0].0 > Duration::from_secs(5), "{:?}", asked[8].0 - asked[0].0);
    assert_eq!(value["produced"].as_u64().unwrap() as usize, asked.len() - 9);
}

#[tokio::test(start_paused = true)]
async fn a_slow_api_is_asked_by_a_few_at_once_and_never_in_a_burst() {
    let mut bench = Bench::new([Does::Slowly(Duration::from_millis(400), users(1))]);
    bench.begin(POLL, json!({"for": "4s"}));
    assert!(matches!(bench.outcome().await, Outcome::Success { .. }));
    let asked = bench.api.asked.lock();
    assert_eq!(asked.len(), 40, "four at once, each 0.4 s");
}

#[tokio::test(start_paused = true)]
async fn without_a_window_one_answer_is_enough_and_one_failure_is_one() {
    let once = "dag_id: d\ntasks: [{task_id: t, http: {url: 'http://api/', method: post, body: {day: '{{ ds }}'}, params: {page: 3}}}]";
    let mut bench = Bench::new([Does::Answer(200, json!({"ok": true}))]);
    assert!(matches!(bench.run(once).await, Outcome::Success { .. }));
    let asked = bench.api.asked.lock().clone();
    let request = &asked[0].1;
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "http://api/?page=3"));
    assert_eq!(request.body.as_deref(), Some(&br#"{"day":"2026-01-02"}"#[..]));
    let mut bench = Bench::new([Does::Answer(500, json!({}))]);
    let reason = failure(bench.run(once).await);
    assert_eq!(reason, "no request of 1 succeeded: 1 × HTTP 500 Internal Server Error");
}

#[tokio::test(start_paused = true)]
async fn what_the_broker_does_not_acknowledge_is_sent_again_or_fails_the_task() {
    let mut bench = Bench::new([Does::Answer(200, users(1))]);
    *bench.broker.refusals.lock() = vec![SinkError::Later("broker: not now".to_owned()); 5];
    bench.begin(POLL, json!({"for": "1s"}));
    let value = json!({"fetched": 20, "produced": 20, "rejected": 0});
    assert_eq!(bench.outcome().await, Outcome::Success { value: Some(value) });

    let mut bench = Bench::new([Does::Answer(200, users(1))]);
    *bench.broker.refusals.lock() = vec![SinkError::Never("broker: too large".to_owned())];
    bench.begin(POLL, json!({"for": "1s"}));
    let reason = failure(bench.outcome().await);
    assert_eq!(reason, "fetched 20 records, produced 19: 1 × broker: too large");
}

#[tokio::test(start_paused = true)]
async fn a_stop_keeps_the_count_of_what_was_acknowledged() {
    let mut bench = Bench::new([Does::Answer(200, users(1))]);
    let attempt = bench.begin(POLL, json!({"for": "60s"}));
    tokio::time::sleep(Duration::from_millis(990)).await;
    bench.stop(attempt, StopReason::Drain);
    let value = Some(json!({"fetched": 20, "produced": 20, "rejected": 0}));
    assert_eq!(bench.outcome().await, Outcome::Interrupted { value });
    assert_eq!(bench.broker.records.lock().len(), 20);

    let attempt = bench.begin(POLL, json!({"for": "60s"}));
    bench.stop(attempt, StopReason::Timeout(Duration::from_secs(3)));
    let reason = failure(bench.outcome().await);
    assert!(reason.starts_with("AirflowTaskTimeout: execution_timeout of 3s"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn on_error_fail_ends_at_the_first_failure() {
    let yaml = POLL.replace("rate: \"{{", "on_error: fail, rate: \"{{");
    let mut bench = Bench::new([Does::Answer(200, users(1)), Does::Answer(500, json!({}))]);
    assert_eq!(failure(bench.run(&yaml).await), "HTTP 500 Internal Server Error");
    assert_eq!(bench.api.asked.lock().len(), 2);
}

/// The real client against a real server: answers, errors, and what is no HTTP at all.
#[tokio::test]
async fn the_real_client_reads_answers_and_tells_failures_apart() {
    let app = axum::Router::new()
        .route("/ok", get(|| async { axum::Json(users(5)) }))
        .route("/broken", get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "no") }))
        .route(
            "/busy",
            get(|| async { (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "3")], "") }),
        )
        .route("/silent", get(std::future::pending::<()>));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let tasks = tidemill_runtime::Tasks::new();
    tasks.spawn("api", async move { axum::serve(listener, app).await.unwrap() });
    let client = ReqwestClient::new().unwrap();
    let ask = async |url: String| {
        let request = HttpRequest {
            method: "GET".to_owned(),
            url,
            headers: vec![("x-a".to_owned(), "b".to_owned())],
            body: None,
            timeout: Duration::from_millis(300),
        };
        client.send(&request).await
    };
    let answer = ask(format!("{base}/ok")).await.unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&answer.body).unwrap(), users(5));
    assert_eq!(ask(format!("{base}/broken")).await.unwrap().status, 500);
    let busy = ask(format!("{base}/busy")).await.unwrap();
    assert_eq!((busy.status, busy.retry_after), (429, Some(Duration::from_secs(3))));
    let silent = ask(format!("{base}/silent?token=secret")).await.unwrap_err();
    assert_eq!(silent, HttpFailure::Later("no answer in time".to_owned()));
    let refused = ask("http://127.0.0.1:1/?token=secret".to_owned()).await.unwrap_err();
    assert!(
        matches!(&refused, HttpFailure::Later(reason) if reason.contains("refused") && !reason.contains("secret")),
        "{refused}"
    );
    assert!(matches!(ask("nonsense".to_owned()).await, Err(HttpFailure::Never(_))));
}
