//! Topics, groups and offsets: the box in place of Apache Kafka. Speaks the Kafka protocol.
//!
//! ```text
//! socket ── server ── handlers ──┬── topics ── partition ── tidemill-log
//!                                ├── groups ── __consumer_offsets (a partition)
//!                                ├── transactions ── __transaction_state (a partition)
//!                                └── journal: which topics there are
//! ```
//!
//! - `server`: the only sockets. One request after the other per connection; answers in order.
//! - `handlers`: one file per request. They translate; they decide nothing.
//! - `cleaner`: which topics are compacted, and when.
//! - `topics`, `partition`, `producers`, `validate`: what is stored, and by which rules.
//! - `group`: the classic group protocol as a synchronous state machine.
//! - `transactions`: transactional ids, and what their ends write into partitions.
//!
//! Invariants: a record that was acknowledged is as durable as configured; readers see only such
//! records; a batch goes from socket to file to socket as the bytes it came as; one bad partition
//! answers for itself and never fails its neighbours.

#![forbid(unsafe_code)]

mod broker_settings;
mod cleaner;
mod config;
mod core;
mod error;
mod fetch_sessions;
mod group;
mod handlers;
mod journal;
mod partition;
mod producers;
mod producers_file;
mod server;
mod topics;
mod transactions;
mod validate;

pub use config::{Config, Durability};
pub use error::StartError;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tidemill_runtime::{BoxFuture, Failure, System, Tasks, World};

use crate::core::Core;

/// A running broker.
pub struct Broker {
    address: SocketAddr,
    core: Arc<Core>,
}

impl Broker {
    /// Opens the data directory `dir`, which is made if absent, recovers what a crash left there,
    /// and listens. Clients are answered when this returns.
    pub async fn start(config: Config, dir: PathBuf, world: World) -> Result<Broker, StartError> {
        let listener = tidemill_runtime::listen(config.listen, "[broker] listen")?;
        let address = listener.local_addr().map_err(|source| StartError::Dir {
            dir: dir.clone(),
            action: "learn the address",
            source,
        })?;
        let tasks = Tasks::new();
        let opening = {
            let tasks = tasks.clone();
            move || Core::open(config, dir, world, tasks)
        };
        let core = tasks.spawn_blocking(opening).await.expect("opening does not panic")?;
        let core = Arc::new(core);
        server::start(&core, listener);
        Ok(Broker { address, core })
    }
}

impl System for Broker {
    fn name(&self) -> &'static str {
        "broker"
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
            let core = self.core.clone();
            // Its own owner: the tasks above are stopped.
            let closing = Tasks::new();
            closing.spawn_blocking(move || core.close());
            if !closing.stop(deadline).await {
                tracing::warn!("logs were not closed in time; the next start recovers them");
            }
        })
    }
}
