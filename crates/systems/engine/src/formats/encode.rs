//! Rows to the bytes of a topic: JSON as Flink writes it, or the one column of `raw`.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use base64::Engine as _;
use bytes::Bytes;

use crate::catalog::options::{Format, JsonOptions};
use crate::time::{Civil, show_date, show_timestamp};

/// Writes some columns of a row.
#[derive(Debug, Clone)]
pub(crate) struct RowEncoder {
    format: Format,
    /// Indexes of the columns written.
    columns: Vec<usize>,
}

impl RowEncoder {
    pub(crate) fn new(format: Format, columns: Vec<usize>) -> RowEncoder {
        RowEncoder { format, columns }
    }

    /// The bytes of one row; none for a `raw` NULL.
    pub(crate) fn encode(&self, batch: &RecordBatch, row: usize) -> Option<Bytes> {
        let mut out = Vec::with_capacity(64 * self.columns.len());
        match &self.format {
            Format::Json(options) => {
                let schema = batch.schema_ref();
                let fields = self.columns.iter().map(|index| {
                    (schema.field(*index).name().as_str(), batch.column(*index).as_ref())
                });
                write_object(fields, row, options, &mut out);
            }
            Format::Raw | Format::AvroConfluent(_) => {
                let array = batch.column(*self.columns.first()?);
                if array.is_null(row) {
                    return None;
                }
                write_raw(array, row, &mut out);
            }
        }
        Some(out.into())
    }
}

fn write_raw(array: &dyn Array, row: usize, out: &mut Vec<u8>) {
    match array.data_type() {
        DataType::Utf8 => out.extend_from_slice(array.as_string::<i32>().value(row).as_bytes()),
        DataType::Binary => out.extend_from_slice(array.as_binary::<i32>().value(row)),
        DataType::Boolean => out.push(u8::from(array.as_boolean().value(row))),
        DataType::Int8 => out.push(array.as_primitive::<Int8Type>().value(row) as u8),
        DataType::Int16 => {
            out.extend_from_slice(&array.as_primitive::<Int16Type>().value(row).to_be_bytes());
        }
        DataType::Int32 => {
            out.extend_from_slice(&array.as_primitive::<Int32Type>().value(row).to_be_bytes());
        }
        DataType::Int64 => {
            out.extend_from_slice(&array.as_primitive::<Int64Type>().value(row).to_be_bytes());
        }
        DataType::Float32 => {
            out.extend_from_slice(&array.as_primitive::<Float32Type>().value(row).to_be_bytes());
        }
        DataType::Float64 => {
            out.extend_from_slice(&array.as_primitive::<Float64Type>().value(row).to_be_bytes());
        }
        _ => write_value(array, row, &JsonOptions::default(), out),
    }
}

fn write_object<'a>(
    fields: impl Iterator<Item = (&'a str, &'a dyn Array)>,
    row: usize,
    options: &JsonOptions,
    out: &mut Vec<u8>,
) {
    out.push(b'{');
    let mut first = true;
    for (name, array) in fields {
        if options.ignore_null_fields && array.is_null(row) {
            continue;
        }
        if !first {
            out.push(b',');
        }
        first = false;
        write_text(name, out);
        out.push(b':');
        write_value(array, row, options, out);
    }
    out.push(b'}');
}

