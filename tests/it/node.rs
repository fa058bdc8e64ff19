//! A node of the shipped binary on free ports, and clients for it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use serde_json::Value;
use tidemill_kafka_client::{ClientConfig, Fetch, FetchFrom, KafkaClient};
use tidemill_kafka_wire::records::{self, Record};
use tidemill_runtime::World;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

/// Longer than anything here takes on a busy machine; a test that reaches it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Every key that opens a port.
const LISTENS: [&str; 8] = [
    "BROKER__LISTEN",
    "STORE__LISTEN",
    "REGISTRY__LISTEN",
    "SCHEDULER__LISTEN",
    "ENGINE__LISTEN",
    "ENGINE__SPARK_LISTEN",
    "CONSOLE__LISTEN",
    "COORDINATION__LISTEN",
];

/// A copy of `examples/users` in a folder that goes with it.
pub(crate) struct Project {
    dir: tempfile::TempDir,
}

impl Project {
    pub(crate) fn users() -> Project {
        let dir = tempfile::tempdir().unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/users");
        copy(&example, dir.path());
        Project { dir }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The binary with this project as its directory, on free ports.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidemill"));
        for listen in LISTENS {
            command.env(format!("TIDEMILL__{listen}"), "127.0.0.1:0");
        }
        command.arg("-C").arg(self.path()).args(arguments).kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null());
        tokio::time::timeout(PATIENCE, command.output()).await.expect("ends in time").unwrap()
    }

    /// Runs a command that must succeed: its JSON lines.
    pub(crate) async fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let mut all = vec!["--json"];
        all.extend(arguments);
        let output = self.run(&all).await;
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {shown}");
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) async fn up(&self) -> Node {
        let mut child = self.command(&["up", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let read = tokio::time::timeout(PATIENCE, out.read_line(&mut line)).await;
        read.expect("ready in time").unwrap();
        let ready: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("ready: {line:?}"));
        assert_eq!(ready["ready"], true);
        Node { child, ready, _out: out }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target: PathBuf = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// A node that runs.
pub(crate) struct Node {
    child: Child,
    pub(crate) ready: Value,
    _out: BufReader<ChildStdout>,
}

impl Node {
    pub(crate) fn endpoint(&self, name: &str) -> String {
        self.ready["endpoints"][name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned()
    }

    pub(crate) fn kafka(&self) -> KafkaClient {
        let mut config = ClientConfig::new([self.endpoint("kafka")], "it");
        config.request_timeout = Duration::from_secs(10);
        KafkaClient::new(config, World::real())
    }

    pub(crate) async fn cql(&self) -> Session {
        SessionBuilder::new().known_node(self.endpoint("cql")).build().await.unwrap()
    }

    /// As when the power goes, but for what the kernel still has.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM: the exit code and how long it took to come.
    pub(crate) async fn terminate(mut self) -> Option<i32> {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await;
        status.expect("drained within 10 s").unwrap().code()
    }
}

/// All records of a one-partition topic; none if the topic does not exist.
pub(crate) async fn read_all(kafka: &KafkaClient, topic: &str) -> Vec<Record> {
    let mut read: Vec<Record> = Vec::new();
    if kafka.topic(topic).await.unwrap().is_none() {
        return read;
    }
    loop {
        let offset = read.last().map_or(0, |record| record.offset + 1);
        let from = FetchFrom { topic: topic.to_owned(), partition: 0, offset };
        let request = Fetch {
            partitions: vec![from],
            max_wait: Duration::ZERO,
            min_bytes: 1,
            max_bytes: 8 << 20,
            partition_max_bytes: 8 << 20,
            read_committed: false,
        };
        let fetched = kafka.fetch(&request).await.unwrap().remove(0).result.unwrap();
        let before = read.len();
        let records = records::decode(&fetched.batches).map(|record| record.unwrap());
        read.extend(records.filter(|record| record.offset >= offset));
        if read.len() == before {
            return read;
        }
    }
}

/// The ids in a table.
pub(crate) async fn ids_in(session: &Session, table: &str) -> Vec<uuid::Uuid> {
    use futures::TryStreamExt;
    let rows = session.query_iter(format!("SELECT id FROM {table}"), ()).await;
    let rows = rows.unwrap().rows_stream::<(uuid::Uuid,)>().unwrap();
    rows.map_ok(|(id,)| id).try_collect().await.unwrap()
}

/// Looks again and again until what is looked for is there.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(found) => found,
        Err(_) => panic!("{what}: not within {PATIENCE:?}"),
    }
}

/// A person as the tutorial's producer writes it.
pub(crate) fn user(id: uuid::Uuid, n: usize) -> Value {
    serde_json::json!({
        "id": id.to_string(), "first_name": "Ada", "last_name": format!("L{n}"), "gender": "female",
        "address": "1 Main Street, Town, State, Country", "post_code": n, "email": "a@example.com",
        "username": "ada", "dob": "1990-01-01T00:00:00.000Z",
        "registered_date": "2020-01-01T00:00:00.000Z", "phone": "1", "picture": "p",
    })
}

pub(crate) fn distinct<T: std::hash::Hash + Eq + Clone>(all: &[T]) -> HashSet<T> {
    all.iter().cloned().collect()
}
