//! Faults on demand: `500@0.05,timeout@0.01,latency=200ms`.
//!
//! Which of the requests are hit is decided by the seed and by how many requests that seed has
//! had: the same sequence of requests meets the same faults after every start, and a request that
//! is repeated can succeed.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tidemill_runtime::Span;

use super::draw::Draw;

/// Rules in one list.
const RULES_MAX: usize = 8;

/// Slowest answer that can be ordered.
const LATENCY_MAX: Duration = Duration::from_secs(60);

/// Seeds whose requests are counted; after that the oldest is forgotten and begins again.
const SEEDS_MAX: usize = 1024;

/// What shall go wrong, and how often. Without rules, nothing does.
///
/// Written as a list with commas: `fault@rate` where the fault is `timeout`, `garbage`, `empty` or
/// a status from 400 to 599 and the rate a fraction from 0 to 1 (left out: always), and
/// `latency=200ms`. The rates together are at most 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    rules: Vec<(Fault, f64)>,
    latency: Duration,
}

/// Why a list of faults cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultsError {
    /// Not a kind there is.
    #[error("fault {0:?} is unknown: timeout, garbage, empty or a status from 400 to 599")]
    Unknown(String),
    /// Not a fraction.
    #[error("rate {0:?} is not a fraction from 0 to 1, such as 500@0.05")]
    Rate(String),
    /// Their sum is above 1.
    #[error("the rates of all faults add up to more than 1")]
    Sum,
    /// Not a length of time, or too long.
    #[error("latency {0:?} is not a duration up to 60s, such as 200ms")]
    Latency(String),
    /// Too many rules.
    #[error("more than {RULES_MAX} faults in one list")]
    Count,
}

/// One way to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// An error status with an error body.
    Status(u16),
    /// No answer for as long as clients usually wait.
    Timeout,
    /// Status 200 and a body that is no JSON though it says so.
    Garbage,
    /// Status 200 and no people in it.
    Empty,
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) latency: Duration,
    pub(super) fault: Option<Fault>,
}

impl Faults {
    /// The verdict on the `count`-th request (from 0) under a seed.
    pub(super) fn judge(&self, seed: &str, count: u64) -> Verdict {
        let mut rest = Draw::keyed(&format!("fault {seed}"), count).fraction();
        let fault = self.rules.iter().find_map(|(fault, rate)| {
            let hit = rest < *rate;
            rest -= rate;
            hit.then_some(*fault)
        });
        Verdict { latency: self.latency, fault }
    }
}

impl FromStr for Faults {
    type Err = FaultsError;

    fn from_str(text: &str) -> Result<Faults, FaultsError> {
        let mut faults = Faults::default();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            if let Some(latency) = item.strip_prefix("latency=") {
                let span = latency.parse::<Span>().ok().filter(|span| span.0 <= LATENCY_MAX);
                faults.latency = span.ok_or_else(|| FaultsError::Latency(latency.to_owned()))?.0;
                continue;
            }
            let (name, rate) = item.split_once('@').unwrap_or((item, "1"));
            let valid = rate.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
            let rate = valid.ok_or_else(|| FaultsError::Rate(rate.to_owned()))?;
            faults.rules.push((name.parse()?, rate));
        }
        let sum: f64 = faults.rules.iter().map(|(_, rate)| rate).sum();
        match () {
            () if faults.rules.len() > RULES_MAX => Err(FaultsError::Count),
            // Ten times 0.1 is a little more than 1 in binary.
            () if sum > 1.0 + 1e-9 => Err(FaultsError::Sum),
            () => Ok(faults),
        }
    }
}

impl FromStr for Fault {
    type Err = FaultsError;

