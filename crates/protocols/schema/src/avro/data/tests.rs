use serde_json::{Value, json};

use super::*;
use crate::avro::Schema;

fn round_trip(schema: &str, value: &Value, style: DataStyle) {
    let schema = Schema::parse(schema).unwrap();
    let bytes = encode(&schema, value, style).unwrap();
    assert_eq!(decode(&schema, &bytes, style), Ok((value.clone(), bytes.len())), "{schema}");
}

#[test]
fn logical_types_are_shown_as_people_write_them() {
    for (kind, value) in [
        (r#"{"type":"int","logicalType":"date"}"#, json!("2026-11-22")),
        (r#"{"type":"long","logicalType":"timestamp-millis"}"#, json!("2026-11-22T19:35:00.123Z")),
        (r#"{"type":"bytes","logicalType":"decimal","precision":6,"scale":2}"#, json!("-12.50")),
        (
            r#"{"type":"fixed","name":"D","size":5,"logicalType":"decimal","precision":6,"scale":2}"#,
            json!("1234.56"),
        ),
        (r#"{"type":"bytes","logicalType":"big-decimal"}"#, json!("3.14159")),
        (
            r#"{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}"#,
            json!("00112233-4455-6677-8899-aabbccddeeff"),
        ),
        (
            r#"{"type":"fixed","name":"P","size":12,"logicalType":"duration"}"#,
            json!({"months": 1, "days": 2, "millis": 3}),
        ),
        (r#"{"type":"double"}"#, json!("NaN")),
        (r#"["null",{"type":"int","logicalType":"date"}]"#, json!("1969-12-31")),
    ] {
        round_trip(kind, &value, DataStyle::Plain);
    }
}

#[test]
fn a_value_of_a_union_may_be_written_plain_or_with_its_branch() {
    let schema = Schema::parse(r#"["null","long","string"]"#).unwrap();
    let plain = encode(&schema, &json!("x"), DataStyle::Plain).unwrap();
    assert_eq!(encode(&schema, &json!({"string": "x"}), DataStyle::Plain).unwrap(), plain);
    assert_eq!(encode(&schema, &json!({"string": "x"}), DataStyle::Avro).unwrap(), plain);
    assert_eq!(encode(&schema, &json!(7), DataStyle::Plain).unwrap(), [2, 14]);
    let error = encode(&schema, &json!("x"), DataStyle::Avro).unwrap_err().to_string();
    assert!(error.contains(r#"{"string": "x"}"#), "{error}");
}

#[test]
fn a_missing_member_takes_the_default_of_its_field() {
    let schema = Schema::parse(
        r#"{"type":"record","name":"A","fields":[
            {"name":"a","type":"int","default":7},
            {"name":"u","type":["null","string"],"default":null},
            {"name":"v","type":["null","string"],"default":"second"},
            {"name":"b","type":{"type":"record","name":"B","fields":[
                {"name":"d","type":{"type":"int","logicalType":"date"},"default":3}]},"default":{}}]}"#,
    )
    .unwrap();
    let bytes = encode(&schema, &json!({}), DataStyle::Plain).unwrap();
    let (value, _) = decode(&schema, &bytes, DataStyle::Plain).unwrap();
    assert_eq!(value, json!({"a":7,"u":null,"v":"second","b":{"d":"1970-01-04"}}));
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let schema = Schema::parse(
        r#"{"type":"record","name":"A","fields":[{"name":"l","type":{"type":"array","items":"int"}}]}"#,
    )
    .unwrap();
    for (value, path) in [
        (json!({"l": [1, "x"]}), "/l/1"),
        (json!({"l": [2_147_483_648u64]}), "/l/0"),
        (json!({"l": 1}), "/l"),
        (json!({}), "/l"),
        (json!({"l": [], "m": 1}), "/"),
        (json!([]), "/"),
    ] {
        match encode(&schema, &value, DataStyle::Plain) {
            Err(DataError::Mismatch { path: found, .. }) => assert_eq!(found, path, "{value}"),
            other => panic!("{value}: {other:?}"),
        }
    }
}

#[test]
fn bytes_that_claim_more_than_they_hold_are_refused() {
    let decode = |schema: &str, bytes: &[u8]| {
        decode(&Schema::parse(schema).unwrap(), bytes, DataStyle::Plain).unwrap_err().to_string()
    };
    let huge = [0xff; 9];
    assert!(decode(r#""string""#, &[huge.as_slice(), &[1]].concat()).contains("length"));
    assert!(decode(r#""long""#, &[huge.as_slice(), &[2]].concat()).contains("64 bits"));
    assert!(decode(r#""int""#, &[huge.as_slice(), &[1]].concat()).contains("32-bit"));
    let nulls = r#"{"type":"array","items":"null"}"#;
    assert!(decode(nulls, &[&[0xfe], &huge[1..], &[0]].concat()).contains("too large"));
    assert!(decode(nulls, &[huge.as_slice(), &[1, 0]].concat()).contains("too large"), "i64::MIN");
    let node = r#"{"type":"record","name":"N","fields":[{"name":"n","type":["null","N"]}]}"#;
    assert!(decode(node, &[2; 4096]).contains("too large"));
    assert!(decode(r#"["null"]"#, &[2]).contains("no branch"));
    assert!(decode(r#""string""#, &[2, 0xff]).contains("UTF-8"));
    assert!(decode(r#""boolean""#, &[2]).contains("boolean"));
    assert!(decode(r#""double""#, &[0; 7]).contains("ends"));
}

#[test]
fn a_default_that_is_its_own_default_ends() {
    // Java accepts it where it does not check defaults.
    let text = r#"{"type":"record","name":"A","fields":[{"name":"a","type":"A","default":{}}]}"#;
    let schema = crate::avro::Parser::lenient().parse(text).unwrap();
    let error = encode(&schema, &json!({}), DataStyle::Plain).unwrap_err();
    assert!(matches!(error, DataError::TooLarge { .. }), "{error}");
}
