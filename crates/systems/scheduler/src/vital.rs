//! Tasks without which the scheduler cannot work, and the failure that follows from their end.

use std::fmt::Display;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use tidemill_runtime::{Failure, Tasks};
use tokio::sync::watch;

/// Remembers the first failure. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Vital {
    tasks: Tasks,
    failure: Arc<watch::Sender<Option<Failure>>>,
}

impl Vital {
    pub(crate) fn new(tasks: Tasks) -> Vital {
        Vital { tasks, failure: Arc::new(watch::channel(None).0) }
    }

    /// Runs a task; an error or a panic in it, or its end before a stop was asked for, is a failure.
    pub(crate) fn spawn<E: Display + Send + 'static>(
        &self,
        name: &'static str,
        future: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let (failure, shutdown) = (self.failure.clone(), self.tasks.shutdown());
        self.tasks.spawn(name, async move {
            let reason = match AssertUnwindSafe(future).catch_unwind().await {
                Ok(Ok(())) if shutdown.is_requested() => return,
                Ok(Ok(())) => "ended early".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "panicked".to_owned(),
            };
            // The first failure is the cause; later ones follow from it.
            failure.send_if_modified(|known| {
                let is_first = known.is_none();
                if is_first {
                    *known = Some(Failure { task: name.into(), reason });
                }
                is_first
            });
        });
    }

    /// Completes when one of the tasks has failed; never otherwise.
    pub(crate) async fn failed(&self) -> Failure {
        let mut failure = self.failure.subscribe();
        let known = failure.wait_for(Option::is_some).await.ok().and_then(|known| known.clone());
        match known {
            Some(failure) => failure,
            // The sender is in `self`, so it cannot be gone.
            None => std::future::pending().await,
        }
    }
}
