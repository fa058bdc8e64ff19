//! Cron expressions over civil time: which minutes of which days match, without any time zone.
//!
//! Five fields as in croniter, the library Airflow uses: minute, hour, day of month, month, day of
//! week; lists, ranges (that may wrap: `22-2`, `fri-mon`), steps, names, `L` (last day of the
//! month), `5L` (last Friday) and `1#2` (second Monday). When both day fields are restricted, a day
//! matches if either does.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Time};

/// How far the next match is looked for. 29 February on a Monday is at most 40 years away.
const YEARS_MAX: i16 = 50;
/// The longest expression that is read, in bytes.
const EXPRESSION_BYTES_MAX: usize = 1024;

/// A parsed expression. Its text is kept for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    /// Bit `n` set: minute `n` matches. Likewise below.
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// Bit 0 is Sunday.
    weekdays: u64,
    last_day: bool,
    /// (weekday, n): the n-th such day of the month; 0 means the last.
    nth_weekdays: Vec<(u8, u8)>,
    any_day: bool,
    any_weekday: bool,
}

/// Why an expression was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// It has more or fewer than five fields.
    #[error(
        "cron {text:?} has {fields} fields; five are needed: minute hour day-of-month month day-of-week"
    )]
    Fields {
        /// The expression.
        text: String,
        /// How many fields it has.
        fields: usize,
    },
    /// One field cannot be read.
    #[error("cron {text:?}: {part:?} is not a {field} ({low}-{high})")]
    Field {
        /// The expression.
        text: String,
        /// The part of the field that was not understood.
        part: String,
        /// The field's name.
        field: &'static str,
        /// Smallest value.
        low: u8,
        /// Largest value.
        high: u8,
    },
    /// No day ever matches, such as 30 February.
    #[error("cron {text:?} never matches any date")]
    Never {
        /// The expression.
        text: String,
    },
}

struct Field {
    name: &'static str,
    low: u8,
    high: u8,
    names: &'static [&'static str],
}

const MINUTE: Field = Field { name: "minute", low: 0, high: 59, names: &[] };
const HOUR: Field = Field { name: "hour", low: 0, high: 23, names: &[] };
const DAY: Field = Field { name: "day of month", low: 1, high: 31, names: &[] };
const MONTH: Field = Field {
    name: "month",
    low: 1,
    high: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAY: Field = Field {
    name: "day of week",
    low: 0,
    high: 7,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

impl Field {
    fn number(&self, text: &str) -> Option<u8> {
        if let Some(at) = self.names.iter().position(|name| text.eq_ignore_ascii_case(name)) {
            return u8::try_from(at).ok().map(|at| at + self.low);
        }
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number: u8 = if digits { text.parse().ok()? } else { return None };
        (self.low..=self.high).contains(&number).then_some(number)
    }

    /// The values of `*`, `5`, `1-5`, `*/2`, `3/4`, `22-2/2` as bits.
    fn bits(&self, part: &str) -> Option<u64> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u8>().ok().filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let top = if self.high == 7 { 6 } else { self.high };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" || (range == "?" && step.is_none()) => (self.low, top),
            Some((from, to)) => (self.number(from)?, self.number(to)?),
            // `3/4` counts from 3 to the end; a lone `3` is itself.
            None if step.is_some() => (self.number(range)?, top),
            None => (self.number(range)?, self.number(range)?),
        };
        Some(self.walk(from, to, step.unwrap_or(1)))
    }

    fn walk(&self, from: u8, to: u8, step: u8) -> u64 {
        let size = u32::from(if self.high == 7 { 7 } else { self.high - self.low + 1 });
        let (from, to, low) = (u32::from(from), u32::from(to), u32::from(self.low));
        let end = if to < from { to + size } else { to };
        (from..=end).step_by(usize::from(step)).fold(0, |bits, value| {
            let wrapped = if value == 7 && self.high == 7 && end == 7 {
                0
            } else {
                (value - low) % size + low
            };
            bits | 1 << wrapped
        })
    }
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Cron, CronError> {
        let text = text.trim();
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(CronError::Fields { text: shown(text), fields: fields.len() });
        };
        if text.len() > EXPRESSION_BYTES_MAX {
            return Err(CronError::Fields { text: shown(text), fields: fields.len() });
        }
        let mut cron = Cron {
            text: text.to_owned(),
            minutes: list(text, &MINUTE, minute)?,
            hours: list(text, &HOUR, hour)?,
            days: 0,
            months: list(text, &MONTH, month)?,
            weekdays: 0,
            last_day: false,
            nth_weekdays: Vec::new(),
            any_day: false,
            any_weekday: false,
        };
        cron.read_days(day)?;
        cron.read_weekdays(weekday)?;
        // Every 4-year cycle, and the century without a leap day, lies within these years.
        let probe = DateTime::constant(2000, 1, 1, 0, 0, 0, 0);
        match cron.next_after(probe) {
            Some(_) => Ok(cron),
            None => Err(CronError::Never { text: shown(text) }),
        }
    }
}

