//! Values as bytes that compare like the values, after Cassandra's `ByteComparable` (CEP-25,
//! `ByteComparable.md`): components behind separators, so that a shorter key sorts first and a
//! bound can lie just before or after everything that starts with a prefix.

use bigdecimal::BigDecimal;
use bytes::Bytes;
use num_bigint::{BigInt, Sign};
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::value::{CqlValue, collection, decode};

/// Ends a sequence of components.
pub(crate) const TERMINATOR: u8 = 0x38;
const NEXT_EMPTY: u8 = 0x3E;
const NEXT_NULL: u8 = 0x3F;
const NEXT: u8 = 0x40;
const NEXT_EMPTY_REVERSED: u8 = 0x41;
/// A bound before all that continues a prefix.
pub(crate) const BEFORE: u8 = 0x20;
/// A bound after all that continues a prefix.
pub(crate) const AFTER: u8 = 0x60;

const ESCAPE: u8 = 0x00;
const ESCAPED_CONTINUES: u8 = 0xFE;
const ESCAPED_DONE: u8 = 0xFF;

/// Appends separator and value. `descending` turns the order around.
pub(crate) fn put_component(
    cql_type: &CqlType,
    value: &Bytes,
    descending: bool,
    out: &mut Vec<u8>,
) {
    if value.is_empty() && !is_byte_string(cql_type) {
        return out.push(if descending { NEXT_EMPTY_REVERSED } else { NEXT_EMPTY });
    }
    out.push(NEXT);
    let start = out.len();
    put_value(cql_type, value, out);
    if descending {
        out[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

/// The order of two values of a type.
pub(crate) fn compare(cql_type: &CqlType, a: &Bytes, b: &Bytes) -> std::cmp::Ordering {
    if is_byte_string(cql_type) {
        return a.cmp(b);
    }
    let key = |value| {
        let mut out = Vec::new();
        put_component(cql_type, value, false, &mut out);
        out
    };
    key(a).cmp(&key(b))
}

fn is_byte_string(cql_type: &CqlType) -> bool {
    matches!(cql_type, CqlType::Ascii | CqlType::Text | CqlType::Blob | CqlType::Custom(_))
}

fn put_value(cql_type: &CqlType, value: &Bytes, out: &mut Vec<u8>) {
    match cql_type {
        CqlType::Ascii
        | CqlType::Text
        | CqlType::Blob
        | CqlType::Custom(_)
        | CqlType::Inet
        | CqlType::Duration => put_escaped(value, out),
        CqlType::Bigint
        | CqlType::Counter
        | CqlType::Timestamp
        | CqlType::Int
        | CqlType::Smallint
        | CqlType::Tinyint => put_flipped(value, out),
        CqlType::Boolean | CqlType::Date | CqlType::Time => out.extend_from_slice(value),
        CqlType::Double | CqlType::Float => put_float(value, out),
        CqlType::Uuid => put_uuid(value, out),
        CqlType::Timeuuid => put_timeuuid(value, out),
        CqlType::Varint => put_varint(&BigInt::from_signed_bytes_be(value), out),
        CqlType::Decimal => match decode(cql_type, value) {
            Ok(CqlValue::Decimal(number)) => put_decimal(&number, out),
            _ => put_escaped(value, out),
        },
        CqlType::List(element) | CqlType::Set(element) => {
            let elements = collection::elements(value.clone()).unwrap_or_default();
            elements.iter().for_each(|item| put_component(element, item, false, out));
            out.push(TERMINATOR);
        }
        CqlType::Map(key, val) => {
            for (k, v) in collection::pairs(value.clone()).unwrap_or_default() {
                put_component(key, &k, false, out);
                put_component(val, &v, false, out);
            }
            out.push(TERMINATOR);
        }
        CqlType::Tuple(types) => put_fields(types.iter(), value, out),
        CqlType::Udt(udt) => put_fields(udt.fields.iter().map(|(_, field)| field), value, out),
        CqlType::Vector(element, dimension) => {
            let elements = collection::vector_elements(value, element, *dimension);
            let elements = elements.unwrap_or_default();
            elements.iter().for_each(|item| put_component(element, item, false, out));
            out.push(TERMINATOR);
        }
    }
}

/// Zeros are escaped, a zero ends the string: then `"a"` is before `"a\0"`, and both are before
/// `"ab"`, whatever separator follows.
fn put_escaped(value: &[u8], out: &mut Vec<u8>) {
    let mut in_zeros = false;
    for &byte in value {
        match (in_zeros, byte) {
            (false, byte) => out.push(byte),
            (true, ESCAPE) => out.push(ESCAPED_CONTINUES),
            (true, byte) => out.extend_from_slice(&[ESCAPED_DONE, byte]),
        }
        in_zeros = byte == ESCAPE;
    }
    out.push(if in_zeros { ESCAPED_CONTINUES } else { ESCAPE });
}

/// Two's complement with the sign turned: negatives first.
fn put_flipped(value: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(value);
    if let Some(first) = out.get_mut(start) {
        *first ^= 0x80;
    }
}

/// IEEE 754: positives get their sign turned, negatives all bits.
fn put_float(value: &[u8], out: &mut Vec<u8>) {
    if value.first().is_some_and(|byte| byte & 0x80 != 0) {
        out.extend(value.iter().map(|byte| !byte));
    } else {
        put_flipped(value, out);
    }
}

/// A version 1 UUID with its time first, most significant part first.
fn time_first(uuid: &[u8]) -> [u8; 8] {
    let mut time = [0; 8];
    time[..2].copy_from_slice(&uuid[6..8]);
    time[2..4].copy_from_slice(&uuid[4..6]);
    time[4..].copy_from_slice(&uuid[..4]);
    time
}

/// Version first; version 1 by time, others by their bytes.
fn put_uuid(value: &[u8], out: &mut Vec<u8>) {
    let Ok(uuid) = <[u8; 16]>::try_from(value) else { return put_escaped(value, out) };
    let version = uuid[6] >> 4;
    out.push(version);
    if version == 1 {
        out.extend_from_slice(&time_first(&uuid));
        out.extend_from_slice(&uuid[8..]);
    } else {
        out.extend_from_slice(&uuid);
    }
}

/// Time first; the rest as signed bytes, as Cassandra compares them.
fn put_timeuuid(value: &[u8], out: &mut Vec<u8>) {
    let Ok(uuid) = <[u8; 16]>::try_from(value) else { return put_escaped(value, out) };
    out.extend_from_slice(&time_first(&uuid));
    out.extend(uuid[8..].iter().map(|byte| byte ^ 0x80));
}

/// Sign and length in one byte (in five for long numbers), then the digits; all bits turned for
/// negatives.
fn put_varint(number: &BigInt, out: &mut Vec<u8>) {
    const LONG: usize = 0x70;
    let (sign, magnitude) = number.to_bytes_be();
    let start = out.len();
    match u8::try_from(magnitude.len()) {
        Ok(length) if usize::from(length) < LONG => out.push(0x80 + length),
        _ => {
            out.push(0x80 + LONG as u8);
            out.extend_from_slice(&(magnitude.len() as u32).to_be_bytes());
        }
    }
    out.extend_from_slice(&magnitude);
    if sign == Sign::Minus {
        out[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

/// Sign, exponent, digits in base 100, terminator: 1.0 and 1.00 are the same key, as in Cassandra.
fn put_decimal(number: &BigDecimal, out: &mut Vec<u8>) {
    const ZERO: u8 = 0x80;
    const POSITIVE: u8 = 0xC0;
    let (unscaled, scale) = number.as_bigint_and_exponent();
    if unscaled.sign() == Sign::NoSign {
        return out.push(ZERO);
    }
    let digits = unscaled.magnitude().to_string();
    let trimmed = digits.trim_end_matches('0');
    // The number is 0.trimmed × 10^exponent.
    let exponent = digits.len() as i64 - scale;
    let start = out.len();
    out.push(POSITIVE);
    out.extend_from_slice(&(exponent ^ i64::MIN).to_be_bytes());
    for pair in trimmed.as_bytes().chunks(2) {
        let high = (pair[0] - b'0') * 10;
        out.push(1 + high + pair.get(1).map_or(0, |low| low - b'0'));
    }
    out.push(0);
    if unscaled.sign() == Sign::Minus {
        out[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

fn put_fields<'a>(
    types: impl ExactSizeIterator<Item = &'a CqlType>,
    value: &Bytes,
    out: &mut Vec<u8>,
) {
    let mut fields = collection::fields(value.clone(), types.len()).unwrap_or_default();
    // Fields left out at the end are the same as nulls at the end.
    while fields.last().is_some_and(Option::is_none) {
        fields.pop();
    }
    for (cql_type, field) in types.zip(&fields) {
        match field {
            Some(field) => put_component(cql_type, field, false, out),
            None => out.push(NEXT_NULL),
        }
    }
    out.push(TERMINATOR);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tidemill_cql_wire::value::encode;

    use super::*;

    fn key(cql_type: &CqlType, value: &CqlValue, descending: bool) -> Vec<u8> {
        let mut out = Vec::new();
        put_component(cql_type, &encode(cql_type, value), descending, &mut out);
        out.push(TERMINATOR);
        out
    }

    fn check<T: PartialOrd>(cql_type: &CqlType, a: (T, CqlValue), b: (T, CqlValue)) {
        let expected = a.0.partial_cmp(&b.0).unwrap();
        let ascending = key(cql_type, &a.1, false).cmp(&key(cql_type, &b.1, false));
        let descending = key(cql_type, &a.1, true).cmp(&key(cql_type, &b.1, true));
        assert_eq!(ascending, expected);
        assert_eq!(descending, expected.reverse());
    }

    proptest! {
        #[test]
        fn keys_sort_like_their_values(
            a: i64, b: i64, x in -1e30..1e30_f64, y in -1e30..1e30_f64,
            s in prop::collection::vec(0..4_u8, 0..6), t in prop::collection::vec(0..4_u8, 0..6),
            digits in -12_000..12_000_i64, others in -12_000..12_000_i64,
            scale in -3..6_i64, other_scale in -3..6_i64, shift in 0..60_u32,
        ) {
            check(&CqlType::Bigint, (a, CqlValue::Bigint(a)), (b, CqlValue::Bigint(b)));
            let (small, large) = ((a >> shift), (b >> (shift / 2)));
            check(
                &CqlType::Varint,
                (small, CqlValue::Varint(small.into())),
                (large, CqlValue::Varint(large.into())),
            );
            check(&CqlType::Double, (x, CqlValue::Double(x)), (y, CqlValue::Double(y)));
            let bytes = |raw: &Vec<u8>| CqlValue::Blob(Bytes::from(raw.clone()));
            check(&CqlType::Blob, (s.clone(), bytes(&s)), (t.clone(), bytes(&t)));
            let decimal = |digits: i64, scale| BigDecimal::new(digits.into(), scale);
            let (m, n) = (decimal(digits, scale), decimal(others, other_scale));
            check(
                &CqlType::Decimal,
                (m.clone(), CqlValue::Decimal(m)),
                (n.clone(), CqlValue::Decimal(n)),
            );
            let list = CqlType::List(Box::new(CqlType::Bigint));
            let items = |raw: &Vec<u8>| {
                CqlValue::List(raw.iter().map(|n| CqlValue::Bigint(i64::from(*n))).collect())
            };
            check(&list, (s.clone(), items(&s)), (t.clone(), items(&t)));
        }
    }

    #[test]
    fn a_bound_lies_around_all_that_starts_with_a_prefix() {
        let component = |text: &str| {
            let mut out = Vec::new();
            put_component(
                &CqlType::Text,
                &Bytes::copy_from_slice(text.as_bytes()),
                false,
                &mut out,
            );
            out
        };
        let prefix = component("a");
        let row = [component("a"), component("x"), vec![TERMINATOR]].concat();
        let other = [component("a\0"), component("x"), vec![TERMINATOR]].concat();
        assert!([prefix.clone(), vec![BEFORE]].concat() < row);
        assert!([prefix.clone(), vec![AFTER]].concat() > row);
        assert!([prefix, vec![AFTER]].concat() < other);
    }

    #[test]
    fn timeuuids_sort_by_time_and_decimals_ignore_trailing_zeros() {
        let early: uuid::Uuid = "ffffffff-0000-11ee-8000-000000000000".parse().unwrap();
        let late: uuid::Uuid = "00000000-0001-11ee-8000-000000000000".parse().unwrap();
        let timeuuid = |uuid| key(&CqlType::Timeuuid, &CqlValue::Timeuuid(uuid), false);
        assert!(timeuuid(early) < timeuuid(late));
        let decimal =
            |text: &str| key(&CqlType::Decimal, &CqlValue::Decimal(text.parse().unwrap()), false);
        assert_eq!(decimal("1.0"), decimal("1.000"));
    }
}
