//! `uuid()`, `now()` and what becomes of a time UUID's time.

use bytes::Bytes;
use tidemill_cql_wire::CqlType;

use super::super::context::{UUID_EPOCH_TICKS, timeuuid};
use super::Function;
use super::times::long;

pub(super) fn named(name: &str) -> Vec<Function> {
    match name {
        "uuid" => vec![Function::new(vec![], CqlType::Uuid, |_, binding| {
            let uuid = binding.environment.random.uuid();
            Ok(Some(Bytes::copy_from_slice(uuid.as_bytes())))
        })],
        "now" | "currenttimeuuid" => {
            vec![Function::new(vec![], CqlType::Timeuuid, |_, binding| {
                Ok(Some(Bytes::copy_from_slice(binding.environment.timeuuid().as_bytes())))
            })]
        }
        // The smallest and the largest UUID of a millisecond, in the order of signed bytes.
        "mintimeuuid" => vec![bound(0, 0x8080_8080_8080_8080)],
        "maxtimeuuid" => vec![bound(9_999, 0x7F7F_7F7F_7F7F_7F7F)],
        _ => Vec::new(),
    }
}

fn bound(ticks: i64, low: u64) -> Function {
    Function::new(vec![CqlType::Timestamp], CqlType::Timeuuid, move |arguments, _| {
        let tick = long(&arguments[0])? * 10_000 + ticks + UUID_EPOCH_TICKS;
        let (high, _) = timeuuid(tick, 0).as_u64_pair();
        Ok(Some(Bytes::copy_from_slice(uuid::Uuid::from_u64_pair(high, low).as_bytes())))
    })
}
