//! The client against Tidemill's own server, or against the ensemble that `TIDEMILL_ZOOKEEPER` names
//! as `host:port`: the same scenarios.

use std::net::SocketAddr;
use std::time::Duration;

use tempfile::TempDir;
use tidemill_coordination::{Config as ServerConfig, Coordination};
use tidemill_runtime::{Span, System as _, World};
use tidemill_zookeeper_wire::session::{ConnectRequest, RequestHeader};
use tidemill_zookeeper_wire::{ErrorCode, Jute as _, Op as Asked, frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{Acl, Client, ClientError, Config, CreateMode, EventType, Lease, Op, SessionState};

const PATIENCE: Duration = Duration::from_secs(30);

struct Ensemble {
    address: String,
    own: Option<(Coordination, TempDir)>,
}

impl Ensemble {
    async fn start() -> Ensemble {
        if let Ok(address) = std::env::var("TIDEMILL_ZOOKEEPER") {
            return Ensemble { address, own: None };
        }
        let dir = tempfile::tempdir().unwrap();
        let server = serve(&dir, 0).await;
        Ensemble { address: server.address().to_string(), own: Some((server, dir)) }
    }

    /// A client with a tree of its own.
    fn client(&self, root: &str) -> Client {
        let connect = format!("{}/{root}", self.address);
        Client::start(Config::new(&connect), World::real()).unwrap()
    }

    async fn stop(&mut self) -> Option<TempDir> {
        let (server, dir) = self.own.take()?;
        server.drain(PATIENCE).await;
        Some(dir)
    }

    async fn start_again(&mut self, dir: TempDir) {
        let port = self.address.parse::<SocketAddr>().unwrap().port();
        self.own = Some((serve(&dir, port).await, dir));
    }
}

async fn serve(dir: &TempDir, port: u16) -> Coordination {
    let config = ServerConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        tick_time: Span::ms(100),
        max_session_timeout: Some(Span::secs(40)),
        ..ServerConfig::default()
    };
    Coordination::start(config, dir.path().to_owned(), World::real()).await.unwrap()
}

fn root() -> String {
    World::real().random.uuid().simple().to_string()
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(done) => done,
        Err(_) => panic!("{what}: not within {PATIENCE:?}"),
    }
}

/// Ends a client's session behind its back: with the password anybody may close it.
async fn end_session(client: &Client) {
    let session_id = client.connected().await.unwrap();
    let password = client.shared.password.lock().clone();
    let mut socket = TcpStream::connect(&client.shared.ensemble.hosts[0]).await.unwrap();
    let connect = ConnectRequest {
        timeout_ms: 10_000,
        session_id,
        password: Some(password),
        ..ConnectRequest::default()
    };
    socket.write_all(&frame::of(&connect)).await.unwrap();
    let close = RequestHeader { xid: 1, op: Asked::CloseSession.number() };
    socket.write_all(&frame::build(|to| close.write(to))).await.unwrap();
    let mut all = Vec::new();
    within("the server closes the connection", socket.read_to_end(&mut all)).await.unwrap();
}

#[tokio::test]
async fn a_node_is_made_read_set_and_removed() {
    let ensemble = Ensemble::start().await;
    let client = ensemble.client(&root());
    client.ensure("/a/b").await.unwrap();
    client.ensure("/a/b").await.unwrap();
    assert_eq!(client.set("/a/b", "one", 7).await.unwrap_err().code(), Some(ErrorCode::BadVersion));
    assert_eq!(client.set("/a/b", "one", 0).await.unwrap().version, 1);
    assert_eq!(client.get("/a/b").await.unwrap().0, "one");
    let (first, _) = client.create("/a/b/n-", "", CreateMode::PersistentSequential).await.unwrap();
    let (second, _) = client.create("/a/b/n-", "", CreateMode::PersistentSequential).await.unwrap();
    assert_eq!((first.as_str(), second.as_str()), ("/a/b/n-0000000000", "/a/b/n-0000000001"));
    assert_eq!(client.children("/a/b").await.unwrap().len(), 2);
    assert_eq!(client.delete("/a/b", -1).await.unwrap_err().code(), Some(ErrorCode::NotEmpty));
    client.delete(&first, -1).await.unwrap();
    client.delete(&second, 0).await.unwrap();
    client.delete("/a/b", -1).await.unwrap();
    assert_eq!(client.exists("/a/b").await.unwrap(), None);
    assert_eq!(client.get("a").await.unwrap_err().code(), Some(ErrorCode::BadArguments));
    client.close().await;
    assert_eq!(client.get("/a").await.unwrap_err(), ClientError::Closed);
}

