//! RESULT of kind Rows: metadata, and cells in a row.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};

use super::{ColumnSpec, ResultMetadata};
use crate::{Reader, Version, WireError, WireWrite};

/// Rows as they travel: the cells stay in one piece of memory until somebody asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The columns.
    pub metadata: ResultMetadata,
    /// How many rows.
    pub count: usize,
    /// Cells per row.
    columns: usize,
    /// All cells, row by row, each a `[bytes]`.
    cells: Bytes,
}

impl Rows {
    /// The rows, from the first.
    pub fn iter(&self) -> RowIter {
        RowIter { reader: Reader::new(self.cells.clone()), left: self.count, columns: self.columns }
    }

    pub(super) fn encode(&self, version: Version, body: &mut BytesMut) {
        self.metadata.encode(version, body);
        body.put_i32(i32::try_from(self.count).unwrap_or(i32::MAX));
        body.put_slice(&self.cells);
    }

    pub(super) fn decode(reader: &mut Reader) -> Result<Rows, WireError> {
        let (metadata, columns) = ResultMetadata::decode(reader)?;
        let count = reader.int()?;
        let count = usize::try_from(count).map_err(|_| WireError::invalid("row count", count))?;
        let cells = reader.clone().rest();
        let announced = count.saturating_mul(columns).saturating_mul(4);
        if announced > cells.len() {
            let (what, left) = ("rows", cells.len());
            return Err(WireError::Truncated { what, needed: announced, left });
        }
        Ok(Rows { metadata, count, columns, cells })
    }
}

/// Rows, one after the other.
#[derive(Debug)]
pub struct RowIter {
    reader: Reader,
    left: usize,
    columns: usize,
}

impl Iterator for RowIter {
    type Item = Result<Vec<Option<Bytes>>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Rows without columns carry nothing that could be counted down from memory.
        if self.left == 0 || self.columns == 0 {
            return None;
        }
        self.left -= 1;
        Some((0..self.columns).map(|_| self.reader.bytes()).collect())
    }
}

/// Makes [`Rows`], writing cells where they will travel from.
#[derive(Debug)]
pub struct RowsBuilder {
    columns: Arc<Vec<ColumnSpec>>,
    cells: BytesMut,
    count: usize,
}

impl RowsBuilder {
    /// No rows of these columns yet.
    pub fn new(columns: Arc<Vec<ColumnSpec>>) -> RowsBuilder {
        RowsBuilder { columns, cells: BytesMut::new(), count: 0 }
    }

    /// Adds a row: one cell per column.
    pub fn push<C: AsRef<[u8]>>(&mut self, cells: impl IntoIterator<Item = Option<C>>) {
        for cell in cells {
            self.cells.put_value(cell.as_ref().map(AsRef::as_ref));
        }
        self.count += 1;
    }

    /// Rows so far.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Bytes of all cells so far.
    pub fn bytes(&self) -> usize {
        self.cells.len()
    }

    /// All rows, with no next page.
    pub fn finish(self) -> Rows {
        Rows {
            count: self.count,
            columns: self.columns.len(),
            cells: self.cells.freeze(),
            metadata: ResultMetadata::of(self.columns),
        }
    }
}
