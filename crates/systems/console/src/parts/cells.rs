//! CQL values as JSON, the way cqlsh prints them.

use bigdecimal::BigDecimal;
use num_bigint::BigInt;
use scylla::value::CqlValue;
use serde_json::{Map, Number, Value};

/// Integers beyond it lose digits in a browser, so they travel as text.
const SAFE_INTEGER: i64 = 9_007_199_254_740_991;

/// A cell as JSON: text, number, boolean, null, or a list or object of these.
pub(crate) fn to_json(value: Option<CqlValue>) -> Value {
    let Some(value) = value else { return Value::Null };
    let list = |values: Vec<CqlValue>| values.into_iter().map(|v| to_json(Some(v))).collect();
    match value {
        CqlValue::Ascii(text) | CqlValue::Text(text) => Value::String(text),
        CqlValue::Boolean(yes) => Value::Bool(yes),
        CqlValue::Blob(bytes) => Value::String(hex(&bytes)),
        CqlValue::Counter(counter) => integer(counter.0),
        CqlValue::BigInt(n) => integer(n),
        CqlValue::Int(n) => n.into(),
        CqlValue::SmallInt(n) => n.into(),
        CqlValue::TinyInt(n) => n.into(),
        CqlValue::Float(n) => float(f64::from(n)),
        CqlValue::Double(n) => float(n),
        CqlValue::Decimal(decimal) => Value::String(BigDecimal::from(decimal).to_plain_string()),
        CqlValue::Varint(number) => {
            let digits = BigInt::from_signed_bytes_be(number.as_signed_bytes_be_slice());
            Value::String(digits.to_string())
        }
        CqlValue::Date(date) => Value::String(date_text(i64::from(date.0) - (1 << 31))),
        CqlValue::Time(time) => Value::String(time_text(time.0)),
        CqlValue::Timestamp(at) => {
            let (days, ms) = (at.0.div_euclid(86_400_000), at.0.rem_euclid(86_400_000));
            let time = time_text(ms * 1_000_000);
            Value::String(format!("{} {}+0000", date_text(days), &time[..12]))
        }
        CqlValue::Duration(span) => {
            Value::String(format!("{}mo{}d{}ns", span.months, span.days, span.nanoseconds))
        }
        CqlValue::Inet(address) => Value::String(address.to_string()),
        CqlValue::Uuid(id) => Value::String(id.to_string()),
        CqlValue::Timeuuid(id) => Value::String(id.to_string()),
        CqlValue::List(values) | CqlValue::Set(values) | CqlValue::Vector(values) => list(values),
        CqlValue::Tuple(values) => values.into_iter().map(to_json).collect(),
        CqlValue::Map(entries) => Value::Object(entries.into_iter().map(entry).collect()),
        CqlValue::UserDefinedType { fields, .. } => Value::Object(
            fields.into_iter().map(|(name, value)| (name, to_json(value))).collect::<Map<_, _>>(),
        ),
        CqlValue::Empty => Value::String(String::new()),
        // A type of a later driver: its name is more use than nothing.
        other => Value::String(format!("{other:?}")),
    }
}

fn entry((key, value): (CqlValue, CqlValue)) -> (String, Value) {
    let name = match to_json(Some(key)) {
        Value::String(text) => text,
        other => other.to_string(),
    };
    (name, to_json(Some(value)))
}

fn integer(n: i64) -> Value {
    if n.unsigned_abs() > SAFE_INTEGER.unsigned_abs() {
        Value::String(n.to_string())
    } else {
        n.into()
    }
}

/// JSON has no NaN and no infinity; text has.
fn float(n: f64) -> Value {
    Number::from_f64(n).map_or_else(|| Value::String(n.to_string()), Value::Number)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold("0x".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A day counted from 1970-01-01 in the Gregorian calendar: years of 365.2425 days that start in
/// March, so that the leap day is the last one.
fn date_text(days: i64) -> String {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Nanoseconds since midnight.
fn time_text(ns: i64) -> String {
    let seconds = ns / 1_000_000_000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:09}", seconds % 60, ns % 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use scylla::value::{CqlDate, CqlDecimal, CqlTimestamp, CqlVarint};

    use super::*;

    #[test]
    fn values_look_as_cqlsh_prints_them() {
        for (value, expected) in [
            (CqlValue::BigInt(42), "42"),
            (CqlValue::BigInt(i64::MAX), "\"9223372036854775807\""),
            (CqlValue::Double(f64::NAN), "\"NaN\""),
            (CqlValue::Blob(vec![0, 255]), "\"0x00ff\""),
            (CqlValue::Date(CqlDate(1 << 31)), "\"1970-01-01\""),
            (CqlValue::Date(CqlDate((1 << 31) - 719_528)), "\"0000-01-01\""),
            (CqlValue::Date(CqlDate((1 << 31) + 11_016)), "\"2000-02-29\""),
            (
                CqlValue::Timestamp(CqlTimestamp(1_795_381_402_118)),
                "\"2026-11-22 21:03:22.118+0000\"",
            ),
            (CqlValue::Timestamp(CqlTimestamp(-1)), "\"1969-12-31 23:59:59.999+0000\""),
            (CqlValue::Varint(CqlVarint::from_signed_bytes_be(vec![0xff])), "\"-1\""),
            (
                CqlValue::Decimal(CqlDecimal::from_signed_be_bytes_slice_and_exponent(
                    &[1, 226, 64],
                    3,
                )),
                "\"123.456\"",
            ),
            (CqlValue::List(vec![CqlValue::Int(1)]), "[1]"),
            (CqlValue::Map(vec![(CqlValue::Int(1), CqlValue::Boolean(true))]), "{\"1\":true}"),
            (CqlValue::Tuple(vec![None]), "[null]"),
        ] {
            assert_eq!(to_json(Some(value.clone())).to_string(), expected, "{value:?}");
        }
        assert_eq!(to_json(None), Value::Null);
    }
}
