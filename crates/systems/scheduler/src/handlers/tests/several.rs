//! Several schedulers on one PostgreSQL: one leads, it is killed, another goes on.
//!
//! The schedulers are processes of their own: this test's program, started again with the name of
//! the test that plays a scheduler.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::*;

/// What a child is told: its directory.
const CHILD: &str = "TIDEMILL_TEST_SCHEDULER";
/// How often the leader is killed.
const ROUNDS: &str = "TIDEMILL_TEST_ROUNDS";
/// Lease, so that a test need not wait long.
const LEASE_MS: u64 = 1000;

const DAG: &str = "
dag_id: line
default_args: {retries: 9, retry_delay: 0s}
tasks:
  - {task_id: a, bash: 'echo {{ run_id }} a $AIRFLOW_CTX_TRY_NUMBER >> seen; sleep 0.2'}
  - {task_id: b, bash: 'echo {{ run_id }} b $AIRFLOW_CTX_TRY_NUMBER >> seen', upstream: [a]}
";

/// Not a test: the scheduler that the other test starts and kills.
#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_of_several() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let dir = PathBuf::from(dir);
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        database: std::env::var("TIDEMILL_POSTGRES").ok(),
        database_schema: std::env::var("TIDEMILL_TEST_SCHEMA").unwrap(),
        leader_lease: tidemill_runtime::Span::ms(LEASE_MS),
        ..Config::default()
    };
    let project = dir.parent().unwrap().to_owned();
    let paths = SchedulerPaths { project, data: dir.clone() };
    let http = Arc::new(ReqwestClient::new().unwrap());
    let broker = Arc::new(Broker::default());
    let scheduler = Scheduler::start_with(config, paths, broker, http, World::real()).await;
    let scheduler = scheduler.unwrap();
    std::fs::write(dir.join("at.new"), scheduler.address().to_string()).unwrap();
    std::fs::rename(dir.join("at.new"), dir.join("at")).unwrap();
    panic!("the scheduler ended: {}", scheduler.failed().await);
}

struct Node {
    dir: PathBuf,
    process: Child,
    url: String,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Node {
    async fn start(dir: PathBuf, schema: &str) -> Node {
        std::fs::create_dir_all(&dir).unwrap();
        let _ = std::fs::remove_file(dir.join("at"));
        let log = std::fs::File::create(dir.join("log")).unwrap();
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "handlers::tests::several::a_scheduler_of_several", "--nocapture"])
            .env(CHILD, &dir)
            .env("TIDEMILL_TEST_SCHEMA", schema)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut node = Node { dir, process, url: String::new() };
        let address = async {
            loop {
                if let Ok(address) = std::fs::read_to_string(node.dir.join("at")) {
                    return address;
                }
                let ended = node.process.try_wait().unwrap();
                let log = || std::fs::read_to_string(node.dir.join("log")).unwrap();
                assert!(ended.is_none(), "the scheduler ended: {}", log());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let address = tokio::time::timeout(DEADLINE, address).await.expect("the scheduler starts");
        node.url = format!("http://{address}/api/v2");
        node
    }

    /// Whether it took the run: only the leader does.
    async fn trigger(&self, http: &reqwest::Client, run_id: &str) -> bool {
        let body = json!({"dag_run_id": run_id, "logical_date": null});
        let asked = http.post(format!("{}/dags/line/dagRuns", self.url)).json(&body).send().await;
        let answer = asked.unwrap();
        match answer.status() {
            StatusCode::OK | StatusCode::CONFLICT => true,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::NOT_FOUND => false,
            other => panic!("{other}: {}", answer.text().await.unwrap()),
        }
    }

    async fn state(&self, http: &reqwest::Client, run_id: &str) -> String {
        let asked = http.get(format!("{}/dags/line/dagRuns/{run_id}", self.url)).send().await;
        let run: Value = asked.unwrap().json().await.unwrap();
        run["state"].as_str().unwrap_or_default().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_leader_is_killed_another_goes_on_and_nothing_runs_twice() {
    let Some(database) = crate::store::tests::Database::postgres() else { return };
    let rounds: u64 = std::env::var(ROUNDS).map_or(3, |rounds| rounds.parse().unwrap());
    let project = tempfile::tempdir().unwrap();
    let root = project.path();
    std::fs::create_dir(root.join("dags")).unwrap();
    std::fs::write(root.join("dags/line.yaml"), DAG).unwrap();
    let schema = database.schema().to_owned();
    // One key for both, as an operator would give them.
    for node in ["one", "two"] {
        std::fs::create_dir_all(root.join(node)).unwrap();
    }
    let mut nodes = vec![
        Node::start(root.join("one"), &schema).await,
        Node::start(root.join("two"), &schema).await,
    ];
    // Making the scheduler's own client says which cryptography there is.
    drop(ReqwestClient::new().unwrap());
    let http = reqwest::Client::new();
    for round in 0..rounds {
        let run_id = format!("run{round}");
        let taken = async {
            loop {
                for (place, node) in nodes.iter().enumerate() {
                    if node.trigger(&http, &run_id).await {
                        return place;
                    }
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let leader = tokio::time::timeout(DEADLINE, taken).await.expect("somebody leads");
        // Somewhere in the run: before its first task, in it, between the two.
        tokio::time::sleep(Duration::from_millis(round * 97 % 400)).await;
        let dir = nodes[leader].dir.clone();
        drop(nodes.remove(leader));
        let ended = async {
            while nodes[0].state(&http, &run_id).await != "success" {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(DEADLINE, ended).await.expect("the other one goes on");
        nodes.push(Node::start(dir, &schema).await);
    }
    let seen = std::fs::read_to_string(root.join("seen")).unwrap();
    let mut lines: Vec<&str> = seen.lines().collect();
    lines.sort_unstable();
    let all = lines.len();
    lines.dedup();
    assert_eq!(lines.len(), all, "a try ran twice:\n{seen}");
    for round in 0..rounds {
        for task in ["a", "b"] {
            let of = format!("run{round} {task} ");
            assert!(lines.iter().any(|line| line.starts_with(&of)), "{of} never ran:\n{seen}");
        }
    }
}