#[tokio::test]
async fn a_watch_is_told_of_the_next_change() {
    let ensemble = Ensemble::start().await;
    let root = root();
    let (one, two) = (ensemble.client(&root), ensemble.client(&root));
    one.ensure("/a").await.unwrap();
    let (missing, made) = one.exists_watched("/a/b").await.unwrap();
    assert_eq!(missing, None);
    let (names, more) = one.children_watched("/a").await.unwrap();
    assert!(names.is_empty());
    two.create("/a/b", "x", CreateMode::Persistent).await.unwrap();
    let event = within("created", made.changed()).await.unwrap();
    assert_eq!((event.kind, event.path.as_str()), (EventType::Created, "/a/b"));
    assert_eq!(within("children", more.changed()).await.unwrap().kind, EventType::ChildrenChanged);
    let (data, _, set) = one.get_watched("/a/b").await.unwrap();
    assert_eq!(data, "x");
    two.set("/a/b", "y", -1).await.unwrap();
    assert_eq!(within("set", set.changed()).await.unwrap().kind, EventType::DataChanged);
    let (_, _, gone) = one.get_watched("/a/b").await.unwrap();
    two.delete("/a/b", -1).await.unwrap();
    assert_eq!(within("deleted", gone.changed()).await.unwrap().kind, EventType::Deleted);
}

#[tokio::test]
async fn of_a_multi_all_is_done_or_nothing() {
    let ensemble = Ensemble::start().await;
    let client = ensemble.client(&root());
    client.ensure("/").await.unwrap();
    let create = |path: &str| Op::Create(path.to_owned(), "x".into(), CreateMode::Persistent);
    client.multi(vec![create("/a"), create("/a/b")]).await.unwrap();
    let failed = client
        .multi(vec![
            Op::Set("/a".to_owned(), "y".into(), 0),
            Op::Delete("/a/b".to_owned(), -1),
            Op::Check("/a".to_owned(), 5),
            create("/c"),
        ])
        .await
        .unwrap_err();
    assert_eq!(failed, ClientError::Refused { path: "/a".to_owned(), code: ErrorCode::BadVersion });
    let (data, stat) = client.get("/a").await.unwrap();
    assert_eq!((data.as_ref(), stat.version, stat.num_children), (&b"x"[..], 0, 1));
    assert_eq!(client.exists("/c").await.unwrap(), None);
}

#[tokio::test]
async fn who_has_no_credentials_may_not_read() {
    let ensemble = Ensemble::start().await;
    let root = root();
    let mut config = Config::new(&format!("{}/{root}", ensemble.address));
    config.auth.push(("digest".to_owned(), b"ada:secret".to_vec()));
    let ada = Client::start(config.clone(), World::real()).unwrap();
    ada.ensure("/").await.unwrap();
    ada.create_with_acl("/hers", "x", CreateMode::Persistent, Acl::creator()).await.unwrap();
    assert_eq!(ada.get("/hers").await.unwrap().0, "x");
    let other = ensemble.client(&root);
    assert_eq!(other.get("/hers").await.unwrap_err().code(), Some(ErrorCode::NoAuth));
    config.auth[0].0 = "unheard-of".to_owned();
    let wrong = Client::start(config, World::real()).unwrap();
    assert_eq!(wrong.get("/hers").await.unwrap_err(), ClientError::AuthFailed);
}

#[tokio::test]
async fn a_registration_outlives_its_session() {
    let ensemble = Ensemble::start().await;
    let root = root();
    let (node, watcher) = (ensemble.client(&root), ensemble.client(&root));
    let registration = node.register("/nodes/one", "here").await.unwrap();
    let (_, stat, gone) = watcher.get_watched("/nodes/one").await.unwrap();
    assert_eq!(stat.ephemeral_owner, node.connected().await.unwrap());
    end_session(&node).await;
    assert_eq!(within("gone", gone.changed()).await.unwrap().kind, EventType::Deleted);
    let back = async {
        loop {
            let (stat, changed) = watcher.exists_watched("/nodes/one").await.unwrap();
            match stat {
                Some(stat) => return stat,
                None => drop(changed.changed().await),
            }
        }
    };
    let again = within("registered again", back).await;
    assert_ne!(again.ephemeral_owner, stat.ephemeral_owner);
    let (_, gone) = watcher.exists_watched("/nodes/one").await.unwrap();
    drop(registration);
    assert_eq!(within("withdrawn", gone.changed()).await.unwrap().kind, EventType::Deleted);
}

