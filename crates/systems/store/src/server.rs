//! The store as a system: opens the directory, listens, serves, drains.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tidemill_runtime::{BoxFuture, DirLock, Failure, System, Tasks, World, listen};
use tokio::net::TcpListener;

use crate::config::Config;
use crate::connection;
use crate::database::Database;
use crate::error::StartError;
use crate::limits::InFlight;
use crate::stage::Stage;

/// How long the acceptor waits after an error such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) database: Arc<Database>,
    pub(crate) stage: Stage,
    pub(crate) tasks: Tasks,
    pub(crate) in_flight: Arc<InFlight>,
    connections: Arc<tokio::sync::Semaphore>,
}

/// The box in place of Cassandra: answers CQL on a loopback port, keeps what it acknowledged.
pub struct Store {
    address: SocketAddr,
    shared: Arc<Shared>,
    committer: Mutex<Option<std::thread::JoinHandle<()>>>,
    _lock: DirLock,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens `dir`, recovers what is in it, and listens. Returns when clients are answered.
    ///
    /// # Errors
    /// The port is taken or public, the directory is in use or cannot be read.
    pub async fn start(config: Config, dir: PathBuf, world: World) -> Result<Store, StartError> {
        let listener = listen(config.listen, "[store] listen")?;
        let address = listener.local_addr()?;
        let tasks = Tasks::new();
        let opening = {
            let (config, dir, world) = (config.clone(), dir.clone(), world.clone());
            tasks.spawn_blocking(move || open(&config, dir, &world))
        };
        let (database, lock) = match opening.await {
            Ok(opened) => opened?,
            Err(_) => return Err(StartError::Data { dir, reason: "recovery panicked".into() }),
        };
        database.set_address(address);
        let database = Arc::new(database);
        let committer = start_committer(&database, &tasks)?;
        let shared = Arc::new(Shared {
            database,
            stage: Stage::start("cql", config.worker_threads)?,
            tasks: tasks.clone(),
            in_flight: InFlight::new(config.requests_max, config.requests_bytes_max.as_usize()),
            connections: Arc::new(tokio::sync::Semaphore::new(config.connections_max)),
            config,
        });
        tasks.spawn_vital("cql acceptor", accept(shared.clone(), listener));
        tracing::info!(%address, dir = %dir.display(), "store answers CQL");
        Ok(Store { address, shared, committer: Mutex::new(Some(committer)), _lock: lock })
    }

    /// Ends the threads: statements first, then what makes them durable.
    fn close(&self) {
        self.shared.stage.close();
        self.shared.database.committer().close();
        if let Some(thread) = self.committer.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the committer panicked");
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.shared.tasks.shutdown().request();
        self.close();
    }
}

impl System for Store {
    fn name(&self) -> &'static str {
        "store"
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn failed(&self) -> BoxFuture<'_, Failure> {
        Box::pin(self.shared.tasks.failed())
    }

    fn drain(&self, deadline: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if !self.shared.tasks.stop(deadline).await {
                tracing::warn!("connections were cut off at the deadline");
            }
            self.close();
        })
    }
}

fn open(config: &Config, dir: PathBuf, world: &World) -> Result<(Database, DirLock), StartError> {
    let broken = |source| StartError::Dir { dir: dir.clone(), source };
    world.disk.create_dir_all(&dir).map_err(broken)?;
    let lock = world.disk.lock_dir(&dir).map_err(|source| match source.kind() {
        std::io::ErrorKind::WouldBlock => StartError::InUse { dir: dir.clone() },
        _ => broken(source),
    })?;
    let database = Database::open(config, &dir.join("data"), world)
        .map_err(|error| StartError::Data { dir: dir.clone(), reason: error.to_string() })?;
    Ok((database, lock))
}

/// The thread that makes writes durable. Its failure is the store's.
fn start_committer(
    database: &Arc<Database>,
    tasks: &Tasks,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let (committer, tasks) = (database.committer().clone(), tasks.clone());
    std::thread::Builder::new().name("cql-committer".to_owned()).spawn(move || {
        if let Err(poisoned) = committer.run() {
            tracing::error!(%poisoned, "the disk failed");
            tasks.fail("cql committer", poisoned);
        }
    })
}

async fn accept(shared: Arc<Shared>, listener: TcpListener) -> Result<(), std::io::Error> {
    let shutdown = shared.tasks.shutdown();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.requested() => return Ok(()),
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of files, or the client went before it was served: others still may come.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = shared.connections.clone().try_acquire_owned() else {
            tracing::warn!(%peer, "too many connections: one more was closed");
            continue;
        };
        let (connection, shutdown) = (shared.clone(), shutdown.clone());
        shared.tasks.spawn("cql connection", async move {
            connection::serve(connection, stream, peer, shutdown).await;
            drop(permit);
        });
    }
}
