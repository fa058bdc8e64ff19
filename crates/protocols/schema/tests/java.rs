//! What Java's Avro answered, against what we answer.

use serde_json::Value;
use tidemill_schema::avro::{DataStyle, Schema, check_reader_writer, decode, encode};

fn rows(table: &str) -> Vec<Value> {
    table.lines().map(|line| serde_json::from_str(line).expect("a row is JSON")).collect()
}

fn text<'a>(row: &'a Value, name: &str) -> Option<&'a str> {
    row.get(name).and_then(Value::as_str)
}

#[test]
fn two_schemas_are_compatible_where_java_says_so_and_for_the_same_reasons() {
    let rows = rows(include_str!("data/compatibility.jsonl"));
    assert!(rows.len() >= 60);
    for row in &rows {
        let case = text(row, "case").unwrap();
        let reader = Schema::parse(&row["reader"].to_string()).unwrap();
        let writer = Schema::parse(&row["writer"].to_string()).unwrap();
        match check_reader_writer(&reader, &writer) {
            Ok(found) => {
                let found: Vec<Value> = found
                    .iter()
                    .map(|one| [one.kind.to_string(), one.location.clone(), one.message.clone()])
                    .map(Value::from_iter)
                    .collect();
                assert_eq!(Value::from(found), row["found"], "{case}");
            }
            Err(error) => {
                let theirs = text(row, "error").unwrap();
                assert_eq!(format!("AvroRuntimeException: {error}"), theirs, "{case}");
            }
        }
    }
}

#[test]
fn a_schema_is_printed_as_java_prints_it_and_refused_where_java_refuses_it() {
    for row in rows(include_str!("data/text.jsonl")) {
        let source = text(&row, "schema").unwrap();
        match (Schema::parse(source), text(&row, "refused")) {
            (Ok(schema), None) => {
                assert_eq!(schema.text(), row["text"], "{source}");
                assert_eq!(schema.parsing_form(), row["parsing_form"], "{source}");
                assert_eq!(format!("{:x}", schema.fingerprint()), row["fingerprint"], "{source}");
                assert_eq!(
                    Schema::parse(&schema.text()).unwrap().text(),
                    schema.text(),
                    "{source}"
                );
            }
            (Err(error), Some(theirs)) => says_the_same(&error.to_string(), theirs, source),
            (Ok(schema), Some(theirs)) => panic!("{source}\n{schema}\nJava: {theirs}"),
            (Err(error), None) => panic!("{source}: {error}"),
        }
    }
}

/// Clients show these messages. Where Java's speaks of its own insides ours differs.
fn says_the_same(ours: &str, theirs: &str, source: &str) {
    let (_exception, theirs) = theirs.split_once(": ").expect("an exception has a class");
    let of_its_own = ["Unresolved", "jackson", "dangling", "No enum constant", "Duplicate field"];
    if !of_its_own.iter().any(|part| theirs.contains(part)) {
        assert_eq!(ours, theirs, "{source}");
    }
}

#[test]
fn data_is_encoded_as_java_encodes_it() {
    for row in rows(include_str!("data/binary.jsonl")) {
        let schema = Schema::parse(text(&row, "schema").unwrap()).unwrap();
        let value: Value = serde_json::from_str(text(&row, "json").unwrap()).unwrap();
        let hex = text(&row, "hex").unwrap();
        let bytes = encode(&schema, &value, DataStyle::Avro).unwrap();
        let ours: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(ours, hex, "{schema}: {value}");
        assert_eq!(decode(&schema, &bytes, DataStyle::Avro), Ok((value, bytes.len())), "{schema}");
    }
}
