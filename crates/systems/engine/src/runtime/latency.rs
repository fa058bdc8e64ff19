//! How long a record took, from its timestamp to the acknowledged write: the last one to two
//! minutes, so that a backlog after a pause does not spoil the figures for ever.

use std::time::Duration;

use hdrhistogram::Histogram;

/// How long a histogram is filled before it becomes the previous one.
const SPAN: Duration = Duration::from_secs(60);
/// Longest latency told apart, in microseconds: one hour.
const LATENCY_US_MAX: u64 = 3_600_000_000;

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LatencyMs {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

/// Two histograms that take turns.
pub(super) struct Latency {
    filling: Histogram<u64>,
    previous: Histogram<u64>,
    since: Duration,
}

impl Latency {
    pub(super) fn new(now: Duration) -> Latency {
        let histogram =
            || Histogram::new_with_bounds(1, LATENCY_US_MAX, 3).expect("the bounds are valid");
        Latency { filling: histogram(), previous: histogram(), since: now }
    }

    /// `count` records took `us` microseconds each.
    pub(super) fn record(&mut self, us: i64, count: u64, now: Duration) {
        if now.saturating_sub(self.since) >= SPAN {
            std::mem::swap(&mut self.filling, &mut self.previous);
            self.filling.reset();
            self.since = now;
        }
        // A producer's clock may be ahead of ours.
        let us = u64::try_from(us).unwrap_or(0).clamp(1, LATENCY_US_MAX);
        self.filling.saturating_record_n(us, count);
    }

    pub(super) fn summary(&self) -> Option<LatencyMs> {
        let mut both = self.filling.clone();
        both.add(&self.previous).ok()?;
        let ms = |us: u64| us as f64 / 1000.0;
        (!both.is_empty()).then(|| LatencyMs {
            p50: ms(both.value_at_quantile(0.5)),
            p99: ms(both.value_at_quantile(0.99)),
            max: ms(both.max()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_is_forgotten_after_two_minutes() {
        let at = Duration::from_secs;
        let mut latency = Latency::new(at(0));
        assert_eq!(latency.summary(), None);
        latency.record(60_000_000, 100, at(1));
        latency.record(2_000, 100, at(61));
        assert!(latency.summary().unwrap().max > 59_000.0);
        latency.record(2_000, 100, at(122));
        let now = latency.summary().unwrap();
        assert!((1.9..2.1).contains(&now.max), "{now:?}");
    }
}
