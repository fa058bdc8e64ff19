//! Civil time: days and times of day to milliseconds and back, and Java's date patterns.
//!
//! The session's time zone is UTC.

/// A date and a time of day in the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    pub(crate) nanos: u32,
}

impl Civil {
    pub(crate) const EPOCH: Civil =
        Civil { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, nanos: 0 };

    /// Whether there is such a date and time, in the years 0 to 9999.
    fn exists(&self) -> bool {
        (0..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=days_of_month(self.year, self.month)).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second < 60
            && self.nanos < 1_000_000_000
    }

    /// Seconds since 1970-01-01T00:00:00, if the date exists.
    pub(crate) fn seconds(&self) -> Option<i64> {
        let days = self.exists().then(|| days_from_civil(self.year, self.month, self.day))?;
        let clock = i64::from(self.hour) * 3600 + i64::from(self.minute) * 60;
        Some(days * 86_400 + clock + i64::from(self.second))
    }

    /// Milliseconds since 1970-01-01T00:00:00, if the date exists.
    pub(crate) fn millis(&self) -> Option<i64> {
        Some(self.seconds()? * 1000 + i64::from(self.nanos / 1_000_000))
    }

    pub(crate) fn from_millis(millis: i64) -> Civil {
        Civil::from_nanos(i128::from(millis) * 1_000_000)
    }

    pub(crate) fn from_nanos(nanos: i128) -> Civil {
        let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or(i64::MAX / 2);
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400) as u32);
        let (year, month, day) = civil_from_days(days);
        Civil {
            year,
            month,
            day,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            nanos: nanos.rem_euclid(1_000_000_000) as u32,
        }
    }
}

/// Days since 1970-01-01. Years begin in March, so that the leap day is the last of its year.
pub(crate) fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = i64::from((153 * ((month + 9) % 12) + 2) / 5 + day - 1);
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

pub(crate) fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096).div_euclid(365);
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn days_of_month(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// `yyyy-MM-dd`.
pub(crate) fn parse_date(text: &str) -> Option<Civil> {
    let mut rest = text.as_bytes();
    let date = date_prefix(&mut rest)?;
    (rest.is_empty() && date.exists()).then_some(date)
}

/// `yyyy-MM-dd` `separator` `HH:mm:ss[.fraction]`, with `Z` after it if `zone`.
pub(crate) fn parse_timestamp(text: &str, separator: u8, zone: bool) -> Option<Civil> {
    let mut rest = text.as_bytes();
    let mut at = date_prefix(&mut rest)?;
    literal(&mut rest, separator)?;
    time_of_day(&mut rest, &mut at)?;
    if zone {
        literal(&mut rest, b'Z')?;
    }
    (rest.is_empty() && at.exists()).then_some(at)
}

/// `HH:mm:ss[.fraction]`, in milliseconds.
pub(crate) fn parse_time(text: &str) -> Option<i32> {
    let mut rest = text.as_bytes();
    let mut at = Civil::EPOCH;
    time_of_day(&mut rest, &mut at)?;
    if !rest.is_empty() || !at.exists() {
        return None;
    }
    i32::try_from(at.millis()?).ok()
}

fn date_prefix(rest: &mut &[u8]) -> Option<Civil> {
    let year = i64::from(digits(rest, 4)?);
    literal(rest, b'-')?;
    let month = digits(rest, 2)?;
    literal(rest, b'-')?;
    Some(Civil { year, month, day: digits(rest, 2)?, ..Civil::EPOCH })
}

fn time_of_day(rest: &mut &[u8], at: &mut Civil) -> Option<()> {
    at.hour = digits(rest, 2)?;
    literal(rest, b':')?;
    at.minute = digits(rest, 2)?;
    literal(rest, b':')?;
    at.second = digits(rest, 2)?;
    if literal(rest, b'.').is_some() {
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&count) {
            return None;
        }
        at.nanos = digits(rest, count)? * 10_u32.pow(9 - count as u32);
    }
    Some(())
}

fn digits(rest: &mut &[u8], count: usize) -> Option<u32> {
    let text = rest.get(..count)?;
    let number = text.iter().try_fold(0_u32, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0'))
    })?;
    *rest = &rest[count..];
    Some(number)
}

fn literal(rest: &mut &[u8], byte: u8) -> Option<()> {
    let (first, after) = rest.split_first()?;
    (*first == byte).then(|| *rest = after)
}

/// A date pattern of Java's `DateTimeFormatter`, as far as numbers go: `y M d H m s S` and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Field(char, usize),
    Text(String),
}

