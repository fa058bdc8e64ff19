//! Laws that hold for every schema.

use proptest::prelude::*;
use serde_json::{Value, json};
use tidemill_schema::avro::{
    DataStyle, Kind, NodeId, Parser, Schema, check_reader_writer, decode, encode,
};
use tidemill_schema::compatibility::{Level, Previous, check};
use tidemill_schema::json;

/// A schema whose named types are told apart by numbers that stand for them until it is complete.
fn any_type() -> impl Strategy<Value = Value> {
    let primitive = prop::sample::select(vec![
        json!("null"),
        json!("boolean"),
        json!("int"),
        json!("long"),
        json!("float"),
        json!("double"),
        json!("bytes"),
        json!("string"),
        json!({"type":"int","logicalType":"date"}),
        json!({"type":"bytes","logicalType":"decimal","precision":9,"scale":2}),
        json!({"type":"string","note":[1, 2.5, {"é": null}]}),
        json!({"type":"fixed","name":"?","size":3}),
        json!({"type":"enum","name":"?","symbols":["A","B"],"default":"A"}),
    ]);
    primitive.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|items| json!({"type":"array","items":items})),
            inner.clone().prop_map(|values| json!({"type":"map","values":values})),
            inner
                .clone()
                .prop_filter("a union in a union", |inner| !inner.is_array() && *inner != "null")
                .prop_map(|inner| json!(["null", inner])),
            prop::collection::vec(inner, 0..4).prop_map(|types| {
                let fields: Vec<Value> = types
                    .into_iter()
                    .enumerate()
                    .map(|(at, kind)| json!({"name":format!("f{at}"),"type":kind,"doc":"a\tb"}))
                    .collect();
                json!({"type":"record","name":"?","namespace":"n.m","aliases":["Old"],"fields":fields})
            }),
        ]
    })
}

fn named(mut kind: Value) -> Value {
    fn walk(value: &mut Value, next: &mut usize) {
        match value {
            Value::Object(members) => {
                if let Some(name) = members.get_mut("name").filter(|name| *name == "?") {
                    *next += 1;
                    *name = json!(format!("T{next}"));
                }
                members.values_mut().for_each(|value| walk(value, next));
            }
            Value::Array(items) => items.iter_mut().for_each(|value| walk(value, next)),
            _ => {}
        }
    }
    walk(&mut kind, &mut 0);
    kind
}

fn any_schema() -> impl Strategy<Value = Schema> {
    any_type().prop_map(|kind| Schema::parse(&named(kind).to_string()).expect("a valid schema"))
}

