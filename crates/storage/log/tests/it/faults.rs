//! One call of the disk fails, whichever it is.

use tidemill_sim::{Fault, replayed_seed};

use crate::crash::Replay;
use crate::history::History;

const CALLS: u64 = 300;
const STEPS: usize = 35;
const FAULTS: [Fault; 3] = [Fault::Io, Fault::NoSpace, Fault::ShortWrite];

/// The `call`-th call of a history fails: no promise is broken while the process lives, after it
/// goes on, or after a power cut.
fn fail(seed: u64, call: u64, fault: Fault) -> bool {
    let _replay = Replay("a_failing_call_breaks_no_promise", seed, call);
    let mut history = History::new(seed);
    let first = history.disk().calls();
    history.disk().fail_calls(first + call..first + call + 1, fault);
    for _ in 0..STEPS {
        history.step();
        if history.disk().faults_hit() > 0 {
            history.check_still_readable();
            break;
        }
    }
    let hit = history.disk().faults_hit() > 0;
    history.disk().clear_faults();
    for _ in 0..5 {
        history.step();
    }
    history.check_still_readable();
    let mut history = history.crash(call);
    history.check_usable();
    history.crash(call + 1);
    hit
}

#[test]
fn a_failing_call_breaks_no_promise() {
    // One history with each durability.
    let seeds = replayed_seed().map_or(vec![10, 11], |seed| vec![seed]);
    for (seed, fault) in seeds.into_iter().flat_map(|seed| FAULTS.map(|fault| (seed, fault))) {
        let hits = (1..=CALLS).filter(|call| fail(seed, *call, fault)).count();
        assert!(hits > 0, "{fault:?} met no call");
    }
}

#[test]
fn a_disk_that_is_full_for_a_while_breaks_no_promise_and_the_log_goes_on_without_a_restart() {
    for seed in 0..20 {
        let _replay = Replay("a_disk_that_is_full_for_a_while", seed, 0);
        let mut history = History::new(seed);
        for _ in 0..20 {
            history.step();
        }
        let now = history.disk().calls();
        let fault = if seed % 2 == 0 { Fault::NoSpace } else { Fault::ShortWrite };
        history.disk().fail_calls(now..now + 60, fault);
        for _ in 0..20 {
            history.step();
            history.check_still_readable();
        }
        history.disk().clear_faults();
        history.check_usable();
        history.crash(seed);
    }
}
