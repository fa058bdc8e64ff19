//! Dates and moments.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, StringBuilder, TimestampMicrosecondArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Date32Type, Int32Type, TimestampMicrosecondType};
use datafusion::common::{ScalarValue, exec_err};
use datafusion::logical_expr::{Expr, cast, lit};

use super::own::own;
use super::{Call, Result, SparkError, literal_text, stock};
use crate::spark::types::{timestamp, timestamp_ntz};
use crate::time::{Civil, Pattern, show_timestamp};

const DAY_US: i64 = 86_400_000_000;
/// Spark's pattern unless one is given.
const DEFAULT_PATTERN: &str = "yyyy-MM-dd HH:mm:ss";

/// `10 minutes`, `1 hour 30 minutes`, `INTERVAL 5 SECONDS`, in milliseconds. Months have no length.
pub(in crate::spark) fn interval_ms(text: &str) -> Option<i64> {
    let lower = text.trim().to_lowercase();
    let text = lower.strip_prefix("interval").unwrap_or(&lower).trim();
    let mut words = text.split_whitespace().peekable();
    words.peek()?;
    let mut micros = 0_i64;
    while let Some(number) = words.next() {
        let number: f64 = number.trim_matches('\'').parse().ok()?;
        let unit = words.next()?.trim_matches('\'');
        let factor = match unit.strip_suffix('s').unwrap_or(unit) {
            "microsecond" => 1,
            "millisecond" => 1_000,
            "second" => 1_000_000,
            "minute" => 60_000_000,
            "hour" => 3_600_000_000,
            "day" => DAY_US,
            "week" => 7 * DAY_US,
            _ => return None,
        };
        micros = micros.checked_add((number * factor as f64) as i64)?;
    }
    Some(micros / 1000)
}

/// A moment as Spark writes it: without a fraction of zero.
pub(in crate::spark) fn shown(at: Expr) -> Expr {
    let micros = cast(at, timestamp_ntz());
    own("timestamp_to_string", "", DataType::Utf8, vec![micros], |arrays, rows| {
        let micros = arrays[0].as_primitive::<TimestampMicrosecondType>();
        let mut builder = StringBuilder::new();
        for row in 0..rows {
            match micros.is_null(row) {
                true => builder.append_null(),
                false => builder.append_value(text_of(micros.value(row))),
            }
        }
        Ok(Arc::new(builder.finish()))
    })
}

/// `2020-01-01 00:00:00.5`.
pub(in crate::spark) fn text_of(micros: i64) -> String {
    show_timestamp(&Civil::from_nanos(i128::from(micros) * 1000), ' ')
}

/// A text as date or moment.
pub(in crate::spark) fn read(text: Expr, to: &DataType, tolerant: bool) -> Expr {
    let target = to.clone();
    let name = if tolerant { "try_read_time" } else { "read_time" };
    own(name, "", to.clone(), vec![text], move |arrays, _| {
        let options = CastOptions { safe: tolerant, ..CastOptions::default() };
        let texts = arrays[0].as_string::<i32>();
        let trimmed: arrow::array::StringArray =
            texts.iter().map(|text| text.map(str::trim)).collect();
        Ok(cast_with_options(&trimmed, &target, &options)?)
    })
}

pub(super) fn call(call: &Call<'_>, args: &[Expr]) -> Result<Option<Expr>> {
    let part = |name: &str| {
        let [value] = call.exactly::<1>(args.to_vec())?;
        let value = match call.type_of(&value)? {
            DataType::Utf8 => call.cast(value, &timestamp())?,
            _ => value,
        };
        Ok::<_, SparkError>(cast(stock("date_part", vec![lit(name), value])?, DataType::Int32))
    };
    Ok(Some(match call.name {
        "current_timestamp" | "now" => {
            let now =
                ScalarValue::TimestampMicrosecond(Some(call.clock.now_us()), Some("UTC".into()));
            lit(now)
        }
        "current_date" | "curdate" => {
            let days = call.clock.now_us().div_euclid(DAY_US);
            lit(ScalarValue::Date32(i32::try_from(days).ok()))
        }
        "year" | "month" | "hour" | "minute" | "second" | "quarter" => part(call.name)?,
        "day" | "dayofmonth" => part("day")?,
        "dayofyear" => part("doy")?,
        "weekofyear" => part("week")?,
        // Sunday is 1.
        "dayofweek" => part("dow")? + lit(1_i32),
        "to_timestamp" | "to_timestamp_ntz" => with_pattern(call, args, &timestamp())?,
        "to_date" => with_pattern(call, args, &DataType::Date32)?,
        "date_format" => date_format(call, args)?,
        "from_unixtime" => {
            let seconds = args.first().cloned();
            let seconds =
                seconds.ok_or_else(|| SparkError::wrong_argument_count(call.name, "1", 0))?;
            let micros = call.cast(seconds, &DataType::Int64)? * lit(1_000_000_i64);
            let pattern = args.get(1).cloned().unwrap_or_else(|| lit(DEFAULT_PATTERN));
            formatted(cast(micros, timestamp_ntz()), pattern)
        }
        "unix_timestamp" | "to_unix_timestamp" => {
            let at = match args {
                [] => lit(ScalarValue::TimestampMicrosecond(Some(call.clock.now_us()), None)),
                args => with_pattern(call, args, &timestamp())?,
            };
            super::floor_divide(cast(cast(at, timestamp_ntz()), DataType::Int64), 1_000_000)
        }
        "timestamp_seconds" | "timestamp_millis" | "timestamp_micros" => {
            let [number] = call.exactly(args.to_vec())?;
            let factor = match call.name {
                "timestamp_seconds" => 1_000_000_i64,
                "timestamp_millis" => 1_000,
                _ => 1,
            };
            cast(call.cast(number, &DataType::Int64)? * lit(factor), timestamp())
        }
        "date_add" | "date_sub" | "dateadd" => {
            let [date, days] = call.exactly(args.to_vec())?;
            let date = cast(call.cast(date, &DataType::Date32)?, DataType::Int32);
            let days = call.cast(days, &DataType::Int32)?;
            let sum = if call.name == "date_sub" { date - days } else { date + days };
            cast(sum, DataType::Date32)
        }
        "datediff" | "date_diff" => {
            let [end, start] = call.exactly(args.to_vec())?;
            let day = |one| {
                Ok::<_, SparkError>(cast(call.cast(one, &DataType::Date32)?, DataType::Int32))
            };
            day(end)? - day(start)?
        }
        "date_trunc" => {
            let [unit, at] = call.exactly(args.to_vec())?;
            stock("date_trunc", vec![unit, call.cast(at, &timestamp())?])?
        }
        "trunc" => {
            let [date, unit] = call.exactly(args.to_vec())?;
            let at = call.cast(date, &DataType::Date32)?;
            cast(stock("date_trunc", vec![unit, cast(at, timestamp())])?, DataType::Date32)
        }
        "make_date" => {
            let [year, month, day] = call.exactly(args.to_vec())?;
            make_date(
                call.cast(year, &DataType::Int32)?,
                call.cast(month, &DataType::Int32)?,
                call.cast(day, &DataType::Int32)?,
            )
        }
        _ => return Ok(None),
    }))
}

