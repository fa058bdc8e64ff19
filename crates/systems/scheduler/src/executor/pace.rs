//! How often, and for how long.

use std::str::FromStr as _;
use std::time::Duration;

use serde_json::Value;

use crate::dag::Length;

/// Requests per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate(f64);

/// Faster than this is a load test, not a poll.
const PER_SECOND_MAX: f64 = 100_000.0;

impl Rate {
    /// `20/s`, `5/min`, `100/h`, or a number per second.
    pub fn of(value: &Value) -> Result<Rate, String> {
        let bad = || format!("{value} is not a rate; examples: \"20/s\", \"5/min\", 0.5");
        let per_second = match value {
            Value::Number(number) => number.as_f64().ok_or_else(bad)?,
            Value::String(text) => match text.split_once('/') {
                None => text.trim().parse().map_err(|_| bad())?,
                Some((count, unit)) => {
                    let count: f64 = count.trim().parse().map_err(|_| bad())?;
                    let seconds = match unit.trim() {
                        "s" | "sec" | "second" => 1.0,
                        "m" | "min" | "minute" => 60.0,
                        "h" | "hour" => 3600.0,
                        _ => return Err(bad()),
                    };
                    count / seconds
                }
            },
            _ => return Err(bad()),
        };
        if per_second > 0.0 && per_second <= PER_SECOND_MAX {
            Ok(Rate(per_second))
        } else {
            Err(bad())
        }
    }

    /// From one request to the next.
    pub fn interval(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.0)
    }
}

/// `60s`, `5m`, or a number of seconds.
pub fn length_of(value: &Value) -> Result<Duration, String> {
    let length = match value {
        Value::String(text) => Length::from_str(text),
        Value::Number(number) => Length::seconds(number.as_f64().unwrap_or(f64::NAN)),
        other => Err(format!("{other} is not a length of time; an example is 60s")),
    };
    length.map(|length| length.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rates_and_lengths_carry_their_units() {
        for (value, interval_ms) in
            [(json!("20/s"), 50), (json!("6 / min"), 10_000), (json!(4), 250), (json!("0.5"), 2000)]
        {
            let interval = Rate::of(&value).unwrap().interval();
            assert_eq!(interval, Duration::from_millis(interval_ms), "{value}");
        }
        for value in [json!("0/s"), json!(-1), json!("20/day"), json!(null), json!("fast")] {
            assert!(Rate::of(&value).is_err(), "{value}");
        }
        assert_eq!(length_of(&json!("90s")), Ok(Duration::from_secs(90)));
        assert_eq!(length_of(&json!(1.5)), Ok(Duration::from_millis(1500)));
        assert!(length_of(&json!("soon")).is_err());
    }
}
