use super::sim::*;
use crate::core::*;

fn hourly(options: &str) -> String {
    format!(
        "dag_id: users\nschedule: \"@hourly\"\nstart_date: 2025-12-31T22:00Z\n{options}\ntasks: [{{task_id: a, bash: x}}]"
    )
}

#[test]
fn downtime_without_catchup_yields_one_run() {
    let mut sim = Sim::new("2026-01-01T04:10:00Z");
    sim.load(&hourly("catchup: false"));
    assert_eq!(sim.intervals(), ["2026-01-01T03:00:00Z"]);
    assert_eq!(&*sim.run("scheduled__2026-01-01T04:00:00+00:00").triggered_by, "timetable");
    sim.step(Event::Tick);
    assert_eq!(sim.intervals().len(), 1, "the same instant twice adds nothing");
    sim.succeed_all();
    sim.pass(hours(1));
    assert_eq!(sim.intervals(), ["2026-01-01T03:00:00Z", "2026-01-01T04:00:00Z"]);
}

#[test]
fn catchup_makes_every_missed_run_within_max_active_runs() {
    let mut sim = Sim::new("2026-01-01T04:10:00Z");
    sim.load(&hourly("catchup: true\nmax_active_runs: 2"));
    assert_eq!(sim.intervals().len(), 2);
    sim.succeed("a");
    assert_eq!(sim.intervals().len(), 3, "a place was free");
    sim.succeed_all();
    let expected: Vec<String> = [
        "2025-12-31T22:00:00Z",
        "2025-12-31T23:00:00Z",
        "2026-01-01T00:00:00Z",
        "2026-01-01T01:00:00Z",
        "2026-01-01T02:00:00Z",
        "2026-01-01T03:00:00Z",
    ]
    .map(str::to_owned)
    .to_vec();
    assert_eq!(sim.intervals(), expected);
}

#[test]
fn a_long_catchup_of_empty_tasks_comes_in_pieces() {
    let mut sim = Sim::new("2026-03-01T00:00:00Z");
    sim.load(
        "dag_id: d\nschedule: \"@hourly\"\nstart_date: 2026-01-01\ncatchup: true\ntasks: [{task_id: a, empty: }]",
    );
    assert_eq!(sim.intervals().len(), 16, "one look makes no more, so that others have a turn");
    sim.pass(secs(1));
    assert_eq!(sim.intervals().len(), 59 * 24);
    assert!(sim.store.runs.values().all(|run| run.state == RunState::Success));
}

#[test]
fn a_paused_dag_starts_nothing_and_goes_on_when_unpaused() {
    let mut sim = Sim::new("2026-01-01T04:10:00Z");
    sim.load(&hourly("is_paused_upon_creation: true"));
    sim.trigger("users", "by hand");
    sim.pass(hours(2));
    assert_eq!((sim.intervals().len(), sim.live.len()), (0, 0));
    assert_eq!(sim.run("by hand").state, RunState::Queued);
    sim.step(Event::SetPaused { dag_id: "users".into(), paused: false });
    assert_eq!(sim.intervals(), ["2026-01-01T05:00:00Z"], "only the latest, without catch-up");
    assert_eq!(sim.live.len(), 2);
}

#[test]
fn a_pause_lets_what_runs_finish_and_starts_nothing_after_it() {
    let mut sim = Sim::new("2026-01-01T00:00:00Z");
    sim.load("dag_id: d\ntasks: [{task_id: a, bash: x}, {task_id: b, bash: x, upstream: [a]}]");
    sim.trigger("d", "r");
    sim.step(Event::SetPaused { dag_id: "d".into(), paused: true });
    sim.succeed("a");
    assert_eq!((sim.state("b"), sim.live.len()), (TaskState::Scheduled, 0));
    sim.step(Event::SetPaused { dag_id: "d".into(), paused: false });
    assert_eq!(sim.running(), ["b"]);
}

