//! Modifications made: rows read under the shard's lock, merged, written back.

use std::sync::Arc;

use bytes::Bytes;
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::value::collection;

use super::context::{Environment, UUID_EPOCH_TICKS, timeuuid};
use super::modification::{BoundModification, BoundOperation, Effect, Place, elements};
use crate::error::CqlError;
use crate::schema::table::{ColumnKind, Table};
use crate::storage::byte_comparable::compare;
use crate::storage::cell::{Cell, CellState, Deletion, Expiry};
use crate::storage::header::{Header, RANGE_TOMBSTONES_MAX};
use crate::storage::key::{PartitionPrefix, Slice};
use crate::storage::partition::LiveRow;
use crate::storage::row::{Complex, Liveness, RowData};
use crate::storage::row_codec;
use crate::storage::writer::WriteView;

/// Rows that a deletion of a range or partition removes at once; what is covered beyond that stays
/// on the disk, unseen.
const ROWS_REMOVED_MAX: usize = 1000;

/// 2010-01-01 in 100 ns since 1582: around it, the places of prepended elements run backwards.
const PREPEND_REFERENCE: i64 = 1_262_304_000_000 * 10_000 + UUID_EPOCH_TICKS;

/// Makes modifications, one after the other, in one view.
pub(crate) struct Mutator<'v, 'w> {
    pub(crate) view: &'v mut WriteView<'w>,
    pub(crate) environment: &'v Environment,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

impl Mutator<'_, '_> {
    fn header(&self, table: &Table, prefix: &PartitionPrefix) -> Result<Header, CqlError> {
        // A table without clustering has one row per partition, and no header beside it.
        if table.clustering_count == 0 {
            return Ok(Header::default());
        }
        match self.view.get(table.space, &prefix.header())? {
            Some(stored) => Ok(Header::decode(&stored)?.1),
            None => Ok(Header::default()),
        }
    }

    /// A row as it is stored, with its clustering if it is there.
    fn stored(
        &self,
        table: &Table,
        key: &Bytes,
    ) -> Result<(Option<Vec<Bytes>>, RowData), CqlError> {
        match self.view.get(table.space, key)? {
            Some(stored) => {
                let (_, ck, row) = row_codec::decode(&stored)?;
                Ok((Some(ck), row))
            }
            None => Ok((None, RowData::default())),
        }
    }

    /// A row as a reader would see it now, and whether it is there.
    pub(crate) fn live_row(
        &self,
        table: &Table,
        pk: &Arc<[Bytes]>,
        prefix: &PartitionPrefix,
        ck: &[Bytes],
    ) -> Result<(LiveRow, bool), CqlError> {
        let mut header = self.header(table, prefix)?;
        let key = prefix.row(&table.encode_clustering(ck));
        let (_, mut data) = self.stored(table, &key)?;
        let clustering = prefix.strip(&key).unwrap_or_default();
        let exists = data.keep_live(header.deletion_of(clustering), self.now);
        let mut statics = std::mem::take(&mut header.statics);
        statics.keep_live(header.deletion, self.now);
        let row =
            LiveRow { key, pk: pk.clone(), ck: ck.to_vec(), data, statics: Arc::new(statics) };
        Ok((row, exists))
    }

    /// Makes a modification.
    pub(crate) fn apply(&mut self, change: &BoundModification) -> Result<(), CqlError> {
        for (pk, prefix) in &change.keys {
            for place in &change.places {
                match place {
                    Place::Static => self.change_static(change, pk, prefix)?,
                    Place::Row(ck) => self.change_row(change, pk, prefix, ck)?,
                    Place::Range(slice) => self.delete_range(change, pk, prefix, slice)?,
                    Place::Partition => self.delete_partition(change, pk, prefix)?,
                }
            }
        }
        Ok(())
    }

    fn deletion(&self, change: &BoundModification) -> Deletion {
        Deletion { timestamp: change.timestamp, second: self.now }
    }

    fn put_header(
        &mut self,
        table: &Table,
        pk: &[Bytes],
        prefix: &PartitionPrefix,
        header: &Header,
    ) {
        self.view.put(table.space, prefix.header(), header.encode(pk));
    }

