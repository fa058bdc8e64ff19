//! The only socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tidemill_runtime::{BoxFuture, Failure, ListenError, System, Tasks, World, listen};

use tokio::sync::watch as watch_channel;

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
    failure: watch_channel::Sender<Option<Failure>>,
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
        let failure = watch_channel::Sender::new(None);
        let (shutdown, report) = (tasks.shutdown(), failure.clone());
        tasks.spawn("http", async move {
            let stop = shutdown.clone();
            let stop = async move { stop.requested().await };
            let ended = axum::serve(listener, router).with_graceful_shutdown(stop).await;
            let reason = match ended {
                Ok(()) if shutdown.is_requested() => return,
                Ok(()) => "ended early".to_owned(),
                Err(error) => error.to_string(),
            };
            report.send_replace(Some(Failure { task: "http".into(), reason }));
        });
        Ok(Console { address, tasks, failure })
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
        let mut failure = self.failure.subscribe();
        Box::pin(async move {
            loop {
                let known = failure.borrow_and_update().clone();
                if let Some(known) = known {
                    return known;
                }
                if failure.changed().await.is_err() {
                    // The sender is in `self`, so it cannot be gone while somebody waits.
                    std::future::pending::<()>().await;
                }
            }
        })
    }

    fn drain(&self, deadline: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if !self.tasks.stop(deadline).await {
                tracing::warn!("some pages were still open at the deadline");
            }
        })
    }
}
