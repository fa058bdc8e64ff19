//! Dates, times and durations as text: what literals may say, and what is shown.
//!
//! Civil dates by Howard Hinnant's `days_from_civil` algorithm, which needs no tables.

use tidemill_cql_wire::value::CqlDuration;

const DAY_MS: i64 = 86_400_000;
const DAY_NS: i64 = 86_400_000_000_000;

/// Days since 1970-01-01 of a date in the Gregorian calendar.
pub(crate) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
pub(crate) fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn is_date(year: i64, month: i64, day: i64) -> bool {
    (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && date_of(days_of(year, month, day)) == (year, month, day)
}

/// `2026-11-22` as days since 1970.
pub(crate) fn parse_date(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut parts = digits.split('-');
    let mut next = || -> Option<i64> {
        let part = parts.next()?;
        (!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse().ok())?
    };
    let (year, month, day) = (sign * next()?, next()?, next()?);
    (parts.next().is_none() && year.abs() <= 5_881_580 && is_date(year, month, day))
        .then(|| days_of(year, month, day))
}

/// `13:14:15.123456789` as nanoseconds since midnight; seconds and fraction may be missing if
/// `short` is.
pub(crate) fn parse_time(text: &str, short: bool) -> Option<i64> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, fraction),
        None => (text, "0"),
    };
    let mut parts = clock.split(':');
    let mut next = |max: i64| -> Option<i64> {
        let part = parts.next()?;
        let is_number = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let number = is_number.then(|| part.parse::<i64>().ok())??;
        (number <= max).then_some(number)
    };
    let (hours, minutes) = (next(23)?, next(59)?);
    let seconds = match next(59) {
        Some(seconds) => seconds,
        None if short && clock.matches(':').count() == 1 => 0,
        None => return None,
    };
    if parts.next().is_some()
        || fraction.is_empty()
        || fraction.len() > 9
        || !fraction.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let nanoseconds: i64 = format!("{fraction:0<9}").parse().ok()?;
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000_000 + nanoseconds)
}

/// A timestamp in one of the forms Cassandra reads, as milliseconds since 1970. Without a zone it
/// is UTC.
pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(number);
    }
    if text.is_empty() || !text.is_ascii() {
        return None;
    }
    let at = text[1..].find([' ', 'T']).map(|at| at + 1);
    let (date, rest) = match at {
        Some(at) => (&text[..at], text[at + 1..].trim_start()),
        None => match text.strip_suffix('Z') {
            Some(date) => (date, ""),
            None if text.len() > 10 => text.split_at(10),
            None => (text, ""),
        },
    };
    let days = parse_date(date)?;
    let zone_at = rest.find(['+', '-', 'Z', 'U', 'G', ' ']);
    let (clock, zone) = zone_at.map_or((rest, ""), |at| rest.split_at(at));
    let nanoseconds = if clock.is_empty() { 0 } else { parse_time(clock, true)? };
    let offset = parse_zone(zone.trim())?;
    Some(days.checked_mul(DAY_MS)? + nanoseconds / 1_000_000 - offset * 60_000)
}