    fn change_static(
        &mut self,
        change: &BoundModification,
        pk: &[Bytes],
        prefix: &PartitionPrefix,
    ) -> Result<(), CqlError> {
        let table = &change.table;
        let mut header = self.header(table, prefix)?;
        let update = self.update(change, ColumnKind::Static, &header.statics, header.deletion)?;
        header.statics.merge(update);
        header.statics.prune(header.deletion);
        self.put_header(table, pk, prefix, &header);
        Ok(())
    }

    fn change_row(
        &mut self,
        change: &BoundModification,
        pk: &[Bytes],
        prefix: &PartitionPrefix,
        ck: &[Bytes],
    ) -> Result<(), CqlError> {
        let table = &change.table;
        let key = prefix.row(&table.encode_clustering(ck));
        if key.len() > crate::storage::key::KEY_BYTES_MAX {
            return Err(CqlError::invalid(format!(
                "Key length of {} is longer than maximum of {}",
                key.len(),
                crate::storage::key::KEY_BYTES_MAX
            )));
        }
        // Of 1.5 and 1.50, which are one clustering, the first one written is the one shown.
        let (first, mut row) = self.stored(table, &key)?;
        let ck = first.as_deref().unwrap_or(ck);
        let mut update = match change.effect {
            Effect::DeleteRows => RowData { deletion: self.deletion(change), ..RowData::default() },
            _ => {
                let clustering = prefix.strip(&key).unwrap_or_default();
                // Only what must read lists and counters needs to know what covers the row.
                let covering = match reads(change) {
                    true => self.header(table, prefix)?.deletion_of(clustering),
                    false => Deletion::NONE,
                };
                self.update(change, ColumnKind::Regular, &row, covering)?
            }
        };
        if change.effect == Effect::Insert {
            let (timestamp, expiry) = (change.timestamp, self.expiry(change));
            update.liveness = Some(Liveness { timestamp, expiry });
        }
        row.merge(update);
        if row.is_empty() {
            return Ok(());
        }
        self.view.put(table.space, key, row_codec::encode(pk, ck, &row));
        Ok(())
    }

    fn delete_partition(
        &mut self,
        change: &BoundModification,
        pk: &[Bytes],
        prefix: &PartitionPrefix,
    ) -> Result<(), CqlError> {
        let table = &change.table;
        let deletion = self.deletion(change);
        if table.clustering_count == 0 {
            return self.change_row(change, pk, prefix, &[]);
        }
        let mut header = self.header(table, prefix)?;
        header.delete(deletion);
        self.put_header(table, pk, prefix, &header);
        self.remove_covered(table, prefix, &Slice::all(), deletion)
    }

    fn delete_range(
        &mut self,
        change: &BoundModification,
        pk: &[Bytes],
        prefix: &PartitionPrefix,
        slice: &Slice,
    ) -> Result<(), CqlError> {
        let table = &change.table;
        let deletion = self.deletion(change);
        let mut header = self.header(table, prefix)?;
        header.delete_range(slice, deletion);
        if header.ranges.len() > RANGE_TOMBSTONES_MAX {
            return Err(CqlError::invalid(format!(
                "A partition keeps at most {RANGE_TOMBSTONES_MAX} deleted ranges"
            )));
        }
        self.put_header(table, pk, prefix, &header);
        self.remove_covered(table, prefix, slice, deletion)
    }

    /// Removes rows of which a deletion leaves nothing.
    fn remove_covered(
        &mut self,
        table: &Table,
        prefix: &PartitionPrefix,
        slice: &Slice,
        deletion: Deletion,
    ) -> Result<(), CqlError> {
        let (start, end) = (prefix.with(&slice.start.0), prefix.with(&slice.end.0));
        let entries = self.view.range(table.space, &start, &end, ROWS_REMOVED_MAX)?;
        for (key, stored) in entries {
            let (_, _, mut row) = row_codec::decode(&stored)?;
            row.prune(deletion);
            if deletion.covers(row.deletion.timestamp) {
                row.deletion = Deletion::NONE;
            }
            if row.is_empty() {
                self.view.remove(table.space, key);
            }
        }
        Ok(())
    }

