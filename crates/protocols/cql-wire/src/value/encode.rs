//! Values to bytes.

use std::net::IpAddr;

use bytes::{BufMut, Bytes, BytesMut};
use num_bigint::{BigInt, Sign};

use super::{CqlValue, collection, write_vint};
use crate::CqlType;

/// The bytes of a value. The type is needed where the value does not say how its parts are laid
/// out: vectors write the length of elements that have no fixed one.
pub fn encode(cql_type: &CqlType, value: &CqlValue) -> Bytes {
    match value {
        CqlValue::Ascii(text) | CqlValue::Text(text) => Bytes::copy_from_slice(text.as_bytes()),
        CqlValue::Blob(bytes) => bytes.clone(),
        CqlValue::Bigint(number)
        | CqlValue::Counter(number)
        | CqlValue::Time(number)
        | CqlValue::Timestamp(number) => copy(&number.to_be_bytes()),
        CqlValue::Int(number) => copy(&number.to_be_bytes()),
        CqlValue::Date(days) => copy(&days.to_be_bytes()),
        CqlValue::Smallint(number) => copy(&number.to_be_bytes()),
        CqlValue::Tinyint(number) => copy(&number.to_be_bytes()),
        CqlValue::Boolean(truth) => copy(&[u8::from(*truth)]),
        CqlValue::Double(number) => copy(&number.to_be_bytes()),
        CqlValue::Float(number) => copy(&number.to_be_bytes()),
        CqlValue::Uuid(uuid) | CqlValue::Timeuuid(uuid) => copy(uuid.as_bytes()),
        CqlValue::Inet(IpAddr::V4(address)) => copy(&address.octets()),
        CqlValue::Inet(IpAddr::V6(address)) => copy(&address.octets()),
        CqlValue::Varint(number) => signed_bytes(number).into(),
        CqlValue::Decimal(number) => {
            let (unscaled, scale) = number.as_bigint_and_exponent();
            let mut out = BytesMut::new();
            out.put_i32(i32::try_from(scale).unwrap_or(i32::MAX));
            out.put_slice(&signed_bytes(&unscaled));
            out.freeze()
        }
        CqlValue::Duration(duration) => {
            let mut out = BytesMut::new();
            write_vint(i64::from(duration.months), &mut out);
            write_vint(i64::from(duration.days), &mut out);
            write_vint(duration.nanoseconds, &mut out);
            out.freeze()
        }
        CqlValue::Empty => Bytes::new(),
        CqlValue::List(_)
        | CqlValue::Set(_)
        | CqlValue::Map(_)
        | CqlValue::Tuple(_)
        | CqlValue::Udt(_)
        | CqlValue::Vector(_) => encode_parts(cql_type, value),
    }
}

fn encode_parts(cql_type: &CqlType, value: &CqlValue) -> Bytes {
    match (cql_type, value) {
        (CqlType::List(element), CqlValue::List(items))
        | (CqlType::Set(element), CqlValue::Set(items)) => {
            collection::from_elements(&encode_all(element, items))
        }
        (CqlType::Map(key, value), CqlValue::Map(pairs)) => {
            let pairs: Vec<_> =
                pairs.iter().map(|(k, v)| (encode(key, k), encode(value, v))).collect();
            collection::from_pairs(&pairs)
        }
        (CqlType::Vector(element, _), CqlValue::Vector(items)) => {
            collection::from_vector_elements(&encode_all(element, items), element)
        }
        (CqlType::Tuple(types), CqlValue::Tuple(fields)) => encode_fields(types.iter(), fields),
        (CqlType::Udt(udt), CqlValue::Udt(fields)) => {
            encode_fields(udt.fields.iter().map(|(_, field)| field), fields)
        }
        // A value under a type it was not made for has no bytes.
        _ => Bytes::new(),
    }
}

fn encode_all(element: &CqlType, items: &[CqlValue]) -> Vec<Bytes> {
    items.iter().map(|item| encode(element, item)).collect()
}

fn encode_fields<'a>(
    types: impl Iterator<Item = &'a CqlType>,
    fields: &[Option<CqlValue>],
) -> Bytes {
    let encoded: Vec<_> = types
        .zip(fields)
        .map(|(cql_type, field)| field.as_ref().map(|field| encode(cql_type, field)))
        .collect();
    collection::from_fields(&encoded)
}

fn copy(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

/// The shortest two's complement; one byte for zero, as Java writes it.
fn signed_bytes(number: &BigInt) -> Vec<u8> {
    if number.sign() == Sign::NoSign { vec![0] } else { number.to_signed_bytes_be() }
}
