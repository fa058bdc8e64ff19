//! Bytes to values.

use std::net::IpAddr;

use bigdecimal::BigDecimal;
use bytes::{Buf, Bytes};
use num_bigint::BigInt;
use uuid::Uuid;

use super::{CqlDuration, CqlValue, ValueError, collection, read_vint};
use crate::CqlType;

/// Nanoseconds of a day: the bound of `time`.
const DAY_NANOSECONDS: i64 = 86_400_000_000_000;

/// Whether `bytes` are a value of the type.
pub fn validate(cql_type: &CqlType, bytes: &Bytes) -> Result<(), ValueError> {
    match cql_type {
        // What is read most often is judged without building it.
        CqlType::Blob | CqlType::Custom(_) => Ok(()),
        CqlType::Text => text(bytes).map(|_| ()),
        other => decode(other, bytes).map(|_| ()),
    }
}

/// The value of `bytes`. No bytes are [`CqlValue::Empty`] where the type allows that.
pub fn decode(cql_type: &CqlType, bytes: &Bytes) -> Result<CqlValue, ValueError> {
    if bytes.is_empty() && allows_empty(cql_type) {
        return Ok(CqlValue::Empty);
    }
    Ok(match cql_type {
        CqlType::Ascii => CqlValue::Ascii(ascii(bytes)?.to_owned()),
        CqlType::Text => CqlValue::Text(text(bytes)?.to_owned()),
        CqlType::Blob | CqlType::Custom(_) => CqlValue::Blob(bytes.clone()),
        CqlType::Bigint => CqlValue::Bigint(i64::from_be_bytes(fixed(bytes, "8 or 0", "long")?)),
        CqlType::Counter => CqlValue::Counter(i64::from_be_bytes(fixed(bytes, "8 or 0", "long")?)),
        CqlType::Timestamp => {
            CqlValue::Timestamp(i64::from_be_bytes(fixed(bytes, "8 or 0", "long for date")?))
        }
        CqlType::Int => CqlValue::Int(i32::from_be_bytes(fixed(bytes, "4 or 0", "int")?)),
        CqlType::Smallint => CqlValue::Smallint(i16::from_be_bytes(fixed(bytes, "2", "short")?)),
        CqlType::Tinyint => CqlValue::Tinyint(i8::from_be_bytes(fixed(bytes, "1", "byte")?)),
        CqlType::Boolean => {
            let [byte] = fixed(bytes, "1 or 0", "value")?;
            CqlValue::Boolean(byte != 0)
        }
        CqlType::Double => CqlValue::Double(f64::from_be_bytes(fixed(bytes, "8 or 0", "double")?)),
        CqlType::Float => CqlValue::Float(f32::from_be_bytes(fixed(bytes, "4 or 0", "float")?)),
        CqlType::Date => CqlValue::Date(u32::from_be_bytes(fixed(bytes, "4", "date")?)),
        CqlType::Time => time(bytes)?,
        CqlType::Uuid => CqlValue::Uuid(uuid(bytes)?),
        CqlType::Timeuuid => timeuuid(bytes)?,
        CqlType::Inet => CqlValue::Inet(inet(bytes)?),
        CqlType::Varint => CqlValue::Varint(BigInt::from_signed_bytes_be(bytes)),
        CqlType::Decimal => decimal(bytes)?,
        CqlType::Duration => CqlValue::Duration(duration(bytes)?),
        CqlType::List(element) => {
            CqlValue::List(decode_all(element, collection::elements(bytes.clone())?)?)
        }
        CqlType::Set(element) => {
            CqlValue::Set(decode_all(element, collection::elements(bytes.clone())?)?)
        }
        CqlType::Map(key, value) => {
            let pairs = collection::pairs(bytes.clone())?.into_iter();
            let decoded = pairs.map(|(k, v)| Ok((decode(key, &k)?, decode(value, &v)?)));
            CqlValue::Map(decoded.collect::<Result<_, ValueError>>()?)
        }
        CqlType::Tuple(types) => CqlValue::Tuple(decode_fields(bytes, types.iter())?),
        CqlType::Udt(udt) => {
            CqlValue::Udt(decode_fields(bytes, udt.fields.iter().map(|(_, field)| field))?)
        }
        CqlType::Vector(element, dimension) => {
            let elements = collection::vector_elements(bytes, element, *dimension)?;
            CqlValue::Vector(decode_all(element, elements)?)
        }
    })
}

