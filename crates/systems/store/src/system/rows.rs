//! Makes rows of a table from names and values.

use std::collections::BTreeMap;

use bytes::Bytes;
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::value::collection;

use crate::schema::table::{ColumnKind, Table};
use crate::storage::cell::{Cell, CellState};
use crate::storage::key::PartitionPrefix;
use crate::storage::row::{Liveness, RowData};
use crate::storage::row_codec;

/// Rows so far.
pub(super) struct RowMaker<'a> {
    table: &'a Table,
    rows: BTreeMap<Bytes, Bytes>,
}

impl<'a> RowMaker<'a> {
    /// No rows yet.
    pub(super) fn new(table: &'a Table) -> RowMaker<'a> {
        RowMaker { table, rows: BTreeMap::new() }
    }

    /// Adds a row: columns that are not named have no value. Key columns must be.
    pub(super) fn add(&mut self, values: &[(&str, Bytes)]) {
        let value = |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, v)| v);
        let key = |columns: &[crate::schema::table::Column]| -> Vec<Bytes> {
            columns.iter().map(|it| value(&it.name).cloned().unwrap_or_default()).collect()
        };
        let (pk, ck) = (key(self.table.partition_key()), key(self.table.clustering()));
        let liveness = Some(Liveness { timestamp: 0, expiry: None });
        let mut row = RowData { liveness, ..RowData::default() };
        let live = |value: Bytes| Cell { timestamp: 0, state: CellState::Live(value) };
        for column in self.table.values().iter().filter(|it| it.kind == ColumnKind::Regular) {
            let Some(value) = value(&column.name) else { continue };
            if !column.column_type.is_multi_cell() {
                row.put_cell(column.id, live(value.clone()));
                continue;
            }
            let complex = row.complex(column.id);
            let parts = match &column.column_type.cql {
                CqlType::Map(..) => collection::pairs(value.clone()).unwrap_or_default(),
                _ => {
                    let items = collection::elements(value.clone()).unwrap_or_default();
                    items.into_iter().map(|item| (item, Bytes::new())).collect()
                }
            };
            for (path, value) in parts {
                complex.put(path, live(value));
            }
        }
        let prefix = PartitionPrefix::new(&self.table.key_types, &pk);
        let key = prefix.row(&self.table.encode_clustering(&ck));
        self.rows.insert(key, row_codec::encode(&pk, &ck, &row));
    }

    /// All rows.
    pub(super) fn finish(self) -> BTreeMap<Bytes, Bytes> {
        self.rows
    }
}

/// A text.
pub(super) fn text(value: &str) -> Bytes {
    Bytes::copy_from_slice(value.as_bytes())
}

/// A list or set of texts.
pub(super) fn texts<S: AsRef<str>>(values: &[S]) -> Bytes {
    let values: Vec<&[u8]> = values.iter().map(|value| value.as_ref().as_bytes()).collect();
    collection::from_elements(&values)
}

/// A map of texts.
pub(super) fn text_map(values: &BTreeMap<String, String>) -> Bytes {
    let pairs: Vec<(&[u8], &[u8])> =
        values.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes())).collect();
    collection::from_pairs(&pairs)
}

/// An int.
pub(super) fn int(value: i32) -> Bytes {
    Bytes::copy_from_slice(&value.to_be_bytes())
}

/// A bigint or timestamp.
pub(super) fn long(value: i64) -> Bytes {
    Bytes::copy_from_slice(&value.to_be_bytes())
}

/// A double.
pub(super) fn double(value: f64) -> Bytes {
    Bytes::copy_from_slice(&value.to_be_bytes())
}

/// A boolean.
pub(super) fn boolean(value: bool) -> Bytes {
    Bytes::from_static(if value { &[1] } else { &[0] })
}

/// A UUID.
pub(super) fn uuid(value: uuid::Uuid) -> Bytes {
    Bytes::copy_from_slice(value.as_bytes())
}

/// An address.
pub(super) fn inet(value: std::net::IpAddr) -> Bytes {
    match value {
        std::net::IpAddr::V4(v4) => Bytes::copy_from_slice(&v4.octets()),
        std::net::IpAddr::V6(v6) => Bytes::copy_from_slice(&v6.octets()),
    }
}
