//! The only socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tidemill_runtime::{BoxFuture, Failure, ListenError, System, Tasks, World, listen};

use crate::app::App;
use crate::config::{Config, Endpoints};
use crate::{guard, handlers, watch};

/// Why the console did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its port.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The HTTP client that asks the other boxes.
    #[error("cannot make an HTTP client")]
    Client(#[from] reqwest::Error),
}

/// A started console.
#[derive(Debug)]
pub struct Console {
    address: SocketAddr,
    tasks: Tasks,
}

impl Console {
    /// Listens and begins to watch. The other boxes need not answer yet.
    #[expect(clippy::unused_async, reason = "all boxes start alike")]
    pub async fn start(
        config: Config,
        endpoints: Endpoints,
        world: World,
    ) -> Result<Console, StartError> {
        let listener = listen(config.listen, "[console] listen")?;
        let address = listener.local_addr().map_err(|source| ListenError::Refused {
            address: config.listen,
            setting: "[console] listen",
            source,
        })?;
        let tasks = Tasks::new();
        let url = format!("http://{address}");
        let app = Arc::new(App::new(config, endpoints, url, tasks.clone(), world)?);
        watch::start(&app, &tasks);
        let router = guard::guarded(handlers::router(app));
        let shutdown = tasks.shutdown();
        tasks.spawn_vital("http", async move {
            let stop = async move { shutdown.requested().await };
            axum::serve(listener, router).with_graceful_shutdown(stop).await
        });
        Ok(Console { address, tasks })
    }
}

impl System for Console {
    fn name(&self) -> &'static str {
        "console"
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn failed(&self) -> BoxFuture<'_, Failure> {
        Box::pin(self.tasks.failed())
    }

    fn drain(&self, deadline: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if !self.tasks.stop(deadline).await {
                tracing::warn!("some pages were still open at the deadline");
            }
        })
    }
}
