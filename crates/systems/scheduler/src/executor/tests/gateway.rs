use serde_json::json;

use super::bench::*;
use crate::core::Outcome;

const SQL: &str = "dag_id: d\ntasks: [{task_id: t, sql: \"INSERT INTO a SELECT '{{ ds }}'\"}]";

#[tokio::test(start_paused = true)]
async fn a_statement_travels_as_flinks_gateway_wants_it() {
    let mut bench = Bench::new([
        Does::Answer(200, json!({"sessionHandle": "s"})),
        Does::Answer(200, json!({"operationHandle": "o"})),
        Does::Answer(200, json!({"status": "RUNNING"})),
        Does::Answer(200, json!({"status": "FINISHED"})),
        Does::Answer(200, json!({"jobID": "j", "results": {"data": [{"fields": ["j"]}]}})),
        Does::Answer(200, json!({"status": "CLOSED"})),
    ]);
    let outcome = bench.run(SQL).await;
    assert_eq!(outcome, Outcome::Success { value: Some(json!({"job_id": "j", "rows": 1})) });
    let asked: Vec<String> = bench
        .api
        .asked
        .lock()
        .iter()
        .map(|(_, request)| format!("{} {}", request.method, request.url))
        .collect();
    assert_eq!(
        asked,
        [
            "POST http://engine/v1/sessions",
            "POST http://engine/v1/sessions/s/statements",
            "GET http://engine/v1/sessions/s/operations/o/status",
            "GET http://engine/v1/sessions/s/operations/o/status",
            "GET http://engine/v1/sessions/s/operations/o/result/0",
            "DELETE http://engine/v1/sessions/s",
        ]
    );
    let body = bench.api.asked.lock()[1].1.body.clone().unwrap();
    assert_eq!(&body[..], br#"{"statement":"INSERT INTO a SELECT '2026-01-02'"}"#);
}

#[tokio::test(start_paused = true)]
async fn the_engines_own_words_are_the_reason() {
    let errors = json!({"errors": ["Internal server error.", "<Exception on server side:\nx\nCaused by: no table a\n\tat b"]});
    let mut bench = Bench::new([
        Does::Answer(200, json!({"sessionHandle": "s"})),
        Does::Answer(500, errors),
        Does::Answer(200, json!({})),
    ]);
    assert_eq!(failure(bench.run(SQL).await), "no table a");
    let mut bench = Bench::new([Does::Fail("cannot connect: refused")]);
    assert_eq!(
        failure(bench.run(SQL).await),
        "the engine at http://engine: cannot connect: refused"
    );
}
