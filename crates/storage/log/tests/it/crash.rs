//! The power goes at every call of the disk, one history after the other.

use std::sync::atomic::{AtomicU64, Ordering};

use tidemill_sim::replayed_seed;

use crate::history::History;

/// Enough for thousands of power cuts in seconds; `TIDEMILL_SIM_HISTORIES` asks for more.
const HISTORIES: u64 = 12;
const STEPS: usize = 60;

/// Says which seed failed and how to see it again, when a check in it panics.
pub(crate) struct Replay(pub(crate) &'static str, pub(crate) u64, pub(crate) u64);

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Replay(test, seed, call) = self;
            eprintln!("history {seed}, call {call}; to replay:");
            eprintln!("TIDEMILL_SIM_SEED={seed} cargo test -p tidemill-log --test it {test}");
        }
    }
}

/// Runs the history, with the power cut at this change if any. Gives it and its number of changes.
fn run(seed: u64, cut_at: Option<u64>) -> History {
    let mut history = History::new(seed);
    if let Some(change) = cut_at {
        history.disk().cut_power_at(change);
    }
    for _ in 0..STEPS {
        history.step();
    }
    history
}

/// Cuts the power at every change of one history; after each cut the log goes on for a while on what
/// is left and is cut again. Gives the number of cuts.
fn enumerate(seed: u64) -> u64 {
    let changes = run(seed, None).disk().changes();
    let before_the_log = History::new(seed).disk().changes();
    for change in before_the_log + 1..=changes {
        let _replay =
            Replay("acknowledged_records_survive_a_power_cut_at_every_call", seed, change);
        let mut again = run(seed, Some(change)).crash(seed.wrapping_mul(1_000_003) + change);
        for _ in 0..8 {
            again.step();
        }
        again.crash(change);
    }
    2 * (changes - before_the_log)
}

#[test]
fn acknowledged_records_survive_a_power_cut_at_every_call() {
    if let Some(seed) = replayed_seed() {
        enumerate(seed);
        return;
    }
    let histories = std::env::var("TIDEMILL_SIM_HISTORIES").ok().and_then(|n| n.parse().ok());
    let histories: u64 = histories.unwrap_or(HISTORIES);
    let (next, cuts) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= histories {
                        return;
                    }
                    cuts.fetch_add(enumerate(seed), Ordering::Relaxed);
                }
            });
        }
    });
    let cuts = cuts.into_inner();
    assert!(cuts >= 5_000, "{cuts} power cuts are too few");
    eprintln!("{cuts} power cuts: 0 acknowledged records lost");
}

#[test]
fn the_same_seed_makes_the_same_calls() {
    for seed in 0..5 {
        let trace = |seed| {
            let history = run(seed, None);
            (history.disk().calls(), history.disk().changes(), format!("{:?}", history.promises))
        };
        assert_eq!(trace(seed), trace(seed), "seed {seed}");
    }
}
