//! `CAST(a AS type)`: numbers among themselves, times among themselves, everything to text.

use bigdecimal::{BigDecimal, FromPrimitive as _, ToPrimitive as _};
use bytes::Bytes;
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::value::{CqlValue, encode};

use super::super::context::long_bytes;
use super::super::time_text;
use super::arithmetic::operand;
use super::{FunctionName, candidates};
use crate::error::CqlError;
use crate::query::context::Binding;
use crate::schema::types::plain_text;

/// The conversion of one type to another, if there is one.
pub(crate) fn cast(
    from: &CqlType,
    to: &CqlType,
    bytes: &Bytes,
    binding: &Binding<'_>,
) -> Result<Option<Bytes>, CqlError> {
    if from == to {
        return Ok(Some(bytes.clone()));
    }
    let value = operand(from, bytes)?;
    if value == CqlValue::Empty {
        return Ok(None);
    }
    if matches!(to, CqlType::Text | CqlType::Ascii) {
        return match text(&value) {
            Some(text) => Ok(Some(Bytes::from(text))),
            None => Err(impossible(from, to)),
        };
    }
    if let Some(number) = number(&value) {
        return match of_number(&number, &value, to) {
            Some(value) => Ok(Some(encode(to, &value))),
            None => Err(impossible(from, to)),
        };
    }
    // Times: what toTimestamp and toDate do.
    let name = match to {
        CqlType::Timestamp => "totimestamp",
        CqlType::Date => "todate",
        _ => return Err(impossible(from, to)),
    };
    let name = FunctionName { keyspace: None, name: name.to_owned() };
    let all = candidates(&name, &[], &[]);
    match all.iter().find(|function| function.arguments == [from.clone()]) {
        Some(function) => function.call(&[Some(bytes.clone())], binding),
        None => Err(impossible(from, to)),
    }
}

/// Whether there is a conversion.
pub(crate) fn can_cast(from: &CqlType, to: &CqlType) -> bool {
    use CqlType::{
        Ascii, Bigint, Blob, Boolean, Counter, Date, Decimal, Double, Float, Inet, Int, Smallint,
        Text, Time, Timestamp, Timeuuid, Tinyint, Uuid, Varint,
    };
    let is_number = |cql: &CqlType| {
        matches!(cql, Tinyint | Smallint | Int | Bigint | Float | Double | Decimal | Varint)
    };
    let is_simple = |cql: &CqlType| {
        matches!(cql, Ascii | Boolean | Counter | Date | Inet | Text | Time | Timestamp)
            || matches!(cql, Timeuuid | Uuid)
            || is_number(cql)
    };
    match to {
        _ if from == to => *from != Blob,
        Text | Ascii => is_simple(from),
        Timestamp => matches!(from, Timeuuid | Date),
        Date => matches!(from, Timeuuid | Timestamp),
        to => is_number(to) && (is_number(from) || *from == Counter),
    }
}

fn impossible(from: &CqlType, to: &CqlType) -> CqlError {
    CqlError::invalid(format!("{} cannot be cast to {}", plain_text(from), plain_text(to)))
}

fn number(value: &CqlValue) -> Option<BigDecimal> {
    Some(match value {
        CqlValue::Tinyint(n) => BigDecimal::from(*n),
        CqlValue::Smallint(n) => BigDecimal::from(*n),
        CqlValue::Int(n) => BigDecimal::from(*n),
        CqlValue::Bigint(n) | CqlValue::Counter(n) => BigDecimal::from(*n),
        CqlValue::Varint(n) => BigDecimal::from(n.clone()),
        CqlValue::Decimal(n) => n.clone(),
        // What is no number counts as zero where numbers have no place for it.
        CqlValue::Float(n) => BigDecimal::from_f32(*n).unwrap_or_default(),
        CqlValue::Double(n) => BigDecimal::from_f64(*n).unwrap_or_default(),
        _ => return None,
    })
}

/// A number of another type; whole numbers lose their high bits as Java's do.
fn of_number(number: &BigDecimal, value: &CqlValue, to: &CqlType) -> Option<CqlValue> {
    let whole = || number.with_scale(0).to_i128().unwrap_or_default();
    let real = || match value {
        CqlValue::Float(n) => f64::from(*n),
        CqlValue::Double(n) => *n,
        _ => number.to_f64().unwrap_or_default(),
    };
    Some(match to {
        CqlType::Tinyint => CqlValue::Tinyint(whole() as i8),
        CqlType::Smallint => CqlValue::Smallint(whole() as i16),
        CqlType::Int => CqlValue::Int(whole() as i32),
        CqlType::Bigint => CqlValue::Bigint(whole() as i64),
        CqlType::Float => CqlValue::Float(real() as f32),
        CqlType::Double => CqlValue::Double(real()),
        CqlType::Varint => CqlValue::Varint(number.with_scale(0).as_bigint_and_exponent().0),
        CqlType::Decimal => CqlValue::Decimal(number.clone()),
        _ => return None,
    })
}

/// A value's text, as Java's `toString` gives it.
fn text(value: &CqlValue) -> Option<String> {
    Some(match value {
        CqlValue::Ascii(text) | CqlValue::Text(text) => text.clone(),
        CqlValue::Boolean(truth) => truth.to_string(),
        CqlValue::Tinyint(n) => n.to_string(),
        CqlValue::Smallint(n) => n.to_string(),
        CqlValue::Int(n) => n.to_string(),
        CqlValue::Bigint(n) | CqlValue::Counter(n) => n.to_string(),
        CqlValue::Varint(n) => n.to_string(),
        CqlValue::Decimal(n) => n.to_plain_string(),
        CqlValue::Float(n) => real_text(n.to_string()),
        CqlValue::Double(n) => real_text(n.to_string()),
        CqlValue::Uuid(uuid) | CqlValue::Timeuuid(uuid) => uuid.to_string(),
        CqlValue::Inet(address) => address.to_string(),
        CqlValue::Timestamp(ms) => time_text::timestamp_text(*ms, 'T', "Z"),
        CqlValue::Date(day) => time_text::date_text(i64::from(*day) - (1 << 31)),
        CqlValue::Time(ns) => time_text::time_text(*ns),
        CqlValue::Duration(duration) => time_text::duration_text(duration),
        _ => return None,
    })
}

/// Java writes at least one digit behind the point.
fn real_text(text: String) -> String {
    let is_whole = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if is_whole { format!("{text}.0") } else { text }
}

/// Eight bytes for those that count.
pub(super) fn count_bytes(count: u64) -> Bytes {
    long_bytes(i64::try_from(count).unwrap_or(i64::MAX))
}
