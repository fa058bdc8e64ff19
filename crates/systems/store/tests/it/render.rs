//! Answers as text, for comparison.

use tidemill_cql_wire::response::*;
use tidemill_cql_wire::value::{CqlValue, decode};
use tidemill_cql_wire::{CqlType, Response};

/// An answer in a few lines. `masked` leaves out values that differ from run to run.
pub(crate) fn response(response: &Response, masked: bool) -> String {
    let mut out = String::new();
    for warning in &response.warnings {
        out.push_str(&format!("WARN {warning}\n"));
    }
    match &response.body {
        ResponseBody::Error(error) => {
            out.push_str(&format!("ERROR {:04x} {}\n", error.code as i32, error.message));
        }
        ResponseBody::Result(ResultResponse::Void) => out.push_str("VOID\n"),
        ResponseBody::Result(ResultResponse::SetKeyspace(name)) => {
            out.push_str(&format!("KEYSPACE {name}\n"));
        }
        ResponseBody::Result(ResultResponse::SchemaChange(change)) => {
            let target = match &change.target {
                ChangeTarget::Keyspace => "KEYSPACE".to_owned(),
                ChangeTarget::Table(name) => format!("TABLE {name}"),
                ChangeTarget::Type(name) => format!("TYPE {name}"),
                other => format!("{other:?}"),
            };
            out.push_str(&format!("{:?} {target}\n", change.change));
        }
        ResponseBody::Result(ResultResponse::Rows(rows)) => {
            let columns: Vec<String> = rows
                .metadata
                .columns
                .iter()
                .map(|column| format!("{} {}", column.name, column.cql_type))
                .collect();
            out.push_str(&format!("COLUMNS {}\n", columns.join(" | ")));
            if masked {
                out.push_str(&format!("ROWS {}\n", rows.count));
                return out;
            }
            for row in rows.iter() {
                let values: Vec<String> = row
                    .unwrap()
                    .iter()
                    .zip(rows.metadata.columns.iter())
                    .map(|(cell, column)| match cell {
                        Some(bytes) => value(&column.cql_type, bytes),
                        None => "null".to_owned(),
                    })
                    .collect();
                out.push_str(&format!("ROW {}\n", values.join(" | ")));
            }
        }
        other => out.push_str(&format!("{other:?}\n")),
    }
    out
}

fn value(cql_type: &CqlType, bytes: &bytes::Bytes) -> String {
    match decode(cql_type, bytes) {
        Ok(value) => text(&value),
        Err(error) => format!("<{error}>"),
    }
}

fn all<'a>(values: impl IntoIterator<Item = &'a CqlValue>) -> String {
    values.into_iter().map(text).collect::<Vec<_>>().join(", ")
}

fn fields(values: &[Option<CqlValue>]) -> String {
    let field = |value: &Option<CqlValue>| value.as_ref().map_or("null".to_owned(), text);
    values.iter().map(field).collect::<Vec<_>>().join(", ")
}

fn text(value: &CqlValue) -> String {
    match value {
        CqlValue::Ascii(text) | CqlValue::Text(text) => format!("{text:?}"),
        CqlValue::Bigint(n) | CqlValue::Counter(n) => n.to_string(),
        CqlValue::Int(n) => n.to_string(),
        CqlValue::Smallint(n) => n.to_string(),
        CqlValue::Tinyint(n) => n.to_string(),
        CqlValue::Boolean(truth) => truth.to_string(),
        CqlValue::Double(n) => n.to_string(),
        CqlValue::Float(n) => n.to_string(),
        CqlValue::Varint(n) => n.to_string(),
        CqlValue::Decimal(n) => n.to_string(),
        CqlValue::Uuid(uuid) | CqlValue::Timeuuid(uuid) => uuid.to_string(),
        CqlValue::Inet(address) => address.to_string(),
        CqlValue::List(items) | CqlValue::Vector(items) => format!("[{}]", all(items)),
        CqlValue::Set(items) => format!("{{{}}}", all(items)),
        CqlValue::Map(pairs) => {
            let pairs: Vec<_> =
                pairs.iter().map(|(k, v)| format!("{}: {}", text(k), text(v))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        CqlValue::Tuple(values) => format!("({})", fields(values)),
        CqlValue::Udt(values) => format!("<{}>", fields(values)),
        CqlValue::Blob(bytes) => format!("0x{}", hex(bytes)),
        CqlValue::Timestamp(ms) => format!("@{ms}"),
        CqlValue::Date(day) => format!("day {}", i64::from(*day) - (1 << 31)),
        CqlValue::Time(ns) => format!("time {ns}"),
        CqlValue::Duration(it) => format!("{}mo{}d{}ns", it.months, it.days, it.nanoseconds),
        CqlValue::Empty => "empty".to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
