//! Cells, deletions, and the rule by which two versions of one cell become one.

use bytes::Bytes;

/// A time no deletion was made at.
const NEVER: i64 = i64::MIN;

/// Until when something is stored: `ttl` as it was given and the second in which it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Expiry {
    /// Seconds, as USING TTL gave them.
    pub(crate) ttl: i32,
    /// Seconds since 1970.
    pub(crate) at: i64,
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CellState {
    /// A value that stays.
    Live(Bytes),
    /// A value that ends.
    Expiring(Bytes, Expiry),
    /// Deleted; local deletion time in seconds, for the purge after `gc_grace_seconds`.
    Tombstone(i64),
}

/// One cell: what was written last, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Microseconds, chosen by the writer.
    pub(crate) timestamp: i64,
    /// What was written.
    pub(crate) state: CellState,
}

impl Cell {
    /// The bytes it holds; none for a tombstone.
    pub(crate) fn value(&self) -> Option<&Bytes> {
        match &self.state {
            CellState::Live(value) | CellState::Expiring(value, _) => Some(value),
            CellState::Tombstone(_) => None,
        }
    }

    /// When it ends, if it does.
    pub(crate) fn expiry(&self) -> Option<Expiry> {
        match self.state {
            CellState::Expiring(_, expiry) => Some(expiry),
            CellState::Live(_) | CellState::Tombstone(_) => None,
        }
    }

    /// Whether a reader sees it at second `now`.
    pub(crate) fn is_live(&self, now: i64) -> bool {
        match &self.state {
            CellState::Live(_) => true,
            CellState::Expiring(_, expiry) => now < expiry.at,
            CellState::Tombstone(_) => false,
        }
    }

    /// The second from which it is deleted, if it ends or ended.
    fn deletion_second(&self) -> i64 {
        match &self.state {
            CellState::Live(_) => i64::MAX,
            CellState::Expiring(_, expiry) => expiry.at,
            CellState::Tombstone(second) => *second,
        }
    }

    /// Cassandra's rule (`Cells.resolveRegular`): the later timestamp; at a tie a tombstone before
    /// a value, an expiring value before one that stays, the later end, the smaller TTL, then the
    /// larger value. The order of the arguments does not matter.
    pub(crate) fn reconcile(self, other: Cell) -> Cell {
        if self.rank() >= other.rank() { self } else { other }
    }

    fn rank(&self) -> impl Ord + '_ {
        let ends = !matches!(self.state, CellState::Live(_));
        let is_tombstone = matches!(self.state, CellState::Tombstone(_));
        let ttl = self.expiry().map_or(0, |expiry| -expiry.ttl);
        let end = if ends { self.deletion_second() } else { 0 };
        (self.timestamp, ends, is_tombstone, end, ttl, self.value())
    }
}

/// A deletion of everything written at or before a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deletion {
    /// Microseconds.
    pub(crate) timestamp: i64,
    /// Seconds, for the purge.
    pub(crate) second: i64,
}

impl Deletion {
    /// Deletes nothing.
    pub(crate) const NONE: Deletion = Deletion { timestamp: NEVER, second: 0 };

    /// Whether it deletes nothing.
    pub(crate) fn is_none(&self) -> bool {
        self.timestamp == NEVER
    }

    /// Whether it deletes what was written at `timestamp`. At a tie the deletion wins.
    pub(crate) fn covers(&self, timestamp: i64) -> bool {
        !self.is_none() && timestamp <= self.timestamp
    }
}
