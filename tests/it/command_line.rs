//! The command line against a running node, and what it says when something is wrong.

use std::net::TcpListener;

use serde_json::json;

use crate::node::{Project, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_tables_and_sql_answer_on_the_command_line() {
    let project = Project::users();
    let node = project.up().await;
    project.json(&["topic", "create", "orders", "--partitions", "1"]).await;
    let written = project.json(&["topic", "produce", "orders", "a", "b", "c"]).await;
    assert_eq!(written[2], json!({"topic": "orders", "partition": 0, "offset": 2}));
    let read = project.json(&["topic", "tail", "orders", "-n", "2", "--once"]).await;
    let values: Vec<&str> = read.iter().map(|record| record["value"].as_str().unwrap()).collect();
    assert_eq!(values, ["b", "c"]);
    let described = project.json(&["topic", "describe", "orders"]).await;
    assert_eq!(described[0]["partitions"], json!([{"partition": 0, "start": 0, "end": 3}]));

    let make = "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', \
                'replication_factor': 1}; CREATE TABLE ks.t (id int PRIMARY KEY, v text); \
                INSERT INTO ks.t (id, v) VALUES (1, 'x;y')";
    project.json(&["cql", "-c", make]).await;
    let rows = project.json(&["cql", "-c", "SELECT * FROM ks.t"]).await;
    assert_eq!(rows, [json!({"id": 1, "v": "x;y"})]);

    let tables = project.json(&["sql", "-c", "SHOW TABLES"]).await;
    assert!(tables.iter().any(|row| row.to_string().contains("users_created")), "{tables:?}");
    let dags = project.json(&["dag", "ls"]).await;
    assert_eq!(dags[0]["dag_id"], "user_automation");
    let status = project.json(&["status"]).await;
    assert_eq!(status[0]["boxes"]["kafka"]["answers"], true);
    assert_eq!(node.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_named_boxes_start() {
    let project = Project::users();
    let mut command = project.command(&["up", "--json", "--only", "broker,store"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut out = tokio::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut out, &mut line).await.unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    let names: Vec<&String> = ready["endpoints"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["kafka", "cql"]);
    child.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_port_names_the_program_that_holds_it() {
    let project = Project::users();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = held.local_addr().unwrap().to_string();
    let mut command = project.command(&["up"]);
    command.env("TIDEMILL__BROKER__LISTEN", &address);
    let output = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains(&format!("pid {}", std::process::id())), "{said}");
    assert!(said.contains("[broker] listen"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_directory_is_taken_by_one_node() {
    let project = Project::users();
    let node = project.up().await;
    let output = project.run(&["up"]).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains(&format!("pid {}", node.ready["pid"])), "{said}");
    assert_eq!(node.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_key_is_a_usage_error_with_its_line() {
    let project = Project::users();
    project.write("tidemill.toml", "[broker]\nlissten = \"127.0.0.1:0\"\n");
    let output = project.run(&["up"]).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("tidemill.toml:2") && said.contains("lissten"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_dag_and_broken_sql_are_shown_and_stop_nothing() {
    let project = Project::users();
    project.write(
        "dags/cycle.yaml",
        "dag_id: cycle\nschedule: null\ntasks:\n  - task_id: a\n    upstream: [b]\n    empty: {}\n  \
         - task_id: b\n    upstream: [a]\n    empty: {}\n",
    );
    project.write("pipelines/wrong.sql", "INSERT INTO nowhere SELEC 1;\n");
    let node = project.up().await;
    let dags = eventually("both are listed", async || {
        let dags = project.json(&["dag", "ls"]).await;
        dags.iter().any(|dag| dag.get("import_error").is_some()).then_some(dags)
    })
    .await;
    assert!(dags.iter().any(|dag| dag["dag_id"] == "user_automation"));
    let error = dags.iter().find_map(|dag| dag.get("import_error")).unwrap().to_string();
    assert!(error.contains("cycle"), "{error}");
    assert_eq!(node.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn init_writes_a_project_once() {
    let project = Project::users();
    let new = project.path().join("mine");
    let path = new.to_str().unwrap();
    assert!(project.run(&["init", path]).await.status.success());
    let text = std::fs::read_to_string(new.join("tidemill.toml")).unwrap();
    assert!(text.contains("name = \"mine\""), "{text}");
    let again = project.run(&["init", path]).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is a project already"));
}
