use super::sim::*;
use crate::core::*;

const DIAMOND: &str = "
dag_id: d
default_args: {retries: 1, retry_delay: 10s}
tasks:
  - {task_id: a, bash: x}
  - {task_id: b, bash: x, upstream: [a]}
  - {task_id: c, bash: x, upstream: [a]}
  - {task_id: z, bash: x, upstream: [b, c]}
";

fn diamond() -> Sim {
    let mut sim = Sim::new("2026-01-01T00:00:00Z");
    sim.load(DIAMOND);
    sim.trigger("d", "r");
    sim
}

#[test]
fn tasks_run_when_what_they_wait_for_is_done() {
    let mut sim = diamond();
    assert_eq!(sim.running(), ["a"]);
    sim.succeed("a");
    assert_eq!(sim.running(), ["b", "c"]);
    sim.succeed("c");
    assert_eq!(sim.running(), ["b"]);
    sim.succeed("b");
    sim.succeed("z");
    assert_eq!(sim.run("r").state, RunState::Success);
    assert!(!sim.core.holds(RunKey(1)), "a finished run is forgotten");
}

#[test]
fn a_failed_try_is_tried_again_after_its_delay_and_then_fails_with_its_reason() {
    let mut sim = diamond();
    sim.fail("a");
    assert_eq!((sim.state("a"), sim.live.len()), (TaskState::UpForRetry, 0));
    sim.pass(secs(9));
    assert_eq!(sim.live.len(), 0);
    sim.pass(secs(1));
    assert_eq!(sim.running(), ["a"]);
    sim.fail("a");
    assert_eq!(sim.state("a"), TaskState::Failed);
    for task in ["b", "c", "z"] {
        assert_eq!(sim.state(task), TaskState::UpstreamFailed);
    }
    let run = sim.run("r");
    assert_eq!(run.state, RunState::Failed);
    assert_eq!(run.reason.as_deref(), Some("task a failed: it broke"));
    assert_eq!(sim.store.tries.len(), 2);
}

#[test]
fn a_failure_that_a_retry_cannot_help_is_final() {
    let mut sim = diamond();
    let reason = "bad template".to_owned();
    sim.finish("a", Outcome::Failed { reason, retry: false, value: None });
    assert_eq!(sim.run("r").state, RunState::Failed);
}

#[test]
fn a_skip_goes_on_to_what_follows_and_the_run_succeeds() {
    let mut sim = diamond();
    sim.finish("a", Outcome::Skipped { reason: "nothing new".to_owned() });
    assert_eq!(sim.state("z"), TaskState::Skipped);
    assert_eq!(sim.run("r").state, RunState::Success);
}

#[test]
fn only_leaves_decide_about_the_run() {
    let mut sim = Sim::new("2026-01-01T00:00:00Z");
    sim.load("dag_id: d\ntasks: [{task_id: a, bash: x}, {task_id: b, bash: x, upstream: [a], trigger_rule: all_done}]");
    sim.trigger("d", "r");
    sim.fail("a");
    sim.succeed("b");
    assert_eq!((sim.state("a"), sim.run("r").state), (TaskState::Failed, RunState::Success));
}

#[test]
fn empty_tasks_are_done_in_the_step_that_reaches_them() {
    let mut sim = Sim::new("2026-01-01T00:00:00Z");
    sim.load("dag_id: d\ntasks: [{task_id: a, empty: }, {task_id: b, empty: {}, upstream: [a]}]");
    sim.trigger("d", "r");
    assert_eq!(sim.run("r").state, RunState::Success);
    assert!(sim.live.is_empty());
}

#[test]
fn a_try_that_takes_too_long_is_stopped_and_counts_as_failed() {
    let mut sim = Sim::new("2026-01-01T00:00:00Z");
    sim.load("dag_id: d\ntasks: [{task_id: a, bash: x, execution_timeout: 30s}]");
    sim.trigger("d", "r");
    let attempt = sim.live[0].attempt;
    sim.step(Event::Started { attempt, pid: None });
    sim.pass(secs(29));
    assert!(sim.stops.is_empty());
    sim.pass(secs(1));
    let limit = std::time::Duration::from_secs(30);
    assert_eq!(sim.stops, [(attempt, StopReason::Timeout(limit))]);
    sim.fail("a");
    assert_eq!(sim.run("r").state, RunState::Failed);
}