/// One value as JSON.
pub(crate) fn write_value(array: &dyn Array, row: usize, options: &JsonOptions, out: &mut Vec<u8>) {
    if array.is_null(row) {
        out.extend_from_slice(b"null");
        return;
    }
    macro_rules! show {
        ($type:ty) => {
            out.extend_from_slice(array.as_primitive::<$type>().value(row).to_string().as_bytes())
        };
    }
    match array.data_type() {
        DataType::Utf8 => write_text(array.as_string::<i32>().value(row), out),
        DataType::Boolean => {
            let text = if array.as_boolean().value(row) { "true" } else { "false" };
            out.extend_from_slice(text.as_bytes());
        }
        DataType::Int8 => show!(Int8Type),
        DataType::Int16 => show!(Int16Type),
        DataType::Int32 => show!(Int32Type),
        DataType::Int64 => show!(Int64Type),
        DataType::Float32 => write_real(array.as_primitive::<Float32Type>().value(row), out),
        DataType::Float64 => write_real(array.as_primitive::<Float64Type>().value(row), out),
        DataType::Decimal128(..) => {
            let text = array.as_primitive::<Decimal128Type>().value_as_string(row);
            out.extend_from_slice(text.as_bytes());
        }
        DataType::Date32 => {
            write_text(&show_date(array.as_primitive::<Date32Type>().value(row)), out);
        }
        DataType::Time32(_) => {
            let millis = array.as_primitive::<Time32MillisecondType>().value(row);
            let text = show_timestamp(&Civil::from_millis(millis.into()), ' ');
            write_text(text.split_once(' ').map_or("", |(_, time)| time), out);
        }
        DataType::Timestamp(_, zone) => {
            let separator = if options.iso_timestamps { 'T' } else { ' ' };
            let mut text = show_timestamp(&timestamp(array, row), separator);
            if zone.is_some() {
                text.push('Z');
            }
            write_text(&text, out);
        }
        DataType::Binary => {
            let engine = base64::engine::general_purpose::STANDARD;
            write_text(&engine.encode(array.as_binary::<i32>().value(row)), out);
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let fields = fields.iter().zip(columns);
            let fields = fields.map(|(field, column)| (field.name().as_str(), column.as_ref()));
            write_object(fields, row, options, out);
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            out.push(b'[');
            for item in 0..items.len() {
                if item > 0 {
                    out.push(b',');
                }
                write_value(&items, item, options, out);
            }
            out.push(b']');
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            out.push(b'{');
            for entry in 0..entries.len() {
                if entry > 0 {
                    out.push(b',');
                }
                match entries.column(0).as_string_opt::<i32>() {
                    Some(keys) => write_text(keys.value(entry), out),
                    None => write_value(entries.column(0), entry, options, out),
                }
                out.push(b':');
                write_value(entries.column(1), entry, options, out);
            }
            out.push(b'}');
        }
        _ => out.extend_from_slice(b"null"),
    }
}

/// A timestamp of any unit.
pub(crate) fn timestamp(array: &dyn Array, row: usize) -> Civil {
    let nanos = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            i128::from(array.as_primitive::<TimestampSecondType>().value(row)) * 1_000_000_000
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            i128::from(array.as_primitive::<TimestampMillisecondType>().value(row)) * 1_000_000
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            i128::from(array.as_primitive::<TimestampMicrosecondType>().value(row)) * 1000
        }
        _ => i128::from(array.as_primitive::<TimestampNanosecondType>().value(row)),
    };
    Civil::from_nanos(nanos)
}

/// JSON has no infinity.
fn write_real<T: Into<f64> + std::fmt::Debug + Copy>(number: T, out: &mut Vec<u8>) {
    if number.into().is_finite() {
        out.extend_from_slice(format!("{number:?}").as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    while let Some(place) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        out.extend_from_slice(&rest.as_bytes()[..place]);
        match rest.as_bytes()[place] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        rest = &rest[place + 1..];
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow::datatypes::{Field, Fields, Schema};
    use tidemill_connectors::Record;

    use crate::sql::types::SqlType;

    /// What is written reads back as the same row.
    #[test]
    fn json_reads_back_what_it_writes() {
        let json = concat!(
            r#"{"a":"x\"\\\n\u0001é","b":-5,"c":1.5,"d":true,"e":12.50,"f":"2001-02-28","#,
            r#""g":"18:20:00.5","h":"2001-02-28 18:20:00.25","i":"2001-02-28 18:20:00Z","#,
            r#""j":"AQI=","k":{"x":1,"y":null},"l":[1,null],"m":{"k":1}}"#
        );
        let row = SqlType::Row(vec![("x".into(), SqlType::Int), ("y".into(), SqlType::String)]);
        let types = [
            SqlType::String,
            SqlType::BigInt,
            SqlType::Double,
            SqlType::Boolean,
            SqlType::Decimal(10, 2),
            SqlType::Date,
            SqlType::Time,
            SqlType::Timestamp(3),
            SqlType::TimestampLtz(6),
            SqlType::Bytes,
            row,
            SqlType::Array(Box::new(SqlType::Int)),
            SqlType::Map(Box::new(SqlType::String), Box::new(SqlType::Int)),
        ];
        let fields: Fields = types
            .iter()
            .zip('a'..)
            .map(|(sql_type, name)| Field::new(name.to_string(), sql_type.arrow(), true))
            .collect();
        let all: Vec<_> = fields.iter().cloned().collect();
        let mut decoder =
            super::super::json::JsonDecoder::new(&all, JsonOptions::default()).unwrap();
        let record = Record {
            partition: 0,
            offset: 0,
            timestamp_ms: 0,
            key: None,
            value: Some(Bytes::from_static(json.as_bytes())),
            headers: Vec::new(),
        };
        let values = decoder.decode(&[record]);
        assert!(values.faults.is_empty(), "{:?}", values.faults);
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), values.columns).unwrap();
        let format = Format::Json(JsonOptions::default());
        let written = RowEncoder::new(format, (0..types.len()).collect()).encode(&batch, 0);
        assert_eq!(String::from_utf8_lossy(&written.unwrap()), json);
    }
}
