//! What compaction may drop: rows in which everything ended longer ago than `gc_grace_seconds`.
//!
//! Headers stay: a deletion in one may cover rows that are still on the disk.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;
use tidemill_runtime::Clock;

use super::cell::CellState;
use super::engine::SpaceId;
use super::row::{ColumnData, RowData};
use super::row_codec;

/// The tables' `gc_grace_seconds`, and the time.
pub(crate) struct Purge {
    clock: Arc<dyn Clock>,
    grace_seconds: RwLock<HashMap<SpaceId, i64>>,
}

impl Purge {
    /// Knows no table: drops nothing.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Purge {
        Purge { clock, grace_seconds: RwLock::default() }
    }

    /// How long what ended in a space must be kept.
    pub(crate) fn set_grace(&self, space: SpaceId, seconds: i64) {
        self.grace_seconds.write().insert(space, seconds);
    }

    /// A space is gone.
    pub(crate) fn forget(&self, space: SpaceId) {
        self.grace_seconds.write().remove(&space);
    }

    /// Whether nobody will ever see what an entry holds, nor need it to hide something older.
    pub(crate) fn is_dead(&self, space: SpaceId, key: &[u8], value: &[u8]) -> bool {
        let Some(grace) = self.grace_seconds.read().get(&space).copied() else { return false };
        if key.last() == Some(&0x00) {
            return false;
        }
        let ended_before = self.clock.now_us().div_euclid(1_000_000) - grace;
        match row_codec::decode(&Bytes::copy_from_slice(value)) {
            Ok((_, _, row)) => has_ended(&row, ended_before),
            // What cannot be read is kept: a person has to look at it.
            Err(_) => false,
        }
    }
}

/// Whether all of a row ended before a second.
fn has_ended(row: &RowData, second: i64) -> bool {
    let ended = |state: &CellState| match state {
        CellState::Live(_) => false,
        CellState::Expiring(_, expiry) => expiry.at < second,
        CellState::Tombstone(at) => *at < second,
    };
    let liveness = row.liveness.is_none_or(|it| it.expiry.is_some_and(|it| it.at < second));
    let deletion = row.deletion.is_none() || row.deletion.second < second;
    liveness
        && deletion
        && row.columns.iter().all(|(_, data)| match data {
            ColumnData::Simple(cell) => ended(&cell.state),
            ColumnData::Complex(complex) => {
                (complex.deletion.is_none() || complex.deletion.second < second)
                    && complex.cells.iter().all(|(_, cell)| ended(&cell.state))
            }
        })
}

#[cfg(test)]
mod tests {
    use super::super::cell::{Cell, Deletion, Expiry};
    use super::super::row::Liveness;
    use super::*;

    fn row(state: CellState) -> RowData {
        let mut row = RowData::default();
        row.put_cell(1, Cell { timestamp: 1, state });
        row
    }

    #[test]
    fn a_row_is_dropped_when_all_of_it_ended_before_the_grace_period() {
        let value = Bytes::from_static(b"x");
        let expiring = |at| CellState::Expiring(value.clone(), Expiry { ttl: 1, at });
        for (row, dropped) in [
            (row(CellState::Live(value.clone())), false),
            (row(expiring(99)), true),
            (row(expiring(100)), false),
            (row(CellState::Tombstone(50)), true),
            (
                RowData { deletion: Deletion { timestamp: 5, second: 99 }, ..RowData::default() },
                true,
            ),
            (
                RowData { deletion: Deletion { timestamp: 5, second: 100 }, ..RowData::default() },
                false,
            ),
            (
                RowData {
                    liveness: Some(Liveness { timestamp: 1, expiry: None }),
                    ..row(CellState::Tombstone(1))
                },
                false,
            ),
        ] {
            assert_eq!(has_ended(&row, 100), dropped, "{row:?}");
        }
    }
}