    fn expiry(&self, change: &BoundModification) -> Option<Expiry> {
        (change.ttl > 0).then(|| Expiry { ttl: change.ttl, at: self.now + i64::from(change.ttl) })
    }

    fn cell(&self, change: &BoundModification, value: Option<Bytes>) -> Cell {
        let state = match (value, self.expiry(change)) {
            (Some(value), Some(expiry)) => CellState::Expiring(value, expiry),
            (Some(value), None) => CellState::Live(value),
            (None, _) => CellState::Tombstone(self.now),
        };
        Cell { timestamp: change.timestamp, state }
    }

    /// The change of a row's columns of one kind.
    fn update(
        &self,
        change: &BoundModification,
        kind: ColumnKind,
        stored: &RowData,
        covering: Deletion,
    ) -> Result<RowData, CqlError> {
        let table = &change.table;
        let mut update = RowData::default();
        for (at, operation) in &change.operations {
            let column = &table.columns[*at];
            if column.kind != kind {
                continue;
            }
            let is_multi_cell = column.column_type.is_multi_cell();
            let cql = &column.column_type.cql;
            match operation {
                BoundOperation::Count(number) => {
                    let known = live_column(stored, column.id, covering, self.now);
                    let known = known.and_then(|it| super::selection::assemble(cql, &it));
                    let known = known.and_then(|raw| raw[..].try_into().ok());
                    let sum = known.map_or(0, i64::from_be_bytes).wrapping_add(*number);
                    let mut cell = self.cell(change, Some(super::context::long_bytes(sum)));
                    // A counter's clock runs here: a client's must not make it stand still.
                    cell.timestamp = self.environment.timestamp();
                    update.put_cell(column.id, cell);
                }
                BoundOperation::Set(value) if !is_multi_cell => {
                    update.put_cell(column.id, self.cell(change, value.clone()));
                }
                BoundOperation::Delete if !is_multi_cell => {
                    update.put_cell(column.id, self.cell(change, None));
                }
                parts => {
                    let known = live_column(stored, column.id, covering, self.now);
                    let known = match known {
                        Some(crate::storage::row::ColumnData::Complex(known)) => known,
                        _ => Complex::new(),
                    };
                    let complex = update.complex(column.id);
                    self.change_parts(change, cql, parts, &known, complex)?;
                }
            }
        }
        Ok(update)
    }

    /// The change of a collection's or user-defined type's parts. `known` is what is live.
    fn change_parts(
        &self,
        change: &BoundModification,
        cql: &CqlType,
        operation: &BoundOperation,
        known: &Complex,
        complex: &mut Complex,
    ) -> Result<(), CqlError> {
        match operation {
            BoundOperation::Set(value) => {
                // What is replaced is older than what replaces it by one.
                let timestamp = change.timestamp.saturating_sub(1);
                complex.deletion = Deletion { timestamp, second: self.now };
                if let Some(value) = value {
                    self.add_parts(change, cql, value, complex)?;
                }
            }
            BoundOperation::Delete => complex.deletion = self.deletion(change),
            BoundOperation::Append(value) => self.add_parts(change, cql, value, complex)?,
            BoundOperation::Prepend(value) => {
                // The last of them gets the latest place: they stay in their order.
                for item in elements(value.clone())?.into_iter().rev() {
                    let now =
                        crate::query::context::ticks_of(self.environment.timeuuid().as_bytes());
                    let before = PREPEND_REFERENCE - (now - PREPEND_REFERENCE);
                    let path = timeuuid(before, self.environment.random.u64());
                    let path = Bytes::copy_from_slice(path.as_bytes());
                    complex.put(path, self.cell(change, Some(item)));
                }
            }
            BoundOperation::Discard(value) => {
                for item in elements(value.clone())? {
                    match cql {
                        CqlType::List(element) => {
                            let same = known.cells.iter().filter(|(_, cell)| {
                                cell.value().is_some_and(|it| compare(element, it, &item).is_eq())
                            });
                            for (path, _) in same {
                                complex.put(path.clone(), self.cell(change, None));
                            }
                        }
                        _ => complex.put(item, self.cell(change, None)),
                    }
                }
            }
            BoundOperation::SetElement(key, value) => {
                let path = match cql {
                    CqlType::List(_) => list_path(known, key, "set an element on")?,
                    _ => key.clone(),
                };
                complex.put(path, self.cell(change, value.clone()));
            }
            BoundOperation::DeleteElement(key) => {
                let path = match cql {
                    CqlType::List(_) => list_path(known, key, "delete an element from")?,
                    _ => key.clone(),
                };
                complex.put(path, self.cell(change, None));
            }
            BoundOperation::SetField(at, value) => {
                let path = Bytes::copy_from_slice(&at.to_be_bytes());
                complex.put(path, self.cell(change, value.clone()));
            }
            BoundOperation::DeleteField(at) => {
                let path = Bytes::copy_from_slice(&at.to_be_bytes());
                complex.put(path, self.cell(change, None));
            }
            BoundOperation::Count(_) => {}
        }
        Ok(())
    }

