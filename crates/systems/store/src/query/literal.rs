//! Constants for a type: which constants a type takes, and their bytes.

use std::net::IpAddr;

use bytes::Bytes;
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::value::{CqlValue, encode};
use uuid::Uuid;

use super::time_text;
use crate::cql::ConstantKind;
use crate::error::CqlError;
use crate::schema::types::plain_text;

/// Where a value goes: what errors and markers call it, and its type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Receiver {
    /// A column's name, or what stands for one: `[limit]`.
    pub(crate) name: String,
    /// Its type.
    pub(crate) cql: CqlType,
}

impl Receiver {
    /// A place for a value.
    pub(crate) fn new(name: impl Into<String>, cql: CqlType) -> Receiver {
        Receiver { name: name.into(), cql }
    }
}

/// Whether a type takes constants that look like this.
pub(crate) fn takes(cql: &CqlType, kind: ConstantKind) -> bool {
    match kind {
        ConstantKind::String => matches!(
            cql,
            CqlType::Ascii
                | CqlType::Text
                | CqlType::Inet
                | CqlType::Date
                | CqlType::Time
                | CqlType::Timestamp
                | CqlType::Custom(_)
        ),
        ConstantKind::Integer => matches!(
            cql,
            CqlType::Bigint
                | CqlType::Counter
                | CqlType::Date
                | CqlType::Decimal
                | CqlType::Double
                | CqlType::Duration
                | CqlType::Float
                | CqlType::Int
                | CqlType::Smallint
                | CqlType::Time
                | CqlType::Timestamp
                | CqlType::Tinyint
                | CqlType::Varint
        ),
        ConstantKind::Float => matches!(cql, CqlType::Decimal | CqlType::Double | CqlType::Float),
        ConstantKind::Boolean => *cql == CqlType::Boolean,
        ConstantKind::Uuid => matches!(cql, CqlType::Uuid | CqlType::Timeuuid),
        ConstantKind::Hex => matches!(cql, CqlType::Blob | CqlType::Custom(_)),
        ConstantKind::Duration => *cql == CqlType::Duration,
    }
}

/// The bytes of a constant for a receiver.
pub(crate) fn constant(
    kind: ConstantKind,
    text: &str,
    receiver: &Receiver,
) -> Result<Bytes, CqlError> {
    if !takes(&receiver.cql, kind) {
        return Err(CqlError::invalid(format!(
            "Invalid {} constant ({text}) for \"{}\" of type {}",
            kind.name(),
            receiver.name,
            plain_text(&receiver.cql)
        )));
    }
    parse(&receiver.cql, text).map_err(CqlError::invalid)
}

/// A value from its text, as Cassandra's types read strings.
pub(crate) fn parse(cql: &CqlType, text: &str) -> Result<Bytes, String> {
    let value = match cql {
        CqlType::Text => CqlValue::Text(text.to_owned()),
        CqlType::Ascii if text.is_ascii() => CqlValue::Ascii(text.to_owned()),
        CqlType::Ascii => {
            return Err("Invalid ASCII character in string literal: \
                        java.nio.charset.UnmappableCharacterException: Input length = 1"
                .to_owned());
        }
        CqlType::Blob | CqlType::Custom(_) => CqlValue::Blob(unhex(text)?),
        CqlType::Boolean => CqlValue::Boolean(text.eq_ignore_ascii_case("true")),
        CqlType::Inet => match text.parse::<IpAddr>() {
            Ok(address) => CqlValue::Inet(address),
            Err(_) => return Err(format!("Unable to make inet address from '{text}'")),
        },
        CqlType::Uuid | CqlType::Timeuuid => uuid(cql, text)?,
        CqlType::Date => date(text)?,
        CqlType::Time => time(text)?,
        CqlType::Timestamp => match time_text::parse_timestamp(text) {
            Some(milliseconds) => CqlValue::Timestamp(milliseconds),
            None => return Err(format!("Unable to parse a date/time from '{text}'")),
        },
        CqlType::Duration => match time_text::parse_duration(text) {
            Some(duration) => CqlValue::Duration(duration),
            None => return Err(format!("Unable to convert '{text}' to a duration")),
        },
        number => return parse_number(number, text),
    };
    Ok(encode(cql, &value))
}

fn parse_number(cql: &CqlType, text: &str) -> Result<Bytes, String> {
    let wrong = |what: &str| format!("Unable to make {what} from '{text}'");
    let value = match cql {
        CqlType::Int => CqlValue::Int(text.parse().map_err(|_| wrong("int"))?),
        CqlType::Bigint => CqlValue::Bigint(text.parse().map_err(|_| wrong("long"))?),
        CqlType::Counter => CqlValue::Counter(text.parse().map_err(|_| wrong("long"))?),
        CqlType::Smallint => CqlValue::Smallint(text.parse().map_err(|_| wrong("short"))?),
        CqlType::Tinyint => CqlValue::Tinyint(text.parse().map_err(|_| wrong("byte"))?),
        CqlType::Double => CqlValue::Double(text.parse().map_err(|_| wrong("double"))?),
        CqlType::Float => CqlValue::Float(text.parse().map_err(|_| wrong("float"))?),
        CqlType::Varint => CqlValue::Varint(text.parse().map_err(|_| wrong("varint"))?),
        // A literal with an enormous exponent would be written out digit by digit.
        CqlType::Decimal if text.len() <= 4096 => {
            CqlValue::Decimal(text.parse().map_err(|_| wrong("BigDecimal"))?)
        }
        other => return Err(format!("Unable to make {other} from '{text}'")),
    };
    Ok(encode(cql, &value))
}

fn uuid(cql: &CqlType, text: &str) -> Result<CqlValue, String> {
    let uuid: Uuid = text.parse().map_err(|_| format!("Unable to make UUID from '{text}'"))?;
    match cql {
        CqlType::Timeuuid if uuid.get_version_num() != 1 => {
            Err("TimeUUID supports only version 1 UUIDs".to_owned())
        }
        CqlType::Timeuuid => Ok(CqlValue::Timeuuid(uuid)),
        _ => Ok(CqlValue::Uuid(uuid)),
    }
}

fn date(text: &str) -> Result<CqlValue, String> {
    // A bare number is the encoded day itself.
    if let Ok(raw) = text.parse::<u32>() {
        return Ok(CqlValue::Date(raw));
    }
    let days = time_text::parse_date(text)
        .ok_or_else(|| format!("Unable to coerce '{text}' to a formatted date (long)"))?;
    u32::try_from(days + (1 << 31))
        .map(CqlValue::Date)
        .map_err(|_| format!("Input date {text} is not within the range of supported dates"))
}

fn time(text: &str) -> Result<CqlValue, String> {
    let number = text.parse::<i64>().ok().filter(|it| (0..86_400_000_000_000).contains(it));
    number
        .or_else(|| time_text::parse_time(text, false))
        .map(CqlValue::Time)
        .ok_or_else(|| format!("(TimeType) Unable to coerce '{text}' to a formatted time (long)"))
}

/// Bytes of hexadecimal digits.
fn unhex(text: &str) -> Result<Bytes, String> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    if !text.len().is_multiple_of(2) {
        return Err(format!("cannot parse '{text}' as hex bytes"));
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes =
        text.as_bytes().chunks(2).map(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8));
    let bytes: Option<Vec<u8>> = bytes.collect();
    bytes.map(Bytes::from).ok_or_else(|| format!("cannot parse '{text}' as hex bytes"))
}