/// Minutes east of Greenwich.
fn parse_zone(zone: &str) -> Option<i64> {
    if ["", "Z", "UTC", "GMT"].contains(&zone) {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        2 => (digits.parse::<i64>().ok()?, 0),
        4 => (digits[..2].parse::<i64>().ok()?, digits[2..].parse::<i64>().ok()?),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// `2026-11-22`.
pub(crate) fn date_text(days: i64) -> String {
    let (year, month, day) = date_of(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `13:14:15.123456789`.
pub(crate) fn time_text(nanoseconds: i64) -> String {
    let nanoseconds = nanoseconds.rem_euclid(DAY_NS);
    let seconds = nanoseconds / 1_000_000_000;
    format!(
        "{:02}:{:02}:{:02}.{:09}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        nanoseconds % 1_000_000_000
    )
}

/// `2026-11-22T13:14:15.123Z`, the separator and zone as given.
pub(crate) fn timestamp_text(milliseconds: i64, separator: char, zone: &str) -> String {
    let date = date_text(milliseconds.div_euclid(DAY_MS));
    let time = time_text(milliseconds.rem_euclid(DAY_MS) * 1_000_000);
    format!("{date}{separator}{}{zone}", &time[..12])
}

/// `1y2mo3w4d5h6m7s8ms9us10ns` or `P1Y2M3DT4H5M6S`, with or without a sign before it.
pub(crate) fn parse_duration(text: &str) -> Option<CqlDuration> {
    let (sign, body) = match text.strip_prefix('-') {
        Some(body) => (-1, body),
        None => (1, text),
    };
    let (mut months, mut days, mut nanoseconds) = (0_i64, 0_i64, 0_i64);
    let is_iso = body.starts_with('P');
    let mut rest = body.strip_prefix('P').unwrap_or(body);
    let mut in_time = !is_iso;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        if is_iso && let Some(time) = rest.strip_prefix('T') {
            (in_time, rest) = (true, time);
            continue;
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let length =
            if is_iso { 1 } else { rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()) };
        let unit = rest.get(..length)?.to_lowercase();
        rest = &rest[length..];
        let (target, factor) = match (unit.as_str(), is_iso, in_time) {
            ("y", _, _) => (&mut months, 12),
            ("mo", false, _) | ("m", true, false) => (&mut months, 1),
            ("w", _, _) => (&mut days, 7),
            ("d", _, _) => (&mut days, 1),
            ("h", _, true) => (&mut nanoseconds, 3_600_000_000_000),
            ("m", _, true) => (&mut nanoseconds, 60_000_000_000),
            ("s", _, true) => (&mut nanoseconds, 1_000_000_000),
            ("ms", false, _) => (&mut nanoseconds, 1_000_000),
            ("us" | "µs", false, _) => (&mut nanoseconds, 1_000),
            ("ns", false, _) => (&mut nanoseconds, 1),
            _ => return None,
        };
        *target = target.checked_add(number.checked_mul(factor)?)?;
    }
    Some(CqlDuration {
        months: i32::try_from(sign * months).ok()?,
        days: i32::try_from(sign * days).ok()?,
        nanoseconds: sign * nanoseconds,
    })
}

/// `1y2mo3d4h5m6s7ms8us9ns`.
pub(crate) fn duration_text(duration: &CqlDuration) -> String {
    let parts = [i64::from(duration.months), i64::from(duration.days), duration.nanoseconds];
    let mut out = String::new();
    if parts.iter().any(|part| *part < 0) {
        out.push('-');
    }
    let mut put = |mut left: u64, units: &[(&str, u64)]| {
        for (unit, size) in units {
            if left / size > 0 {
                out.push_str(&format!("{}{unit}", left / size));
                left %= size;
            }
        }
    };
    put(parts[0].unsigned_abs(), &[("y", 12), ("mo", 1)]);
    put(parts[1].unsigned_abs(), &[("d", 1)]);
    put(
        parts[2].unsigned_abs(),
        &[
            ("h", 3_600_000_000_000),
            ("m", 60_000_000_000),
            ("s", 1_000_000_000),
            ("ms", 1_000_000),
            ("us", 1_000),
            ("ns", 1),
        ],
    );
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn timestamps_are_read_in_cassandras_forms() {
        for (text, expected) in [
            ("1970-01-01", Some(0)),
            ("2011-02-03", Some(1_296_691_200_000)),
            ("2011-02-03 04:05", Some(1_296_705_900_000)),
            ("2011-02-03T04:05:00+0000", Some(1_296_705_900_000)),
            ("2011-02-03T04:05:00.5Z", Some(1_296_705_900_500)),
            ("2011-02-03 06:05:00+02:00", Some(1_296_705_900_000)),
            ("2011-02-03+0100", Some(1_296_687_600_000)),
            ("1296705900000", Some(1_296_705_900_000)),
            ("2011-02-30", None),
            ("yesterday", None),
            ("2011-02-03 25:00", None),
        ] {
            assert_eq!(parse_timestamp(text), expected, "{text}");
        }
    }

    #[test]
    fn durations_are_read_in_both_forms() {
        let duration = |months, days, nanoseconds| CqlDuration { months, days, nanoseconds };
        for (text, expected) in [
            ("1y2mo3d4h", Some(duration(14, 3, 14_400_000_000_000))),
            ("P1Y2M3DT4H", Some(duration(14, 3, 14_400_000_000_000))),
            ("-1w2ms", Some(duration(0, -7, -2_000_000))),
            ("89h4m48s", Some(duration(0, 0, 320_688_000_000_000))),
            ("P1H", None),
            ("1x", None),
        ] {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
        assert_eq!(duration_text(&duration(14, 3, 14_400_000_000_000)), "1y2mo3d4h");
    }

    proptest! {
        #[test]
        fn days_and_dates_are_each_others_inverse(days in -2_000_000_i64..2_000_000) {
            let (year, month, day) = date_of(days);
            prop_assert_eq!(days_of(year, month, day), days);
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC{0,30}") {
            let _ = (parse_timestamp(&text), parse_date(&text), parse_duration(&text));
            let _ = parse_time(&text, true);
        }
    }
}
