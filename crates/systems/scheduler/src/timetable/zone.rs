//! Where civil time meets instants: what a cron expression means on the days when clocks jump.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::cron::Cron;

/// What happens where a clock jumps. The two agree everywhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CronPolicy {
    /// For native DAGs. A time that the jump leaves out runs at the jump, a time that comes twice
    /// runs once, the first time. A schedule that covers every hour follows elapsed time: it fires
    /// at each instant whose local time matches.
    WallClock,
    /// As Airflow's `CronMixin`, oddities included: a time left out runs as much later as the jump
    /// is long, a time that comes twice runs the second time, and a schedule that covers every hour
    /// adds the civil difference in elapsed time.
    Airflow,
}

/// A cron expression in a time zone.
#[derive(Debug, Clone)]
pub struct ZonedCron {
    /// The civil minutes.
    pub cron: Cron,
    /// Whose clock is on the wall.
    pub zone: TimeZone,
    /// What happens where that clock jumps.
    pub policy: CronPolicy,
}

impl ZonedCron {
    /// The first tick strictly after an instant. None: past the years that can be written.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match self.policy {
            CronPolicy::Airflow => self.airflow(after, self.cron.next_after(self.local(after))?),
            CronPolicy::WallClock if self.cron.covers_every_hour() => self.next_elapsed(after),
            CronPolicy::WallClock => {
                let mut civil = self.local(after);
                loop {
                    civil = self.cron.next_after(civil)?;
                    let tick = self.wall_clock(civil)?;
                    if tick > after {
                        return Some(tick);
                    }
                }
            }
        }
    }

    /// The last tick strictly before an instant.
    pub fn prev(&self, before: Timestamp) -> Option<Timestamp> {
        match self.policy {
            CronPolicy::Airflow => self.airflow(before, self.cron.prev_before(self.local(before))?),
            CronPolicy::WallClock if self.cron.covers_every_hour() => self.prev_elapsed(before),
            CronPolicy::WallClock => {
                // In the second pass of a repeated hour, times ahead on the wall are already past.
                let mut civil = self.latest_local(before);
                loop {
                    civil = self.cron.prev_before(civil)?;
                    let tick = self.wall_clock(civil)?;
                    if tick < before {
                        return Some(tick);
                    }
                }
            }
        }
    }

    fn local(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(at)
    }

    /// The local time, or if it comes twice and this is the second pass, the end of the first.
    fn latest_local(&self, at: Timestamp) -> DateTime {
        let local = self.local(at);
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Fold { before, after } if self.zone.to_offset(at) == after => {
                let fold = before.duration_since(after);
                local.checked_add(fold).unwrap_or(local)
            }
            _ => local,
        }
    }

    fn airflow(&self, from: Timestamp, civil: DateTime) -> Option<Timestamp> {
        if self.cron.covers_every_hour() {
            return from.checked_add(civil.duration_since(self.local(from))).ok();
        }
        self.zone.to_ambiguous_timestamp(civil).later().ok()
    }

    fn wall_clock(&self, civil: DateTime) -> Option<Timestamp> {
        match self.zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => instant(civil, offset),
            AmbiguousOffset::Fold { before, .. } => instant(civil, before),
            // The clock jumped over it: the jump is the last change at or before that moment, read
            // with the offset from before the jump.
            AmbiguousOffset::Gap { before, .. } => {
                let inside = instant(civil, before)?.checked_add(SignedDuration::from_nanos(1));
                self.zone.preceding(inside.ok()?).next().map(|change| change.timestamp())
            }
        }
    }

    fn next_elapsed(&self, after: Timestamp) -> Option<Timestamp> {
        let mut from = after;
        loop {
            let local = self.local(from);
            let civil = self.cron.next_after(local)?;
            let tick = from.checked_add(civil.duration_since(local)).ok()?;
            let change = self.zone.following(from).next().map(|change| change.timestamp());
            match change.filter(|change| *change <= tick) {
                None => return Some(tick),
                Some(change) if self.fires_at(change) => return Some(change),
                Some(change) => from = change,
            }
        }
    }

    fn prev_elapsed(&self, before: Timestamp) -> Option<Timestamp> {
        let mut from = before;
        loop {
            // The stretch of constant offset that ends at `from` (exclusive).
            let inside = from.checked_sub(SignedDuration::from_nanos(1)).ok()?;
            let offset = self.zone.to_offset(inside);
            let civil = self.cron.prev_before(offset.to_datetime(from))?;
            let tick = instant(civil, offset)?;
            let change = self.zone.preceding(from).next().map(|change| change.timestamp());
            match change.filter(|change| *change > tick) {
                None => return Some(tick),
                Some(change) => from = change,
            }
        }
    }

    fn fires_at(&self, at: Timestamp) -> bool {
        let local = self.local(at);
        local.second() == 0 && local.subsec_nanosecond() == 0 && self.cron.matches(local)
    }
}

fn instant(civil: DateTime, offset: Offset) -> Option<Timestamp> {
    offset.to_timestamp(civil).ok()
}
