//! The time of now, and times as other kinds of times.

use bytes::Bytes;
use tidemill_cql_wire::CqlType;

use super::super::context::{long_bytes, milliseconds_of};
use super::Function;
use crate::error::CqlError;

const DAY_MS: i64 = 86_400_000;
/// The day that encodes 1970-01-01.
const EPOCH_DAY: i64 = 1 << 31;

/// A number of eight bytes.
pub(super) fn long(bytes: &Bytes) -> Result<i64, CqlError> {
    let raw = bytes[..].try_into();
    raw.map(i64::from_be_bytes).map_err(|_| CqlError::invalid("Expected 8 bytes"))
}

fn date_bytes(milliseconds: i64) -> Bytes {
    let day = milliseconds.div_euclid(DAY_MS) + EPOCH_DAY;
    Bytes::copy_from_slice(&(day as u32).to_be_bytes())
}

/// Milliseconds since 1970 of a timeuuid, a date or a timestamp.
fn milliseconds(cql: &CqlType, bytes: &Bytes) -> Result<i64, CqlError> {
    match cql {
        CqlType::Timeuuid => {
            let raw = bytes[..].try_into();
            let raw: &[u8; 16] = raw.map_err(|_| CqlError::invalid("Expected 16 bytes"))?;
            Ok(milliseconds_of(raw))
        }
        CqlType::Date => {
            let raw: [u8; 4] =
                bytes[..].try_into().map_err(|_| CqlError::invalid("Expected 4 bytes"))?;
            Ok((i64::from(u32::from_be_bytes(raw)) - EPOCH_DAY) * DAY_MS)
        }
        _ => long(bytes),
    }
}

/// One function per kind of time it takes.
fn converting(from: &[CqlType], to: CqlType, finish: fn(i64) -> Bytes) -> Vec<Function> {
    let one = |from: &CqlType| {
        let kind = from.clone();
        Function::new(vec![from.clone()], to.clone(), move |arguments, _| {
            Ok(Some(finish(milliseconds(&kind, &arguments[0])?)))
        })
    };
    from.iter().map(one).collect()
}

fn current(to: CqlType, finish: fn(i64) -> Bytes) -> Vec<Function> {
    vec![Function::new(vec![], to, move |_, binding| {
        Ok(Some(finish(binding.environment.clock.now_ms())))
    })]
}

pub(super) fn named(name: &str) -> Vec<Function> {
    use CqlType::{Bigint, Date, Time, Timestamp, Timeuuid};
    match name {
        "totimestamp" => converting(&[Timeuuid, Date], Timestamp, long_bytes),
        "todate" => converting(&[Timeuuid, Timestamp], Date, date_bytes),
        "tounixtimestamp" => converting(&[Timeuuid, Timestamp, Date], Bigint, long_bytes),
        "currenttimestamp" => current(Timestamp, long_bytes),
        "currentdate" => current(Date, date_bytes),
        "currenttime" => current(Time, |ms| long_bytes(ms.rem_euclid(DAY_MS) * 1_000_000)),
        _ => Vec::new(),
    }
}