#[test]
fn a_manual_run_takes_the_place_of_the_schedules_for_its_date() {
    let mut sim = Sim::new("2026-01-01T04:10:00Z");
    sim.load(&hourly(""));
    sim.succeed_all();
    let mut trigger = sim.manual("users", "early");
    trigger.logical_date = Some(at("2026-01-01T05:00:00Z"));
    sim.step(Event::Trigger(Box::new(trigger.clone())));
    sim.succeed_all();
    sim.restart();
    sim.pass(hours(3));
    sim.succeed_all();
    let expected = ["2026-01-01T03:00:00Z", "2026-01-01T04:00:00Z", "2026-01-01T06:00:00Z"];
    assert_eq!(sim.intervals(), expected);
}

#[test]
fn a_changed_schedule_replaces_the_timer() {
    let mut sim = Sim::new("2026-01-01T00:10:00Z");
    sim.load(&hourly(""));
    sim.succeed_all();
    sim.load("dag_id: users\nschedule: 10s\ntasks: [{task_id: a, empty: }]");
    let before = sim.intervals().len();
    sim.pass(secs(60));
    assert_eq!(sim.intervals().len(), before + 6);
    sim.step(Event::DagGone { dag_id: "users".into() });
    sim.pass(hours(5));
    assert_eq!(sim.intervals().len(), before + 6, "its file is gone");
    assert_eq!(sim.core.next_wake(), None);
}

#[test]
fn once_is_once_even_after_a_restart() {
    let mut sim = Sim::new("2026-01-01T00:00:00Z");
    sim.load("dag_id: d\nschedule: \"@once\"\ntasks: [{task_id: a, empty: }]");
    sim.restart();
    sim.pass(hours(48));
    assert_eq!(sim.store.runs.len(), 1);
}

#[test]
fn a_run_asked_for_later_starts_later() {
    let mut sim = Sim::new("2026-01-01T00:00:00Z");
    sim.load("dag_id: d\ntasks: [{task_id: a, bash: x}]");
    let mut trigger = sim.manual("d", "later");
    trigger.run_after = at("2026-01-01T01:00:00Z");
    sim.step(Event::Trigger(Box::new(trigger)));
    assert_eq!(sim.live.len(), 0);
    sim.restart();
    sim.pass(hours(1));
    assert_eq!(sim.running(), ["a"]);
}

#[test]
fn days_when_clocks_jump_have_one_run_each_in_every_zone() {
    for (zone, from, days) in [
        ("America/New_York", "2026-03-06T12:00:00Z", 5),
        ("America/New_York", "2026-10-30T12:00:00Z", 5),
        ("Europe/Berlin", "2026-03-27T12:00:00Z", 5),
        ("Europe/Berlin", "2026-10-23T12:00:00Z", 5),
        ("Australia/Lord_Howe", "2026-04-02T12:00:00Z", 5),
        ("Australia/Lord_Howe", "2026-10-01T12:00:00Z", 5),
        ("America/Santiago", "2026-09-04T12:00:00Z", 5),
        ("Asia/Kolkata", "2026-03-06T12:00:00Z", 5),
    ] {
        let mut sim = Sim::new(from);
        sim.load(&format!(
            "dag_id: d\nschedule: 30 2 * * *\ntimezone: {zone}\nstart_date: 2026-01-01\ntasks: [{{task_id: a, empty: }}]"
        ));
        let before = sim.intervals().len();
        sim.pass(hours(24 * days));
        let made = sim.intervals().len() - before;
        assert_eq!(made, usize::try_from(days).unwrap(), "{zone} from {from}");
        let ends: Vec<_> = sim.store.runs.values().filter_map(|run| run.interval).collect();
        assert!(ends.windows(2).all(|pair| pair[0].end == pair[1].start), "{zone}: a gap");
    }
}

#[test]
fn a_clock_set_back_repeats_nothing_and_a_jump_ahead_leaves_nothing_out() {
    let mut sim = Sim::new("2026-01-01T04:10:00Z");
    sim.load(&hourly("catchup: true"));
    sim.succeed_all();
    let before = sim.intervals().len();
    sim.now = at("2026-01-01T01:00:00Z");
    sim.step(Event::Tick);
    sim.restart();
    assert_eq!(sim.intervals().len(), before);
    sim.now = at("2026-01-01T06:10:00Z");
    sim.step(Event::Tick);
    assert_eq!(sim.intervals().len(), before + 2);
}
