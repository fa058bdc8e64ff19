use jiff::tz::TimeZone;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn cron(text: &str, zone: &str, policy: CronPolicy) -> ZonedCron {
    let text = preset(text).unwrap_or(text);
    ZonedCron { cron: text.parse().unwrap(), zone: TimeZone::get(zone).unwrap(), policy }
}

fn hourly() -> Schedule {
    Schedule::Cron(cron("@hourly", "UTC", CronPolicy::WallClock))
}

fn interval(start: &str, end: &str) -> DataInterval {
    DataInterval { start: at(start), end: at(end) }
}

#[test]
fn a_clock_that_jumps_is_read_by_the_schedules_policy() {
    use CronPolicy::{Airflow, WallClock};
    let (new_york, lord_howe) = ("America/New_York", "Australia/Lord_Howe");
    for (text, zone, policy, after, ticks) in [
        // 02:30 does not exist on 8 March: at the jump, or an hour later.
        (
            "30 2 * * *",
            new_york,
            WallClock,
            "2026-03-08T00:00Z",
            ["2026-03-08T07:00Z", "2026-03-09T06:30Z"],
        ),
        (
            "30 2 * * *",
            new_york,
            Airflow,
            "2026-03-08T00:00Z",
            ["2026-03-08T07:30Z", "2026-03-09T06:30Z"],
        ),
        // 01:30 comes twice on 1 November: the first time, or the second.
        (
            "30 1 * * *",
            new_york,
            WallClock,
            "2026-11-01T00:00Z",
            ["2026-11-01T05:30Z", "2026-11-02T06:30Z"],
        ),
        (
            "30 1 * * *",
            new_york,
            Airflow,
            "2026-11-01T00:00Z",
            ["2026-11-01T06:30Z", "2026-11-02T06:30Z"],
        ),
        // Every hour: both passes of the repeated hour.
        (
            "30 * * * *",
            new_york,
            WallClock,
            "2026-11-01T05:00Z",
            ["2026-11-01T05:30Z", "2026-11-01T06:30Z"],
        ),
        (
            "30 * * * *",
            new_york,
            Airflow,
            "2026-11-01T05:00Z",
            ["2026-11-01T05:30Z", "2026-11-01T06:30Z"],
        ),
        // Half an hour back: the wall shows 01:45 twice. Airflow adds an hour and is off the wall.
        (
            "45 * * * *",
            lord_howe,
            WallClock,
            "2026-04-04T14:50Z",
            ["2026-04-04T15:15Z", "2026-04-04T16:15Z"],
        ),
        (
            "45 * * * *",
            lord_howe,
            Airflow,
            "2026-04-04T14:50Z",
            ["2026-04-04T15:45Z", "2026-04-04T16:15Z"],
        ),
        (
            "0 0 * * *",
            "Asia/Kolkata",
            WallClock,
            "2026-01-01T00:00Z",
            ["2026-01-01T18:30Z", "2026-01-02T18:30Z"],
        ),
    ] {
        let cron = cron(text, zone, policy);
        let first = cron.next(at(after)).unwrap();
        assert_eq!([first, cron.next(first).unwrap()], ticks.map(at), "{text} {zone} {policy:?}");
    }
}

#[test]
fn without_catchup_only_the_latest_complete_interval_is_run() {
    let bounds =
        |earliest: &str| Restriction { earliest: Some(at(earliest)), latest: None, catchup: false };
    for (start, last, now, next) in [
        (
            "2020-01-01T00:00Z",
            None,
            "2026-01-01T04:10Z",
            ("2026-01-01T03:00Z", "2026-01-01T04:00Z"),
        ),
        (
            "2020-01-01T00:00Z",
            None,
            "2026-01-01T04:00Z",
            ("2026-01-01T03:00Z", "2026-01-01T04:00Z"),
        ),
        (
            "2020-01-01T00:00Z",
            Some(("2025-12-31T23:00Z", "2026-01-01T00:00Z")),
            "2026-01-01T04:10Z",
            ("2026-01-01T03:00Z", "2026-01-01T04:00Z"),
        ),
        (
            "2020-01-01T00:00Z",
            Some(("2026-01-01T03:00Z", "2026-01-01T04:00Z")),
            "2026-01-01T04:10Z",
            ("2026-01-01T04:00Z", "2026-01-01T05:00Z"),
        ),
        // A start in the future waits for its first whole interval.
        (
            "2026-01-01T05:30Z",
            None,
            "2026-01-01T04:10Z",
            ("2026-01-01T06:00Z", "2026-01-01T07:00Z"),
        ),
    ] {
        let last = last.map(|(start, end)| interval(start, end));
        let found = hourly().next_interval(last, bounds(start), at(now));
        assert_eq!(found, Some(interval(next.0, next.1)), "start {start} last {last:?} now {now}");
    }
}