/// Some value of a type, made from a number.
fn value_of(schema: &Schema, id: NodeId, seed: &mut u64) -> Value {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    let number = (*seed >> 40).cast_signed() - 1000;
    match schema.kind(id) {
        Kind::Null => Value::Null,
        Kind::Boolean => json!(number % 2 == 0),
        Kind::Int | Kind::Long => json!(number),
        Kind::Float | Kind::Double => json!((number % 4096) as f64 / 4.0),
        Kind::Bytes => json!("\u{0}ÿ".repeat(usize::from(number % 4 == 0))),
        Kind::Fixed(fixed) => json!("x".repeat(fixed.size)),
        Kind::String => json!(format!("s{number}é")),
        Kind::Enum(of) => {
            json!(of.symbols[usize::from(number % 2 == 0)])
        }
        Kind::Array(inner) => (0..number % 3).map(|_| value_of(schema, *inner, seed)).collect(),
        Kind::Map(inner) => Value::Object(
            (0..number % 3).map(|at| (format!("k{at}"), value_of(schema, *inner, seed))).collect(),
        ),
        Kind::Union(branches) => {
            let branch = branches[usize::try_from(number).unwrap_or(0) % branches.len()];
            match schema.kind(branch) {
                Kind::Null => Value::Null,
                kind => json!({kind.branch_name(): value_of(schema, branch, seed)}),
            }
        }
        Kind::Record(record) => Value::Object(
            record
                .fields
                .iter()
                .map(|field| (field.name.clone(), value_of(schema, field.schema, seed)))
                .collect(),
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_the_same_schema(schema in any_schema()) {
        let text = schema.text();
        let again = Schema::parse(&text).unwrap();
        prop_assert_eq!(again.text(), text);
        prop_assert!(again.is_equivalent(&schema));
        prop_assert_eq!(again.fingerprint(), schema.fingerprint());
        prop_assert_eq!(Schema::parse(&schema.parsing_form()).unwrap().parsing_form(), schema.parsing_form());
    }

    #[test]
    fn a_normalised_schema_is_normal_and_means_the_same(schema in any_schema()) {
        let normal = schema.normalized();
        prop_assert_eq!(normal.normalized().text(), normal.text());
        prop_assert_eq!(normal.parsing_form(), schema.parsing_form());
        let again = Schema::parse(&normal.text()).unwrap();
        prop_assert_eq!(again.text(), normal.text());
    }

    #[test]
    fn a_schema_is_compatible_with_itself_at_every_level(schema in any_schema()) {
        let text = schema.text();
        let previous = [Previous { version: 1, schema: &schema, text: &text }];
        for level in Level::ALL {
            prop_assert_eq!(check(level, &schema, &previous), Vec::<String>::new());
        }
    }

    #[test]
    fn a_field_may_be_added_backward_with_a_default_and_forward_without(kind in any_type()) {
        let old = json!({"type":"record","name":"Root","fields":[{"name":"a","type":"int"}]});
        let record = |field: Value| {
            let fields = json!([{"name":"a","type":"int"}, field]);
            Schema::parse(&json!({"type":"record","name":"Root","fields":fields}).to_string()).unwrap()
        };
        let old = Schema::parse(&old.to_string()).unwrap();
        let kind = named(kind);
        let bare = record(json!({"name":"b","type":kind}));
        prop_assert_eq!(check_reader_writer(&old, &bare).unwrap(), vec![]);
        let optional = match &kind {
            Value::Array(_) => kind.clone(),
            kind if *kind == "null" => kind.clone(),
            kind => json!(["null", kind]),
        };
        let defaulted = record(json!({"name":"b","type":optional,"default":null}));
        prop_assert_eq!(check_reader_writer(&defaulted, &old).unwrap(), vec![]);
    }

    #[test]
    fn data_reads_back_in_both_styles(schema in any_schema(), mut seed in any::<u64>()) {
        let value = value_of(&schema, schema.root(), &mut seed);
        let bytes = encode(&schema, &value, DataStyle::Avro).unwrap();
        prop_assert_eq!(decode(&schema, &bytes, DataStyle::Avro).unwrap(), (value, bytes.len()));
        let (plain, _) = decode(&schema, &bytes, DataStyle::Plain).unwrap();
        let again = encode(&schema, &plain, DataStyle::Plain).unwrap();
        let (plain_again, _) = decode(&schema, &again, DataStyle::Plain).unwrap();
        prop_assert_eq!(plain_again, plain);
    }

    #[test]
    fn no_text_and_no_bytes_make_it_panic(
        schema in any_schema(),
        bytes in prop::collection::vec(any::<u8>(), 0..64),
        text in "[\\[\\]{}\",:a-z0-9 .\\\\-]{0,64}",
        cut in any::<prop::sample::Index>(),
    ) {
        let _ = decode(&schema, &bytes, DataStyle::Avro);
        let _ = decode(&schema, &bytes, DataStyle::Plain);
        let _ = json::parse(&text);
        let whole = schema.text();
        let mut at = cut.index(whole.len());
        while !whole.is_char_boundary(at) {
            at -= 1;
        }
        let _ = Schema::parse(&whole[..at]);
        let _ = Parser::lenient().parse(&whole.replacen('"', &text, 1));
    }
}

/// A test's thread has 2 MiB of stack, as a worker of the server has.
#[test]
fn the_deepest_schema_allowed_fits_a_threads_stack() {
    for levels in [400usize, 499, 600, 100_000] {
        let text = format!(
            "{}\"int\"{}",
            "{\"type\":\"array\",\"items\":".repeat(levels),
            "}".repeat(levels)
        );
        let Ok(schema) = Schema::parse(&text) else {
            assert!(levels > 499, "{levels} levels are allowed");
            continue;
        };
        assert!(levels <= 499);
        assert_eq!(schema.text(), text);
        assert_eq!(check_reader_writer(&schema, &schema).unwrap(), vec![]);
        assert!(schema.is_equivalent(&schema.normalized()));
    }
}

#[test]
fn the_deepest_value_allowed_fits_a_threads_stack() {
    let node = r#"{"type":"record","name":"N","fields":[{"name":"n","type":["null","N"]}]}"#;
    let schema = Schema::parse(node).unwrap();
    let value =
        |levels: usize| (0..levels).fold(json!({"n": null}), |inner, _| json!({"n": {"N": inner}}));
    for (levels, fits) in [(200, true), (600, false)] {
        let value = value(levels);
        for style in [DataStyle::Avro, DataStyle::Plain] {
            let bytes = encode(&schema, &value, style);
            assert_eq!(bytes.is_ok(), fits, "{levels}");
            let mut bytes = vec![2; levels];
            bytes.push(0);
            assert_eq!(decode(&schema, &bytes, style).is_ok(), fits, "{levels}");
        }
    }
}

/// Flat as text, deep as a schema: every record holds the next one, which is declared after it.
#[test]
fn records_that_name_each_other_are_limited_in_depth_too() {
    let chain = |length: usize| {
        let last = json!({"type":"record","name":format!("R{length}"),"fields":[]});
        let records: Vec<Value> = (0..length)
            .map(|at| {
                let next = format!("R{}", at + 1);
                json!({"type":"record","name":format!("R{at}"),"fields":[{"name":"n","type":next}]})
            })
            .chain([last])
            .collect();
        Schema::parse(&Value::from(records).to_string())
    };
    let schema = chain(400).unwrap();
    assert_eq!(check_reader_writer(&schema, &schema).unwrap(), vec![]);
    assert!(chain(5000).unwrap_err().to_string().contains("deeper"));
}

#[test]
fn a_difference_used_in_many_places_is_not_repeated_without_end() {
    // Every record holds the one before it twice: 2^40 places of one difference.
    let nested = |leaf: &str| {
        let mut records =
            vec![json!({"type":"record","name":"R0","fields":[{"name":"a","type":leaf}]})];
        for at in 1..40 {
            let before = format!("R{}", at - 1);
            records.push(json!({"type":"record","name":format!("R{at}"),"fields":[
                {"name":"a","type":before},{"name":"b","type":before}]}));
        }
        let mut parser = Parser::new();
        for record in &records[..39] {
            parser.add_reference(&record.to_string()).unwrap();
        }
        parser.parse(&records[39].to_string()).unwrap()
    };
    let found = check_reader_writer(&nested("int"), &nested("string")).unwrap();
    assert_eq!(found.len(), 1000);
}
