//! A stored row's bytes: version, flags, key, liveness, deletion, cells. `docs/formats/store.md`.
//!
//! The raw key travels in the value: some encodings in the key cannot be turned back (1.0 and 1.00
//! are one clustering).

use bytes::{BufMut, Bytes, BytesMut};
use tidemill_cql_wire::value::{read_unsigned_vint, read_vint, write_unsigned_vint, write_vint};

use super::cell::{Cell, CellState, Deletion, Expiry};
use super::row::{ColumnData, Complex, Liveness, RowData};

const VERSION: u8 = 1;

const HAS_LIVENESS: u8 = 0x01;
const LIVENESS_EXPIRES: u8 = 0x02;
const HAS_DELETION: u8 = 0x04;

const LIVE: u8 = 0;
const EXPIRING: u8 = 1;
const TOMBSTONE: u8 = 2;
const COMPLEX: u8 = 3;

/// Bytes that no version of this program wrote, or that the disk changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored row cannot be read")]
pub(crate) struct CorruptRow;

/// Partition key, clustering, content.
pub(crate) type StoredRow = (Vec<Bytes>, Vec<Bytes>, RowData);

/// The value of a row.
pub(crate) fn encode(pk: &[Bytes], ck: &[Bytes], row: &RowData) -> Bytes {
    let mut out = BytesMut::with_capacity(64);
    out.put_u8(VERSION);
    let mut flags = 0;
    if let Some(liveness) = &row.liveness {
        flags |= HAS_LIVENESS;
        flags |= if liveness.expiry.is_some() { LIVENESS_EXPIRES } else { 0 };
    }
    flags |= if row.deletion.is_none() { 0 } else { HAS_DELETION };
    out.put_u8(flags);
    put_components(pk, &mut out);
    put_components(ck, &mut out);
    if let Some(liveness) = &row.liveness {
        write_vint(liveness.timestamp, &mut out);
        put_expiry(liveness.expiry, &mut out);
    }
    if !row.deletion.is_none() {
        put_deletion(row.deletion, &mut out);
    }
    // Most cells were written with the row: their timestamps are small differences.
    let base = row.liveness.map_or(0, |liveness| liveness.timestamp);
    write_unsigned_vint(row.columns.len() as u64, &mut out);
    for (id, data) in &row.columns {
        write_unsigned_vint(u64::from(*id), &mut out);
        match data {
            ColumnData::Simple(cell) => put_cell(cell, base, &mut out),
            ColumnData::Complex(complex) => {
                out.put_u8(COMPLEX);
                out.put_u8(u8::from(!complex.deletion.is_none()));
                if !complex.deletion.is_none() {
                    put_deletion(complex.deletion, &mut out);
                }
                write_unsigned_vint(complex.cells.len() as u64, &mut out);
                for (path, cell) in &complex.cells {
                    put_bytes(path, &mut out);
                    put_cell(cell, base, &mut out);
                }
            }
        }
    }
    out.freeze()
}

fn put_components(components: &[Bytes], out: &mut BytesMut) {
    write_unsigned_vint(components.len() as u64, out);
    for component in components {
        put_bytes(component, out);
    }
}

fn put_bytes(bytes: &[u8], out: &mut BytesMut) {
    write_unsigned_vint(bytes.len() as u64, out);
    out.put_slice(bytes);
}

fn put_expiry(expiry: Option<Expiry>, out: &mut BytesMut) {
    if let Some(expiry) = expiry {
        write_vint(i64::from(expiry.ttl), out);
        write_vint(expiry.at, out);
    }
}

pub(super) fn put_deletion(deletion: Deletion, out: &mut BytesMut) {
    write_vint(deletion.timestamp, out);
    write_vint(deletion.second, out);
}

fn put_cell(cell: &Cell, base: i64, out: &mut BytesMut) {
    let delta = cell.timestamp.wrapping_sub(base);
    match &cell.state {
        CellState::Live(value) => {
            out.put_u8(LIVE);
            write_vint(delta, out);
            put_bytes(value, out);
        }
        CellState::Expiring(value, expiry) => {
            out.put_u8(EXPIRING);
            write_vint(delta, out);
            put_expiry(Some(*expiry), out);
            put_bytes(value, out);
        }
        CellState::Tombstone(second) => {
            out.put_u8(TOMBSTONE);
            write_vint(delta, out);
            write_vint(*second, out);
        }
    }
}

