//! A crash before or after any transaction: no interval runs twice, none is left out, and every
//! run ends.

use proptest::prelude::*;

use super::sim::*;
use crate::core::*;

const YAML: &str = "
dag_id: d
schedule: \"@hourly\"
start_date: 2026-01-01
catchup: true
max_active_runs: 3
default_args: {retries: 5, retry_delay: 1m, retry_exponential_backoff: true}
tasks:
  - {task_id: a, bash: x}
  - {task_id: b, empty: , upstream: [a]}
  - {task_id: c, bash: x, upstream: [b]}
";

#[derive(Debug, Clone)]
enum Act {
    Pass(i64),
    Start(usize),
    Succeed(usize),
    Fail(usize),
    Trigger,
    Pause(bool),
    /// The process dies in its next step, before or after the transaction.
    Crash(bool),
    Stop,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1i64..120).prop_map(Act::Pass),
        2 => (0usize..4).prop_map(Act::Start),
        6 => (0usize..4).prop_map(Act::Succeed),
        1 => (0usize..4).prop_map(Act::Fail),
        1 => Just(Act::Trigger),
        1 => any::<bool>().prop_map(Act::Pause),
        2 => any::<bool>().prop_map(Act::Crash),
        1 => Just(Act::Stop),
    ]
}

fn do_act(sim: &mut Sim, act: Act, number: usize) {
    let live = |sim: &Sim, index: usize| {
        let count = sim.live.len();
        (count > 0).then(|| sim.live[index % count].attempt)
    };
    let finish = |sim: &mut Sim, index: usize, outcome: Outcome| {
        if let Some(attempt) = live(sim, index) {
            sim.live.retain(|start| start.attempt != attempt);
            sim.step(Event::Finished { attempt, outcome });
        }
    };
    match act {
        Act::Pass(minutes) => sim.pass(secs(minutes * 60)),
        Act::Start(index) => {
            if let Some(attempt) = live(sim, index) {
                sim.step(Event::Started { attempt, pid: None });
            }
        }
        Act::Succeed(index) => finish(sim, index, Outcome::Success { value: None }),
        Act::Fail(index) => {
            let reason = "planted".to_owned();
            finish(sim, index, Outcome::Failed { reason, retry: true, value: None });
        }
        Act::Trigger => sim.trigger("d", &format!("manual {number}")),
        Act::Pause(paused) => sim.step(Event::SetPaused { dag_id: "d".into(), paused }),
        Act::Crash(written) => {
            let event = match live(sim, number) {
                Some(attempt) => {
                    Event::Finished { attempt, outcome: Outcome::Success { value: None } }
                }
                None => Event::Tick,
            };
            sim.now += secs(1800);
            sim.crash_in(event, written);
        }
        Act::Stop => {
            sim.step(Event::Drain);
            while let Some(start) = sim.live.pop() {
                let outcome = Outcome::Interrupted { value: None };
                sim.step(Event::Finished { attempt: start.attempt, outcome });
            }
            sim.restart();
        }
    }
    assert_eq!(sim.core.live_tries(), sim.live.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn every_interval_runs_exactly_once_through_any_crash(
        acts in prop::collection::vec(act(), 1..60)
    ) {
        let mut sim = Sim::new("2026-01-01T00:30:00Z");
        sim.load(YAML);
        for (number, act) in acts.into_iter().enumerate() {
            // The store in memory refuses a second run for an interval, and any stale change.
            do_act(&mut sim, act, number);
        }
        sim.step(Event::SetPaused { dag_id: "d".into(), paused: false });
        for _ in 0..200 {
            sim.succeed_all();
            sim.pass(secs(60));
        }
        sim.succeed_all();
        let mut starts: Vec<_> = sim.store.runs.values()
            .filter(|run| run.kind == RunType::Scheduled).filter_map(|run| run.interval).collect();
        starts.sort();
        prop_assert_eq!(starts[0].start, at("2026-01-01T00:00:00Z"));
        for pair in starts.windows(2) {
            prop_assert_eq!(pair[0].end, pair[1].start, "an interval was left out");
        }
        let last = starts.last().unwrap().end;
        prop_assert!(sim.now < last + hours(1), "late: {last} at {}", sim.now);
        for task in sim.store.tasks.values() {
            prop_assert!(task.try_number <= task.max_tries + 1, "too many tries: {task:?}");
        }
        let open: Vec<_> = sim.store.runs.values().filter(|run| !run.state.is_finished()).collect();
        prop_assert!(open.is_empty(), "not finished: {open:?}");
    }
}

#[test]
fn a_lost_try_without_retries_fails_and_says_so() {
    let mut sim = Sim::new("2026-01-01T00:00:00Z");
    sim.load("dag_id: d\ntasks: [{task_id: a, bash: x}]");
    sim.trigger("d", "r");
    sim.step(Event::Started { attempt: sim.live[0].attempt, pid: Some(1) });
    sim.restart();
    let reason = sim.run("r").reason.clone().unwrap();
    assert!(
        reason.contains("lost: the scheduler's process ended while this try was running"),
        "{reason}"
    );
}
