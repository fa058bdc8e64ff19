//! Every task has an owner that stops it and waits for it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use tokio_util::task::TaskTracker;

/// Says when to stop. Cheap to clone; a task keeps one and selects on [`Shutdown::requested`].
#[derive(Debug, Clone, Default)]
pub struct Shutdown(CancellationToken);

impl Shutdown {
    /// Completes when the owner asks its tasks to stop.
    pub fn requested(&self) -> WaitForCancellationFuture<'_> {
        self.0.cancelled()
    }

    /// Whether the owner has asked.
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// A part that can be stopped earlier, and stops with the whole.
    pub fn child(&self) -> Shutdown {
        Shutdown(self.0.child_token())
    }

    /// Asks for the stop.
    pub fn request(&self) {
        self.0.cancel();
    }
}

/// Why a system can no longer do its work: the task that ended, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{task}: {reason}")]
pub struct Failure {
    /// The name given to the task.
    pub task: Arc<str>,
    /// Its error, or `panicked`.
    pub reason: String,
}

/// The tasks of one box. A failed connection is logged by itself; a failed *vital* task fails the
/// box, and the node stops by name.
#[derive(Debug, Clone)]
pub struct Tasks {
    tracker: TaskTracker,
    shutdown: Shutdown,
    failure: watch::Sender<Option<Failure>>,
}

impl Default for Tasks {
    fn default() -> Tasks {
        Tasks::new()
    }
}

impl Tasks {
    /// No tasks yet.
    pub fn new() -> Tasks {
        let (failure, _) = watch::channel(None);
        Tasks { tracker: TaskTracker::new(), shutdown: Shutdown::default(), failure }
    }

    /// What tells these tasks to stop.
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// Runs a task whose end concerns nobody else: a connection, a request. A panic in it is
    /// logged with the task's name.
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        let task = self.start(future);
        let watched = self.tracker.track_future(async move {
            if let Err(panic) = task.await
                && panic.is_panic()
            {
                tracing::error!(task = name, "task panicked");
            }
        });
        self.start(watched);
    }

    /// Runs a task without which the box cannot work: an error or a panic in it, or its end before
    /// a stop was asked for, fails the box.
    pub fn spawn_vital<E: std::fmt::Display + Send + 'static>(
        &self,
        name: &'static str,
        future: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let task = self.start(future);
        let (failure, shutdown) = (self.failure.clone(), self.shutdown.clone());
        let watched = self.tracker.track_future(async move {
            let reason = match task.await {
                Ok(Ok(())) if shutdown.is_requested() => return,
                Ok(Ok(())) => "ended early".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(join) if join.is_panic() => "panicked".to_owned(),
                Err(_) => return,
            };
            // The first failure is the cause; later ones follow from it.
            failure.send_if_modified(|known| {
                let first = known.is_none();
                if first {
                    *known = Some(Failure { task: name.into(), reason });
                }
                first
            });
        });
        self.start(watched);
    }

    /// Runs blocking work on the threads kept for it, owned like any task.
    pub fn spawn_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.tracker.spawn_blocking(work)
    }

    /// Reports that the box cannot go on, from outside a task.
    pub fn fail(&self, task: &str, reason: impl std::fmt::Display) {
        let failure = Failure { task: task.into(), reason: reason.to_string() };
        self.failure.send_if_modified(|known| {
            let first = known.is_none();
            if first {
                *known = Some(failure);
            }
            first
        });
    }

    /// Completes when a vital task has failed; never otherwise.
    pub async fn failed(&self) -> Failure {
        let mut failure = self.failure.subscribe();
        // Cloned at once: the guard must not live across the next await.
        let known = failure.wait_for(Option::is_some).await.map(|known| known.clone());
        match known {
            Ok(Some(failure)) => failure,
            // The sender is in `self`, so it cannot be gone.
            _ => std::future::pending().await,
        }
    }

    /// Asks all tasks to stop and waits for them. False if some still ran at the deadline: those
    /// are left to the end of the process.
    pub async fn stop(&self, deadline: Duration) -> bool {
        self.shutdown.request();
        self.tracker.close();
        tokio::time::timeout(deadline, self.tracker.wait()).await.is_ok()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the owner that everybody else uses")]
    fn start<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        tokio::spawn(future)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stop_waits_for_what_was_started() {
        let tasks = Tasks::new();
        let (shutdown, (sender, receiver)) = (tasks.shutdown(), tokio::sync::oneshot::channel());
        tasks.spawn("connection", async move {
            shutdown.requested().await;
            sender.send(()).unwrap();
        });
        assert!(tasks.stop(Duration::from_secs(5)).await);
        receiver.await.unwrap();
    }

    #[tokio::test]
    async fn the_first_failure_of_a_vital_task_is_the_one_reported() {
        let tasks = Tasks::new();
        tasks.spawn_vital("flusher", async { Err("disk gone") });
        let failure = tasks.failed().await;
        tasks.fail("acceptor", "closed");
        assert_eq!(failure.to_string(), "flusher: disk gone");
        assert_eq!(tasks.failed().await, failure);
    }

    #[test]
    fn waiting_for_a_failure_can_move_between_threads() {
        fn is_send<T: Send>(_: T) {}
        is_send(Tasks::new().failed());
    }

    #[tokio::test]
    async fn a_vital_task_that_panics_fails_the_box() {
        let tasks = Tasks::new();
        tasks.spawn_vital("acceptor", async {
            assert!(std::env::args().count() == 0, "planted");
            Ok::<(), String>(())
        });
        assert_eq!(tasks.failed().await.to_string(), "acceptor: panicked");
    }
}