#[test]
fn with_catchup_intervals_follow_one_another_from_start_to_end() {
    let bounds = Restriction {
        earliest: Some(at("2026-01-01T00:30Z")),
        latest: Some(at("2026-01-01T03:00Z")),
        catchup: true,
    };
    let now = at("2026-06-01T00:00Z");
    let mut found = Vec::new();
    let mut last = None;
    while let Some(next) = hourly().next_interval(last, bounds, now) {
        found.push(next.start);
        last = Some(next);
    }
    assert_eq!(found, ["2026-01-01T01:00Z", "2026-01-01T02:00Z", "2026-01-01T03:00Z"].map(at));
}

#[test]
fn a_coarser_schedule_never_repeats_the_start_of_the_last_run() {
    let last = interval("2026-01-01T00:00Z", "2026-01-01T01:00Z");
    let daily = Schedule::Cron(cron("@daily", "UTC", CronPolicy::WallClock));
    let bounds = Restriction { earliest: None, latest: None, catchup: true };
    let next = daily.next_interval(Some(last), bounds, at("2026-01-05T00:00Z"));
    assert_eq!(next, Some(interval("2026-01-02T00:00Z", "2026-01-03T00:00Z")));
}

#[test]
fn a_fixed_length_counts_from_the_last_end() {
    let every = Schedule::Every(SignedDuration::from_secs(10));
    let bounds = Restriction { earliest: None, latest: None, catchup: false };
    let now = at("2026-01-01T00:00:13Z");
    let first = every.next_interval(None, bounds, now).unwrap();
    assert_eq!(first, interval("2026-01-01T00:00:00Z", "2026-01-01T00:00:10Z"));
    let second = every.next_interval(Some(first), bounds, now).unwrap();
    assert_eq!(second, interval("2026-01-01T00:00:10Z", "2026-01-01T00:00:20Z"));
}

#[test]
fn a_manual_run_is_about_the_last_complete_interval() {
    let asked = at("2026-01-25T01:00Z");
    let daily = Schedule::Cron(cron("@daily", "UTC", CronPolicy::WallClock));
    let expected = interval("2026-01-24T00:00Z", "2026-01-25T00:00Z");
    assert_eq!(daily.manual_interval(asked), Some(expected));
    assert_eq!(Schedule::Manual.manual_interval(asked).unwrap().start, asked);
}

/// 300 random schedules around the clock changes of five zones, answered by Airflow 3.3.2's
/// `CronDataIntervalTimetable` itself: four runs in a row and the interval of a manual run. Left out
/// are ranges such as `5-5`, which croniter reads as every value and we as 5, and the moments at
/// which Airflow's own code stops with an assertion (3 of 603).
#[test]
fn intervals_are_those_airflow_computes() {
    #[derive(serde::Deserialize)]
    struct Row {
        cron: String,
        zone: String,
        start: Timestamp,
        now: Timestamp,
        catchup: bool,
        runs: Vec<(Timestamp, Timestamp)>,
        manual: (Timestamp, Timestamp),
    }
    let table = include_str!("../../tests/fixtures/airflow_3_3_2_intervals.jsonl");
    let mut differ = Vec::new();
    for line in table.lines() {
        let row: Row = serde_json::from_str(line).unwrap();
        let schedule = Schedule::Cron(cron(&row.cron, &row.zone, CronPolicy::Airflow));
        let bounds = Restriction { earliest: Some(row.start), latest: None, catchup: row.catchup };
        let next = |last: Option<DataInterval>| schedule.next_interval(last, bounds, row.now);
        let runs: Vec<_> = std::iter::successors(next(None), |last| next(Some(*last)))
            .take(4)
            .map(|interval| (interval.start, interval.end))
            .collect();
        let manual = schedule.manual_interval(row.now).unwrap();
        if runs != row.runs || (manual.start, manual.end) != row.manual {
            differ.push(format!("{line}\n  ours {runs:?} {manual:?}"));
        }
    }
    differ.truncate(5);
    assert!(differ.is_empty(), "these differ:\n{}", differ.join("\n"));
}
