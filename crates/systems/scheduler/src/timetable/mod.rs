//! When a DAG runs, and for which data interval.
//!
//! The rules are those of Airflow's `CronDataIntervalTimetable` and `DeltaDataIntervalTimetable`: a
//! run belongs to the interval between two ticks and starts when that interval has ended; without
//! catch-up only the latest complete interval is run.

mod cron;
#[cfg(test)]
mod oracle;
mod zone;

use jiff::{SignedDuration, Timestamp};

pub use cron::{Cron, CronError};
pub use zone::{CronPolicy, ZonedCron};

/// The stretch of data a run is about: start included, end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataInterval {
    /// First instant.
    pub start: Timestamp,
    /// First instant after it; a scheduled run starts here at the earliest.
    pub end: Timestamp,
}

/// A DAG's `schedule`.
#[derive(Debug, Clone)]
pub enum Schedule {
    /// `null`: only when somebody asks.
    Manual,
    /// `@once`: one run, at `start_date` or at once.
    Once,
    /// A cron expression or preset.
    Cron(ZonedCron),
    /// A fixed length of time, such as `10s`.
    Every(SignedDuration),
}

/// What bounds a schedule: Airflow's `TimeRestriction`.
#[derive(Debug, Clone, Copy)]
pub struct Restriction {
    /// `start_date`.
    pub earliest: Option<Timestamp>,
    /// `end_date`: no interval starts later.
    pub latest: Option<Timestamp>,
    /// Whether missed intervals are run.
    pub catchup: bool,
}

/// The expression a preset stands for.
pub fn preset(name: &str) -> Option<&'static str> {
    Some(match name {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@quarterly" => "0 0 1 */3 *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        _ => return None,
    })
}

impl Schedule {
    /// Whether runs come by themselves again and again.
    pub fn is_periodic(&self) -> bool {
        matches!(self, Schedule::Cron(_) | Schedule::Every(_))
    }

    /// The next interval to run after `last`, as seen at `now`. It may lie in the future: it is due
    /// at its end. None: nothing more will come.
    pub fn next_interval(
        &self,
        last: Option<DataInterval>,
        bounds: Restriction,
        now: Timestamp,
    ) -> Option<DataInterval> {
        match self {
            Schedule::Manual => None,
            Schedule::Once => {
                let at = bounds.earliest.unwrap_or(now);
                let open = last.is_none() && bounds.latest.is_none_or(|latest| at <= latest);
                open.then_some(DataInterval { start: at, end: at })
            }
            Schedule::Cron(_) | Schedule::Every(_) => self.next_periodic(last, bounds, now),
        }
    }

    /// The interval of a run somebody asked for: the last complete one before `run_after`.
    pub fn manual_interval(&self, run_after: Timestamp) -> Option<DataInterval> {
        Some(match self {
            Schedule::Manual | Schedule::Once => DataInterval { start: run_after, end: run_after },
            Schedule::Every(_) => DataInterval { start: self.prev(run_after)?, end: run_after },
            Schedule::Cron(_) => {
                let end = self.align_to_prev(run_after)?;
                DataInterval { start: self.prev(end)?, end }
            }
        })
    }

    fn next_periodic(
        &self,
        last: Option<DataInterval>,
        bounds: Restriction,
        now: Timestamp,
    ) -> Option<DataInterval> {
        let earliest = match (bounds.catchup, bounds.earliest) {
            (false, earliest) => Some(self.skip_to_latest(earliest, now)?),
            (true, Some(earliest)) => Some(self.align_to_next(earliest)?),
            (true, None) => None,
        };
        let start = match last {
            None => earliest?,
            Some(last) => {
                // The schedule may have changed since: its grid is the new one.
                let aligned = self.align_to_prev(last.end)?;
                let start = earliest.map_or(aligned, |earliest| aligned.max(earliest));
                if start > last.start { start } else { self.next(start)? }
            }
        };
        if bounds.latest.is_some_and(|latest| start > latest) {
            return None;
        }
        Some(DataInterval { start, end: self.next(start)? })
    }

    /// The start of the latest interval that is complete at `now`.
    fn skip_to_latest(&self, earliest: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let start = match self {
            Schedule::Every(length) => self.prev(floor(now, *length)?)?,
            _ => {
                let last = self.prev(now)?;
                if self.next(last)? == now { last } else { self.prev(last)? }
            }
        };
        Some(match earliest {
            Some(earliest) => start.max(self.align_to_next(earliest)?),
            None => start,
        })
    }

    fn align_to_next(&self, at: Timestamp) -> Option<Timestamp> {
        if matches!(self, Schedule::Every(_)) {
            return Some(at);
        }
        let next = self.next(at)?;
        Some(if self.prev(next)? == at { at } else { next })
    }

    fn align_to_prev(&self, at: Timestamp) -> Option<Timestamp> {
        if matches!(self, Schedule::Every(_)) {
            return Some(at);
        }
        let prev = self.prev(at)?;
        Some(if self.next(prev)? == at { at } else { prev })
    }

    fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            Schedule::Cron(cron) => cron.next(after),
            Schedule::Every(length) => after.checked_add(*length).ok(),
            Schedule::Manual | Schedule::Once => None,
        }
    }

    fn prev(&self, before: Timestamp) -> Option<Timestamp> {
        match self {
            Schedule::Cron(cron) => cron.prev(before),
            Schedule::Every(length) => before.checked_sub(*length).ok(),
            Schedule::Manual | Schedule::Once => None,
        }
    }
}

/// The last multiple of `length` since 1970 at or before `at`.
fn floor(at: Timestamp, length: SignedDuration) -> Option<Timestamp> {
    let length_us = i64::try_from(length.as_micros()).ok().filter(|us| *us > 0)?;
    Timestamp::from_microsecond(at.as_microsecond().div_euclid(length_us) * length_us).ok()
}

#[cfg(test)]
mod tests;
