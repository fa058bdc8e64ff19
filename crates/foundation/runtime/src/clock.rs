//! Time as an argument.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Wall time for what is written down, monotonic time for deadlines.
pub trait Clock: Send + Sync + 'static {
    /// Microseconds since 1970-01-01T00:00:00Z. May go backwards when the machine's clock is set.
    fn now_us(&self) -> i64;

    /// Time since some fixed moment in the past. Never goes backwards.
    fn monotonic(&self) -> Duration;

    /// Milliseconds since 1970-01-01T00:00:00Z: Kafka's and Airflow's unit.
    fn now_ms(&self) -> i64 {
        self.now_us().div_euclid(1000)
    }
}

/// The machine's own clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Monotonic time counts from this call.
    #[expect(clippy::disallowed_methods, reason = "this is the port that everybody else uses")]
    pub fn new() -> SystemClock {
        SystemClock { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> SystemClock {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port that everybody else uses")]
    fn now_us(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            // A clock set before 1970: time still has to be a number.
            Err(before) => -i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX),
        }
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}
