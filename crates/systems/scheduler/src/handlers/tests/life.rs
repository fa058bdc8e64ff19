//! Runs from their beginning to their end, through a stop and a crash.

use super::*;

const USER_AUTOMATION: &str = include_str!("../../../tests/fixtures/user_automation.yaml");

#[tokio::test(flavor = "multi_thread")]
async fn the_tutorials_dag_moves_records_and_says_how_many() {
    let (url, _tasks) = users_api(StatusCode::OK).await;
    let paused = USER_AUTOMATION.replace("catchup: false", "is_paused_upon_creation: true");
    let one = Project::new(&[("user_automation.yaml", &paused)]).await;
    let run_id = one
        .trigger("user_automation", json!({"url": url, "duration": "0.5s", "rate": "40/s"}))
        .await;
    assert!(run_id.starts_with("manual__2"), "{run_id}");
    assert_eq!(one.states("user_automation", &run_id).await["stream_data_from_api"], "null");
    // Its schedule would ask the real API: unpaused, it has none.
    let dag = "dag_id: user_automation\nschedule: null\n";
    let manual =
        paused.replace("dag_id: user_automation\n", dag).replace("schedule: \"@daily\"\n", "");
    std::fs::write(one.dir.path().join("dags/user_automation.yaml"), manual).unwrap();
    one.changed("user_automation", |dag| {
        dag["timetable_summary"] == "null" || dag["timetable_summary"].is_null()
    })
    .await;
    one.unpause("user_automation").await;
    let run = one.ended("user_automation", &run_id).await;
    assert_eq!(run["state"], "success", "{run}");
    let base = format!(
        "/dags/user_automation/dagRuns/{}/taskInstances/stream_data_from_api",
        path(&run_id)
    );
    let xcom = one.get(&format!("{base}/xcomEntries/return_value")).await;
    let records = one.broker.0.lock().clone();
    assert_eq!(xcom["value"]["produced"], records.len());
    assert!((10..=20).contains(&records.len()), "{}", records.len());
    assert_eq!(records[0]["address"], "5 High St, C, S, UK");
    assert_eq!(records[0]["post_code"], 1234);
    let fields: Vec<&str> = records[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "id",
            "first_name",
            "last_name",
            "gender",
            "address",
            "post_code",
            "email",
            "username",
            "dob",
            "registered_date",
            "phone",
            "picture"
        ]
    );
    let log = one.get(&format!("{base}/logs/1")).await;
    assert!(log["content"].to_string().contains("into topic users_created"), "{log}");
    assert_eq!(log["continuation_token"], Value::Null);
    let assets = one.get("/assets").await;
    assert_eq!(assets["assets"][0]["uri"], "kafka://users_created");
    assert_eq!(assets["assets"][0]["producing_tasks"][0]["task_id"], "stream_data_from_api");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_moved_nothing_fails_with_the_first_error() {
    let (url, _tasks) = users_api(StatusCode::INTERNAL_SERVER_ERROR).await;
    let dag = "dag_id: d\ntasks: [{task_id: t, http: {url: '{{ conf.url }}', for: 300ms, rate: 100/s}, topic: x}]";
    let one = Project::new(&[("d.yaml", dag)]).await;
    let run_id = one.trigger("d", json!({"url": url})).await;
    let run = one.ended("d", &run_id).await;
    assert_eq!(run["state"], "failed");
    let reason = run["tidemill_reason"].as_str().unwrap();
    assert!(
        reason.contains("fetched 0 records in")
            && reason.contains("× HTTP 500 Internal Server Error"),
        "{reason}"
    );
    let task = one.get(&format!("/dags/d/dagRuns/{}/taskInstances/t", path(&run_id))).await;
    assert_eq!((&task["state"], &task["try_number"]), (&json!("failed"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_runs_in_order_and_values_travel() {
    let one = Project::new(&[("chain.yaml", CHAIN)]).await;
    let run_id = one.trigger("chain", json!({})).await;
    one.unpause("chain").await;
    assert_eq!(one.ended("chain", &run_id).await["state"], "success");
    let log =
        one.get(&format!("/dags/chain/dagRuns/{}/taskInstances/b/logs/1", path(&run_id))).await;
    assert!(log["content"].to_string().contains("\"from a\""), "{log}");
    let run_id = one.trigger("chain", json!({"fail": true})).await;
    let run = one.ended("chain", &run_id).await;
    assert_eq!(run["state"], "failed");
    assert_eq!(one.states("chain", &run_id).await["b"], "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_interrupts_a_task_and_the_next_process_goes_on_with_it() {
    let dag = "dag_id: d\ntasks: [{task_id: t, bash: 'test -e flag && exit 0; touch flag; echo ready; sleep 600'}]";
    let one = Project::new(&[("d.yaml", dag)]).await;
    let run_id = one.trigger("d", json!({})).await;
    one.line("d", &run_id, "t", 1, "ready").await;
    let second =
        SchedulerPaths { project: one.dir.path().into(), data: one.dir.path().join("data") };
    let config = Config { listen: "127.0.0.1:0".parse().unwrap(), ..Config::default() };
    let refused = Scheduler::start_with(
        config,
        second,
        one.broker.clone(),
        Arc::new(ReqwestClient::new().unwrap()),
        World::real(),
    )
    .await;
    assert!(refused.unwrap_err().to_string().contains("in use by another scheduler"));
    one.scheduler.drain(Duration::from_secs(10)).await;
    let dir = one.dir.clone();
    drop(one);
    let size =
        |name: &str| std::fs::metadata(dir.path().join("data").join(name)).map(|file| file.len());
    assert!(size("scheduler.sqlite").unwrap() > 50_000, "all is in the database's own file");
    assert!(
        size("scheduler.sqlite-wal")
            .is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
            || size("scheduler.sqlite-wal").unwrap() == 0
    );
    let two = Project::on(dir).await;
    assert_eq!(two.ended("d", &run_id).await["state"], "success");
    let tries = two.get(&format!("/dags/d/dagRuns/{}/taskInstances/t/tries", path(&run_id))).await;
    let states: Vec<&str> = tries["task_instances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["up_for_retry", "success"], "it costs no try: there were no retries");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_seen_and_a_broken_file_keeps_the_good_version() {
    let one = Project::new(&[("chain.yaml", CHAIN)]).await;
    let file = one.dir.path().join("dags/chain.yaml");
    std::fs::write(&file, CHAIN.replace("Two commands", "Edited")).unwrap();
    one.changed("chain", |dag| dag["description"] == "Edited").await;
    std::fs::write(&file, CHAIN.replace("bash:", "bsh:")).unwrap();
    one.changed("chain", |dag| dag["has_import_errors"] == true).await;
    let errors = one.get("/importErrors").await;
    let text = errors["import_errors"][0]["stack_trace"].as_str().unwrap();
    assert!(text.starts_with("chain.yaml:") && text.contains("unknown field `bsh`"), "{text}");
    let (status, body) =
        one.ask(Method::POST, "/dags/chain/dagRuns", Some(json!({"logical_date": null}))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    std::fs::remove_file(&file).unwrap();
    let gone = async {
        while one.ask(Method::GET, "/dags/chain", None).await.0 != StatusCode::NOT_FOUND {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, gone).await.expect("the DAG goes");
    let versions = one.get("/dags/chain/dagVersions").await;
    assert_eq!(versions["total_entries"], 2, "its texts stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_dag_is_done_in_the_transaction_that_makes_its_run() {
    let one = Project::new(&[("d.yaml", "dag_id: d\ntasks: [{task_id: t, empty: }]")]).await;
    let body = json!({"logical_date": null});
    let (_, run) = one.ask(Method::POST, "/dags/d/dagRuns", Some(body)).await;
    assert_eq!(run["state"], "success");
}

impl Project {
    /// Waits until a DAG looks as expected.
    pub(super) async fn changed(&self, dag_id: &str, is_so: impl Fn(&Value) -> bool) {
        let wait = async {
            while !is_so(&self.get(&format!("/dags/{dag_id}")).await) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, wait).await.expect("the change is seen");
    }

    /// Follows a log until a line comes.
    pub(super) async fn line(&self, dag: &str, run: &str, task: &str, attempt: u32, text: &str) {
        let path = format!("/api/v2/dags/{dag}/dagRuns/{}/taskInstances/{task}", path(run));
        let wait = async {
            // Until the try exists there is no log to follow.
            loop {
                let state: Value =
                    self.http.get(self.url(&path)).send().await.unwrap().json().await.unwrap();
                if state["state"] == "running" {
                    break;
                }
                tokio::task::yield_now().await;
            }
            let follow = self.url(&format!("{path}/logs/{attempt}?follow"));
            let mut answer = self.http.get(follow).send().await.unwrap();
            let mut seen = String::new();
            while let Some(bytes) = answer.chunk().await.unwrap() {
                seen.push_str(&String::from_utf8_lossy(&bytes));
                if seen.lines().any(|line| line.contains(&format!("\"event\":\"{text}\""))) {
                    return;
                }
            }
            panic!("the log ended without {text}: {seen}");
        };
        tokio::time::timeout(DEADLINE, wait).await.expect("the line comes");
    }
}
