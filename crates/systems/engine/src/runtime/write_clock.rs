//! Write timestamps from the source: of two rows with one key the later one must win, and a replay
//! must give each row the same timestamp again.
//!
//! A record gets its own timestamp in microseconds, or one more than the record before it in its
//! partition if that is higher. A checkpoint keeps the last one per partition, so a replay counts
//! from the same number.

use std::collections::BTreeMap;

use tidemill_connectors::Record;

/// The write timestamps of one source.
#[derive(Debug, Clone, Default)]
pub(super) struct WriteClock {
    last_us: BTreeMap<i32, i64>,
}

impl WriteClock {
    /// A timestamp in microseconds for each record, in their order.
    pub(super) fn stamp(&mut self, records: &[Record]) -> Vec<i64> {
        let mut stamps = Vec::with_capacity(records.len());
        for record in records {
            let own = record.timestamp_ms.saturating_mul(1000);
            let last = self.last_us.entry(record.partition).or_insert(0);
            *last = own.max(last.saturating_add(1));
            stamps.push(*last);
        }
        stamps
    }

    pub(super) fn save(&self) -> BTreeMap<i32, i64> {
        self.last_us.clone()
    }

    pub(super) fn load(&mut self, saved: &BTreeMap<i32, i64>) {
        self.last_us = saved.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(partition: i32, offset: i64, timestamp_ms: i64) -> Record {
        Record { partition, offset, timestamp_ms, key: None, value: None, headers: Vec::new() }
    }

    #[test]
    fn timestamps_rise_within_a_partition_and_a_replay_repeats_them() {
        let records: Vec<_> =
            [5, 5, 3, -1, 6].iter().enumerate().map(|(n, ms)| record(0, n as i64, *ms)).collect();
        let mut clock = WriteClock::default();
        let first = clock.stamp(&records[..2]);
        let saved = clock.save();
        let rest = clock.stamp(&records[2..]);
        assert_eq!([first, rest.clone()].concat(), [5000, 5001, 5002, 5003, 6000]);
        let mut again = WriteClock::default();
        again.load(&saved);
        assert_eq!(again.stamp(&records[2..]), rest);
        assert_eq!(again.stamp(&[record(1, 0, 1)]), [1000]);
    }
}
