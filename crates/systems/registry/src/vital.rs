//! Tasks without which the registry cannot work: the end of one is the failure of the box.

use std::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use tidemill_runtime::{Failure, Tasks};
use tokio::sync::watch;

/// The first failure of a vital task. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Vital(watch::Sender<Option<Failure>>);

impl Vital {
    pub(crate) fn new() -> Vital {
        Vital(watch::Sender::new(None))
    }

    /// Runs a task that may only end when a stop was asked for.
    pub(crate) fn spawn<E: Display>(
        &self,
        tasks: &Tasks,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let (vital, shutdown) = (self.clone(), tasks.shutdown());
        tasks.spawn(name, async move {
            let reason = match AssertUnwindSafe(task).catch_unwind().await {
                Ok(Ok(())) if shutdown.is_requested() => return,
                Ok(Ok(())) => "ended early".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "panicked".to_owned(),
            };
            tracing::error!(task = name, reason, "task ended");
            // The first failure is the cause; later ones follow from it.
            vital.0.send_if_modified(|known| {
                let first = known.is_none();
                if first {
                    *known = Some(Failure { task: Arc::from(name), reason });
                }
                first
            });
        });
    }

    /// Completes when a vital task has failed; never otherwise.
    pub(crate) async fn failed(&self) -> Failure {
        let mut failure = self.0.subscribe();
        loop {
            let known = failure.borrow_and_update().clone();
            if let Some(known) = known {
                return known;
            }
            if failure.changed().await.is_err() {
                // The sender is in `self`, so it cannot be gone.
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_task_that_ends_is_the_failure() {
        let (tasks, vital) = (Tasks::new(), Vital::new());
        vital.spawn(&tasks, "reader", async { Err("topic gone") });
        let failure = vital.failed().await;
        vital.spawn(&tasks, "writer", async { Ok::<(), String>(()) });
        assert!(tasks.stop(std::time::Duration::from_secs(5)).await);
        assert_eq!(failure.to_string(), "reader: topic gone");
        assert_eq!(vital.failed().await, failure);
    }

    #[tokio::test]
    async fn a_panic_is_a_failure() {
        let (tasks, vital) = (Tasks::new(), Vital::new());
        vital.spawn(&tasks, "reader", async {
            assert!(std::env::args().count() == 0, "planted");
            Ok::<(), String>(())
        });
        assert_eq!(vital.failed().await.to_string(), "reader: panicked");
    }
}
