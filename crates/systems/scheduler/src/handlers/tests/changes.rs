//! Commands: clear, mark, pause, note.

use super::*;

const FLAKY: &str = "
dag_id: flaky
tasks:
  - {task_id: a, bash: 'echo a >> ran'}
  - {task_id: b, bash: 'echo b >> ran; test -e fixed', upstream: [a]}
  - {task_id: c, bash: 'echo c >> ran', upstream: [b]}
";

fn ran(one: &Project) -> String {
    std::fs::read_to_string(one.dir.path().join("ran")).unwrap().replace('\n', "")
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_tasks_are_cleared_and_run_again() {
    let one = Project::new(&[("flaky.yaml", FLAKY)]).await;
    let run_id = one.trigger("flaky", json!({})).await;
    assert_eq!(one.ended("flaky", &run_id).await["state"], "failed");
    assert_eq!(one.states("flaky", &run_id).await["c"], "upstream_failed");
    let clear = format!("/dags/flaky/dagRuns/{}/clear", path(&run_id));
    let (_, dry) = one.ask(Method::POST, &clear, Some(json!({"only_failed": true}))).await;
    assert_eq!(dry["total_entries"], 2, "a dry run is the default");
    assert_eq!(one.states("flaky", &run_id).await["b"], "failed");
    std::fs::write(one.dir.path().join("fixed"), "").unwrap();
    let body = json!({"dry_run": false, "only_failed": true});
    let (status, run) = one.ask(Method::POST, &clear, Some(body)).await;
    assert_eq!((status, run["dag_run_id"].as_str()), (StatusCode::OK, Some(run_id.as_str())));
    assert_eq!(one.ended("flaky", &run_id).await["state"], "success");
    assert_eq!(ran(&one), "abbc");
    let body = json!({"dry_run": false, "only_failed": false, "dag_run_id": run_id, "task_ids": ["b"], "include_downstream": true});
    let (_, cleared) = one.ask(Method::POST, "/dags/flaky/clearTaskInstances", Some(body)).await;
    assert_eq!(cleared["total_entries"], 2, "{cleared}");
    assert_eq!(one.ended("flaky", &run_id).await["state"], "success");
    assert_eq!(ran(&one), "abbcbc");
    let tries =
        one.get(&format!("/dags/flaky/dagRuns/{}/taskInstances/b/tries", path(&run_id))).await;
    assert_eq!(tries["total_entries"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_run_is_marked_as_failed_and_its_process_stopped() {
    let dag = "dag_id: d\ntasks: [{task_id: t, bash: 'echo ready; sleep 600'}]";
    let one = Project::new(&[("d.yaml", dag)]).await;
    let run_id = one.trigger("d", json!({})).await;
    one.line("d", &run_id, "t", 1, "ready").await;
    let run = format!("/dags/d/dagRuns/{}", path(&run_id));
    let body = json!({"state": "failed", "note": "enough"});
    let (status, shown) = one.ask(Method::PATCH, &run, Some(body)).await;
    assert_eq!(
        (status, &shown["state"], &shown["note"]),
        (StatusCode::OK, &json!("failed"), &json!("enough"))
    );
    assert_eq!(one.states("d", &run_id).await["t"], "failed");
    // A finished run can still be changed: it comes back from the store.
    let (_, shown) =
        one.ask(Method::PATCH, &run, Some(json!({"state": "success", "note": null}))).await;
    assert_eq!((&shown["state"], &shown["note"]), (&json!("success"), &Value::Null));
    assert_eq!(one.states("d", &run_id).await["t"], "success");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_dag_waits_and_says_so() {
    let one = Project::new(&[("chain.yaml", CHAIN)]).await;
    let run_id = one.trigger("chain", json!({})).await;
    assert_eq!(one.get("/dags?paused=true").await["total_entries"], 1);
    let run = one.get(&format!("/dags/chain/dagRuns/{}", path(&run_id))).await;
    assert_eq!(run["state"], "queued");
    one.unpause("chain").await;
    assert_eq!(one.ended("chain", &run_id).await["state"], "success");
    let dag = one.get("/dags/chain").await;
    assert_eq!(dag["is_paused"], false);
    assert!(dag["next_dagrun_run_after"].as_str().unwrap().ends_with("T00:00:00Z"), "{dag}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_takes_airflows_fields() {
    let one = Project::new(&[("chain.yaml", CHAIN)]).await;
    let body =
        json!({"logical_date": "2026-03-01T12:00:00Z", "conf": {"fail": false}, "note": "n"});
    let (_, run) = one.ask(Method::POST, "/dags/chain/dagRuns", Some(body.clone())).await;
    assert_eq!(run["dag_run_id"], "manual__2026-03-01T12:00:00+00:00");
    assert_eq!(run["data_interval_start"], "2026-02-28T00:00:00Z");
    assert_eq!((&run["run_type"], &run["note"]), (&json!("manual"), &json!("n")));
    let (status, again) = one.ask(Method::POST, "/dags/chain/dagRuns", Some(body)).await;
    assert_eq!(status, StatusCode::CONFLICT, "{again}");
}
