//! Dates and times as text (RFC 3339) and back, in the proleptic Gregorian calendar.

use serde_json::{Value, json};

use crate::avro::Logical;

const DAY_S: i64 = 86_400;
/// Years that RFC 3339 can write.
const YEARS: std::ops::RangeInclusive<i64> = 0..=9999;

/// A number as its logical type means it; none if it means nothing there, or does not fit.
pub(super) fn show(kind: Logical, value: i64) -> Option<Value> {
    let (unit, zone) = match kind {
        Logical::Date => return Some(date(value)?.into()),
        Logical::TimeMillis => return time_of_day(value, 1000).map(Value::from),
        Logical::TimeMicros => return time_of_day(value, 1_000_000).map(Value::from),
        _ => timestamp_unit(kind)?,
    };
    let seconds = value.div_euclid(unit);
    let day = date(seconds.div_euclid(DAY_S))?;
    let within = seconds.rem_euclid(DAY_S) * unit + value.rem_euclid(unit);
    Some(format!("{day}T{}{zone}", time_of_day(within, unit)?).into())
}

/// The number that a logical type writes for a text; none if the text is none of its.
pub(super) fn read(kind: Logical, text: &str) -> Option<i64> {
    let (unit, zone) = match kind {
        Logical::Date => return days(text),
        Logical::TimeMillis => return read_time(text, 1000),
        Logical::TimeMicros => return read_time(text, 1_000_000),
        _ => timestamp_unit(kind)?,
    };
    let text = text.strip_suffix(zone)?;
    let (day, time) = text.split_once(['T', ' '])?;
    days(day)?.checked_mul(DAY_S)?.checked_mul(unit)?.checked_add(read_time(time, unit)?)
}

/// Units in a second, and what stands after the time.
fn timestamp_unit(kind: Logical) -> Option<(i64, &'static str)> {
    Some(match kind {
        Logical::TimestampMillis => (1_000, "Z"),
        Logical::TimestampMicros => (1_000_000, "Z"),
        Logical::TimestampNanos => (1_000_000_000, "Z"),
        Logical::LocalTimestampMillis => (1_000, ""),
        Logical::LocalTimestampMicros => (1_000_000, ""),
        Logical::LocalTimestampNanos => (1_000_000_000, ""),
        _ => return None,
    })
}

/// Days since 1970-01-01 as a date. Counts in eras of 400 years from 0000-03-01, so that the leap
/// day is the last of its year.
fn date(days: i64) -> Option<String> {
    let shifted = days.checked_add(719_468)?;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    YEARS.contains(&year).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

fn days(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-').map(number);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !YEARS.contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    Some(era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468)
}

fn time_of_day(value: i64, unit: i64) -> Option<String> {
    if !(0..DAY_S * unit).contains(&value) {
        return None;
    }
    let (seconds, fraction) = (value / unit, value % unit);
    let places = unit.ilog10() as usize;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(format!("{hour:02}:{minute:02}:{second:02}.{fraction:0places$}"))
}

fn read_time(text: &str, unit: i64) -> Option<i64> {
    let (time, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = time.splitn(3, ':').map(number);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let places = unit.ilog10() as usize;
    if hour > 23 || minute > 59 || second > 59 || fraction.len() > places {
        return None;
    }
    let fraction = number(&format!("{fraction:0<places$}"))?;
    Some((hour * 3600 + minute * 60 + second) * unit + fraction)
}

fn number(digits: &str) -> Option<i64> {
    let valid = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    valid.then(|| digits.parse().ok()).flatten()
}

/// Sixteen bytes as a UUID's text.
pub(super) fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The bytes of a UUID's text.
pub(super) fn uuid_bytes(text: &str) -> Option<Vec<u8>> {
    let dashes = [8, 13, 18, 23];
    let shaped = text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match dashes.contains(&at) {
            true => b == b'-',
            false => b.is_ascii_hexdigit(),
        });
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let pairs = (0..32).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
    if shaped { pairs.collect() } else { None }
}

/// Twelve bytes as months, days and milliseconds.
pub(super) fn duration(bytes: &[u8]) -> Value {
    let part = |at: usize| {
        bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
    };
    json!({ "months": part(0), "days": part(4), "millis": part(8) })
}

/// The bytes of a duration.
pub(super) fn duration_bytes(value: &Value) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(12);
    for name in ["months", "days", "millis"] {
        let part = u32::try_from(value.get(name)?.as_u64()?).ok()?;
        bytes.extend_from_slice(&part.to_le_bytes());
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_go_to_text_and_back() {
        for (kind, value, text) in [
            (Logical::Date, 0, "1970-01-01"),
            (Logical::Date, -1, "1969-12-31"),
            (Logical::Date, 11_016, "2000-02-29"),
            (Logical::Date, 20_779, "2026-11-22"),
            (Logical::Date, -719_528, "0000-01-01"),
            (Logical::TimeMillis, 45_296_789, "12:34:56.789"),
            (Logical::TimeMicros, 1, "00:00:00.000001"),
            (Logical::TimestampMillis, 1_795_376_100_123, "2026-11-22T19:35:00.123Z"),
            (Logical::TimestampMicros, -1, "1969-12-31T23:59:59.999999Z"),
            (Logical::LocalTimestampNanos, 1, "1970-01-01T00:00:00.000000001"),
        ] {
            assert_eq!(show(kind, value), Some(Value::from(text)));
            assert_eq!(read(kind, text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["2026-02-29", "2026-13-01", "2026-00-01", "26-1", "2026-1-0", "+026-01-01", ""]
        {
            assert_eq!(read(Logical::Date, text), None, "{text}");
        }
        for text in ["24:00:00", "12:60:00", "1:2", "12:00:00.1234"] {
            assert_eq!(read(Logical::TimeMillis, text), None, "{text}");
        }
        assert_eq!(read(Logical::TimestampMillis, "2026-11-22T19:35:00"), None, "no zone");
    }

    #[test]
    fn numbers_beyond_the_calendar_stay_numbers() {
        assert_eq!(show(Logical::Date, i64::MAX), None);
        assert_eq!(show(Logical::TimeMillis, -1), None);
        assert_eq!(show(Logical::TimestampMillis, i64::MIN), None);
    }

    #[test]
    fn a_uuid_goes_to_text_and_back() {
        let text = "00112233-4455-6677-8899-aabbccddeeff";
        assert_eq!(uuid(&uuid_bytes(text).unwrap()), text);
        assert_eq!(uuid_bytes("00112233445566778899aabbccddeeff"), None);
        assert_eq!(uuid_bytes("é0112233-4455-6677-8899-aabbccddeef"), None);
    }
}
