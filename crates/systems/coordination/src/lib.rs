//! Znodes, sessions and watches: the box in place of Apache ZooKeeper. Speaks the ZooKeeper
//! protocol.
//!
//! ```text
//! socket ── server ── handlers ── machine ──┬── tree, sessions, watches
//!                                           │
//!           outbox ◀── held back until ─────┴── log thread: append, one sync for all ── version-2/
//! ```
//!
//! - `server`: the only sockets; `words`: what they answer to four letters.
//! - `handlers`: one file per request. A read looks; a write is checked and becomes a transaction.
//! - `machine`: the synchronous state. It applies transactions in order and says what to send, and
//!   after which transaction.
//! - `tree`, `sessions`, `watches`, `acl`: its parts.
//! - `storage`: ZooKeeper's own transaction log and snapshots.
//! - `core`: the lock, the log's thread, the queues.
//!
//! Invariants: nothing is shown to anybody before it is on the disk: no reply, no event, no read. A
//! multi is in the log as one record, so it is there whole or not at all. A client is told of a
//! change before it can read what came of it. After a failed write or sync of the log nothing is
//! acknowledged any more.

#![forbid(unsafe_code)]

mod acl;
mod config;
mod core;
mod error;
mod handlers;
mod machine;
mod outbox;
mod server;
mod sessions;
#[cfg(test)]
mod simulation;
mod stats;
mod storage;
mod tree;
mod watches;
mod words;

pub use config::{Config, Durability};
pub use error::StartError;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tidemill_runtime::{BoxFuture, Failure, System, Tasks, World};

use crate::core::Core;

/// A running server.
pub struct Coordination {
    address: SocketAddr,
    core: Arc<Core>,
}

impl Coordination {
    /// Opens the data directory `dir`, which is made if absent, recovers what a crash left there,
    /// and listens. Clients are answered when this returns.
    pub async fn start(
        mut config: Config,
        dir: PathBuf,
        world: World,
    ) -> Result<Coordination, StartError> {
        let listener = tidemill_runtime::listen(config.listen, "[coordination] listen")?;
        let address = listener
            .local_addr()
            .map_err(|source| StartError::disk(&dir, "learn the address for", source))?;
        config.listen = address;
        let tasks = Tasks::new();
        let opening = {
            let tasks = tasks.clone();
            move || Core::open(config, &dir, world, tasks)
        };
        let core = tasks.spawn_blocking(opening).await.expect("opening does not panic")?;
        server::start(&core, listener);
        Ok(Coordination { address, core })
    }
}

impl Drop for Coordination {
    fn drop(&mut self) {
        self.core.tasks.shutdown().request();
        self.core.abandon();
    }
}

impl System for Coordination {
    fn name(&self) -> &'static str {
        "coordination"
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn failed(&self) -> BoxFuture<'_, Failure> {
        Box::pin(self.core.tasks.failed())
    }

    fn drain(&self, deadline: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if !self.core.tasks.stop(deadline).await {
                tracing::warn!("some connections did not end in time");
            }
        })
    }
}
