//! A row as it is stored: liveness, deletion, cells; and merging two versions of it.

use bytes::Bytes;

use super::cell::{Cell, CellState, Deletion, Expiry};

/// The id of a column in its table; never used again after DROP.
pub(crate) type ColumnId = u32;

/// That INSERT made the row: it is there even when all its cells are null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Liveness {
    /// Microseconds.
    pub(crate) timestamp: i64,
    /// When the row ends, if INSERT had a TTL.
    pub(crate) expiry: Option<Expiry>,
}

impl Liveness {
    fn is_live(&self, now: i64) -> bool {
        self.expiry.is_none_or(|expiry| now < expiry.at)
    }

    /// The later one; at a tie the expiring one, then the later end.
    fn reconcile(self, other: Liveness) -> Liveness {
        let rank = |it: &Liveness| (it.timestamp, it.expiry.map(|e| (e.at, -e.ttl)));
        if rank(&self) >= rank(&other) { self } else { other }
    }
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ColumnData {
    /// One cell.
    Simple(Cell),
    /// A collection or user-defined type whose parts are written one by one.
    Complex(Complex),
}

/// The parts of a non-frozen collection or user-defined type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complex {
    /// Everything before it was replaced.
    pub(crate) deletion: Deletion,
    /// Sorted by path: a map's key, a set's element, a list's place, a field's number.
    pub(crate) cells: Vec<(Bytes, Cell)>,
}

impl Complex {
    /// Nothing.
    pub(crate) fn new() -> Complex {
        Complex { deletion: Deletion::NONE, cells: Vec::new() }
    }

    /// Merges a cell into its place.
    pub(crate) fn put(&mut self, path: Bytes, cell: Cell) {
        match self.cells.binary_search_by(|(known, _)| known.cmp(&path)) {
            Ok(at) => {
                let known = std::mem::replace(&mut self.cells[at].1, placeholder());
                self.cells[at].1 = known.reconcile(cell);
            }
            Err(at) => self.cells.insert(at, (path, cell)),
        }
    }

    fn merge(&mut self, other: Complex) {
        self.deletion = self.deletion.max(other.deletion);
        for (path, cell) in other.cells {
            self.put(path, cell);
        }
    }

    /// Removes what its own deletion or the row's covers, and its own if the row's says the same.
    /// False if nothing is left.
    fn prune(&mut self, row: Deletion) -> bool {
        let covering = self.deletion.max(row);
        self.cells.retain(|(_, cell)| !covering.covers(cell.timestamp));
        if row.covers(self.deletion.timestamp) {
            self.deletion = Deletion::NONE;
        }
        !self.cells.is_empty() || !self.deletion.is_none()
    }
}

/// Stands where a cell was moved out of; never seen.
fn placeholder() -> Cell {
    Cell { timestamp: i64::MIN, state: CellState::Tombstone(0) }
}

/// The content of a row, without its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowData {
    /// That INSERT made it.
    pub(crate) liveness: Option<Liveness>,
    /// Everything before it was deleted.
    pub(crate) deletion: Deletion,
    /// Sorted by column id.
    pub(crate) columns: Vec<(ColumnId, ColumnData)>,
}

impl Default for RowData {
    fn default() -> RowData {
        RowData { liveness: None, deletion: Deletion::NONE, columns: Vec::new() }
    }
}

