//! Shapes and status codes.

use super::*;

/// The fields Airflow 3.3.2's OpenAPI document requires.
const DAG: &str = "dag_id dag_display_name is_paused is_stale last_parsed_time last_parse_duration last_expired bundle_name bundle_version relative_fileloc fileloc description timetable_summary timetable_description timetable_partitioned timetable_periodic tags max_active_tasks max_active_runs max_consecutive_failed_dag_runs has_task_concurrency_limits has_import_errors next_dagrun_logical_date next_dagrun_data_interval_start next_dagrun_data_interval_end next_dagrun_run_after allowed_run_types owners is_backfillable file_token";
const DETAILS: &str = "catchup dag_run_timeout asset_expression doc_md start_date end_date is_paused_upon_creation params render_template_as_native_obj template_search_path timezone last_parsed default_args concurrency latest_dag_version";
const RUN: &str = "dag_run_id dag_id logical_date queued_at start_date end_date duration data_interval_start data_interval_end run_after last_scheduling_decision run_type state triggered_by triggering_user_name conf note dag_versions bundle_version dag_display_name partition_key partition_date";
const TASK_INSTANCE: &str = "id task_id dag_id dag_run_id map_index logical_date run_after start_date end_date duration state try_number max_tries task_display_name dag_display_name hostname unixname pool pool_slots queue priority_weight operator operator_name queued_when scheduled_when pid executor executor_config note rendered_map_index trigger triggerer_job dag_version";
const TASK: &str = "task_id task_display_name owner start_date end_date trigger_rule depends_on_past wait_for_downstream retries queue pool pool_slots execution_timeout retry_delay retry_exponential_backoff priority_weight weight_rule ui_color ui_fgcolor template_fields downstream_task_ids doc_md operator_name params class_ref is_mapped extra_links";
const XCOM: &str = "key timestamp logical_date map_index task_id dag_id run_id dag_display_name task_display_name run_after value";

