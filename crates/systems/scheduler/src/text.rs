//! Instants as Python and Airflow's API write them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2026-01-01T00:00:00+00:00`; microseconds only where there are any.
pub fn python_isoformat(at: Timestamp) -> String {
    format!("{}+00:00", civil(at, "%Y-%m-%dT%H:%M:%S"))
}

/// `2026-01-01T00:00:00Z`; microseconds only where there are any.
pub fn json_instant(at: Timestamp) -> String {
    format!("{}Z", civil(at, "%Y-%m-%dT%H:%M:%S"))
}

/// UTC, in a `strftime` format.
pub fn utc(at: Timestamp, format: &str) -> String {
    at.to_zoned(TimeZone::UTC).strftime(format).to_string()
}

fn civil(at: Timestamp, format: &str) -> String {
    let micros = at.as_microsecond().rem_euclid(1_000_000);
    let seconds = utc(at, format);
    if micros == 0 { seconds } else { format!("{seconds}.{micros:06}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_are_written_only_where_there_are_any() {
        let whole: Timestamp = "2023-09-03T10:00:00Z".parse().unwrap();
        let part: Timestamp = "2023-09-03T10:00:00.0405Z".parse().unwrap();
        assert_eq!(python_isoformat(whole), "2023-09-03T10:00:00+00:00");
        assert_eq!(python_isoformat(part), "2023-09-03T10:00:00.040500+00:00");
        assert_eq!(json_instant(part), "2023-09-03T10:00:00.040500Z");
    }
}