fn make_date(year: Expr, month: Expr, day: Expr) -> Expr {
    own("make_date", "", DataType::Date32, vec![year, month, day], |arrays, rows| {
        let part = |place: usize| arrays[place].as_primitive::<Int32Type>();
        let dates = (0..rows).map(|row| {
            let valid = (0..3).all(|place| part(place).is_valid(row));
            valid.then(|| {
                let (month, day) = (part(1).value(row) as u32, part(2).value(row) as u32);
                crate::time::days_from_civil(i64::from(part(0).value(row)), month, day) as i32
            })
        });
        let dates: Int32Array = dates.collect();
        Ok(Arc::new(dates.reinterpret_cast::<Date32Type>()) as ArrayRef)
    })
}

/// A text by a pattern, or as a cast reads it.
fn with_pattern(call: &Call<'_>, args: &[Expr], to: &DataType) -> Result<Expr> {
    match args {
        [value] => call.cast(value.clone(), to),
        [value, pattern] => {
            if call.type_of(value)? != DataType::Utf8 {
                return call.cast(value.clone(), to);
            }
            if let Some(text) = literal_text(pattern) {
                Pattern::parse(text).map_err(SparkError::argument)?;
            }
            let args = vec![value.clone(), pattern.clone()];
            let micros = own("read_by_pattern", "", timestamp_ntz(), args, |arrays, rows| {
                let (texts, patterns) =
                    (arrays[0].as_string::<i32>(), arrays[1].as_string::<i32>());
                let mut micros = Vec::with_capacity(rows);
                for row in 0..rows {
                    if texts.is_null(row) || patterns.is_null(row) {
                        micros.push(None);
                        continue;
                    }
                    let text = texts.value(row);
                    match parsed(patterns.value(row))?.read(text) {
                        Some(at) => micros.push(at.millis().map(|millis| millis * 1000)),
                        None => {
                            return exec_err!(
                                "Cast error: Cannot cast string '{text}' to value of Timestamp type"
                            );
                        }
                    }
                }
                Ok(Arc::new(TimestampMicrosecondArray::from(micros)))
            });
            Ok(cast(micros, to.clone()))
        }
        _ => Err(SparkError::wrong_argument_count(call.name, "[1, 2]", args.len())),
    }
}

fn parsed(pattern: &str) -> datafusion::common::Result<Pattern> {
    Pattern::parse(pattern).map_err(datafusion::common::DataFusionError::Execution)
}

fn date_format(call: &Call<'_>, args: &[Expr]) -> Result<Expr> {
    let [at, pattern] = call.exactly(args.to_vec())?;
    let at = cast(call.cast(at, &timestamp())?, timestamp_ntz());
    Ok(formatted(at, pattern))
}

fn formatted(at: Expr, pattern: Expr) -> Expr {
    own("date_format", "", DataType::Utf8, vec![at, pattern], |arrays, rows| {
        let micros = arrays[0].as_primitive::<TimestampMicrosecondType>();
        let patterns = arrays[1].as_string::<i32>();
        let mut builder = StringBuilder::new();
        for row in 0..rows {
            if micros.is_null(row) || patterns.is_null(row) {
                builder.append_null();
                continue;
            }
            let at = Civil::from_nanos(i128::from(micros.value(row)) * 1000);
            builder.append_value(parsed(patterns.value(row))?.write(&at));
        }
        Ok(Arc::new(builder.finish()))
    })
}

#[cfg(test)]
mod tests {
    use super::interval_ms;

    #[test]
    fn intervals_are_read_as_spark_writes_them() {
        for (text, millis) in [
            ("10 minutes", Some(600_000)),
            ("1 hour 30 minutes", Some(5_400_000)),
            ("INTERVAL 5 SECONDS", Some(5_000)),
            ("1 second", Some(1_000)),
            ("0.5 seconds", Some(500)),
            ("2 days", Some(172_800_000)),
            ("1 month", None),
            ("", None),
            ("ten minutes", None),
        ] {
            assert_eq!(interval_ms(text), millis, "{text}");
        }
    }
}