/// What [`encode`] wrote.
pub(crate) fn decode(stored: &Bytes) -> Result<StoredRow, CorruptRow> {
    let mut input = Input { all: stored, rest: stored };
    if input.byte()? != VERSION {
        return Err(CorruptRow);
    }
    let flags = input.byte()?;
    let (pk, ck) = (input.components()?, input.components()?);
    let mut row = RowData::default();
    if flags & HAS_LIVENESS != 0 {
        let timestamp = input.vint()?;
        let expiry = if flags & LIVENESS_EXPIRES != 0 { Some(input.expiry()?) } else { None };
        row.liveness = Some(Liveness { timestamp, expiry });
    }
    if flags & HAS_DELETION != 0 {
        row.deletion = input.deletion()?;
    }
    let base = row.liveness.map_or(0, |liveness| liveness.timestamp);
    let count = input.count()?;
    row.columns.reserve(count);
    for _ in 0..count {
        let id = u32::try_from(input.unsigned()?).map_err(|_| CorruptRow)?;
        let kind = input.byte()?;
        let data = match kind {
            COMPLEX => ColumnData::Complex(input.complex(base)?),
            kind => ColumnData::Simple(input.cell(kind, base)?),
        };
        row.columns.push((id, data));
    }
    Ok((pk, ck, row))
}

/// Reads from front to back; what it hands out shares the row's memory.
pub(super) struct Input<'a> {
    pub(super) all: &'a Bytes,
    pub(super) rest: &'a [u8],
}

impl Input<'_> {
    pub(super) fn byte(&mut self) -> Result<u8, CorruptRow> {
        let (first, rest) = self.rest.split_first().ok_or(CorruptRow)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(super) fn vint(&mut self) -> Result<i64, CorruptRow> {
        read_vint(&mut self.rest).ok_or(CorruptRow)
    }

    fn unsigned(&mut self) -> Result<u64, CorruptRow> {
        read_unsigned_vint(&mut self.rest).ok_or(CorruptRow)
    }

    /// A number of items, each at least one byte long.
    pub(super) fn count(&mut self) -> Result<usize, CorruptRow> {
        let count = usize::try_from(self.unsigned()?).map_err(|_| CorruptRow)?;
        if count > self.rest.len() { Err(CorruptRow) } else { Ok(count) }
    }

    pub(super) fn bytes(&mut self) -> Result<Bytes, CorruptRow> {
        let length = self.count()?;
        let (bytes, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(self.all.slice_ref(bytes))
    }

    fn components(&mut self) -> Result<Vec<Bytes>, CorruptRow> {
        let count = self.count()?;
        (0..count).map(|_| self.bytes()).collect()
    }

    fn expiry(&mut self) -> Result<Expiry, CorruptRow> {
        let ttl = i32::try_from(self.vint()?).map_err(|_| CorruptRow)?;
        Ok(Expiry { ttl, at: self.vint()? })
    }

    pub(super) fn deletion(&mut self) -> Result<Deletion, CorruptRow> {
        Ok(Deletion { timestamp: self.vint()?, second: self.vint()? })
    }

    fn cell(&mut self, kind: u8, base: i64) -> Result<Cell, CorruptRow> {
        let timestamp = self.vint()?.wrapping_add(base);
        let state = match kind {
            LIVE => CellState::Live(self.bytes()?),
            EXPIRING => {
                let expiry = self.expiry()?;
                CellState::Expiring(self.bytes()?, expiry)
            }
            TOMBSTONE => CellState::Tombstone(self.vint()?),
            _ => return Err(CorruptRow),
        };
        Ok(Cell { timestamp, state })
    }

    fn complex(&mut self, base: i64) -> Result<Complex, CorruptRow> {
        let deletion = if self.byte()? != 0 { self.deletion()? } else { Deletion::NONE };
        let count = self.count()?;
        let mut cells = Vec::with_capacity(count);
        for _ in 0..count {
            let path = self.bytes()?;
            let kind = self.byte()?;
            cells.push((path, self.cell(kind, base)?));
        }
        Ok(Complex { deletion, cells })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes as version 1 wrote them: a change of the format that cannot read them is a new version.
    #[test]
    fn version_1_is_still_read_and_written() {
        let key = [Bytes::from_static(b"key")];
        let clustering = [Bytes::from_static(&[0, 0, 0, 7])];
        let mut row = RowData {
            liveness: Some(Liveness { timestamp: 1000, expiry: None }),
            deletion: Deletion { timestamp: 500, second: 9 },
            columns: Vec::new(),
        };
        let expiry = Expiry { ttl: 60, at: 100 };
        let value = Bytes::from_static(b"v");
        let cell = |timestamp, state| Cell { timestamp, state };
        row.put_cell(2, cell(1000, CellState::Live(value.clone())));
        row.put_cell(3, cell(1001, CellState::Expiring(value.clone(), expiry)));
        row.put_cell(4, cell(999, CellState::Tombstone(10)));
        let complex = row.complex(300);
        complex.deletion = Deletion { timestamp: 998, second: 9 };
        complex.put(Bytes::from_static(b"p"), cell(1000, CellState::Live(value)));
        let hex: String =
            encode(&key, &clustering, &row).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, FIXTURE);
        let bytes: Vec<u8> = (0..FIXTURE.len() / 2)
            .map(|at| u8::from_str_radix(&FIXTURE[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        let (pk, ck, read) = decode(&bytes.into()).unwrap();
        assert_eq!((&pk[..], &ck[..], read), (&key[..], &clustering[..], row));
    }

    const FIXTURE: &str = "010501036b657901040000000787d083e8120402000001760301027880c8017604020114812c030187cc1201017000000176";
}
