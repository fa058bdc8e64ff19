//! How far a group has read.

use std::collections::{BTreeMap, BTreeSet};

use tidemill_kafka_wire::group_records::OffsetCommitValue;

/// A partition by name.
pub(crate) type Place = (String, i32);

/// A committed offset.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Committed {
    pub(crate) offset: i64,
    /// Epoch of the record before it, or -1.
    pub(crate) leader_epoch: i32,
    /// The client's own note.
    pub(crate) metadata: String,
    /// When, in wall ms.
    pub(crate) committed_ms: i64,
    /// When it is forgotten, if the commit said so (v2 to v4).
    pub(crate) expires_ms: Option<i64>,
}

impl Committed {
    /// As it is kept: v1 carries an expiry, v3 the epoch.
    pub(crate) fn record(&self) -> (OffsetCommitValue, i16) {
        let value = OffsetCommitValue {
            offset: self.offset,
            leader_epoch: self.leader_epoch,
            metadata: self.metadata.clone(),
            commit_timestamp: self.committed_ms,
            expire_timestamp: self.expires_ms.unwrap_or(-1),
            ..Default::default()
        };
        (value, if self.expires_ms.is_some() { 1 } else { 3 })
    }

    pub(crate) fn restored(value: OffsetCommitValue) -> Committed {
        Committed {
            offset: value.offset,
            leader_epoch: value.leader_epoch,
            metadata: value.metadata,
            committed_ms: value.commit_timestamp,
            expires_ms: Some(value.expire_timestamp).filter(|ms| *ms >= 0),
        }
    }
}

/// The offsets of one group. What is on its way to the disk, or in a transaction that is open, is not
/// told to anybody.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    durable: BTreeMap<Place, (i64, Committed)>,
    on_the_way: BTreeMap<Place, (i64, Committed)>,
    /// By producer: what counts once its transaction commits.
    pending: BTreeMap<i64, BTreeMap<Place, (i64, Committed)>>,
}

impl Offsets {
    /// A commit was appended at a place of the log.
    pub(crate) fn appended(&mut self, place: Place, log_offset: i64, committed: Committed) {
        self.on_the_way.insert(place, (log_offset, committed));
    }

    /// What was appended there is durable, or never will be.
    pub(crate) fn settled(
        &mut self,
        place: &Place,
        log_offset: i64,
        committed: Committed,
        is_durable: bool,
    ) {
        if self.on_the_way.get(place).is_some_and(|(newest, _)| *newest == log_offset) {
            self.on_the_way.remove(place);
        }
        let is_newer = self.durable.get(place).is_none_or(|(known, _)| *known < log_offset);
        if is_durable && is_newer {
            self.durable.insert(place.clone(), (log_offset, committed));
        }
    }

    /// A commit within a transaction was appended at a place of the log.
    pub(crate) fn pending(
        &mut self,
        producer_id: i64,
        place: Place,
        log_offset: i64,
        committed: Committed,
    ) {
        self.pending.entry(producer_id).or_default().insert(place, (log_offset, committed));
    }

    /// A producer's transaction has ended, durably.
    pub(crate) fn end_transaction(&mut self, producer_id: i64, commits: bool) {
        let pending = self.pending.remove(&producer_id).unwrap_or_default();
        for (place, (log_offset, committed)) in pending {
            self.settled(&place, log_offset, committed, commits);
        }
    }

    /// Whether a transaction that is open has committed an offset for it.
    pub(crate) fn is_unstable(&self, place: &Place) -> bool {
        self.pending.values().any(|places| places.contains_key(place))
    }

    pub(crate) fn get(&self, place: &Place) -> Option<&Committed> {
        self.durable.get(place).map(|(_, committed)| committed)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Place, &Committed)> {
        self.durable.iter().map(|(place, (_, committed))| (place, committed))
    }

    /// The newest of each, durable or not.
    pub(crate) fn newest(&self) -> BTreeMap<&Place, &Committed> {
        let all = self.durable.iter().chain(&self.on_the_way);
        all.map(|(place, (_, committed))| (place, committed)).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.durable.is_empty() && self.on_the_way.is_empty() && self.pending.is_empty()
    }

    pub(crate) fn remove(&mut self, place: &Place) -> bool {
        let was_on_the_way = self.on_the_way.remove(place).is_some();
        self.durable.remove(place).is_some() || was_on_the_way
    }

    /// Forgets and gives what is too old. `idle_since_ms`: since when the group has had no members,
    /// where that counts in place of the commit's own time. Offsets of `read` topics stay.
    pub(crate) fn expired(
        &self,
        now_ms: i64,
        retention_ms: i64,
        idle_since_ms: Option<i64>,
        read: &BTreeSet<String>,
    ) -> Vec<Place> {
        let is_old = |place: &Place, committed: &Committed| match committed.expires_ms {
            _ if read.contains(&place.0) => false,
            Some(expires_ms) => now_ms >= expires_ms,
            None => {
                let since = idle_since_ms.unwrap_or(i64::MIN).max(committed.committed_ms);
                now_ms.saturating_sub(since) >= retention_ms
            }
        };
        self.iter().filter(|(p, c)| is_old(p, c)).map(|(place, _)| place.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed(offset: i64) -> Committed {
        Committed {
            offset,
            leader_epoch: -1,
            metadata: String::new(),
            committed_ms: 100,
            expires_ms: None,
        }
    }

    #[test]
    fn a_commit_is_told_only_when_it_is_durable_and_the_newest_wins() {
        let (mut offsets, place) = (Offsets::default(), ("t".to_owned(), 0));
        offsets.appended(place.clone(), 10, committed(1));
        offsets.appended(place.clone(), 11, committed(2));
        assert_eq!(offsets.get(&place), None);
        assert_eq!(offsets.newest()[&place].offset, 2);
        offsets.settled(&place, 11, committed(2), true);
        offsets.settled(&place, 10, committed(1), true);
        assert_eq!(offsets.get(&place).unwrap().offset, 2);
        offsets.appended(place.clone(), 12, committed(3));
        offsets.settled(&place, 12, committed(3), false);
        assert_eq!(offsets.newest()[&place].offset, 2);
    }

    #[test]
    fn offsets_are_forgotten_when_nobody_needed_them_for_long() {
        let mut offsets = Offsets::default();
        offsets.settled(&("t".to_owned(), 0), 1, committed(1), true);
        let none = BTreeSet::new();
        assert!(offsets.expired(1099, 1000, None, &none).is_empty());
        assert_eq!(offsets.expired(1100, 1000, None, &none).len(), 1);
        assert!(offsets.expired(1100, 1000, Some(500), &none).is_empty());
        assert!(offsets.expired(9999, 1000, None, &["t".to_owned()].into()).is_empty());
    }
}
