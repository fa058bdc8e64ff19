//! `from_json`, `to_json`, `get_json_object`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder, StructArray};
use arrow::buffer::NullBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::Expr;
use serde_json::Value;

use super::own::own;
use super::{Call, Result, SparkError, literal_text};
use crate::catalog::options::JsonOptions;
use crate::formats::json::JsonDecoder;
use crate::formats::write_value;
use crate::spark::types;

pub(super) fn call(call: &Call<'_>, args: &[Expr]) -> Result<Option<Expr>> {
    Ok(Some(match call.name {
        "from_json" => from_json(call, args)?,
        "to_json" => {
            let value = args.first().cloned();
            let value = value.ok_or_else(|| SparkError::wrong_argument_count("to_json", "1", 0))?;
            own("to_json", "", DataType::Utf8, vec![value], |arrays, rows| {
                Ok(written(&arrays[0], rows, true))
            })
        }
        "get_json_object" => {
            let [text, path] = call.exactly(args.to_vec())?;
            let text = call.cast(text, &DataType::Utf8)?;
            own("get_json_object", "", DataType::Utf8, vec![text, path], |arrays, rows| {
                let (texts, paths) = (arrays[0].as_string::<i32>(), arrays[1].as_string::<i32>());
                let mut builder = StringBuilder::new();
                for row in 0..rows {
                    let given = texts.is_valid(row) && paths.is_valid(row);
                    let found =
                        given.then(|| at_path(texts.value(row), paths.value(row))).flatten();
                    builder.append_option(found);
                }
                Ok(Arc::new(builder.finish()))
            })
        }
        _ => return Ok(None),
    }))
}

fn from_json(call: &Call<'_>, args: &[Expr]) -> Result<Expr> {
    let (text, schema) = match args {
        [text, schema] | [text, schema, _] => (text.clone(), schema),
        _ => return Err(SparkError::wrong_argument_count("from_json", "[2, 3]", args.len())),
    };
    let Some(schema) = literal_text(schema) else {
        return Err(SparkError::unsupported("from_json with a schema that is no literal"));
    };
    let DataType::Struct(fields) = nullable(&types::parse(schema)?) else {
        return Err(SparkError::unsupported("from_json into anything but a struct"));
    };
    let text = call.cast(text, &DataType::Utf8)?;
    let returns = DataType::Struct(fields.clone());
    let parameters = types::simple_string(&returns);
    // Fails here, with a name, and not in the middle of a stream.
    JsonDecoder::new(&decoded(&fields), options())
        .map_err(|error| SparkError::unsupported(format!("from_json: {error}")))?;
    Ok(own("from_json", parameters, returns, vec![text], move |arrays, rows| {
        read(&fields, arrays[0].as_ref(), rows)
    }))
}

/// Spark takes no notice of `NOT NULL` in a schema for documents: anything may be missing.
fn nullable(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Struct(fields) => {
            let field =
                |field: &FieldRef| Field::new(field.name(), nullable(field.data_type()), true);
            DataType::Struct(fields.iter().map(field).collect::<Fields>())
        }
        other => other.clone(),
    }
}

/// A field of the wrong type is NULL.
fn options() -> JsonOptions {
    JsonOptions { ignore_parse_errors: true, ..JsonOptions::default() }
}

/// Times come in more shapes than the decoder reads: as text first.
fn decoded(fields: &Fields) -> Vec<FieldRef> {
    let field = |field: &FieldRef| match field.data_type() {
        DataType::Timestamp(..) | DataType::Date32 => {
            Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8))
        }
        _ => Arc::clone(field),
    };
    fields.iter().map(field).collect()
}

/// Mode PERMISSIVE: text that is no object is a row of NULLs.
fn read(fields: &Fields, texts: &dyn Array, rows: usize) -> DataFusionResult<ArrayRef> {
    let texts = texts.as_string::<i32>();
    let mut decoder = JsonDecoder::new(&decoded(fields), options())?;
    let text = |row: usize| texts.is_valid(row).then(|| texts.value(row).as_bytes());
    let columns = decoder.texts((0..rows).map(text));
    let tolerant = CastOptions { safe: true, ..CastOptions::default() };
    let columns = columns
        .into_iter()
        .zip(fields)
        .map(|(column, field)| match column.data_type() == field.data_type() {
            true => Ok(column),
            false => cast_with_options(&column, field.data_type(), &tolerant),
        })
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let valid: NullBuffer = (0..rows).map(|row| texts.is_valid(row)).collect::<Vec<_>>().into();
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, Some(valid), rows)?))
}

/// Each value as JSON. Spark leaves NULL fields away.
pub(super) fn written(array: &ArrayRef, rows: usize, null_is_null: bool) -> ArrayRef {
    let options = JsonOptions { ignore_null_fields: true, ..JsonOptions::default() };
    let mut builder = StringBuilder::new();
    let mut text = Vec::new();
    for row in 0..rows {
        if null_is_null && array.is_null(row) {
            builder.append_null();
            continue;
        }
        text.clear();
        write_value(array.as_ref(), row, &options, &mut text);
        builder.append_value(String::from_utf8_lossy(&text));
    }
    Arc::new(builder.finish())
}

/// Steps of a path at most.
const STEPS_MAX: usize = 64;

/// What stands at `$.a.b[0]` in a document.
fn at_path(text: &str, path: &str) -> Option<String> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    let mut rest = path.trim().strip_prefix('$')?;
    for _ in 0..STEPS_MAX {
        if rest.is_empty() {
            return match value {
                Value::Null => None,
                Value::String(text) => Some(text),
                other => Some(other.to_string()),
            };
        }
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            value = value.get_mut(&after[..end])?.take();
            rest = &after[end..];
        } else {
            let after = rest.strip_prefix('[')?;
            let end = after.find(']')?;
            let key = after[..end].trim_matches('\'');
            value = match key.parse::<usize>() {
                Ok(place) => value.get_mut(place)?.take(),
                Err(_) => value.get_mut(key)?.take(),
            };
            rest = &after[end + 1..];
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringArray;

    #[test]
    fn a_document_that_is_none_is_a_row_of_nulls_and_a_wrong_field_is_null() {
        let DataType::Struct(fields) = types::parse("a string, n int, at timestamp").unwrap()
        else {
            panic!("a struct");
        };
        let texts = StringArray::from(vec![
            Some(r#"{"a": 7, "n": 1, "at": "2020-01-01T00:00:00.000Z"}"#),
            Some(r#"{"a": "x", "n": "y"}"#),
            Some("no document"),
            None,
        ]);
        let read = read(&fields, &texts, 4).unwrap();
        let read = read.as_struct();
        assert_eq!(read.column(0).as_string::<i32>().value(0), "7");
        assert_eq!(read.column(0).as_string::<i32>().value(1), "x");
        assert_eq!(read.column(1).null_count(), 3);
        assert!(read.is_valid(2) && read.is_null(3));
        assert!(read.column(2).is_valid(0) && read.column(2).is_null(1));
    }

    #[test]
    fn a_path_finds_fields_and_items() {
        let text = r#"{"a": {"b": [1, "two"]}, "n": null}"#;
        assert_eq!(at_path(text, "$.a.b[1]").as_deref(), Some("two"));
        assert_eq!(at_path(text, "$['a'].b").as_deref(), Some(r#"[1,"two"]"#));
        assert_eq!(at_path(text, "$.n"), None);
        assert_eq!(at_path("no document", "$.a"), None);
    }
}