/// Types for which no bytes mean something other than an error and other than themselves.
fn allows_empty(cql_type: &CqlType) -> bool {
    match cql_type {
        CqlType::Bigint
        | CqlType::Int
        | CqlType::Boolean
        | CqlType::Double
        | CqlType::Float
        | CqlType::Timestamp
        | CqlType::Uuid
        | CqlType::Timeuuid
        | CqlType::Inet
        | CqlType::Varint
        | CqlType::Decimal
        | CqlType::Counter => true,
        CqlType::Ascii
        | CqlType::Text
        | CqlType::Blob
        | CqlType::Custom(_)
        | CqlType::Smallint
        | CqlType::Tinyint
        | CqlType::Date
        | CqlType::Time
        | CqlType::Duration
        | CqlType::List(_)
        | CqlType::Set(_)
        | CqlType::Map(..)
        | CqlType::Tuple(_)
        | CqlType::Udt(_)
        | CqlType::Vector(..) => false,
    }
}

fn fixed<const N: usize>(
    bytes: &[u8],
    expected: &'static str,
    type_name: &'static str,
) -> Result<[u8; N], ValueError> {
    let got = bytes.len();
    bytes.try_into().map_err(|_| ValueError::Length { expected, type_name, got })
}

fn text(bytes: &[u8]) -> Result<&str, ValueError> {
    std::str::from_utf8(bytes).map_err(|_| ValueError::malformed("String didn't validate."))
}

fn ascii(bytes: &[u8]) -> Result<&str, ValueError> {
    match bytes.iter().find(|byte| !byte.is_ascii()) {
        None => text(bytes),
        // Java prints the byte as it sees it: signed.
        Some(byte) => Err(ValueError::malformed(format!(
            "Invalid byte for ascii: {}",
            i8::from_be_bytes([*byte])
        ))),
    }
}

fn uuid(bytes: &[u8]) -> Result<Uuid, ValueError> {
    let got = bytes.len();
    let wrong = |_| ValueError::malformed(format!("UUID should be 16 or 0 bytes ({got})"));
    Ok(Uuid::from_bytes(bytes.try_into().map_err(wrong)?))
}

fn timeuuid(bytes: &[u8]) -> Result<CqlValue, ValueError> {
    let uuid = uuid(bytes)?;
    if uuid.get_version_num() == 1 {
        Ok(CqlValue::Timeuuid(uuid))
    } else {
        Err(ValueError::malformed("Invalid version for TimeUUID type."))
    }
}

fn inet(bytes: &[u8]) -> Result<IpAddr, ValueError> {
    let wrong = || ValueError::malformed("addr is of illegal length");
    crate::read::address(bytes).ok_or_else(wrong)
}

fn time(bytes: &[u8]) -> Result<CqlValue, ValueError> {
    let nanoseconds = i64::from_be_bytes(fixed(bytes, "8", "long for time")?);
    if (0..DAY_NANOSECONDS).contains(&nanoseconds) {
        Ok(CqlValue::Time(nanoseconds))
    } else {
        Err(ValueError::malformed(format!("Time is out of range: {nanoseconds}")))
    }
}

fn decimal(bytes: &Bytes) -> Result<CqlValue, ValueError> {
    let mut rest = bytes.clone();
    if rest.len() < 5 {
        let text = format!("Expected 0 or at least 4 bytes ({})", bytes.len());
        return Err(ValueError::malformed(text));
    }
    let scale = rest.get_i32();
    let unscaled = BigInt::from_signed_bytes_be(&rest);
    Ok(CqlValue::Decimal(BigDecimal::new(unscaled, i64::from(scale))))
}

fn duration(bytes: &[u8]) -> Result<CqlDuration, ValueError> {
    let wrong = || ValueError::malformed("Invalid duration");
    let mut rest = bytes;
    let months = read_vint(&mut rest).ok_or_else(wrong)?;
    let days = read_vint(&mut rest).ok_or_else(wrong)?;
    let nanoseconds = read_vint(&mut rest).ok_or_else(wrong)?;
    let months = i32::try_from(months).map_err(|_| wrong())?;
    let days = i32::try_from(days).map_err(|_| wrong())?;
    let parts = [i64::from(months), i64::from(days), nanoseconds];
    let one_sign = parts.iter().all(|part| *part >= 0) || parts.iter().all(|part| *part <= 0);
    if !rest.is_empty() || !one_sign {
        return Err(wrong());
    }
    Ok(CqlDuration { months, days, nanoseconds })
}

fn decode_all(element: &CqlType, items: Vec<Bytes>) -> Result<Vec<CqlValue>, ValueError> {
    items.iter().map(|item| decode(element, item)).collect()
}

fn decode_fields<'a>(
    bytes: &Bytes,
    types: impl ExactSizeIterator<Item = &'a CqlType>,
) -> Result<Vec<Option<CqlValue>>, ValueError> {
    let fields = collection::fields(bytes.clone(), types.len())?;
    let decoded = types
        .zip(&fields)
        .map(|(cql_type, field)| field.as_ref().map(|field| decode(cql_type, field)).transpose());
    decoded.collect()
}
