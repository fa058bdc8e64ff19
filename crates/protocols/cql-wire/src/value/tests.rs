use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::CqlType;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The examples of the specification (v5, section 6 and `[vint]`), and those Java prints.
#[test]
fn values_have_the_bytes_of_the_specification() {
    let number = |text: &str| text.parse().unwrap();
    for (cql_type, value, bytes) in [
        (CqlType::Varint, CqlValue::Varint(number("0")), "00"),
        (CqlType::Varint, CqlValue::Varint(number("127")), "7f"),
        (CqlType::Varint, CqlValue::Varint(number("128")), "0080"),
        (CqlType::Varint, CqlValue::Varint(number("-1")), "ff"),
        (CqlType::Varint, CqlValue::Varint(number("-128")), "80"),
        (CqlType::Varint, CqlValue::Varint(number("-129")), "ff7f"),
        (CqlType::Decimal, CqlValue::Decimal("1.50".parse().unwrap()), "000000020096"),
        (CqlType::Date, CqlValue::Date(1 << 31), "80000000"),
        (
            CqlType::Duration,
            CqlValue::Duration(CqlDuration { months: 1, days: -0, nanoseconds: 64 }),
            "02008080",
        ),
        (
            CqlType::List(Box::new(CqlType::Int)),
            CqlValue::List(vec![CqlValue::Int(1)]),
            "000000010000000400000001",
        ),
        (
            CqlType::Tuple(vec![CqlType::Int, CqlType::Text]),
            CqlValue::Tuple(vec![Some(CqlValue::Int(1)), None]),
            "0000000400000001ffffffff",
        ),
        (
            CqlType::Vector(Box::new(CqlType::Float), 2),
            CqlValue::Vector(vec![CqlValue::Float(1.0), CqlValue::Float(-2.0)]),
            "3f800000c0000000",
        ),
        (
            CqlType::Vector(Box::new(CqlType::Text), 2),
            CqlValue::Vector(vec![CqlValue::Text("a".into()), CqlValue::Text("bc".into())]),
            "0161026263",
        ),
    ] {
        let encoded = encode(&cql_type, &value);
        assert_eq!(hex(&encoded), bytes, "{cql_type}");
        assert_eq!(decode(&cql_type, &encoded).unwrap(), value, "{cql_type}");
    }
}

#[test]
fn wrong_lengths_are_refused_in_cassandras_words() {
    for (cql_type, length, text) in [
        (CqlType::Int, 3, "Expected 4 or 0 byte int (3)"),
        (CqlType::Bigint, 4, "Expected 8 or 0 byte long (4)"),
        (CqlType::Uuid, 5, "UUID should be 16 or 0 bytes (5)"),
        (CqlType::Smallint, 0, "Expected 2 byte short (0)"),
    ] {
        let error = decode(&cql_type, &Bytes::from(vec![0; length])).unwrap_err();
        assert_eq!(error.to_string(), text);
    }
}

proptest! {
    #[test]
    fn variable_length_integers_read_back(value: i64, shift in 0..64_u32) {
        let value = value >> shift;
        let mut out = Vec::new();
        write_vint(value, &mut out);
        prop_assert!(out.len() <= 9);
        let mut input = &out[..];
        prop_assert_eq!(read_vint(&mut input), Some(value));
        prop_assert!(input.is_empty());
    }

    #[test]
    fn no_bytes_make_a_value_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let bytes = Bytes::from(bytes);
        let int = || Box::new(CqlType::Int);
        for cql_type in [
            CqlType::Text, CqlType::Ascii, CqlType::Decimal, CqlType::Duration, CqlType::Inet,
            CqlType::List(int()), CqlType::Map(int(), Box::new(CqlType::Text)),
            CqlType::Tuple(vec![CqlType::Int, CqlType::Varint]),
            CqlType::Vector(int(), 3), CqlType::Vector(Box::new(CqlType::Text), 3),
            CqlType::Timeuuid, CqlType::Time,
        ] {
            if let Ok(value) = decode(&cql_type, &bytes) {
                let again = encode(&cql_type, &value);
                let reread = decode(&cql_type, &again);
                prop_assert!(reread.is_ok() , "{}", cql_type);
            }
        }
    }
}