/// What of an expression an error repeats.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

fn list(text: &str, field: &Field, parts: &str) -> Result<u64, CronError> {
    parts.split(',').try_fold(0, |bits, part| Ok(bits | one(text, field, part)?))
}

fn one(text: &str, field: &Field, part: &str) -> Result<u64, CronError> {
    field.bits(part).ok_or_else(|| CronError::Field {
        text: shown(text),
        part: shown(part),
        field: field.name,
        low: field.low,
        high: field.high,
    })
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Cron {
    fn read_days(&mut self, parts: &str) -> Result<(), CronError> {
        for part in parts.split(',') {
            if part.eq_ignore_ascii_case("l") {
                self.last_day = true;
            } else {
                self.days |= one(&self.text, &DAY, part)?;
            }
        }
        self.any_day = self.days == 0xffff_fffe;
        Ok(())
    }

    fn read_weekdays(&mut self, parts: &str) -> Result<(), CronError> {
        for part in parts.split(',') {
            match self.nth(part) {
                Some(nth) => self.nth_weekdays.push(nth),
                None => self.weekdays |= one(&self.text, &WEEKDAY, part)?,
            }
        }
        self.any_weekday = self.weekdays == 0x7f;
        Ok(())
    }

    /// `1#2`, `mon#2`, `5L`, `L5`.
    fn nth(&self, part: &str) -> Option<(u8, u8)> {
        let weekday = |text: &str| WEEKDAY.number(text).map(|day| day % 7);
        if let Some((day, nth)) = part.split_once('#') {
            let nth: u8 = nth.parse().ok().filter(|nth| (1..=5).contains(nth))?;
            return Some((weekday(day)?, nth));
        }
        let day = part.strip_suffix(['L', 'l']).or_else(|| part.strip_prefix(['L', 'l']))?;
        Some((weekday(day)?, 0))
    }

    /// Whether it fires in every hour of the days it fires on: such a schedule is about elapsed
    /// time, others are about what the clock on the wall says.
    pub fn covers_every_hour(&self) -> bool {
        self.hours == 0xff_ffff
    }

    /// Whether this civil minute matches.
    pub fn matches(&self, at: DateTime) -> bool {
        has(self.minutes, at.minute()) && has(self.hours, at.hour()) && self.matches_day(at.date())
    }

    fn matches_day(&self, date: Date) -> bool {
        if !has(self.months, date.month()) {
            return false;
        }
        match (self.any_day, self.any_weekday) {
            (true, true) => true,
            (true, false) => self.matches_weekday(date),
            (false, true) => self.matches_day_of_month(date),
            (false, false) => self.matches_day_of_month(date) || self.matches_weekday(date),
        }
    }

    fn matches_day_of_month(&self, date: Date) -> bool {
        has(self.days, date.day()) || (self.last_day && date.day() == date.days_in_month())
    }

    fn matches_weekday(&self, date: Date) -> bool {
        let weekday = date.weekday().to_sunday_zero_offset();
        if has(self.weekdays, weekday) {
            return true;
        }
        let nth_from_start = (date.day() - 1) / 7 + 1;
        let is_last = date.day() + 7 > date.days_in_month();
        self.nth_weekdays.iter().any(|&(day, nth)| {
            i16::from(day) == i16::from(weekday)
                && if nth == 0 { is_last } else { i16::from(nth) == i16::from(nth_from_start) }
        })
    }

    /// The first matching minute strictly after `after`; none within 50 years is none at all.
    pub fn next_after(&self, after: DateTime) -> Option<DateTime> {
        let start = after.with().second(0).subsec_nanosecond(0).build().ok()?;
        let start = start.checked_add(1.minute()).ok()?;
        let mut date = start.date();
        let mut from = (start.hour(), start.minute());
        while date.year() <= after.year().saturating_add(YEARS_MAX) {
            if self.matches_day(date)
                && let Some((hour, minute)) = self.first_from(from)
            {
                return Some(date.to_datetime(Time::new(hour, minute, 0, 0).ok()?));
            }
            date = date.tomorrow().ok()?;
            from = (0, 0);
        }
        None
    }

    /// The last matching minute strictly before `before`.
    pub fn prev_before(&self, before: DateTime) -> Option<DateTime> {
        let whole = before.with().second(0).subsec_nanosecond(0).build().ok()?;
        let start = if whole < before { whole } else { whole.checked_sub(1.minute()).ok()? };
        let mut date = start.date();
        let mut to = (start.hour(), start.minute());
        while date.year() >= before.year().saturating_sub(YEARS_MAX) {
            if self.matches_day(date)
                && let Some((hour, minute)) = self.last_to(to)
            {
                return Some(date.to_datetime(Time::new(hour, minute, 0, 0).ok()?));
            }
            date = date.yesterday().ok()?;
            to = (23, 59);
        }
        None
    }

    fn first_from(&self, (hour, minute): (i8, i8)) -> Option<(i8, i8)> {
        if has(self.hours, hour)
            && let Some(minute) = lowest_from(self.minutes, minute)
        {
            return Some((hour, minute));
        }
        Some((lowest_from(self.hours, hour + 1)?, lowest_from(self.minutes, 0)?))
    }

    fn last_to(&self, (hour, minute): (i8, i8)) -> Option<(i8, i8)> {
        if has(self.hours, hour)
            && let Some(minute) = highest_to(self.minutes, minute)
        {
            return Some((hour, minute));
        }
        Some((highest_to(self.hours, hour - 1)?, highest_to(self.minutes, 59)?))
    }
}

fn has(bits: u64, value: i8) -> bool {
    u32::try_from(value).is_ok_and(|value| bits >> value & 1 == 1)
}

fn lowest_from(bits: u64, from: i8) -> Option<i8> {
    let from = u32::try_from(from).ok()?;
    let rest = bits.checked_shr(from)?;
    (rest != 0).then(|| i8::try_from(rest.trailing_zeros() + from).ok())?
}

fn highest_to(bits: u64, to: i8) -> Option<i8> {
    let to = u32::try_from(to).ok()?;
    let rest = bits & (u64::MAX >> (63 - to.min(63)));
    (rest != 0).then(|| i8::try_from(63 - rest.leading_zeros()).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime {
        text.parse().unwrap()
    }

    #[test]
    fn fields_mean_what_they_mean_to_croniter() {
        for (cron, after, next) in [
            ("0 0 * * *", "2026-01-01T00:00", "2026-01-02T00:00"),
            ("*/15 * * * *", "2026-01-01T00:14:59", "2026-01-01T00:15"),
            ("5/20 * * * *", "2026-01-01T00:05", "2026-01-01T00:25"),
            ("0 22-2/2 * * *", "2026-01-01T03:00", "2026-01-01T22:00"),
            ("0 22-2/2 * * *", "2026-01-01T22:00", "2026-01-02T00:00"),
            ("0 0 * * 7", "2026-01-01T00:00", "2026-01-04T00:00"),
            ("0 0 * * fri-mon", "2026-01-06T00:00", "2026-01-09T00:00"),
            ("0 0 * JAN,mar 1#2", "2026-01-13T00:00", "2026-03-09T00:00"),
            ("0 0 L * *", "2028-02-01T00:00", "2028-02-29T00:00"),
            ("0 0 * * 5L", "2026-01-01T00:00", "2026-01-30T00:00"),
            // Both day fields restricted: either is enough.
            ("0 0 13 * 5", "2026-02-13T00:00", "2026-02-20T00:00"),
            ("0 0 29 2 *", "2096-03-01T00:00", "2104-02-29T00:00"),
        ] {
            let parsed: Cron = cron.parse().unwrap();
            assert_eq!(parsed.next_after(at(after)), Some(at(next)), "{cron} after {after}");
            assert!(parsed.matches(at(next)), "{cron}");
            let back = parsed.prev_before(at(next) + 1.minute());
            assert_eq!(back, Some(at(next)), "{cron} before {next}");
        }
    }

    #[test]
    fn an_expression_that_cannot_be_read_says_which_part() {
        for (cron, part) in [
            ("0 0 * *", "4 fields"),
            ("0 0 * * * *", "6 fields"),
            ("60 0 * * *", "\"60\" is not a minute"),
            ("0 24 * * *", "\"24\" is not a hour"),
            ("0 0 0 * *", "\"0\" is not a day of month"),
            ("0 0 * foo *", "\"foo\" is not a month"),
            ("0 0 * * 1#6", "\"1#6\" is not a day of week"),
            ("*/0 * * * *", "\"*/0\" is not a minute"),
            ("0 0 30 2 *", "never matches"),
            ("@daly", "1 fields"),
        ] {
            let error = cron.parse::<Cron>().unwrap_err().to_string();
            assert!(error.contains(part), "{cron}: {error}");
        }
    }
}