    fn from_str(name: &str) -> Result<Fault, FaultsError> {
        match name {
            "timeout" => Ok(Fault::Timeout),
            "garbage" => Ok(Fault::Garbage),
            "empty" => Ok(Fault::Empty),
            status => {
                let status = status.parse().ok().filter(|status| (400..600).contains(status));
                status.map(Fault::Status).ok_or_else(|| FaultsError::Unknown(name.to_owned()))
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Status(status) => write!(f, "{status}"),
            Fault::Timeout => f.write_str("timeout"),
            Fault::Garbage => f.write_str("garbage"),
            Fault::Empty => f.write_str("empty"),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut items: Vec<String> =
            self.rules.iter().map(|(fault, rate)| format!("{fault}@{rate}")).collect();
        if !self.latency.is_zero() {
            items.push(format!("latency={}", Span(self.latency)));
        }
        f.write_str(&items.join(","))
    }
}

/// How many requests each seed has had.
#[derive(Debug, Default)]
pub(super) struct RequestCounts {
    /// By a digest of the seed, which itself may be long.
    counts: HashMap<u64, u64>,
    /// Digests in the order of their first requests.
    seeds: VecDeque<u64>,
}

impl RequestCounts {
    /// Counts a request; the number of those before it.
    pub(super) fn next(&mut self, seed: &str) -> u64 {
        let digest = Draw::keyed(seed, 0).next();
        if let Some(count) = self.counts.get_mut(&digest) {
            *count += 1;
            return *count;
        }
        if self.seeds.len() >= SEEDS_MAX
            && let Some(oldest) = self.seeds.pop_front()
        {
            self.counts.remove(&oldest);
        }
        self.seeds.push_back(digest);
        self.counts.insert(digest, 0);
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_at_their_rates_and_the_same_ones_for_a_seed() {
        let faults: Faults = "500@0.05,timeout@0.01,garbage@0.1,empty@0.04".parse().unwrap();
        let run = |seed: &str| -> Vec<Option<Fault>> {
            (0..10_000).map(|count| faults.judge(seed, count).fault).collect()
        };
        let verdicts = run("demo");
        assert_eq!(verdicts, run("demo"));
        assert_ne!(verdicts, run("omed"));
        for (fault, least, most) in [
            (Some(Fault::Status(500)), 450, 550),
            (Some(Fault::Timeout), 80, 120),
            (Some(Fault::Garbage), 930, 1070),
            (Some(Fault::Empty), 350, 450),
            (None, 7850, 8150),
        ] {
            let count = verdicts.iter().filter(|verdict| **verdict == fault).count();
            assert!((least..=most).contains(&count), "{fault:?}: {count}");
        }
    }

    #[test]
    fn a_rate_of_1_hits_always_and_0_never() {
        let (always, never): (Faults, Faults) =
            ("429,latency=200ms".parse().unwrap(), "empty@0".parse().unwrap());
        for count in 0..1000 {
            let verdict = always.judge("s", count);
            assert_eq!(verdict.fault, Some(Fault::Status(429)));
            assert_eq!(verdict.latency, Duration::from_millis(200));
            assert_eq!(never.judge("s", count).fault, None);
        }
    }

    #[test]
    fn a_list_reads_back_what_it_prints() {
        for text in ["", "500@0.05", "timeout@0.5,garbage@0.25,empty@0.25,latency=1s"] {
            assert_eq!(text.parse::<Faults>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wrong_list_says_what_is_wrong() {
        for (text, error) in [
            ("boom@0.1", FaultsError::Unknown("boom".to_owned())),
            ("200@0.1", FaultsError::Unknown("200".to_owned())),
            ("500@2", FaultsError::Rate("2".to_owned())),
            ("500@NaN", FaultsError::Rate("NaN".to_owned())),
            ("500@", FaultsError::Rate(String::new())),
            ("500@0.6,empty@0.6", FaultsError::Sum),
            ("latency=2", FaultsError::Latency("2".to_owned())),
            ("latency=2h", FaultsError::Latency("2h".to_owned())),
            ("500@0,500@0,500@0,500@0,500@0,500@0,500@0,500@0,500@0", FaultsError::Count),
        ] {
            assert_eq!(text.parse::<Faults>(), Err(error), "{text}");
        }
    }

    #[test]
    fn requests_are_counted_for_a_bounded_number_of_seeds() {
        let mut counts = RequestCounts::default();
        assert_eq!([counts.next("a"), counts.next("b"), counts.next("a")], [0, 0, 1]);
        for other in 0..SEEDS_MAX {
            counts.next(&format!("other {other}"));
        }
        assert_eq!((counts.counts.len(), counts.seeds.len()), (SEEDS_MAX, SEEDS_MAX));
        assert_eq!(counts.next("a"), 0);
    }
}
