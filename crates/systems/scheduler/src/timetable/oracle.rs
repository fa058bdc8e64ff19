//! The slow, obvious way to find ticks, to judge the fast one: walk the instants minute by minute
//! and look at the clock on the wall.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::cron::Cron;
use super::zone::{CronPolicy, ZonedCron};

/// Ticks in `[from, to)` by the wall-clock policy.
fn walked(cron: &Cron, zone: &TimeZone, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let minute = SignedDuration::from_mins(1);
    // A civil minute may come twice; only its first instant counts for a schedule on the wall.
    let mut seen = std::collections::BTreeSet::<DateTime>::new();
    let mut ticks = Vec::new();
    let mut at = from - SignedDuration::from_hours(30);
    let mut expected: Option<DateTime> = None;
    while at < to {
        let local = zone.to_datetime(at);
        let mut fires = cron.matches(local) && (cron.covers_every_hour() || !seen.contains(&local));
        // The wall jumped ahead: what it left out fires now.
        if let Some(mut skipped) = expected
            && !cron.covers_every_hour()
        {
            while skipped < local {
                fires |= cron.matches(skipped);
                skipped += minute;
            }
        }
        seen.insert(local);
        if fires && at >= from {
            ticks.push(at);
        }
        expected = Some(local + minute);
        at += minute;
    }
    ticks
}

fn field(low: u8, high: u8) -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("*".to_owned()),
        3 => (low..=high).prop_map(|n| n.to_string()),
        1 => (2u8..=20).prop_map(|step| format!("*/{step}")),
        2 => ((low..=high), (low..=high)).prop_map(|(a, b)| format!("{},{}", a.min(b), a.max(b))),
        1 => ((low..=high), (low..=high)).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
    ]
}

/// Zones and the middle of one of their jumps in each direction.
const JUMPS: [(&str, &str); 10] = [
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("America/Santiago", "2026-04-05T03:00:00Z"),
    ("America/Santiago", "2026-09-06T04:00:00Z"),
    ("Africa/Casablanca", "2026-02-15T02:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]
    #[test]
    fn ticks_around_a_jump_are_those_of_the_clock_on_the_wall(
        minute in field(0, 59), hour in field(0, 23), day in field(1, 28), weekday in field(0, 6),
        jump in 0..JUMPS.len(),
    ) {
        let cron: Cron = format!("{minute} {hour} {day} * {weekday}").parse().unwrap();
        let (zone, middle) = JUMPS[jump];
        let zone = TimeZone::get(zone).unwrap();
        let middle: Timestamp = middle.parse().unwrap();
        let (from, to) =
            (middle - SignedDuration::from_hours(36), middle + SignedDuration::from_hours(36));
        let walked = walked(&cron, &zone, from, to);
        let zoned = ZonedCron { cron, zone, policy: CronPolicy::WallClock };

        let just_before = from - SignedDuration::from_nanos(1);
        let forward: Vec<Timestamp> =
            std::iter::successors(zoned.next(just_before), |tick| zoned.next(*tick))
                .take_while(|tick| *tick < to).collect();
        prop_assert_eq!(&forward, &walked);
        let mut backward: Vec<Timestamp> =
            std::iter::successors(zoned.prev(to), |tick| zoned.prev(*tick))
                .take_while(|tick| *tick >= from).collect();
        backward.reverse();
        prop_assert_eq!(&backward, &walked);
    }
}
