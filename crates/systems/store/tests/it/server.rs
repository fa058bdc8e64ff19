//! A store in this process, on a port of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tidemill_runtime::{System, World};
use tidemill_store::{Config, Store};

/// A running store and the runtime it runs on.
pub(crate) struct Server {
    runtime: tokio::runtime::Runtime,
    store: Option<Store>,
}

impl Server {
    /// Starts on a free port.
    pub(crate) fn start(dir: &Path) -> Server {
        Server::with(dir, Config::default())
    }

    /// Starts with these settings, on a free port.
    pub(crate) fn with(dir: &Path, config: Config) -> Server {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.unwrap();
        let config = Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..config };
        let store = runtime.block_on(Store::start(config, dir.to_owned(), World::real())).unwrap();
        Server { runtime, store: Some(store) }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.store.as_ref().unwrap().address()
    }

    /// The runtime, for async clients.
    pub(crate) fn runtime(&self) -> &tokio::runtime::Runtime {
        &self.runtime
    }

    /// Drains and stops.
    pub(crate) fn stop(mut self) {
        if let Some(store) = self.store.take() {
            self.runtime.block_on(store.drain(Duration::from_secs(10)));
        }
    }
}
