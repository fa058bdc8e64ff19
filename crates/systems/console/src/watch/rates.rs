//! Speed from counters that are looked at now and then.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// How far back a counter is remembered.
const WINDOW: Duration = Duration::from_secs(30);
/// A rate is the mean over this long: short enough to follow, long enough to be calm.
const SMOOTH: Duration = Duration::from_secs(5);
/// The same for counters that move in jumps.
const JUMPS: Duration = Duration::from_secs(20);
/// Counters that were not seen for this long are forgotten.
const FORGET: Duration = Duration::from_secs(120);
/// Counters remembered at most; more are not measured.
const COUNTERS_MAX: usize = 50_000;
/// Looks remembered of one counter.
const SAMPLES_MAX: usize = 40;

/// Counters by name.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    counters: HashMap<String, VecDeque<(Duration, i64)>>,
}

impl Rates {
    /// A look at a counter. One that went down was reset: its past is forgotten.
    pub(crate) fn observe(&mut self, name: &str, at: Duration, total: i64) {
        if !self.counters.contains_key(name) {
            if self.counters.len() >= COUNTERS_MAX {
                return;
            }
            self.counters.insert(name.to_owned(), VecDeque::new());
        }
        let Some(samples) = self.counters.get_mut(name) else { return };
        if samples.back().is_some_and(|(_, last)| total < *last) {
            samples.clear();
        }
        self.look(name, at, total);
    }

    /// A look at a level, which may go up and down: a lag.
    pub(crate) fn observe_level(&mut self, name: &str, at: Duration, level: i64) {
        if self.counters.contains_key(name) || self.counters.len() < COUNTERS_MAX {
            self.counters.entry(name.to_owned()).or_default();
            self.look(name, at, level);
        }
    }

    fn look(&mut self, name: &str, at: Duration, value: i64) {
        let Some(samples) = self.counters.get_mut(name) else { return };
        samples.push_back((at, value));
        while samples.len() > SAMPLES_MAX
            || samples.front().is_some_and(|(then, _)| at.saturating_sub(*then) > WINDOW)
        {
            samples.pop_front();
        }
    }

    /// Forgets what was not looked at for long.
    pub(crate) fn tidy(&mut self, now: Duration) {
        self.counters.retain(|_, samples| {
            samples.back().is_some_and(|(at, _)| now.saturating_sub(*at) < FORGET)
        });
    }

    /// Per second over the last moments; `None` until it was looked at twice.
    pub(crate) fn per_second(&self, name: &str) -> Option<f64> {
        self.slope(name, SMOOTH)
    }

    /// As [`Rates::per_second`], for what moves in jumps: committed offsets, every five seconds by
    /// most clients' defaults.
    pub(crate) fn per_second_of_jumps(&self, name: &str) -> Option<f64> {
        self.slope(name, JUMPS)
    }

    /// Change per second of a level over the whole window, once that is long enough to mean
    /// something.
    pub(crate) fn trend(&self, name: &str) -> Option<f64> {
        let samples = self.counters.get(name)?;
        let (first, last) = (samples.front()?, samples.back()?);
        (last.0.saturating_sub(first.0) >= WINDOW / 2).then(|| self.slope(name, WINDOW))?
    }

    /// Whether it has stood still for as long as is remembered, and that is some while.
    pub(crate) fn stands_still(&self, name: &str) -> bool {
        self.trend(name).is_some_and(|change| change == 0.0)
    }

    fn slope(&self, name: &str, over: Duration) -> Option<f64> {
        let samples = self.counters.get(name)?;
        let (end, newest) = *samples.back()?;
        // The oldest look inside the span, or the one before the newest if looks are rare.
        let (start, oldest) = *samples
            .iter()
            .find(|(at, _)| end.saturating_sub(*at) <= over)
            .filter(|(at, _)| *at < end)
            .or_else(|| samples.iter().rev().nth(1))?;
        let seconds = end.saturating_sub(start).as_secs_f64();
        (seconds > 0.0).then(|| (newest - oldest) as f64 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_rate_is_the_mean_of_the_last_five_seconds() {
        let mut rates = Rates::default();
        assert_eq!(rates.per_second("x"), None);
        rates.observe("x", at(0), 100);
        assert_eq!(rates.per_second("x"), None);
        for second in 1..=10 {
            rates.observe("x", at(second), 100 + second as i64 * if second > 5 { 20 } else { 2 });
        }
        // From 110 at second 5 to 300 at second 10.
        assert_eq!(rates.per_second("x"), Some(38.0));
    }

    #[test]
    fn a_counter_that_was_reset_has_no_negative_rate() {
        let mut rates = Rates::default();
        rates.observe("x", at(0), 5000);
        rates.observe("x", at(1), 10);
        assert_eq!(rates.per_second("x"), None);
        rates.observe("x", at(2), 30);
        assert_eq!(rates.per_second("x"), Some(20.0));
    }

    #[test]
    fn rare_looks_still_give_a_rate() {
        let mut rates = Rates::default();
        rates.observe("x", at(0), 0);
        rates.observe("x", at(20), 40);
        assert_eq!(rates.per_second("x"), Some(2.0));
    }

    #[test]
    fn a_trend_needs_some_time_to_be_one() {
        let mut rates = Rates::default();
        for second in 0..=20 {
            rates.observe_level("lag", at(second), 1000 - second as i64);
            assert_eq!(rates.trend("lag").is_some(), second >= 15, "{second}");
        }
        assert_eq!(rates.trend("lag"), Some(-1.0));
        for second in 21..=60 {
            rates.observe_level("lag", at(second), 980);
        }
        assert!(rates.stands_still("lag"));
        rates.tidy(at(300));
        assert_eq!(rates.trend("lag"), None);
    }
}
