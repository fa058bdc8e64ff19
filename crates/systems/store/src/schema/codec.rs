//! The schema's records: one per keyspace, type and table. `docs/formats/store.md`.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use tidemill_cql_wire::{Reader, WireError, WireWrite};

use super::keyspace::{Keyspace, UserType};
use super::options::TableOptions;
use super::table::{Column, ColumnKind, DroppedColumn, Table};
use super::types::{self, ColumnType};
use crate::cql::parse_type;
use crate::cql::statements::properties::PropertyValue;

const VERSION: u8 = 1;

/// A record that no version of this program wrote.
#[derive(Debug, thiserror::Error)]
#[error("a record of the schema cannot be read: {0}")]
pub(crate) struct CorruptSchema(String);

impl From<WireError> for CorruptSchema {
    fn from(error: WireError) -> CorruptSchema {
        CorruptSchema(error.to_string())
    }
}

fn open(record: &Bytes) -> Result<Reader, CorruptSchema> {
    let mut reader = Reader::new(record.clone());
    match reader.byte()? {
        VERSION => Ok(reader),
        other => Err(CorruptSchema(format!("version {other}"))),
    }
}

fn start() -> BytesMut {
    let mut out = BytesMut::new();
    out.put_u8(VERSION);
    out
}

/// Keyspaces sort before types, types before tables: each needs what comes before.
pub(crate) fn keyspace_key(keyspace: &str) -> Bytes {
    format!("1\0{keyspace}").into()
}

/// The key of a type's record.
pub(crate) fn type_key(keyspace: &str, name: &str) -> Bytes {
    format!("2\0{keyspace}\0{name}").into()
}

/// The key of a table's record.
pub(crate) fn table_key(keyspace: &str, name: &str) -> Bytes {
    format!("3\0{keyspace}\0{name}").into()
}

/// A keyspace without what is in it.
pub(crate) fn encode_keyspace(keyspace: &Keyspace) -> Bytes {
    let mut out = start();
    out.put_u8(u8::from(keyspace.durable_writes));
    out.put_string_map(&keyspace.replication.iter().collect::<Vec<_>>());
    out.freeze()
}

/// What [`encode_keyspace`] wrote.
pub(crate) fn decode_keyspace(name: &str, record: &Bytes) -> Result<Keyspace, CorruptSchema> {
    let mut reader = open(record)?;
    let durable_writes = reader.byte()? != 0;
    let replication = reader.string_map()?.into_iter().collect();
    Ok(Keyspace { durable_writes, ..Keyspace::new(name, replication) })
}

/// A user-defined type. Its number says when it was made, so that types are read back in an order
/// in which each finds those it uses.
pub(crate) fn encode_type(user_type: &UserType, number: u32) -> Bytes {
    let mut out = start();
    out.put_i32(number as i32);
    let fields: Vec<_> =
        user_type.named_fields().map(|(name, field)| (name.clone(), field.text())).collect();
    out.put_string_map(&fields);
    out.freeze()
}

/// A type whose fields still are words.
pub(crate) struct RawUdt {
    pub(crate) number: u32,
    pub(crate) fields: Vec<(String, String)>,
}

/// What [`encode_type`] wrote.
pub(crate) fn decode_type(record: &Bytes) -> Result<RawUdt, CorruptSchema> {
    let mut reader = open(record)?;
    let number = reader.int()? as u32;
    Ok(RawUdt { number, fields: reader.string_map()? })
}

/// The type of words in a keyspace.
pub(crate) fn resolve_text(text: &str, keyspace: &Keyspace) -> Result<ColumnType, CorruptSchema> {
    let raw = parse_type(text).map_err(|error| CorruptSchema(error.to_string()))?;
    types::resolve_field(&raw, keyspace).map_err(|error| CorruptSchema(error.to_string()))
}

/// A table.
pub(crate) fn encode_table(table: &Table) -> Bytes {
    let mut out = start();
    out.put_uuid(table.id);
    out.put_uuid(table.space);
    out.put_u32(table.next_column_id);
    out.put_count(table.columns.len());
    for column in &table.columns {
        out.put_u32(column.id);
        out.put_string(&column.name);
        out.put_string(&column.column_type.text());
        out.put_u8(column.kind as u8);
        out.put_u8(u8::from(column.descending));
    }
    out.put_count(table.options.given.len());
    for (name, value) in &table.options.given {
        out.put_string(name);
        match value {
            PropertyValue::Text(text) => {
                out.put_u8(0);
                out.put_long_string(text);
            }
            PropertyValue::Map(map) => {
                out.put_u8(1);
                out.put_string_map(&map.iter().collect::<Vec<_>>());
            }
        }
    }
    out.put_count(table.dropped.len());
    for dropped in &table.dropped {
        out.put_string(&dropped.name);
        out.put_string(&dropped.type_text);
        out.put_u8(u8::from(dropped.is_static));
        out.put_i64(dropped.dropped_ms);
    }
    out.freeze()
}

/// What [`encode_table`] wrote.
pub(crate) fn decode_table(
    name: &str,
    keyspace: &Keyspace,
    record: &Bytes,
) -> Result<Table, CorruptSchema> {
    let mut reader = open(record)?;
    let (id, space) = (reader.uuid()?, reader.uuid()?);
    let next_column_id = reader.int()? as u32;
    let mut columns = Vec::new();
    for _ in 0..reader.short()? {
        let id = reader.int()? as u32;
        let name = reader.string()?;
        let column_type = resolve_text(&reader.string()?, keyspace)?;
        let kind = match reader.byte()? {
            0 => ColumnKind::PartitionKey,
            1 => ColumnKind::Clustering,
            2 => ColumnKind::Static,
            3 => ColumnKind::Regular,
            other => return Err(CorruptSchema(format!("column kind {other}"))),
        };
        let descending = reader.byte()? != 0;
        columns.push(Column { id, name, column_type, kind, descending });
    }
    let mut given = BTreeMap::new();
    for _ in 0..reader.short()? {
        let name = reader.string()?;
        let value = match reader.byte()? {
            0 => PropertyValue::Text(reader.long_string()?),
            _ => PropertyValue::Map(reader.string_map()?.into_iter().collect()),
        };
        given.insert(name, value);
    }
    let mut table = Table::new(id, &keyspace.name, name, columns, TableOptions { given });
    table.space = space;
    table.next_column_id = next_column_id;
    for _ in 0..reader.short()? {
        table.dropped.push(DroppedColumn {
            name: reader.string()?,
            type_text: reader.string()?,
            is_static: reader.byte()? != 0,
            dropped_ms: reader.long()?,
        });
    }
    Ok(table)
}
