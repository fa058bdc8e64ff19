//! Reads a source ahead of its job: the next records are fetched while the last ones are computed.

use std::time::Duration;

use tidemill_connectors::{Fetched, Polled, Positions, Source, SourceError};
use tidemill_runtime::Shutdown;
use tokio::sync::{mpsc, watch};

/// What a feeder tells its job.
#[derive(Debug)]
pub(super) struct Fed {
    /// Which source.
    pub(super) source: usize,
    pub(super) event: FedEvent,
}

#[derive(Debug)]
pub(super) enum FedEvent {
    /// Reading starts here.
    Opened(Positions),
    Records(Fetched),
    /// It does not exist yet.
    Waiting(String),
    /// It does not answer; tried again.
    Retrying(String),
    End,
    Failed(String),
}

/// Polls that wait for the job at most, over all sources: the bound of what is read ahead.
pub(super) const AHEAD_MAX: usize = 2;
/// How often a topic that does not exist yet is asked for: its first record waits that long. The
/// broker is well, so there is nothing to back off from.
const NOT_THERE_DELAY: Duration = Duration::from_millis(100);
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// Waits longer after each failure in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    pub(super) fn next(&mut self) -> Duration {
        let delay = BACKOFF_MIN.saturating_mul(1 << self.failures.min(16)).min(BACKOFF_MAX);
        self.failures = self.failures.saturating_add(1);
        delay
    }
}

/// One source and the channel to its job.
pub(super) struct Feeder {
    pub(super) number: usize,
    pub(super) source: Box<dyn Source>,
    /// Where to start, from a checkpoint.
    pub(super) from: Option<Positions>,
    pub(super) out: mpsc::Sender<Fed>,
    /// Positions of the last checkpoint, to be told to others.
    pub(super) checkpointed: watch::Receiver<Option<Positions>>,
    /// Those of them that were told.
    pub(super) told: Option<Positions>,
    pub(super) shutdown: Shutdown,
}

impl Feeder {
    /// Runs until the source ends or the job does.
    pub(super) async fn run(mut self) {
        let shutdown = self.shutdown.clone();
        tokio::select! {
            () = shutdown.requested() => {}
            () = self.feed() => {}
        }
        // What is checkpointed last is told before the end: the job asks for it after that.
        shutdown.requested().await;
        self.commit().await;
    }

    async fn feed(&mut self) {
        let mut backoff = Backoff::default();
        loop {
            let opened = self.source.open(self.from.as_ref()).await;
            let error = match opened {
                Ok(positions) => {
                    self.from = Some(positions.clone());
                    if !self.tell(FedEvent::Opened(positions)).await {
                        return;
                    }
                    match self.read(&mut backoff).await {
                        Some(error) => error,
                        None => return,
                    }
                }
                Err(error) => error,
            };
            let (event, delay) = match error {
                SourceError::NotThere(what) => (FedEvent::Waiting(what), NOT_THERE_DELAY),
                SourceError::Unavailable(what) => (FedEvent::Retrying(what), backoff.next()),
                SourceError::Failed(what) => {
                    self.tell(FedEvent::Failed(what)).await;
                    return;
                }
            };
            if !self.tell(event).await {
                return;
            }
            tokio::time::sleep(delay).await;
        }
    }

    /// Reads until an error; none at the end.
    async fn read(&mut self, backoff: &mut Backoff) -> Option<SourceError> {
        loop {
            match self.source.poll().await {
                Ok(Polled::Fetched(fetched)) => {
                    backoff.reset();
                    let from = self.from.get_or_insert_default();
                    if fetched.topic_id.is_some() && fetched.topic_id != from.topic_id {
                        *from = Positions { topic_id: fetched.topic_id, ..Positions::default() };
                    }
                    from.next.extend(&fetched.next);
                    if !self.tell(FedEvent::Records(fetched)).await {
                        return None;
                    }
                }
                Ok(Polled::End) => {
                    self.tell(FedEvent::End).await;
                    return None;
                }
                Err(error) => return Some(error),
            }
            self.commit().await;
        }
    }

    async fn commit(&mut self) {
        let positions = self.checkpointed.borrow().clone();
        if positions.is_none() || positions == self.told {
            return;
        }
        self.told = positions;
        if let Some(positions) = &self.told
            && let Err(error) = self.source.commit(positions).await
        {
            // Only others look at it; the checkpoint is what counts.
            tracing::debug!(%error, "offsets not committed to the group");
        }
    }

    /// False when the job is gone.
    async fn tell(&mut self, event: FedEvent) -> bool {
        self.out.send(Fed { source: self.number, event }).await.is_ok()
    }
}