#[test]
fn a_run_that_takes_too_long_fails_and_its_tasks_are_skipped() {
    let mut sim = Sim::new("2026-01-01T00:00:00Z");
    sim.load("dag_id: d\ndagrun_timeout: 1m\ntasks: [{task_id: a, bash: x}, {task_id: b, bash: x, upstream: [a]}]");
    sim.trigger("d", "r");
    let attempt = sim.live[0].attempt;
    sim.pass(secs(60));
    assert_eq!(sim.stops, [(attempt, StopReason::Marked)]);
    assert_eq!((sim.state("a"), sim.state("b")), (TaskState::Skipped, TaskState::Skipped));
    let reason = sim.run("r").reason.clone().unwrap();
    assert!(reason.contains("dagrun_timeout") && reason.contains("2 tasks"), "{reason}");
    // The report of the stopped try comes late, and its slot is free again.
    sim.succeed("a");
    assert_eq!((sim.state("a"), sim.core.live_tries()), (TaskState::Skipped, 0));
}

#[test]
fn slots_go_to_higher_priority_first_and_never_beyond_the_limits() {
    let limits = Limits { parallelism: 2, ..LIMITS };
    let mut sim = Sim::with_limits("2026-01-01T00:00:00Z", limits);
    sim.load("dag_id: d\nmax_active_tasks: 1\ntasks: [{task_id: a, bash: x}, {task_id: b, bash: x, priority_weight: 9}]");
    sim.load("dag_id: e\ntasks: [{task_id: x, bash: x}, {task_id: y, bash: x}]");
    sim.trigger("d", "r");
    assert_eq!(sim.running(), ["b"], "one of this DAG at a time");
    sim.trigger("e", "s");
    assert_eq!(sim.running(), ["b", "x"], "two in all");
    sim.succeed("b");
    assert_eq!(sim.running(), ["x", "a"], "the one that waited longer");
    sim.succeed_all();
    assert_eq!(sim.run("s").state, RunState::Success);
}

#[test]
fn a_pool_gives_out_its_slots_and_no_more() {
    let mut sim = Sim::new("2026-01-01T00:00:00Z");
    sim.load("dag_id: d\ndefault_args: {pool: p}\ntasks: [{task_id: a, bash: x, pool_slots: 2}, {task_id: b, bash: x, pool_slots: 2}, {task_id: c, bash: x}, {task_id: free, bash: x, pool: default_pool}]");
    sim.trigger("d", "r");
    assert_eq!(sim.running(), ["free"], "there is no such pool");
    let pools = |slots| [("p".into(), slots), ("default_pool".into(), 1)].into();
    sim.step(Event::SetPools(pools(3)));
    assert_eq!(sim.running(), ["free", "a", "c"], "a task that does not fit is passed over");
    sim.succeed("c");
    assert_eq!(sim.running(), ["free", "a"]);
    sim.step(Event::SetPools(pools(-1)));
    assert_eq!(sim.running(), ["free", "a", "b"], "no limit");
    sim.step(Event::SetPools(pools(1)));
    sim.succeed_all();
    assert_eq!(sim.run("r").state, RunState::Success);
}

#[test]
fn a_second_run_of_the_same_name_or_date_is_refused() {
    let mut sim = diamond();
    sim.trigger("d", "r");
    assert!(matches!(sim.answers.last(), Some(Err(Refusal::Exists { .. }))));
    sim.trigger("nosuch", "r");
    assert!(matches!(sim.answers.last(), Some(Err(Refusal::NoDag(_)))));
}

#[test]
fn conf_has_to_fit_the_params() {
    let mut sim = Sim::new("2026-01-01T00:00:00Z");
    sim.load("dag_id: d\nparams: {n: {default: 5, type: integer}}\ntasks: [{task_id: a, empty: }]");
    let mut trigger = sim.manual("d", "r");
    trigger.conf.insert("n".to_owned(), "many".into());
    sim.step(Event::Trigger(Box::new(trigger)));
    let refusal = sim.answers.pop().unwrap().unwrap_err().to_string();
    assert!(refusal.contains("n: \"many\" is not of type integer"), "{refusal}");
}

