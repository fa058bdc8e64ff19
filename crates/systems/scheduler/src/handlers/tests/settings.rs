//! Variables, connections and pools over the API.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn variables_live_and_their_secrets_are_masked() {
    let one = Project::new(&[]).await;
    let body = json!({"key": "greeting", "value": {"a": 1, "password": "p"}, "description": "d"});
    let (status, made) = one.ask(Method::POST, "/variables", Some(body.clone())).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!(made["value"], r#"{"a": 1, "password": "***"}"#);
    assert_eq!((&made["is_encrypted"], &made["team_name"]), (&json!(true), &Value::Null));
    let (status, again) = one.ask(Method::POST, "/variables", Some(body)).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(again["detail"], "The Variable with key: `greeting` already exists");
    let secret = json!({"key": "my/token", "value": "t0ps3cret"});
    assert_eq!(one.ask(Method::POST, "/variables", Some(secret)).await.1["value"], "***");
    assert_eq!(one.get("/variables/my/token").await["value"], "***");
    let kept = one.scheduler.settings().variable("my/token").await.unwrap().unwrap();
    assert_eq!(kept.value, "t0ps3cret");
    let change = json!({"key": "greeting", "value": "hello"});
    let path = "/variables/greeting?update_mask=description";
    let (_, masked) = one.ask(Method::PATCH, path, Some(change.clone())).await;
    assert_eq!(masked["value"], r#"{"a": 1, "password": "***"}"#, "the mask leaves it out");
    let (_, changed) = one.ask(Method::PATCH, "/variables/greeting", Some(change)).await;
    assert_eq!((&changed["value"], &changed["description"]), (&json!("hello"), &json!("d")));
    let list = one.get("/variables?order_by=-key&limit=1&variable_key_pattern=E").await;
    assert_eq!(list["total_entries"], 2);
    assert_eq!(list["variables"][0]["key"], "my/token");
    for (key, wrong) in [
        ("greeting", json!({"key": "other", "value": "x"})),
        ("nosuch", json!({"key": "nosuch", "value": "x"})),
        ("greeting", json!({"key": "greeting"})),
        ("greeting", json!({"key": "greeting", "value": "x", "colour": 1})),
    ] {
        let path = format!("/variables/{key}");
        let (status, body) = one.ask(Method::PATCH, &path, Some(wrong)).await;
        assert!(status.is_client_error(), "{status} {body}");
    }
    let delete = reqwest::Method::DELETE;
    let gone = one.http.request(delete.clone(), one.url("/api/v2/variables/my/token"));
    assert_eq!(gone.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    let (status, _) = one.ask(delete, "/variables/my/token", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_comes_back_masked_keeps_its_secrets() {
    let one = Project::new(&[]).await;
    let body = json!({"connection_id": "db", "conn_type": "postgres", "host": "h", "port": 5432,
        "login": "u", "password": "p4ss", "schema": "s",
        "extra": "{\"token\": \"t\", \"mode\": \"x\"}"});
    let (status, made) = one.ask(Method::POST, "/connections", Some(body.clone())).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!((&made["password"], &made["schema"]), (&json!("***"), &json!("s")));
    assert_eq!(made["extra"], r#"{"token": "***", "mode": "x"}"#);
    let (status, again) = one.ask(Method::POST, "/connections", Some(body)).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(again["detail"]["reason"], "Unique constraint violation");
    let mut edited = made.clone();
    edited["host"] = json!("other");
    edited["extra"] = json!(r#"{"token": "***", "mode": "y"}"#);
    let (status, shown) = one.ask(Method::PATCH, "/connections/db", Some(edited)).await;
    assert_eq!((status, &shown["host"]), (StatusCode::OK, &json!("other")));
    let kept = one.scheduler.settings().connection("db").await.unwrap().unwrap();
    assert_eq!(kept.password.as_deref(), Some("p4ss"));
    assert_eq!(kept.extra.as_deref(), Some(r#"{"token": "t", "mode": "y"}"#));
    for wrong in [
        json!({"connection_id": "a b", "conn_type": "x"}),
        json!({"connection_id": "a", "conn_type": "x", "extra": "no"}),
        json!({"connection_id": "a", "conn_type": "x", "extra": "[1]"}),
        json!({"connection_id": "a", "conn_type": "x", "team_name": "t"}),
        json!({"conn_type": "x"}),
    ] {
        let (status, body) = one.ask(Method::POST, "/connections", Some(wrong)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    let (status, test) = one.ask(Method::POST, "/connections/test", Some(json!({}))).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(test["detail"].as_str().unwrap().starts_with("Testing connections is disabled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_changed_at_once_and_each_action_stands_alone() {
    let one = Project::new(&[]).await;
    let variable = |key: &str, value: &str| json!({"key": key, "value": value});
    let body = json!({"actions": [
        {"action": "create", "entities": [variable("a", "1"), variable("b", "2")]},
        {"action": "create", "entities": [variable("a", "3")]},
        {"action": "create", "entities": [variable("a", "4")], "action_on_existence": "overwrite"},
        {"action": "update", "entities": [variable("nosuch", "5")]},
        {"action": "update", "entities": [variable("b", "6"), variable("x", "7")],
         "action_on_non_existence": "skip"},
        {"action": "delete", "entities": ["b", variable("x", "")],
         "action_on_non_existence": "skip"},
    ]});
    let (status, done) = one.ask(Method::PATCH, "/variables", Some(body)).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!(done["create"]["success"], json!(["a", "b", "a"]));
    let error = &done["create"]["errors"][0];
    assert_eq!(error["status_code"], 409);
    assert_eq!(error["error"], "The variables with these keys: {'a'} already exist.");
    assert_eq!(done["update"]["success"], json!(["b"]));
    assert_eq!(done["update"]["errors"][0]["status_code"], 404);
    assert_eq!(done["delete"]["success"], json!(["b"]));
    assert_eq!(one.get("/variables").await["total_entries"], 1);
    assert_eq!(one.get("/variables/a").await["value"], "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_a_task_was_given_is_neither_in_its_log_nor_in_its_reason() {
    let dag = "dag_id: d\ntasks: [{task_id: t, bash: 'echo it is hunter22 >&2; exit 3'}]";
    let one = Project::new(&[("d.yaml", dag)]).await;
    let secret = json!({"key": "my_password", "value": "hunter22"});
    one.ask(Method::POST, "/variables", Some(secret)).await;
    let given = one.scheduler.settings().variable_value("my_password").await.unwrap();
    assert_eq!(given.as_deref(), Some("hunter22"));
    let run_id = one.trigger("d", json!({})).await;
    let run = one.ended("d", &run_id).await;
    let task = format!("/dags/d/dagRuns/{}/taskInstances/t", path(&run_id));
    let (log, task) = (one.get(&format!("{task}/logs/1")).await, one.get(&task).await);
    assert!(log.to_string().contains("it is ***"), "{log}");
    for shown in [&log, &task, &run] {
        assert!(!shown.to_string().contains("hunter22"), "{shown}");
    }
}

const SHARED: &str = "
dag_id: shared
default_args: {pool: narrow}
tasks:
  - {task_id: a, bash: 'echo in >> seen; while test ! -e go; do sleep 0.02; done; echo out >> seen'}
  - {task_id: b, bash: 'echo in >> seen; echo out >> seen', pool_slots: 1}
  - {task_id: c, bash: 'true', pool: default_pool}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_of_one_slot_lets_one_task_in_at_a_time() {
    let one = Project::new(&[("shared.yaml", SHARED)]).await;
    let run_id = one.trigger("shared", json!({})).await;
    // A task of a pool that does not exist waits; others do not.
    let (_, made) = one
        .ask(
            Method::POST,
            "/pools",
            Some(json!({"name": "narrow", "slots": 1, "description": "d"})),
        )
        .await;
    assert_eq!((&made["name"], &made["include_deferred"]), (&json!("narrow"), &json!(false)));
    let busy = async {
        loop {
            let pool = one.get("/pools/narrow").await;
            let states = one.states("shared", &run_id).await;
            if pool["running_slots"] == 1 && states["c"] == "success" {
                return pool;
            }
            tokio::task::yield_now().await;
        }
    };
    let pool = tokio::time::timeout(DEADLINE, busy).await.expect("a task runs");
    let shown =
        ["occupied_slots", "open_slots", "scheduled_slots"].map(|field| pool[field].clone());
    assert_eq!(shown, [json!(1), json!(0), json!(1)], "{pool}");
    std::fs::write(one.dir.path().join("go"), "").unwrap();
    assert_eq!(one.ended("shared", &run_id).await["state"], "success");
    let seen = std::fs::read_to_string(one.dir.path().join("seen")).unwrap();
    assert_eq!(seen.replace('\n', " "), "in out in out ");
    let task = one.get("/dags/shared/tasks/a").await;
    assert_eq!((&task["pool"], &task["pool_slots"]), (&json!("narrow"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_pool_has_airflows_rules() {
    let one = Project::new(&[]).await;
    let pools = one.get("/pools?order_by=name").await;
    assert_eq!((&pools["total_entries"], &pools["pools"][0]["slots"]), (&json!(1), &json!(128)));
    let change = json!({"slots": 5, "include_deferred": true});
    let (status, body) = one.ask(Method::PATCH, "/pools/default_pool", Some(change.clone())).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(body["detail"], "Only slots and included_deferred can be modified on Default Pool");
    let path = "/pools/default_pool?update_mask=slots&update_mask=include_deferred";
    let (status, body) = one.ask(Method::PATCH, path, Some(change)).await;
    assert_eq!(
        (status, &body["slots"], &body["open_slots"]),
        (StatusCode::OK, &json!(5), &json!(5))
    );
    let (status, body) = one.ask(reqwest::Method::DELETE, "/pools/default_pool", None).await;
    assert_eq!(
        (status, body["detail"].as_str()),
        (StatusCode::BAD_REQUEST, Some("Default Pool can't be deleted"))
    );
    for wrong in [json!({"name": "x", "slots": -2}), json!({"name": "x"}), json!({"slots": 1})] {
        let (status, body) = one.ask(Method::POST, "/pools", Some(wrong)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    let (_, unlimited) =
        one.ask(Method::POST, "/pools", Some(json!({"name": "a/b", "slots": -1}))).await;
    assert_eq!(unlimited["open_slots"], -1);
    assert_eq!(one.get("/pools/a/b").await["name"], "a/b");
}