impl Pattern {
    pub(crate) fn parse(pattern: &str) -> Result<Pattern, String> {
        let mut parts = Vec::new();
        let mut chars = pattern.chars().peekable();
        while let Some(letter) = chars.next() {
            match letter {
                'y' | 'M' | 'd' | 'H' | 'm' | 's' | 'S' => {
                    let mut count = 1;
                    while chars.next_if_eq(&letter).is_some() {
                        count += 1;
                    }
                    parts.push(Part::Field(letter, count));
                }
                '\'' => {
                    let mut text = String::new();
                    let closed = loop {
                        match chars.next() {
                            Some('\'') if chars.next_if_eq(&'\'').is_some() => text.push('\''),
                            Some('\'') => break true,
                            Some(other) => text.push(other),
                            None => break false,
                        }
                    };
                    if !closed {
                        return Err(format!("pattern {pattern:?} ends with an open quote"));
                    }
                    parts.push(Part::Text(if text.is_empty() { "'".into() } else { text }));
                }
                letter if letter.is_ascii_alphabetic() => {
                    return Err(format!(
                        "letter {letter:?} in pattern {pattern:?} is not supported; known are y M d \
                         H m s S"
                    ));
                }
                other => parts.push(Part::Text(other.to_string())),
            }
        }
        Ok(Pattern(parts))
    }

    pub(crate) fn read(&self, text: &str) -> Option<Civil> {
        let (mut at, mut rest) = (Civil::EPOCH, text.as_bytes());
        for (index, part) in self.0.iter().enumerate() {
            match part {
                Part::Text(text) => rest = rest.strip_prefix(text.as_bytes())?,
                Part::Field(letter, count) => {
                    // One letter takes as many digits as there are, unless digits follow at once.
                    let next_is_field = matches!(self.0.get(index + 1), Some(Part::Field(..)));
                    let there = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    let greedy = *count == 1 && !next_is_field && *letter != 'S';
                    let count = if greedy { there.clamp(1, 4) } else { *count };
                    let number = digits(&mut rest, count.min(9))?;
                    match letter {
                        'y' if count == 2 => at.year = 2000 + i64::from(number),
                        'y' => at.year = i64::from(number),
                        'M' => at.month = number,
                        'd' => at.day = number,
                        'H' => at.hour = number,
                        'm' => at.minute = number,
                        's' => at.second = number,
                        _ => at.nanos = number * 10_u32.pow(9 - count.min(9) as u32),
                    }
                }
            }
        }
        (rest.is_empty() && at.exists()).then_some(at)
    }

    pub(crate) fn write(&self, at: &Civil) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Field('y', 2) => text.push_str(&format!("{:02}", at.year.rem_euclid(100))),
                Part::Field('S', count) => {
                    let nanos = format!("{:09}", at.nanos);
                    text.push_str(&nanos[..(*count).min(9)]);
                }
                Part::Field(letter, width) => {
                    let number = match letter {
                        'y' => at.year,
                        'M' => i64::from(at.month),
                        'd' => i64::from(at.day),
                        'H' => i64::from(at.hour),
                        'm' => i64::from(at.minute),
                        _ => i64::from(at.second),
                    };
                    text.push_str(&format!("{number:0width$}"));
                }
            }
        }
        text
    }
}

/// `yyyy-MM-dd`.
pub(crate) fn show_date(days: i32) -> String {
    let (year, month, day) = civil_from_days(i64::from(days));
    format!("{year:04}-{month:02}-{day:02}")
}

/// `yyyy-MM-dd` `separator` `HH:mm:ss[.fraction]`; the fraction has no trailing zeros.
pub(crate) fn show_timestamp(at: &Civil, separator: char) -> String {
    let Civil { year, month, day, hour, minute, second, nanos } = at;
    let whole =
        format!("{year:04}-{month:02}-{day:02}{separator}{hour:02}:{minute:02}:{second:02}");
    if *nanos == 0 {
        return whole;
    }
    let fraction = format!("{nanos:09}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_there_and_back() {
        for days in (-800_000..800_000).step_by(97) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days, "{year}-{month}-{day}");
        }
        assert_eq!(civil_from_days(0), (1970, 1, 1));
        assert_eq!(days_from_civil(2000, 2, 29), 11_016);
    }

    #[test]
    fn timestamps_are_read_strictly() {
        let read = |text| parse_timestamp(text, b' ', false).and_then(|at| at.millis());
        assert_eq!(read("1970-01-02 00:00:00.5"), Some(86_400_500));
        for wrong in [
            "1970-02-30 00:00:00",
            "1970-01-01T00:00:00",
            "1970-01-01 24:00:00",
            "",
            "1970-01-01 00:00:00.",
            "1970-01-01 00:00:00Z",
            "+970-01-01 00:00:00",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert!(parse_timestamp("1970-01-01T00:00:00Z", b'T', true).is_some());
    }

    #[test]
    fn java_patterns_read_what_they_write() {
        for (pattern, text) in [
            ("yyyy-MM-dd HH:mm:ss", "2001-01-10 18:20:00"),
            ("yyyy/MM/dd HH:mm", "2001/01/10 18:20"),
            ("yyyyMMdd'T'HHmmssSSS", "20010110T182000123"),
            ("M/d/yyyy H:mm", "1/10/2001 8:05"),
        ] {
            let compiled = Pattern::parse(pattern).unwrap();
            let at = compiled.read(text).expect(text);
            assert_eq!(compiled.write(&at), text);
        }
        assert!(Pattern::parse("yyyy-MM-dd EEE").unwrap_err().contains("'E'"));
        assert_eq!(Pattern::parse("yyyy-MM").unwrap().read("2001-13"), None);
    }
}
