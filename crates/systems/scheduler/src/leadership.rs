//! Which of several schedulers on one database leads.
//!
//! One schedules, the others stand by and take over. Whoever keeps the lease gives it a number that
//! only rises; with it the database begins a term, and takes nothing from an older one. So a leader
//! that was cut off cannot write, however late it finds out.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tidemill_runtime::Shutdown;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::store::{LeaderTable, StoreError};

/// In one lease, so often it is renewed, and looked at by those who wait.
const RENEWALS_PER_LEASE: u32 = 5;

/// A time of leading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Higher than that of every term before it.
    pub fencing: i64,
}

/// Why leading cannot even be waited for: it will not pass by itself.
#[derive(Debug, thiserror::Error)]
#[error("who leads the schedulers cannot be found out: {0}")]
pub struct LeadershipError(pub String);

/// A lease that one scheduler at a time has.
#[async_trait]
pub trait Leadership: Send + Sync + std::fmt::Debug {
    /// Where the lease is kept: numbers of one place are compared with one another only.
    fn source(&self) -> &'static str;

    /// Waits until this scheduler has the lease. It may be dropped while it waits.
    async fn acquire(&self) -> Result<Term, LeadershipError>;

    /// Returns as soon as somebody else may have the lease that was acquired last.
    async fn lost(&self);

    /// Gives the lease up, if it is still there.
    async fn release(&self);
}

/// Nobody else can be there: the data directory is locked.
#[derive(Debug)]
pub(crate) struct Alone;

#[async_trait]
impl Leadership for Alone {
    fn source(&self) -> &'static str {
        "alone"
    }

    async fn acquire(&self) -> Result<Term, LeadershipError> {
        Ok(Term { fencing: 0 })
    }

    async fn lost(&self) {
        std::future::pending().await
    }

    async fn release(&self) {}
}

/// A lease in the database itself, by its clock.
#[derive(Debug)]
pub(crate) struct DatabaseLease {
    table: LeaderTable,
    lease: Duration,
    /// The term, and when it was last certain.
    held: Mutex<Option<(i64, Instant)>>,
}

impl DatabaseLease {
    pub(crate) fn new(table: LeaderTable, lease: Duration) -> DatabaseLease {
        DatabaseLease { table, lease, held: Mutex::new(None) }
    }

    fn pause(&self) -> Duration {
        self.lease / RENEWALS_PER_LEASE
    }
}

fn hopeless(error: &StoreError) -> LeadershipError {
    LeadershipError(error.to_string())
}

#[async_trait]
impl Leadership for DatabaseLease {
    fn source(&self) -> &'static str {
        "database"
    }

    async fn acquire(&self) -> Result<Term, LeadershipError> {
        loop {
            let asked = Instant::now();
            match self.table.claim(self.lease).await {
                Ok(Some(term)) => {
                    *self.held.lock() = Some((term, asked));
                    return Ok(Term { fencing: term });
                }
                Ok(None) => {}
                Err(error) if error.is_passing() => {
                    tracing::debug!(%error, "who leads the schedulers is not known for the moment");
                }
                Err(error) => return Err(hopeless(&error)),
            }
            tokio::time::sleep(self.pause()).await;
        }
    }

    async fn lost(&self) {
        let Some((term, mut certain)) = *self.held.lock() else { return };
        // A scheduler that is alone goes on without its database: there is nobody to take over.
        let mut others = 0;
        loop {
            tokio::time::sleep(self.pause()).await;
            let asked = Instant::now();
            match self.table.renew(term, self.lease).await {
                Ok(Some(waiting)) => (certain, others) = (asked, waiting),
                Ok(None) => return,
                Err(error) if others > 0 && certain.elapsed() >= self.lease => {
                    tracing::warn!(%error, "the lease of the leader could not be renewed in time");
                    return;
                }
                Err(error) => tracing::debug!(%error, "the lease of the leader was not renewed"),
            }
        }
    }

    async fn release(&self) {
        let held = self.held.lock().take();
        if let Some((term, _)) = held
            && let Err(error) = self.table.release(term).await
        {
            tracing::debug!(%error, "the lease of the leader was not given up: it runs out");
        }
    }
}

/// A lease that is kept elsewhere, with a term in the database for each of its numbers.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    lease: Arc<dyn Leadership>,
    table: LeaderTable,
    pause: Duration,
}

impl Elsewhere {
    pub(crate) fn new(
        lease: Arc<dyn Leadership>,
        table: LeaderTable,
        length: Duration,
    ) -> Elsewhere {
        Elsewhere { lease, table, pause: length / RENEWALS_PER_LEASE }
    }
}

