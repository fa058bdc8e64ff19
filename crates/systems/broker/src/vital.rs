//! Tasks without which the broker cannot work: if one ends before the broker is stopped, the broker
//! has failed, and says by which.

use tidemill_runtime::{Failure, Tasks};
use tokio::sync::watch;

/// Starts vital tasks and tells when one is gone.
pub(crate) struct Vital {
    tasks: Tasks,
    failure: watch::Sender<Option<Failure>>,
}

impl Vital {
    /// Its tasks are stopped with `tasks`.
    pub(crate) fn new(tasks: Tasks) -> Vital {
        Vital { tasks, failure: watch::Sender::new(None) }
    }

    /// Runs a task that ends only when the broker is stopped.
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        future: impl Future<Output = ()> + Send + 'static,
    ) {
        let shutdown = self.tasks.shutdown();
        let failure = self.failure.clone();
        self.tasks.spawn(name, async move {
            let ended = Ended { name, failure };
            future.await;
            if shutdown.is_requested() {
                std::mem::forget(ended);
            }
        });
    }

    /// Completes when a vital task has ended; never otherwise.
    pub(crate) async fn failed(&self) -> Failure {
        let mut failure = self.failure.subscribe();
        let known = failure.wait_for(Option::is_some).await.map(|known| known.clone());
        match known {
            Ok(Some(failure)) => failure,
            // The sender is in `self`, and what was waited for is there.
            _ => std::future::pending().await,
        }
    }
}

/// Reports when dropped, also by a panic.
struct Ended {
    name: &'static str,
    failure: watch::Sender<Option<Failure>>,
}

impl Drop for Ended {
    fn drop(&mut self) {
        let reason = if std::thread::panicking() { "panicked" } else { "ended early" };
        let failure = Failure { task: self.name.into(), reason: reason.to_owned() };
        // The first one is the cause.
        self.failure.send_if_modified(|known| {
            let is_first = known.is_none();
            known.get_or_insert(failure);
            is_first
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_vital_task_that_ends_early_or_panics_is_named() {
        let vital = Vital::new(Tasks::new());
        vital.spawn("acceptor", async { assert!(std::env::args().count() == 0, "planted") });
        assert_eq!(vital.failed().await.to_string(), "acceptor: panicked");
        let vital = Vital::new(Tasks::new());
        vital.spawn("retention", async {});
        assert_eq!(vital.failed().await.to_string(), "retention: ended early");
    }

    #[tokio::test]
    async fn a_vital_task_that_is_stopped_is_no_failure() {
        let tasks = Tasks::new();
        let (vital, shutdown) = (Vital::new(tasks.clone()), tasks.shutdown());
        vital.spawn("acceptor", async move { shutdown.requested().await });
        assert!(tasks.stop(Duration::from_secs(5)).await);
        assert!(vital.failure.borrow().is_none());
    }
}