fn has_fields(value: &Value, fields: &str) {
    for field in fields.split(' ') {
        assert!(value.get(field).is_some(), "{field} is missing in {value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_every_field_airflow_promises() {
    let one = Project::new(&[("chain.yaml", CHAIN)]).await;
    let run_id = one.trigger("chain", json!({"n": 1})).await;
    let dags = one.get("/dags").await;
    assert_eq!(dags["total_entries"], 1);
    has_fields(&dags["dags"][0], DAG);
    let details = one.get("/dags/chain/details").await;
    has_fields(&details, DAG);
    has_fields(&details, DETAILS);
    assert_eq!(details["owners"], json!(["ada"]));
    let runs = one.get("/dags/chain/dagRuns").await;
    has_fields(&runs["dag_runs"][0], RUN);
    assert_eq!(runs["dag_runs"][0]["conf"], json!({"n": 1}));
    assert_eq!(runs["dag_runs"][0]["dag_versions"][0]["version_number"], 1);
    let run = format!("/dags/chain/dagRuns/{}", path(&run_id));
    has_fields(&one.get(&run).await, RUN);
    let instances = one.get(&format!("{run}/taskInstances")).await;
    assert_eq!(instances["total_entries"], 2);
    has_fields(&instances["task_instances"][1], TASK_INSTANCE);
    has_fields(&one.get(&format!("{run}/taskInstances/b")).await, TASK_INSTANCE);
    let tasks = one.get("/dags/chain/tasks").await;
    has_fields(&tasks["tasks"][0], TASK);
    assert_eq!(tasks["tasks"][0]["downstream_task_ids"], json!(["b"]));
    one.unpause("chain").await;
    one.ended("chain", &run_id).await;
    has_fields(&one.get(&format!("{run}/taskInstances/a/xcomEntries/return_value")).await, XCOM);
    let entries = one.get(&format!("{run}/taskInstances/~/xcomEntries")).await;
    assert_eq!(entries["total_entries"], 2);
    let source = one.get("/dagSources/chain").await;
    assert_eq!(source["content"], CHAIN);
    let stats = one.get("/dagStats?dag_ids=chain").await;
    assert_eq!(stats["dags"][0]["stats"].as_array().unwrap().len(), 4);
    assert_eq!(one.get("/pools").await["pools"][0]["name"], "default_pool");
    assert_eq!(one.get("/dagTags").await["tags"], json!(["demo"]));
    let health = one.get("/monitor/health").await;
    assert_eq!(health["scheduler"]["status"], "healthy");
    assert_eq!(one.http.get(one.url("/health")).send().await.unwrap().status(), StatusCode::OK);
    assert!(one.get("/version").await["version"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_has_airflows_status_and_a_detail() {
    let one = Project::new(&[("chain.yaml", CHAIN)]).await;
    let run_id = one.trigger("chain", json!({})).await;
    let run = format!("/dags/chain/dagRuns/{}", path(&run_id));
    let (get, post, patch) = (Method::GET, Method::POST, Method::PATCH);
    for (method, asked, body, status, part) in [
        (&get, "/dags/nosuch".to_owned(), None, 404, "The Dag with ID: `nosuch` was not found"),
        (&get, "/dags/nosuch/dagRuns".to_owned(), None, 404, "nosuch"),
        (
            &get,
            "/dags/chain/dagRuns/nosuch".to_owned(),
            None,
            404,
            "The DagRun with dag_id: `chain` and run_id: `nosuch` was not found",
        ),
        (&get, format!("{run}/taskInstances/nosuch"), None, 404, "task_id: `nosuch` was not found"),
        (&get, format!("{run}/taskInstances/a/logs/7"), None, 404, "TaskInstance not found"),
        (&get, format!("{run}/taskInstances/a/logs/x"), None, 422, "whole number"),
        (
            &get,
            format!("{run}/taskInstances/a/xcomEntries/nosuch"),
            None,
            404,
            "XCom entry with key: `nosuch` not found",
        ),
        (
            &get,
            "/dags/chain/dagRuns?order_by=nosuch".to_owned(),
            None,
            400,
            "Ordering with 'nosuch' is disallowed",
        ),
        (
            &get,
            "/dags/chain/dagRuns?state=nosuch".to_owned(),
            None,
            422,
            "is unknown; known: queued",
        ),
        (&get, "/dags/chain/dagRuns?limit=-1".to_owned(), None, 422, "limit"),
        (&get, "/dags/chain/dagRuns?run_id_pattern=x".to_owned(), None, 400, "not supported"),
        (&get, "/nosuch".to_owned(), None, 404, "Not Found"),
        (
            &post,
            "/dags/nosuch/dagRuns".to_owned(),
            Some(json!({"logical_date": null})),
            404,
            "Dag with dag_id: 'nosuch' not found",
        ),
        (
            &post,
            "/dags/chain/dagRuns".to_owned(),
            Some(json!({})),
            422,
            "missing field `logical_date`",
        ),
        (
            &post,
            "/dags/chain/dagRuns".to_owned(),
            Some(json!({"logical_date": null, "config": {}})),
            422,
            "unknown field `config`",
        ),
        (
            &post,
            "/dags/chain/dagRuns".to_owned(),
            Some(json!({"logical_date": "soon"})),
            422,
            "body",
        ),
        (
            &post,
            "/dags/chain/dagRuns".to_owned(),
            Some(json!({"logical_date": null, "dag_run_id": "scheduled__x"})),
            422,
            "begins with scheduled__",
        ),
        (
            &post,
            "/dags/chain/dagRuns".to_owned(),
            Some(json!({"logical_date": null, "dag_run_id": run_id})),
            409,
            "already exists",
        ),
        (&patch, "/dags/chain".to_owned(), Some(json!({"is_paused": "no"})), 422, "boolean"),
        (&patch, run.clone(), Some(json!({"state": "running"})), 422, "queued, success or failed"),
        (
            &post,
            "/dags/chain/clearTaskInstances".to_owned(),
            Some(json!({"dag_run_id": run_id, "task_ids": ["nosuch"]})),
            404,
            "Task with id nosuch was not found",
        ),
    ] {
        let (got, answer) = one.ask(method.clone(), &asked, body).await;
        let detail = answer["detail"].to_string();
        assert!(
            got.as_u16() == status && detail.contains(part),
            "{method} {asked}: {got} {answer}"
        );
    }
    let text = one.http.post(one.url("/api/v2/dags/chain/dagRuns")).body("{").send().await.unwrap();
    assert_eq!(text.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let broken = one
        .http
        .post(one.url("/api/v2/dags/chain/dagRuns"))
        .header("content-type", "application/json")
        .body("{");
    assert_eq!(broken.send().await.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY);
    let large = json!({"logical_date": null, "note": "x".repeat(2 << 20)});
    let large =
        one.http.post(one.url("/api/v2/dags/chain/dagRuns")).json(&large).send().await.unwrap();
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_names_and_other_sites_are_kept_out() {
    let one = Project::new(&[]).await;
    for (name, value) in [("host", "evil.example"), ("origin", "http://evil.example")] {
        let answer =
            one.http.get(one.url("/api/v2/dags")).header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{name}");
    }
    let own = one.http.get(one.url("/api/v2/dags")).header("origin", "http://localhost:9021");
    assert_eq!(own.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_and_in_order() {
    let one = Project::new(&[("d.yaml", "dag_id: d\ntasks: [{task_id: t, empty: }]")]).await;
    for name in ["r1", "r2", "r3"] {
        let body = json!({"logical_date": null, "dag_run_id": name});
        one.ask(Method::POST, "/dags/d/dagRuns", Some(body)).await;
    }
    let page = one.get("/dags/~/dagRuns?order_by=-run_id&limit=2&offset=1").await;
    let names: Vec<&Value> =
        page["dag_runs"].as_array().unwrap().iter().map(|run| &run["dag_run_id"]).collect();
    assert_eq!((names, &page["total_entries"]), (vec![&json!("r2"), &json!("r1")], &json!(3)));
    let none = one.get("/dags/d/dagRuns?state=failed&run_after_gte=2020-01-01T00:00:00Z").await;
    assert_eq!(none["total_entries"], 0);
    let tasks =
        one.get("/dags/~/dagRuns/~/taskInstances?state=success&order_by=-run_id&limit=1").await;
    assert_eq!(
        (&tasks["total_entries"], &tasks["task_instances"][0]["dag_run_id"]),
        (&json!(3), &json!("r3"))
    );
    assert_eq!(one.get("/dags?dag_id_pattern=%25nothing%25").await["total_entries"], 0);
    assert_eq!(one.get("/dags?paused=false&order_by=-dag_id").await["total_entries"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_comes_as_json_text_lines_and_events() {
    let dag = "dag_id: d\ntasks: [{task_id: t, bash: 'echo one; echo two'}]";
    let one = Project::new(&[("d.yaml", dag)]).await;
    let run_id = one.trigger("d", json!({})).await;
    one.ended("d", &run_id).await;
    let log = one.url(&format!("/api/v2/dags/d/dagRuns/{}/taskInstances/t/logs/1", path(&run_id)));
    let text = async |accept: &str| {
        let answer = one.http.get(&log).header("accept", accept).send().await.unwrap();
        answer.text().await.unwrap()
    };
    let plain = text("text/plain").await;
    assert!(plain.lines().any(|line| line.ends_with("{stdout} INFO - two")), "{plain}");
    let lines = text("application/x-ndjson").await;
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{lines}");
    let events = text("text/event-stream").await;
    assert!(events.starts_with("data: {") && events.contains("\n\ndata: "), "{events}");
    let json: Value = serde_json::from_str(&text("application/json").await).unwrap();
    assert!(json["content"].as_array().unwrap().iter().any(|line| line["event"] == "one"));
}