#[async_trait]
impl Leadership for Elsewhere {
    fn source(&self) -> &'static str {
        self.lease.source()
    }

    async fn acquire(&self) -> Result<Term, LeadershipError> {
        loop {
            let number = self.lease.acquire().await?.fencing;
            match self.table.claim_for(self.lease.source(), number).await {
                Ok(Some(fencing)) => return Ok(Term { fencing }),
                // Somebody has a newer lease: ours was lost on the way here.
                Ok(None) => {}
                Err(error) if error.is_passing() => {}
                Err(error) => return Err(hopeless(&error)),
            }
            self.lease.release().await;
            tokio::time::sleep(self.pause).await;
        }
    }

    async fn lost(&self) {
        self.lease.lost().await;
    }

    async fn release(&self) {
        self.lease.release().await;
    }
}

/// What the scheduler is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// It leads.
    Gained(Term),
    /// Somebody else may lead. It says so when it has stopped.
    Lost,
}

/// The ends of one scheduler's campaign for leading.
pub(crate) struct Campaign {
    pub(crate) leadership: Arc<dyn Leadership>,
    /// To the scheduler.
    pub(crate) leads: mpsc::Sender<Lead>,
    /// From the scheduler: it has stopped.
    pub(crate) yielded: mpsc::Receiver<()>,
    /// To the store.
    pub(crate) deposed: watch::Sender<bool>,
}

impl Campaign {
    /// Leads whenever it can, until the end.
    pub(crate) async fn run(mut self, shutdown: Shutdown) -> Result<(), LeadershipError> {
        loop {
            let term = tokio::select! {
                term = self.leadership.acquire() => term?,
                () = shutdown.requested() => return Ok(()),
            };
            self.deposed.send_replace(false);
            if self.leads.send(Lead::Gained(term)).await.is_err() {
                break;
            }
            tokio::select! {
                // The database said so first.
                Some(()) = self.yielded.recv() => {}
                () = shutdown.requested() => break,
                () = self.leadership.lost() => {
                    self.deposed.send_replace(true);
                    let _ = self.leads.send(Lead::Lost).await;
                    tokio::select! {
                        _ = self.yielded.recv() => {}
                        () = shutdown.requested() => break,
                    }
                }
            }
            self.leadership.release().await;
        }
        self.leadership.release().await;
        shutdown.requested().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tidemill_runtime::Tasks;
    use tokio::sync::Semaphore;

    use super::*;

    /// A lease that is given and taken away by the test.
    #[derive(Debug)]
    struct Given {
        terms: Mutex<i64>,
        gives: Semaphore,
        takes: Semaphore,
        released: mpsc::Sender<()>,
    }

    #[async_trait]
    impl Leadership for Given {
        fn source(&self) -> &'static str {
            "test"
        }

        async fn acquire(&self) -> Result<Term, LeadershipError> {
            self.gives.acquire().await.unwrap().forget();
            *self.terms.lock() += 1;
            Ok(Term { fencing: *self.terms.lock() })
        }

        async fn lost(&self) {
            self.takes.acquire().await.unwrap().forget();
        }

        async fn release(&self) {
            self.released.send(()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_lease_is_given_up_only_when_the_scheduler_has_stopped() {
        let (released, mut releases) = mpsc::channel(4);
        let lease = Arc::new(Given {
            terms: Mutex::new(0),
            gives: Semaphore::new(1),
            takes: Semaphore::new(0),
            released,
        });
        let (leads, mut told) = mpsc::channel(1);
        let (says, yielded) = mpsc::channel(1);
        let (deposed, is_deposed) = watch::channel(true);
        let tasks = Tasks::new();
        let leadership: Arc<dyn Leadership> = lease.clone();
        let campaign = Campaign { leadership, leads, yielded, deposed };
        tasks.spawn_vital("campaign", campaign.run(tasks.shutdown()));
        assert_eq!(told.recv().await, Some(Lead::Gained(Term { fencing: 1 })));
        assert!(!*is_deposed.borrow());
        lease.takes.add_permits(1);
        assert_eq!(told.recv().await, Some(Lead::Lost));
        assert!(*is_deposed.borrow(), "the store learns it before the scheduler");
        lease.gives.add_permits(1);
        assert!(releases.try_recv().is_err(), "it has not stopped yet");
        says.send(()).await.unwrap();
        releases.recv().await.unwrap();
        assert_eq!(told.recv().await, Some(Lead::Gained(Term { fencing: 2 })));
        // The database may say it first.
        lease.gives.add_permits(1);
        says.send(()).await.unwrap();
        assert_eq!(told.recv().await, Some(Lead::Gained(Term { fencing: 3 })));
        releases.recv().await.unwrap();
        tasks.stop(Duration::from_secs(60)).await;
        releases.recv().await.expect("the end gives the lease up too");
    }
}
