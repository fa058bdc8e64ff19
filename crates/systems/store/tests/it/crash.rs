//! Killed with signal 9 under load, again and again: what was acknowledged is there.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{SyncSender, sync_channel};

use tidemill_cql_wire::Version;
use tidemill_cql_wire::request::*;
use tidemill_cql_wire::response::*;
use tidemill_cql_wire::{Request, Response};

use tidemill_store::{CommitlogSync, Config};

use crate::client::{Client, int, with_values};
use crate::server::Server;

/// Kills per test; the whole suite must stay fast.
const ROUNDS: usize = 6;
/// Connections that write at the same moment.
const WRITERS: usize = 4;
/// Writes each connection keeps in the works.
const IN_FLIGHT: usize = 16;

const SERVER_DIR: &str = "STORE_TEST_SERVER_DIR";
const SERVER_SYNC: &str = "STORE_TEST_SERVER_SYNC";

/// The server that the other tests kill: this program again, told by its environment. Without that
/// it has nothing to do.
#[test]
fn server_process() {
    let Ok(dir) = std::env::var(SERVER_DIR) else { return };
    let commitlog_sync = match std::env::var(SERVER_SYNC).as_deref() {
        Ok("periodic") => CommitlogSync::Periodic,
        _ => CommitlogSync::Group,
    };
    let config = Config { commitlog_sync, ..Config::default() };
    let server = Server::with(Path::new(&dir), config);
    println!("listening {}", server.address());
    // Until it is killed.
    loop {
        std::thread::park();
    }
}

struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// Starts this very program as a server: see [`server_process`].
    fn start(dir: &Path, sync: &str) -> Process {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::server_process", "--nocapture"])
            .env(SERVER_DIR, dir)
            .env(SERVER_SYNC, sync)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut addresses = lines.map_while(Result::ok).filter_map(|line| {
            let (_, address) = line.split_once("listening ")?;
            address.parse().ok()
        });
        let address = addresses.next().expect("the server says where it listens");
        Process { child, address }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Writes numbers until the server is gone; returns those it acknowledged.
fn write_until_killed(
    mut client: Client,
    writer: usize,
    round: usize,
    acknowledged: &SyncSender<()>,
) -> Vec<i32> {
    let Some(insert) = client.try_prepare("INSERT INTO crash.rows (id, writer) VALUES (?, ?)")
    else {
        return Vec::new();
    };
    let mut next = i32::try_from((round * WRITERS + writer) * 1_000_000).unwrap();
    let mut waiting = std::collections::HashMap::new();
    let mut done = Vec::new();
    loop {
        while waiting.len() < IN_FLIGHT {
            let parameters = with_values(vec![int(next), int(i32::try_from(writer).unwrap())]);
            let id = insert.id.clone();
            let execute = Execute { id, result_metadata_id: None, parameters };
            let Some(stream) = client.try_send(&Request::Execute(execute)) else { return done };
            waiting.insert(stream, next);
            next += 1;
        }
        let Some(envelope) = client.try_receive() else { return done };
        let answer = Response::decode(&envelope).unwrap();
        let number = waiting.remove(&envelope.stream).unwrap();
        if answer.body == ResponseBody::Result(ResultResponse::Void) {
            done.push(number);
            // Nobody counts any more once the server is killed.
            let _ = acknowledged.send(());
        }
    }
}

fn ids(client: &mut Client) -> BTreeSet<i32> {
    let rows = client.rows("SELECT id FROM crash.rows");
    rows.iter()
        .map(|row| i32::from_be_bytes(row[0].as_deref().unwrap().try_into().unwrap()))
        .collect()
}

fn lose_nothing(sync: &'static str) {
    let dir = tempfile::tempdir().unwrap();
    let mut expected = BTreeSet::new();
    for round in 0..ROUNDS {
        let server = Process::start(dir.path(), sync);
        let address = server.address;
        let mut client = Client::new(address);
        if round == 0 {
            client.run("CREATE KEYSPACE crash WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
            client.run("CREATE TABLE crash.rows (id int PRIMARY KEY, writer int)");
        }
        let found = ids(&mut client);
        let missing: Vec<_> = expected.difference(&found).collect();
        assert!(missing.is_empty(), "round {round}: {} acknowledged rows lost", missing.len());
        // A change of the schema in each round: it is there after the kill as well.
        client.run(&format!("ALTER TABLE crash.rows ADD round{round} int"));
        let (acknowledged, count) = sync_channel(0);
        let written = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let acknowledged = acknowledged.clone();
                    let client = Client::open(address, Version::V4, None);
                    scope.spawn(move || write_until_killed(client, writer, round, &acknowledged))
                })
                .collect();
            // Killed in the middle of the work, each time at another point of it.
            (0..100 + 150 * round).for_each(|_| count.recv().unwrap());
            server.kill();
            drop(count);
            writers.into_iter().flat_map(|it| it.join().unwrap()).collect::<Vec<_>>()
        });
        expected.extend(written);
    }
    let server = Process::start(dir.path(), sync);
    let mut client = Client::new(server.address);
    let found = ids(&mut client);
    assert!(expected.is_subset(&found), "{} lost", expected.difference(&found).count());
    for round in 0..ROUNDS {
        client.run(&format!("SELECT round{round} FROM crash.rows LIMIT 1"));
    }
    server.kill();
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    lose_nothing("group");
}

/// `periodic` may lose what a power failure takes, not what the death of the process takes.
#[test]
fn periodic_mode_survives_the_death_of_the_process() {
    lose_nothing("periodic");
}

#[test]
fn prepared_statements_and_paging_states_are_good_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::start(dir.path(), "group");
    let mut client = Client::new(server.address);
    client.run("CREATE KEYSPACE crash WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    client.run("CREATE TABLE crash.rows (id int PRIMARY KEY, writer int)");
    for id in 0..50 {
        client.run(&format!("INSERT INTO crash.rows (id, writer) VALUES ({id}, 1)"));
    }
    let select = client.prepare("SELECT id FROM crash.rows");
    let page = QueryParameters { page_size: Some(20), ..QueryParameters::default() };
    let ResponseBody::Result(ResultResponse::Rows(first)) =
        client.execute(&select, page.clone()).body
    else {
        panic!("no rows");
    };
    assert_eq!(first.count, 20);
    server.kill();
    let server = Process::start(dir.path(), "group");
    let mut client = Client::new(server.address);
    let mut seen: Vec<_> = first.iter().map(Result::unwrap).collect();
    let mut state = first.metadata.paging_state;
    while let Some(paging_state) = state.take() {
        let page = QueryParameters { paging_state: Some(paging_state), ..page.clone() };
        let ResponseBody::Result(ResultResponse::Rows(rows)) = client.execute(&select, page).body
        else {
            panic!("the statement or its paging state was forgotten");
        };
        seen.extend(rows.iter().map(Result::unwrap));
        state = rows.metadata.paging_state;
    }
    assert_eq!(seen.len(), 50);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 50, "each row once");
    server.kill();
}