impl RowData {
    /// Whether it says nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.liveness.is_none() && self.deletion.is_none() && self.columns.is_empty()
    }

    /// A column's data.
    pub(crate) fn column(&self, id: ColumnId) -> Option<&ColumnData> {
        let at = self.columns.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        Some(&self.columns[at].1)
    }

    /// Merges a cell into a simple column.
    pub(crate) fn put_cell(&mut self, id: ColumnId, cell: Cell) {
        self.put_column(id, ColumnData::Simple(cell));
    }

    /// The parts of a complex column, made if absent.
    pub(crate) fn complex(&mut self, id: ColumnId) -> &mut Complex {
        let at = match self.columns.binary_search_by_key(&id, |(known, _)| *known) {
            Ok(at) => at,
            Err(at) => {
                self.columns.insert(at, (id, ColumnData::Complex(Complex::new())));
                at
            }
        };
        if let ColumnData::Simple(_) = self.columns[at].1 {
            // A column's kind never changes; an id is never used twice.
            self.columns[at].1 = ColumnData::Complex(Complex::new());
        }
        match &mut self.columns[at].1 {
            ColumnData::Complex(complex) => complex,
            ColumnData::Simple(_) => unreachable!("replaced just above"),
        }
    }

    fn put_column(&mut self, id: ColumnId, data: ColumnData) {
        let at = match self.columns.binary_search_by_key(&id, |(known, _)| *known) {
            Err(at) => return self.columns.insert(at, (id, data)),
            Ok(at) => at,
        };
        let known = &mut self.columns[at].1;
        match (known, data) {
            (ColumnData::Simple(known), ColumnData::Simple(cell)) => {
                let old = std::mem::replace(known, placeholder());
                *known = old.reconcile(cell);
            }
            (ColumnData::Complex(known), ColumnData::Complex(other)) => known.merge(other),
            (known, data) => *known = data,
        }
    }

    /// Both versions as one. The order of versions does not matter, nor does seeing one twice.
    pub(crate) fn merge(&mut self, other: RowData) {
        self.deletion = self.deletion.max(other.deletion);
        self.liveness = match (self.liveness, other.liveness) {
            (Some(a), Some(b)) => Some(a.reconcile(b)),
            (a, b) => a.or(b),
        };
        for (id, data) in other.columns {
            self.put_column(id, data);
        }
        self.prune(self.deletion);
    }

    /// Removes what the deletion covers: nobody can see it again.
    pub(crate) fn prune(&mut self, deletion: Deletion) {
        self.liveness = self.liveness.filter(|it| !deletion.covers(it.timestamp));
        self.columns.retain_mut(|(_, data)| match data {
            ColumnData::Simple(cell) => !deletion.covers(cell.timestamp),
            ColumnData::Complex(complex) => complex.prune(deletion),
        });
    }

    /// Leaves only what a reader sees at second `now` when `deletion` covers the row from above.
    /// False if that is nothing: the row is not there.
    pub(crate) fn keep_live(&mut self, deletion: Deletion, now: i64) -> bool {
        self.prune(self.deletion.max(deletion));
        self.deletion = Deletion::NONE;
        self.liveness = self.liveness.filter(|it| it.is_live(now));
        self.columns.retain_mut(|(_, data)| match data {
            ColumnData::Simple(cell) => cell.is_live(now),
            ColumnData::Complex(complex) => {
                complex.deletion = Deletion::NONE;
                complex.cells.retain(|(_, cell)| cell.is_live(now));
                !complex.cells.is_empty()
            }
        });
        self.liveness.is_some() || !self.columns.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cell() -> impl Strategy<Value = Cell> {
        let value = prop::collection::vec(0..3_u8, 0..3).prop_map(Bytes::from);
        let expiry = (1..3_i32, 0..4_i64).prop_map(|(ttl, at)| Expiry { ttl, at });
        let state = prop_oneof![
            value.clone().prop_map(CellState::Live),
            (value, expiry).prop_map(|(value, expiry)| CellState::Expiring(value, expiry)),
            (0..3_i64).prop_map(CellState::Tombstone),
        ];
        (0..4_i64, state).prop_map(|(timestamp, state)| Cell { timestamp, state })
    }

    fn deletion() -> impl Strategy<Value = Deletion> {
        prop_oneof![
            3 => Just(Deletion::NONE),
            1 => (0..4_i64, 0..3_i64).prop_map(|(timestamp, second)| Deletion { timestamp, second }),
        ]
    }

    fn liveness() -> impl Strategy<Value = Option<Liveness>> {
        let expiry =
            prop::option::of((1..3_i32, 0..4_i64).prop_map(|(ttl, at)| Expiry { ttl, at }));
        prop::option::of(
            (0..4_i64, expiry).prop_map(|(timestamp, expiry)| Liveness { timestamp, expiry }),
        )
    }

    pub(super) fn row() -> impl Strategy<Value = RowData> {
        let simple = prop::collection::vec((0..2_u32, cell()), 0..3);
        let parts = prop::collection::vec((0..3_u8, cell()), 0..4);
        (liveness(), deletion(), simple, prop::option::of((deletion(), parts))).prop_map(
            |(liveness, deletion, simple, complex)| {
                let mut row = RowData { liveness, deletion, columns: Vec::new() };
                for (id, cell) in simple {
                    row.put_cell(id, cell);
                }
                if let Some((deletion, parts)) = complex {
                    let complex = row.complex(7);
                    complex.deletion = deletion;
                    for (path, cell) in parts {
                        complex.put(Bytes::from(vec![path]), cell);
                    }
                }
                // Rows come from writes, which are merged into an empty row.
                let mut merged = RowData::default();
                merged.merge(row);
                merged
            },
        )
    }

    fn merged(rows: &[&RowData]) -> RowData {
        let mut out = RowData::default();
        for row in rows {
            out.merge((*row).clone());
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn merging_is_commutative_associative_and_idempotent(a in row(), b in row(), c in row()) {
            prop_assert_eq!(merged(&[&a, &b]), merged(&[&b, &a]));
            prop_assert_eq!(merged(&[&merged(&[&a, &b]), &c]), merged(&[&a, &merged(&[&b, &c])]));
            prop_assert_eq!(merged(&[&a, &a]), merged(&[&a]));
            prop_assert_eq!(merged(&[&a, &b, &a]), merged(&[&a, &b]));
        }

        #[test]
        fn a_row_reads_back_from_its_bytes(row in row(), key in prop::collection::vec(any::<u8>(), 0..9)) {
            let key = vec![Bytes::from(key)];
            let stored = crate::storage::row_codec::encode(&key, &key, &row);
            let (pk, ck, read) = crate::storage::row_codec::decode(&stored).unwrap();
            prop_assert_eq!((pk, ck, read), (key.clone(), key, row));
        }

        #[test]
        fn no_bytes_make_the_codec_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut stored = vec![1];
            stored.extend(bytes);
            let _ = crate::storage::row_codec::decode(&stored.into());
        }
    }

    #[test]
    fn at_a_tie_cassandras_order_decides() {
        let live = |value: &'static [u8]| Cell {
            timestamp: 5,
            state: CellState::Live(Bytes::from_static(value)),
        };
        let expiry = Expiry { ttl: 10, at: 100 };
        let expiring =
            Cell { timestamp: 5, state: CellState::Expiring(Bytes::from_static(b"a"), expiry) };
        let tombstone = Cell { timestamp: 5, state: CellState::Tombstone(1) };
        for (winner, loser) in [
            (tombstone.clone(), live(b"z")),
            (tombstone, expiring.clone()),
            (expiring, live(b"z")),
            (live(b"b"), live(b"a")),
            (live(b"ab"), live(b"a")),
        ] {
            assert_eq!(winner.clone().reconcile(loser.clone()), winner);
            assert_eq!(loser.reconcile(winner.clone()), winner);
        }
    }

    #[test]
    fn a_deletion_covers_what_was_written_at_its_own_time() {
        let liveness = Some(Liveness { timestamp: 5, expiry: None });
        let mut row = RowData { liveness, ..RowData::default() };
        let deletion = Deletion { timestamp: 5, second: 1 };
        assert!(!row.clone().keep_live(deletion, 10));
        assert!(row.keep_live(Deletion { timestamp: 4, second: 1 }, 10));
    }
}
