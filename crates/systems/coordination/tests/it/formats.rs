//! Directories that were left behind by ZooKeeper 3.9.5 and by Tidemill 0.1, both killed: a snapshot
//! in the middle, logs before and after it, a client still connected. This release goes on from them.

use std::net::SocketAddr;
use std::path::Path;

use tidemill_coordination::{Config, Coordination};
use tidemill_runtime::World;
use tidemill_zookeeper_wire::data::{Acl, Stat};
use tidemill_zookeeper_wire::request::{CreateMode, CreateRequest, PathWatch};
use tidemill_zookeeper_wire::{ErrorCode, Request, Response};

use crate::client::Client;

#[tokio::test]
async fn a_directory_of_zookeeper_3_9_5_is_read() {
    goes_on_from("zookeeper-3.9.5").await;
}

#[tokio::test]
async fn a_directory_of_tidemill_0_1_is_read() {
    goes_on_from("tidemill-0.1").await;
}

async fn goes_on_from(fixture: &str) {
    let dir = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(fixture);
    std::fs::create_dir(dir.path().join("version-2")).unwrap();
    for file in std::fs::read_dir(from.join("version-2")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), dir.path().join("version-2").join(file.file_name())).unwrap();
    }
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = Config { listen, ..Config::default() };
    let server = Coordination::start(config, dir.path().to_owned(), World::real()).await.unwrap();
    let mut client = Client::connect(&server).await;

    let (data, stat) = get(&mut client, "/a").await;
    assert_eq!((data.as_slice(), stat.version, stat.num_children), (&b"two"[..], 1, 3));
    // Five children came, two went.
    assert_eq!(stat.cversion, 7);
    let (data, stat) = get(&mut client, "/multi").await;
    assert_eq!((data.as_slice(), stat.version, stat.aversion), (&b"2"[..], 1, 0));
    assert!(get(&mut client, "/e").await.1.ephemeral_owner != 0, "its session goes on");
    assert_eq!(get(&mut client, "/box").await.1.num_children, 1);
    assert_eq!(get(&mut client, "/old").await.1.ephemeral_owner, 0);
    for (path, error) in
        [("/a/gone", ErrorCode::NoNode), ("/a/b", ErrorCode::NoNode), ("/hers", ErrorCode::NoAuth)]
    {
        assert_eq!(client.refused(&look(path)).await, Some(error), "{path}");
    }
    let flags = CreateMode::PersistentSequential.flags();
    let create = CreateRequest { path: "/a/s-".to_owned(), data: None, acl: Acl::open(), flags };
    let created = client.done(&Request::Create(create)).await;
    assert_eq!(created, Response::Path("/a/s-0000000005".to_owned()));
}

fn look(path: &str) -> Request {
    Request::GetData(PathWatch { path: path.to_owned(), watch: false })
}

async fn get(client: &mut Client, path: &str) -> (Vec<u8>, Stat) {
    match client.done(&look(path)).await {
        Response::Data(data, stat) => (data.unwrap_or_default().to_vec(), stat),
        other => panic!("{other:?}"),
    }
}
