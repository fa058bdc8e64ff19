use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;

use super::*;
use crate::sql::types::SqlType;

fn record(value: &[u8]) -> Record {
    Record {
        partition: 0,
        offset: 0,
        timestamp_ms: 0,
        key: None,
        value: Some(Bytes::copy_from_slice(value)),
        headers: Vec::new(),
    }
}

fn column_type(text: &str) -> SqlType {
    let text = format!("CREATE TABLE t (a {text})");
    match crate::sql::parse(&text).unwrap().remove(0).statement {
        crate::sql::statement::Statement::CreateTable(mut table) => {
            match table.columns.remove(0).kind {
                crate::sql::statement::ColumnKind::Physical { sql_type, .. } => sql_type,
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other:?}"),
    }
}

fn decoder(columns: &[(&str, &str)], options: JsonOptions) -> JsonDecoder {
    let fields: Vec<FieldRef> = columns
        .iter()
        .map(|(name, text)| Arc::new(Field::new(*name, column_type(text).arrow(), true)))
        .collect();
    JsonDecoder::new(&fields, options).unwrap()
}

/// The value of column `a`, or the reason why there is none.
fn read(sql_type: &str, json: &str, options: JsonOptions) -> Result<String, String> {
    let values = decoder(&[("a", sql_type)], options).decode(&[record(json.as_bytes())]);
    if let Some(fault) = values.faults.first() {
        return Err(fault.reason.clone());
    }
    let shown = FormatOptions::default().with_null("NULL");
    if values.rows.is_empty() {
        return Err("skipped".to_owned());
    }
    Ok(ArrayFormatter::try_new(&values.columns[0], &shown).unwrap().value(0).to_string())
}

#[test]
fn values_follow_flinks_rules() {
    for (sql_type, json, expected) in [
        ("STRING", r#"{"a": "x\n\u00e4\ud83d\ude00\"\\/"}"#, "x\nä😀\"\\/"),
        ("STRING", r#"{"a": 60601}"#, "60601"),
        ("STRING", r#"{"a": 1.50e2}"#, "1.50e2"),
        ("STRING", r#"{"a": true}"#, "true"),
        ("STRING", r#"{"a": {"b" : [1, "x y"] }}"#, r#"{"b":[1,"x y"]}"#),
        ("STRING", r#"{"b": 1}"#, "NULL"),
        ("STRING", r#"{"a": null}"#, "NULL"),
        ("STRING", r#"{"a": "first", "a": "last"}"#, "last"),
        ("STRING", r#" { "b" : {"a": "inner", "c": [[],{}]} , "a" : "x" } "#, "x"),
        ("STRING", r#"{"\u0061": "x"}"#, "x"),
        ("INT", r#"{"a": -12}"#, "-12"),
        ("INT", r#"{"a": " 12 "}"#, "12"),
        ("BIGINT", r#"{"a": 9223372036854775807}"#, "9223372036854775807"),
        ("DOUBLE", r#"{"a": 1e3}"#, "1000.0"),
        ("BOOLEAN", r#"{"a": "TRUE"}"#, "true"),
        ("DECIMAL(5, 2)", r#"{"a": 123.455}"#, "123.46"),
        ("DECIMAL(5, 2)", r#"{"a": "-1.5e1"}"#, "-15.00"),
        ("DATE", r#"{"a": "2001-02-28"}"#, "2001-02-28"),
        ("TIME(3)", r#"{"a": "18:20:00.5"}"#, "18:20:00.500"),
        ("TIMESTAMP(3)", r#"{"a": "2001-01-10 18:20:00.25"}"#, "2001-01-10T18:20:00.250"),
        ("TIMESTAMP_LTZ(3)", r#"{"a": "2001-01-10 18:20:00Z"}"#, "2001-01-10T18:20:00Z"),
        ("BYTES", r#"{"a": "AQI="}"#, "0102"),
        ("ROW<x INT, y STRING>", r#"{"a": {"y": "k", "z": 1}}"#, "{x: NULL, y: k}"),
        ("ARRAY<INT>", r#"{"a": [1, null, 3]}"#, "[1, NULL, 3]"),
        ("ARRAY<ROW<x INT>>", r#"{"a": [{"x": 1}, {}, null]}"#, "[{x: 1}, {x: NULL}, NULL]"),
        ("MAP<STRING, INT>", r#"{"a": {"k": 1, "l": null}}"#, "{k: 1, l: NULL}"),
    ] {
        let read = read(sql_type, json, JsonOptions::default());
        assert_eq!(read.as_deref(), Ok(expected), "{sql_type} {json}");
    }
}

#[test]
fn a_bad_record_says_why() {
    for (sql_type, json, expected) in [
        ("INT", r#"{"a": 1.5}"#, "at field: a. 1.5 is no INT"),
        ("INT", r#"{"a": 3000000000}"#, "is no INT"),
        ("INT", r#"{"a": {"b": 1}}"#, r#"{"b": 1} is no INT"#),
        ("BOOLEAN", r#"{"a": "yes"}"#, "is no BOOLEAN"),
        ("DECIMAL(4, 2)", r#"{"a": 123}"#, "is no DECIMAL(4, 2)"),
        ("TIMESTAMP(3)", r#"{"a": "2001-01-10T18:20:00"}"#, "yyyy-MM-dd HH:mm:ss"),
        ("ROW<x INT>", r#"{"a": {"x": "k"}}"#, "at field: a. Fail to deserialize at field: x."),
        ("ROW<x INT>", r#"{"a": [1]}"#, "is no ROW"),
        ("ARRAY<INT>", r#"{"a": 1}"#, "is no ARRAY"),
        ("STRING", r#"{"a": "x""#, "expected '}', found the end at byte 9"),
        ("STRING", r#"{"a": "x"} y"#, "end of the document, found 'y'"),
        ("STRING", r#"["a"]"#, "expected an object, found '['"),
        ("STRING", "", "found the end"),
        ("STRING", r#"{"a": 01}"#, "expected '}'"),
        ("STRING", r#"{"a": .5}"#, "expected a value"),
        ("STRING", r#"{"a": nul}"#, "expected a value"),
        ("STRING", r#"{"a": "\x"}"#, "unknown escape"),
        ("STRING", r#"{"a": "\ud800"}"#, "surrogate"),
        ("STRING", "{\"a\": \"x\ny\"}", "control character"),
        ("STRING", r#"{a: 1}"#, "field name in quotes"),
        ("STRING", r#"{"a": 1,}"#, "field name in quotes"),
        ("STRING", r#"{"b": {"c": [1, 2}}"#, "expected ']', found '}'"),
    ] {
        let reason = read(sql_type, json, JsonOptions::default()).unwrap_err();
        assert!(reason.contains(expected), "{sql_type} {json}: {reason}");
    }
}

#[test]
fn one_bad_record_costs_its_neighbours_nothing() {
    let mut decoder = decoder(
        &[("a", "STRING"), ("r", "ROW<x INT, t ARRAY<STRING>>"), ("n", "INT")],
        JsonOptions::default(),
    );
    let records = [
        record(br#"{"a": "1", "r": {"x": 1, "t": ["p"]}, "n": 1}"#),
        record(br#"{"a": "2", "r": {"x": 2, "t": ["q", "r"]}, "n": "two"}"#),
        record(b"{\"a\": \"\xff\"}"),
        Record { value: None, ..record(b"") },
        record(br#"{"a": "3", "r": {"x": 3, "t": []}, "n": 3}"#),
    ];
    let values = decoder.decode(&records);
    assert_eq!(values.rows, [0, 4]);
    assert_eq!(values.skipped, 1);
    let faults: Vec<u32> = values.faults.iter().map(|fault| fault.row).collect();
    assert_eq!(faults, [1, 2]);
    assert!(values.faults[1].reason.contains("invalid UTF-8 at byte 7"), "{:?}", values.faults[1]);
    let schema = Schema::new(
        ["a", "r", "n"]
            .iter()
            .zip(&values.columns)
            .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
            .collect::<Vec<_>>(),
    );
    let batch = RecordBatch::try_new(Arc::new(schema), values.columns).unwrap();
    let shown = arrow::util::pretty::pretty_format_batches(&[batch]).unwrap().to_string();
    insta::assert_snapshot!(shown, @r"
    +---+----------------+---+
    | a | r              | n |
    +---+----------------+---+
    | 1 | {x: 1, t: [p]} | 1 |
    | 3 | {x: 3, t: []}  | 3 |
    +---+----------------+---+
    ");
}

#[test]
fn errors_can_be_ignored_field_by_field() {
    let lenient = JsonOptions { ignore_parse_errors: true, ..JsonOptions::default() };
    for (sql_type, json, expected) in [
        ("INT", r#"{"a": "x"}"#, Ok("NULL")),
        ("ROW<x INT, y INT>", r#"{"a": {"x": [1], "y": 2}}"#, Ok("{x: NULL, y: 2}")),
        ("ARRAY<INT>", r#"{"a": [1, "x"]}"#, Ok("[1, NULL]")),
        ("INT", "{", Err("skipped")),
    ] {
        let read = read(sql_type, json, lenient.clone());
        assert_eq!(read.as_deref().map_err(String::as_str), expected, "{sql_type} {json}");
    }
    let strict = JsonOptions { fail_on_missing_field: true, ..JsonOptions::default() };
    assert!(read("INT", "{}", strict).unwrap_err().contains("Could not find field with name 'a'"));
}

proptest::proptest! {
    /// Whatever bytes arrive: no panic, and as many values in each column as rows.
    #[test]
    fn any_bytes_are_a_row_or_a_fault(
        bytes in proptest::collection::vec(
            proptest::sample::select(br#"{}[]":,atrue01.e-\u d8"#.to_vec()), 0..40),
        cut in 0_usize..60,
    ) {
        let full = br#"{"a": "x", "b": {"a": [1, 2], "c": {"k": 1}}, "c": 1.5}"#;
        let mut decoder = decoder(
            &[("a", "STRING"), ("b", "ROW<a ARRAY<INT>, c MAP<STRING, INT>>"), ("c", "DOUBLE")],
            JsonOptions::default(),
        );
        let mut mixed = full[..cut.min(full.len())].to_vec();
        mixed.extend_from_slice(&bytes);
        let values = decoder.decode(&[record(&bytes), record(full), record(&mixed)]);
        proptest::prop_assert!(values.rows.contains(&1));
        for column in &values.columns {
            proptest::prop_assert_eq!(column.len(), values.rows.len());
        }
    }

    /// What `serde_json` takes as an object, we take, and nothing else.
    #[test]
    fn the_grammar_is_that_of_serde_json(
        bytes in proptest::collection::vec(
            proptest::sample::select(br#"{}[]":,atrue01.e-\n "#.to_vec()), 0..12),
    ) {
        let mut text = br#"{"a":"#.to_vec();
        text.extend_from_slice(&bytes);
        text.push(b'}');
        let theirs = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&text);
        let ours = decoder(&[], JsonOptions::default()).decode(&[record(&text)]);
        // A number of any size is JSON; only a column's type limits it.
        let sound = match &theirs {
            Ok(_) => true,
            Err(error) => error.to_string().contains("number out of range"),
        };
        proptest::prop_assert_eq!(sound, ours.faults.is_empty(), "{:?}", text);
    }
}