#[tokio::test]
async fn a_lease_has_one_holder_and_the_next_one_a_larger_number() {
    let ensemble = Ensemble::start().await;
    let root = root();
    let (one, two) = (ensemble.client(&root), ensemble.client(&root));
    let mut first = Lease::new(&one, "/leader", "one").acquire().await.unwrap();
    assert!(first.is_certain());
    let waiting = Lease::new(&two, "/leader", "two");
    let second = waiting.acquire();
    tokio::pin!(second);
    // Both are in the queue, and the second one does not come in.
    tokio::select! {
        _ = &mut second => panic!("two holders"),
        () = queue_of(&one, "/leader", 2) => {}
    }
    end_session(&one).await;
    within("the first one is told", first.lost()).await;
    assert!(!first.is_certain());
    let second = within("the second one holds it", second).await.unwrap();
    assert!(second.fencing > first.fencing);
    second.release().await.unwrap();
}

/// Waits until so many are in the queue.
async fn queue_of(client: &Client, path: &str, count: usize) {
    within("queued", async {
        loop {
            let (names, changed) = client.children_watched(path).await.unwrap();
            if names.len() == count {
                return;
            }
            changed.changed().await;
        }
    })
    .await;
}

#[tokio::test]
async fn who_stops_waiting_for_a_lease_stands_in_nobodys_way() {
    let ensemble = Ensemble::start().await;
    let root = root();
    let (one, two) = (ensemble.client(&root), ensemble.client(&root));
    let held = Lease::new(&one, "/leader", "one").acquire().await.unwrap();
    let impatient = Lease::new(&two, "/leader", "two");
    tokio::select! {
        _ = impatient.acquire() => panic!("two holders"),
        () = queue_of(&one, "/leader", 2) => {}
    }
    queue_of(&one, "/leader", 1).await;
    drop(held);
    let third = Lease::new(&one, "/leader", "three");
    within("nobody is left before it", third.acquire()).await.unwrap().release().await.unwrap();
}

#[tokio::test]
async fn who_asks_for_his_lease_again_gives_up_what_he_had() {
    let ensemble = Ensemble::start().await;
    let client = ensemble.client(&root());
    let lease = Lease::new(&client, "/leader", "one");
    let mut first = lease.acquire().await.unwrap();
    let second = within("not behind oneself", lease.acquire()).await.unwrap();
    within("the first is over", first.lost()).await;
    assert!(!first.is_certain() && second.is_certain());
    assert!(second.fencing > first.fencing);
    drop(first);
    assert_eq!(client.children("/leader").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_queue_for_a_lease_outlives_a_restart_of_the_server() {
    let mut ensemble = Ensemble::start().await;
    if ensemble.own.is_none() {
        return; // An ensemble that is not ours is not restarted.
    }
    let root = root();
    let (one, two) = (ensemble.client(&root), ensemble.client(&root));
    let held = Lease::new(&one, "/leader", "one").acquire().await.unwrap();
    let waiting = Lease::new(&two, "/leader", "two");
    let second = waiting.acquire();
    tokio::pin!(second);
    tokio::select! {
        _ = &mut second => panic!("two holders"),
        () = queue_of(&one, "/leader", 2) => {}
    }
    let dir = ensemble.stop().await.unwrap();
    ensemble.start_again(dir).await;
    within("one is back", one.connected()).await.unwrap();
    let fencing = held.fencing;
    let released = async {
        held.release().await.unwrap();
        std::future::pending::<()>().await
    };
    let second = tokio::select! {
        second = within("the second one holds it", &mut second) => second.unwrap(),
        () = released => unreachable!("it waits for ever"),
    };
    assert!(second.fencing > fencing);
    assert_eq!(two.children("/leader").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_and_its_watches_outlive_a_restart_of_the_server() {
    let mut ensemble = Ensemble::start().await;
    if ensemble.own.is_none() {
        return; // An ensemble that is not ours is not restarted.
    }
    let client = ensemble.client(&root());
    client.ensure("/a").await.unwrap();
    client.create("/a/mine", "x", CreateMode::Ephemeral).await.unwrap();
    let session_id = client.connected().await.unwrap();
    let (_, _, changed) = client.get_watched("/a").await.unwrap();
    let dir = ensemble.stop().await.unwrap();
    let mut sessions = client.sessions();
    let lost = SessionState::Connecting { session_id };
    within("lost", sessions.wait_for(|state| *state == lost)).await.unwrap();
    ensemble.start_again(dir).await;
    assert_eq!(within("back", client.connected()).await, Ok(session_id));
    assert!(client.exists("/a/mine").await.unwrap().is_some());
    client.set("/a", "new", -1).await.unwrap();
    let event = within("told", changed.changed()).await.unwrap();
    assert_eq!(event.kind, EventType::DataChanged);
}
