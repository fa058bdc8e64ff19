//! `<metadata>`: the columns of rows, or the markers of a statement. Spec v5, section 4.2.5.2.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};

use crate::types::{read_type, write_type};
use crate::{CqlType, Reader, Version, WireError, WireWrite};

const GLOBAL_TABLE: i32 = 0x01;
const HAS_MORE_PAGES: i32 = 0x02;
const NO_METADATA: i32 = 0x04;
const METADATA_CHANGED: i32 = 0x08;

/// A column of a result, or a marker of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSpec {
    /// The keyspace of its table.
    pub keyspace: Arc<str>,
    /// Its table.
    pub table: Arc<str>,
    /// Its name, or what the statement calls it.
    pub name: String,
    /// What its values are.
    pub cql_type: CqlType,
}

fn one_table(columns: &[ColumnSpec]) -> Option<&ColumnSpec> {
    let (first, rest) = columns.split_first()?;
    let same =
        |column: &ColumnSpec| column.keyspace == first.keyspace && column.table == first.table;
    rest.iter().all(same).then_some(first)
}

fn write_columns(columns: &[ColumnSpec], version: Version, body: &mut BytesMut) {
    let global = one_table(columns);
    if let Some(first) = global {
        body.put_string(&first.keyspace);
        body.put_string(&first.table);
    }
    for column in columns {
        if global.is_none() {
            body.put_string(&column.keyspace);
            body.put_string(&column.table);
        }
        body.put_string(&column.name);
        write_type(&column.cql_type, version, body);
    }
}

fn read_columns(
    reader: &mut Reader,
    is_global: bool,
    count: usize,
) -> Result<Vec<ColumnSpec>, WireError> {
    let read_table = |reader: &mut Reader| -> Result<(Arc<str>, Arc<str>), WireError> {
        Ok((reader.string()?.into(), reader.string()?.into()))
    };
    let global = if is_global { Some(read_table(reader)?) } else { None };
    let mut columns = Vec::with_capacity(reader.capacity(count, 4));
    for _ in 0..count {
        let (keyspace, table) = match &global {
            Some(global) => global.clone(),
            None => read_table(reader)?,
        };
        let (name, cql_type) = (reader.string()?, read_type(reader)?);
        columns.push(ColumnSpec { keyspace, table, name, cql_type });
    }
    Ok(columns)
}

fn read_count(reader: &mut Reader, what: &'static str) -> Result<usize, WireError> {
    let count = reader.int()?;
    usize::try_from(count).map_err(|_| WireError::invalid(what, count))
}

/// The columns of rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResultMetadata {
    /// The columns; with `no_metadata` only their number travels, and a client that reads it gets
    /// none.
    pub columns: Arc<Vec<ColumnSpec>>,
    /// The client has them already.
    pub no_metadata: bool,
    /// Where the next page starts, if there is one.
    pub paging_state: Option<Bytes>,
    /// The client's metadata are out of date; these carry their new id (v5).
    pub new_metadata_id: Option<Bytes>,
}

impl ResultMetadata {
    /// All of a result in one page.
    pub fn of(columns: Arc<Vec<ColumnSpec>>) -> ResultMetadata {
        ResultMetadata { columns, ..ResultMetadata::default() }
    }

    pub(super) fn encode(&self, version: Version, body: &mut BytesMut) {
        // New metadata are always sent in full.
        let new_id = self.new_metadata_id.as_ref().filter(|_| version >= Version::V5);
        let no_metadata = self.no_metadata && new_id.is_none();
        let mut flags = 0;
        for (present, flag) in [
            (!no_metadata && one_table(&self.columns).is_some(), GLOBAL_TABLE),
            (self.paging_state.is_some(), HAS_MORE_PAGES),
            (no_metadata, NO_METADATA),
            (new_id.is_some(), METADATA_CHANGED),
        ] {
            flags |= if present { flag } else { 0 };
        }
        body.put_i32(flags);
        body.put_i32(i32::try_from(self.columns.len()).unwrap_or(i32::MAX));
        if let Some(paging_state) = &self.paging_state {
            body.put_value(Some(paging_state));
        }
        if let Some(id) = new_id {
            body.put_short_bytes(id);
        }
        if !no_metadata {
            write_columns(&self.columns, version, body);
        }
    }

    /// Metadata and the number of columns, which is all that `no_metadata` leaves.
    pub(super) fn decode(reader: &mut Reader) -> Result<(ResultMetadata, usize), WireError> {
        let flags = reader.int()?;
        let count = read_count(reader, "column count")?;
        let paging_state = if flags & HAS_MORE_PAGES != 0 { reader.bytes()? } else { None };
        let new_metadata_id =
            if flags & METADATA_CHANGED != 0 { Some(reader.short_bytes()?) } else { None };
        let no_metadata = flags & NO_METADATA != 0;
        let columns = if no_metadata {
            Vec::new()
        } else {
            read_columns(reader, flags & GLOBAL_TABLE != 0, count)?
        };
        let columns = Arc::new(columns);
        Ok((ResultMetadata { columns, no_metadata, paging_state, new_metadata_id }, count))
    }
}

/// The markers of a prepared statement.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PreparedMetadata {
    /// One per marker.
    pub columns: Vec<ColumnSpec>,
    /// Which markers make up the partition key, in its order; empty if they do not (v4 on).
    pub partition_key: Vec<u16>,
}

impl PreparedMetadata {
    pub(super) fn encode(&self, version: Version, body: &mut BytesMut) {
        let is_global = one_table(&self.columns).is_some();
        body.put_i32(if is_global { GLOBAL_TABLE } else { 0 });
        body.put_i32(i32::try_from(self.columns.len()).unwrap_or(i32::MAX));
        if version >= Version::V4 {
            body.put_i32(i32::try_from(self.partition_key.len()).unwrap_or(i32::MAX));
            for index in &self.partition_key {
                body.put_u16(*index);
            }
        }
        write_columns(&self.columns, version, body);
    }

    pub(super) fn decode(
        reader: &mut Reader,
        version: Version,
    ) -> Result<PreparedMetadata, WireError> {
        let flags = reader.int()?;
        let count = read_count(reader, "column count")?;
        let mut partition_key = Vec::new();
        if version >= Version::V4 {
            let indexes = read_count(reader, "partition key count")?;
            partition_key.reserve(reader.capacity(indexes, 2));
            for _ in 0..indexes {
                partition_key.push(reader.short()?);
            }
        }
        let columns = read_columns(reader, flags & GLOBAL_TABLE != 0, count)?;
        Ok(PreparedMetadata { columns, partition_key })
    }
}
