//! What the server does when its disk fails, and with bytes that are no requests.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tidemill_coordination::{Config, Coordination, StartError};
use tidemill_runtime::{System as _, World};
use tidemill_sim::{Fault, SimWorld};
use tidemill_zookeeper_wire::data::Acl;
use tidemill_zookeeper_wire::request::{CreateRequest, PathWatch};
use tidemill_zookeeper_wire::session::RequestHeader;
use tidemill_zookeeper_wire::{ErrorCode, Request, frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Client, PATIENCE};

fn config() -> Config {
    Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Config::default() }
}

async fn serve(world: World) -> Coordination {
    Coordination::start(config(), PathBuf::from("/data"), world).await.unwrap()
}

fn create(path: &str) -> Request {
    let path = path.to_owned();
    Request::Create(CreateRequest { path, data: None, acl: Acl::open(), flags: 0 })
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_acknowledged_and_the_box_fails() {
    let sim = SimWorld::new(1);
    let server = serve(sim.ports()).await;
    let mut client = Client::connect(&server).await;
    client.ask(1, &create("/kept")).await;
    assert_eq!(client.reply().await.error, 0);
    sim.disk.fail_calls(sim.disk.calls() + 1..u64::MAX, Fault::Io);
    client.ask(2, &create("/lost")).await;
    let failure = tokio::time::timeout(PATIENCE, server.failed()).await.unwrap();
    assert_eq!(&*failure.task, "log");
    // Also when the disk works again: what it has kept of the unsynced bytes is not known.
    sim.disk.clear_faults();
    client.ask(3, &create("/later")).await;
    client.ask(4, &Request::Exists(PathWatch { path: "/lost".to_owned(), watch: false })).await;
    server.drain(Duration::from_secs(5)).await;
    assert!(client.is_closed().await, "an answer after a failed sync");
}

#[tokio::test]
async fn what_is_no_request_ends_its_own_connection_and_no_other() {
    let server = serve(SimWorld::new(2).ports()).await;
    let mut good = Client::connect(&server).await;
    let longer_than_allowed = 0x10_0001_u32.to_be_bytes().to_vec();
    for bytes in
        [longer_than_allowed, vec![0xff; 64], vec![0, 0, 0, 1, 7], b"GET / HTTP/1.1\r\n".to_vec()]
    {
        let mut bad = Client::open(&server).await;
        bad.socket.write_all(&bytes).await.unwrap();
        assert!(bad.is_closed().await, "{bytes:?}");
    }
    // A record that ends early has an answer.
    let header = RequestHeader { xid: 7, op: 1 };
    good.socket.write_all(&frame::of(&header)).await.unwrap();
    let reply = good.reply().await;
    assert_eq!((reply.xid, reply.error), (7, ErrorCode::MarshallingError.number()));
    good.ask(8, &create("/still")).await;
    assert_eq!(good.reply().await.error, 0);
    // An op that does not exist has one too, and is the last.
    let header = RequestHeader { xid: 9, op: 999 };
    good.socket.write_all(&frame::of(&header)).await.unwrap();
    assert_eq!(good.reply().await.error, ErrorCode::Unimplemented.number());
    assert!(good.is_closed().await);
}

#[tokio::test]
async fn four_letter_words_are_answered_if_they_are_permitted() {
    let server = serve(SimWorld::new(3).ports()).await;
    for (word, begins) in [
        ("ruok", "imok"),
        ("srvr", "Zookeeper version: 3.9.5"),
        ("mntr", "zk_version\t3.9.5"),
        ("isro", "rw"),
        ("cons", "cons is not executed because it is not in the whitelist."),
    ] {
        let mut socket = TcpStream::connect(server.address()).await.unwrap();
        socket.write_all(word.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(begins), "{word}: {answer}");
    }
}

#[tokio::test]
async fn a_directory_has_one_server() {
    let sim = SimWorld::new(4);
    let _first = serve(sim.ports()).await;
    let second = Coordination::start(config(), PathBuf::from("/data"), sim.ports()).await;
    assert!(matches!(second, Err(StartError::InUse { .. })));
}

#[tokio::test]
async fn what_is_unreadable_is_named_and_left_as_it_is() {
    let sim = SimWorld::new(5);
    serve(sim.ports()).await.drain(PATIENCE).await;
    let path = PathBuf::from("/data/version-2/snapshot.0");
    sim.disk.rot(&path, 40, 0x10).unwrap();
    let crashed = sim.crash(6);
    let Err(error) = Coordination::start(config(), PathBuf::from("/data"), crashed.ports()).await
    else {
        panic!("a server on a broken snapshot");
    };
    assert!(error.to_string().contains("snapshot.0 cannot be read"), "{error}");
}