#[test]
fn cleared_tasks_run_again_with_all_their_retries() {
    let mut sim = diamond();
    sim.fail("a");
    sim.pass(secs(10));
    sim.fail("a");
    let key = sim.run("r").key;
    let snapshot = Snapshot {
        run: sim.run("r").clone(),
        dag: Some(sim.dags[0].clone()),
        tasks: sim.store.tasks_of(key),
    };
    let effects = sim.core.step(sim.now, Event::Adopt(Box::new(snapshot)));
    assert!(effects.is_empty());
    sim.step(Event::Clear { run: key, tasks: vec![0, 1, 2, 3] });
    assert_eq!(sim.running(), ["a"]);
    let row = &sim.store.tasks_of(key)[0];
    assert_eq!((row.try_number, row.max_tries), (3, 3));
    sim.fail("a");
    assert_eq!(sim.state("a"), TaskState::UpForRetry);
    sim.pass(secs(10));
    sim.succeed_all();
    assert_eq!((sim.run("r").state, sim.run("r").clear_number), (RunState::Success, 1));
}

#[test]
fn a_task_cleared_while_it_runs_is_stopped_first_and_then_begins_again() {
    let mut sim = diamond();
    let (key, attempt) = (sim.run("r").key, sim.live[0].attempt);
    sim.step(Event::Started { attempt, pid: None });
    sim.step(Event::Clear { run: key, tasks: vec![0] });
    assert_eq!((sim.state("a"), sim.live.len()), (TaskState::Restarting, 1));
    assert_eq!(sim.stops, [(attempt, StopReason::Marked)]);
    sim.fail("a");
    assert_eq!(sim.running(), ["a"]);
    assert_ne!(sim.live[0].attempt, attempt);
}

#[test]
fn a_run_marked_as_failed_or_successful_stops_its_tasks() {
    for (state, running, waiting) in [
        (RunState::Failed, TaskState::Failed, TaskState::Skipped),
        (RunState::Success, TaskState::Success, TaskState::Success),
    ] {
        let mut sim = diamond();
        let key = sim.run("r").key;
        sim.step(Event::SetRunState { run: key, state });
        assert_eq!((sim.state("a"), sim.state("z")), (running, waiting));
        assert_eq!((sim.run("r").state, sim.stops.len()), (state, 1));
    }
}

#[test]
fn a_stop_interrupts_tries_without_costing_one() {
    let mut sim = diamond();
    let attempt = sim.live[0].attempt;
    sim.step(Event::Drain);
    assert_eq!(sim.stops, [(attempt, StopReason::Drain)]);
    sim.finish("a", Outcome::Interrupted { value: Some(serde_json::json!({"produced": 4})) });
    assert_eq!((sim.live.len(), sim.core.live_tries()), (0, 0));
    sim.trigger("d", "s");
    assert_eq!(sim.answers.last(), Some(&Err(Refusal::Draining)));
    sim.restart();
    assert_eq!(sim.running(), ["a"]);
    let row = &sim.store.tasks_of(RunKey(1))[0];
    assert_eq!((row.try_number, row.max_tries), (2, 2));
}

#[test]
fn a_run_keeps_the_version_of_its_dag() {
    let mut sim = diamond();
    sim.load("dag_id: d\ntasks: [{task_id: other, bash: x}]");
    sim.succeed_all();
    assert_eq!(sim.run("r").state, RunState::Success);
    assert_eq!(sim.store.tasks_of(RunKey(1)).len(), 4);
    sim.trigger("d", "s");
    assert_eq!(sim.running(), ["other"]);
}

#[test]
fn a_branch_not_taken_is_skipped_and_what_waits_for_either_way_goes_on() {
    let either = "upstream: [b, c], trigger_rule: none_failed_min_one_success";
    let mut sim = Sim::new("2026-01-01T00:00:00Z");
    sim.load(&DIAMOND.replace("upstream: [b, c]", either));
    sim.trigger("d", "r");
    let attempt = sim.live[0].attempt;
    sim.step(Event::SkipTasks { attempt, tasks: vec![2, 99] });
    assert_eq!(sim.state("c"), TaskState::Skipped);
    sim.succeed("a");
    assert_eq!(sim.running(), ["b"]);
    sim.step(Event::SkipTasks { attempt, tasks: vec![3] });
    assert_eq!(sim.state("z"), TaskState::None, "a try that has ended decides nothing");
    sim.succeed("b");
    sim.succeed("z");
    assert_eq!(sim.run("r").state, RunState::Success);
}
