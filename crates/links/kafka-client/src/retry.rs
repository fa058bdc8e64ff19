//! How long to wait before the next try.

use std::time::Duration;

use tidemill_runtime::{Clock, Random};

const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(1);

/// Waits that double, with up to a fifth taken off by chance, until a deadline.
#[derive(Debug)]
pub(crate) struct Backoff {
    deadline: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(clock: &dyn Clock, patience: Duration) -> Backoff {
        Backoff { deadline: clock.monotonic() + patience, next: FIRST }
    }

    /// How much time is left.
    pub(crate) fn left(&self, clock: &dyn Clock) -> Duration {
        self.deadline.saturating_sub(clock.monotonic())
    }

    /// Waits. False if the deadline is nearer than that: then there is no next try.
    pub(crate) async fn wait(&mut self, clock: &dyn Clock, random: &dyn Random) -> bool {
        let micros = self.next.as_micros() as u64;
        let wait = Duration::from_micros(micros - random.below(micros / 5));
        if self.left(clock) <= wait {
            return false;
        }
        tokio::time::sleep(wait).await;
        self.next = (self.next * 2).min(LONGEST);
        true
    }
}