    fn add_parts(
        &self,
        change: &BoundModification,
        cql: &CqlType,
        value: &Bytes,
        complex: &mut Complex,
    ) -> Result<(), CqlError> {
        let broken =
            |error: tidemill_cql_wire::value::ValueError| CqlError::invalid(error.to_string());
        match cql {
            CqlType::Map(..) => {
                for (key, value) in collection::pairs(value.clone()).map_err(broken)? {
                    complex.put(key, self.cell(change, Some(value)));
                }
            }
            CqlType::Set(_) => {
                for item in elements(value.clone())? {
                    complex.put(item, self.cell(change, Some(Bytes::new())));
                }
            }
            CqlType::Udt(udt) => {
                let fields = collection::fields(value.clone(), udt.fields.len()).map_err(broken)?;
                for (at, field) in (0_u16..).zip(fields) {
                    let path = Bytes::copy_from_slice(&at.to_be_bytes());
                    complex.put(path, self.cell(change, field));
                }
            }
            _ => {
                for item in elements(value.clone())? {
                    let path = self.environment.timeuuid();
                    let path = Bytes::copy_from_slice(path.as_bytes());
                    complex.put(path, self.cell(change, Some(item)));
                }
            }
        }
        Ok(())
    }
}

/// Whether a change depends on what a row holds.
fn reads(change: &BoundModification) -> bool {
    change.operations.iter().any(|(at, operation)| {
        let is_list = matches!(change.table.columns[*at].column_type.cql, CqlType::List(_));
        match operation {
            BoundOperation::Count(_) => true,
            BoundOperation::SetElement(..)
            | BoundOperation::DeleteElement(_)
            | BoundOperation::Discard(_) => is_list,
            _ => false,
        }
    })
}

/// A column's live parts.
fn live_column(
    stored: &RowData,
    id: u32,
    covering: Deletion,
    now: i64,
) -> Option<crate::storage::row::ColumnData> {
    let mut only = RowData {
        columns: vec![(id, stored.column(id)?.clone())],
        deletion: stored.deletion,
        liveness: None,
    };
    only.keep_live(covering, now);
    only.columns.pop().map(|(_, data)| data)
}

/// The place of a list's element by its number.
fn list_path(known: &Complex, key: &Bytes, what: &str) -> Result<Bytes, CqlError> {
    let at = key[..].try_into().map(i32::from_be_bytes).unwrap_or(-1);
    if known.cells.is_empty() {
        return Err(CqlError::invalid(format!("Attempted to {what} a list which is null")));
    }
    let mut paths: Vec<&Bytes> = known.cells.iter().map(|(path, _)| path).collect();
    paths.sort_by(|a, b| compare(&CqlType::Timeuuid, a, b));
    let found = usize::try_from(at).ok().and_then(|at| paths.get(at));
    found.map(|path| (*path).clone()).ok_or_else(|| {
        CqlError::invalid(format!("List index {at} out of bound, list has size {}", paths.len()))
    })
}
