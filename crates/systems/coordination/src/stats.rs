//! Counts of requests and how long they took, for four-letter words.

use std::time::Duration;

/// Of one connection, or of the server.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stats {
    pub(crate) received: u64,
    pub(crate) sent: u64,
    min_ms: Option<u64>,
    max_ms: u64,
    total_us: u64,
    answered: u64,
    /// Of the last answer.
    pub(crate) last_ms: u64,
}

impl Stats {
    pub(crate) fn answered(&mut self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let ms = us / 1000;
        self.sent += 1;
        self.answered += 1;
        self.total_us = self.total_us.saturating_add(us);
        self.min_ms = Some(self.min_ms.map_or(ms, |min| min.min(ms)));
        self.max_ms = self.max_ms.max(ms);
        self.last_ms = ms;
    }

    /// The shortest, the mean and the longest, in milliseconds.
    pub(crate) fn latency_ms(&self) -> (u64, f64, u64) {
        #[expect(clippy::cast_precision_loss, reason = "shown with four digits")]
        let mean = self.total_us as f64 / 1000.0 / self.answered.max(1) as f64;
        (self.min_ms.unwrap_or(0), mean, self.max_ms)
    }
}
