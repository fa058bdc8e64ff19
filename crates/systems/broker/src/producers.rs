//! What a partition remembers of idempotent producers, so that a batch sent twice is stored once.
//!
//! Per producer the last five batches, as in Kafka: a client has at most five requests in flight.
//! The state is rebuilt from the batches in the log. Also which of them have a transaction open
//! here, and how far readers of committed records may see. Spec: KIP-98, KIP-360, KIP-890.

use std::collections::{BTreeMap, HashMap, VecDeque};

use tidemill_log::{AbortedTransaction, BatchHeader};

use tidemill_kafka_wire::ErrorCode;

use crate::error::AppendError;

/// Batches remembered per producer.
const BATCHES_MAX: usize = 5;
/// Producers remembered per partition; beyond, those that were silent longest go.
const PRODUCERS_MAX: usize = 50_000;

/// The producers of one partition.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Producers {
    known: HashMap<i64, Producer>,
    /// The producers with an open transaction, by the offset of its first record.
    open: BTreeMap<i64, i64>,
    /// Transactions that ended, by the marker's offset, with the offset of the first record: their
    /// end is not seen before it is durable.
    ended: BTreeMap<i64, i64>,
}

/// One producer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Producer {
    pub(crate) epoch: i16,
    /// Its last batches of this epoch, the newest at the back.
    pub(crate) batches: VecDeque<StoredBatch>,
    /// When it last wrote, in wall ms.
    pub(crate) active_ms: i64,
    /// The offset of the first record of its open transaction.
    pub(crate) open_since: Option<i64>,
    /// Epoch of the coordinator that ended its last transaction; -1 if none did.
    pub(crate) coordinator_epoch: i32,
}

/// A batch of a producer and where it was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoredBatch {
    pub(crate) first_sequence: i32,
    pub(crate) last_sequence: i32,
    pub(crate) base_offset: i64,
    pub(crate) last_offset: i64,
    /// Its largest timestamp, in ms.
    pub(crate) max_timestamp: i64,
}

impl Producers {
    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&i64, &Producer)> {
        self.known.iter()
    }

    /// Takes what was known of a producer.
    pub(crate) fn insert(&mut self, id: i64, producer: Producer) {
        if let Some(first_offset) = producer.open_since {
            self.open.insert(first_offset, id);
        }
        self.known.insert(id, producer);
    }

    /// What is known of a producer.
    pub(crate) fn get(&self, id: i64) -> Option<&Producer> {
        self.known.get(&id)
    }

    /// The producers with an open transaction, and their epochs.
    pub(crate) fn open(&self) -> Vec<(i64, i16)> {
        let epoch = |id: &i64| self.known.get(id).map_or(-1, |producer| producer.epoch);
        self.open.values().map(|id| (*id, epoch(id))).collect()
    }

    /// The first offset whose fate is not decided, or not durably; `None` if there is none.
    pub(crate) fn first_unstable(&mut self, high_watermark: i64) -> Option<i64> {
        // Markers below are durable.
        self.ended = self.ended.split_off(&high_watermark);
        let open = self.open.first_key_value().map(|(offset, _)| *offset);
        self.ended.values().copied().chain(open).min()
    }

    /// What a batch is: new (`None`), or one that is stored already.
    pub(crate) fn judge(&self, batch: &BatchHeader) -> Result<Option<StoredBatch>, AppendError> {
        // Nothing known, also because everything it wrote was deleted: any number may begin.
        let Some(producer) = self.known.get(&batch.producer_id) else { return Ok(None) };
        if batch.producer_epoch < producer.epoch {
            let (received, current) = (batch.producer_epoch, producer.epoch);
            return Err(AppendError::OldEpoch { received, current });
        }
        if producer.open_since.is_some() && !batch.is_transactional() {
            return Err(AppendError::Transaction(ErrorCode::InvalidTxnState));
        }
        let received = batch.base_sequence;
        if received < 0 {
            // The broker's own, which are written once.
            return Ok(None);
        }
        if batch.producer_epoch > producer.epoch {
            return match received {
                0 => Ok(None),
                _ => Err(AppendError::OutOfOrderSequence { received, expected: 0 }),
            };
        }
        let (first, last) = (received, batch.last_sequence());
        let same = |b: &&StoredBatch| b.first_sequence == first && b.last_sequence == last;
        if let Some(stored) = producer.batches.iter().find(same) {
            return Ok(Some(*stored));
        }
        match producer.next_sequence() {
            expected if expected != received => {
                Err(AppendError::OutOfOrderSequence { received, expected })
            }
            _ => Ok(None),
        }
    }

    /// Remembers a stored batch; its header has the offset it was given.
    pub(crate) fn record(&mut self, batch: &BatchHeader, now_ms: i64) {
        if batch.producer_id < 0 || batch.is_control() {
            return;
        }
        let producer = self.active(batch.producer_id, batch.producer_epoch, now_ms);
        let begins = batch.is_transactional() && producer.open_since.is_none();
        if begins {
            producer.open_since = Some(batch.base_offset);
        }
        if batch.base_sequence >= 0 {
            producer.remember(batch);
        }
        if begins {
            self.open.insert(batch.base_offset, batch.producer_id);
        }
    }

    /// Remembers a marker at `offset`. Gives the transaction that it ended, as it is listed if it
    /// was aborted.
    pub(crate) fn end(
        &mut self,
        (id, epoch): (i64, i16),
        offset: i64,
        coordinator_epoch: i32,
        now_ms: i64,
    ) -> Option<AbortedTransaction> {
        let producer = self.active(id, epoch, now_ms);
        producer.coordinator_epoch = coordinator_epoch;
        let first_offset = producer.open_since.take()?;
        self.open.remove(&first_offset);
        self.ended.insert(offset, first_offset);
        Some(self.aborted_at(id, first_offset, offset))
    }

    /// How the open transaction of a producer is listed if a marker at `offset` aborts it.
    pub(crate) fn aborted_at(
        &self,
        producer_id: i64,
        first_offset: i64,
        offset: i64,
    ) -> AbortedTransaction {
        let others = self.open.iter().find(|(_, id)| **id != producer_id);
        let last_stable_offset = others.map_or(offset + 1, |(first, _)| *first);
        AbortedTransaction { producer_id, first_offset, last_offset: offset, last_stable_offset }
    }

    /// A producer that writes with an epoch.
    fn active(&mut self, id: i64, epoch: i16, now_ms: i64) -> &mut Producer {
        if self.known.len() >= PRODUCERS_MAX && !self.known.contains_key(&id) {
            self.forget_silent_half();
        }
        let producer = self.known.entry(id).or_insert_with(|| Producer {
            epoch,
            batches: VecDeque::with_capacity(BATCHES_MAX),
            active_ms: now_ms,
            open_since: None,
            coordinator_epoch: -1,
        });
        if producer.epoch != epoch {
            producer.epoch = epoch;
            producer.batches.clear();
        }
        producer.active_ms = now_ms;
        producer
    }
    /// Forgets producers that wrote nothing for `silent_ms`.
    pub(crate) fn expire(&mut self, now_ms: i64, silent_ms: i64) {
        self.known.retain(|_, producer| {
            let is_silent = now_ms.saturating_sub(producer.active_ms) >= silent_ms;
            producer.open_since.is_some() || !is_silent
        });
    }

    fn forget_silent_half(&mut self) {
        let mut times: Vec<i64> = self.known.values().map(|producer| producer.active_ms).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        let mut left = middle;
        self.known.retain(|_, producer| {
            let is_open = producer.open_since.is_some();
            let goes = !is_open && producer.active_ms <= median && left > 0;
            left -= usize::from(goes);
            !goes
        });
    }
}

impl Producer {
    /// The sequence number that comes next: behind the largest, and in a new epoch, comes 0.
    fn next_sequence(&self) -> i32 {
        let newest = self.batches.back();
        newest.map_or(0, |newest| newest.last_sequence.wrapping_add(1) & i32::MAX)
    }

    fn remember(&mut self, batch: &BatchHeader) {
        if self.batches.len() == BATCHES_MAX {
            self.batches.pop_front();
        }
        self.batches.push_back(StoredBatch {
            first_sequence: batch.base_sequence,
            last_sequence: batch.last_sequence(),
            base_offset: batch.base_offset,
            last_offset: batch.last_offset(),
            max_timestamp: batch.max_timestamp,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(epoch: i16, sequence: i32, records: i32, offset: i64) -> BatchHeader {
        BatchHeader {
            base_offset: offset,
            batch_length: 100,
            partition_leader_epoch: 0,
            magic: 2,
            crc: 0,
            attributes: 0,
            last_offset_delta: records - 1,
            base_timestamp: 0,
            max_timestamp: 7,
            producer_id: 1,
            producer_epoch: epoch,
            base_sequence: sequence,
            record_count: records,
        }
    }

    fn with(batches: &[BatchHeader]) -> Producers {
        let mut producers = Producers::default();
        for batch in batches {
            assert_eq!(producers.judge(batch).unwrap(), None);
            producers.record(batch, 0);
        }
        producers
    }

    #[test]
    fn a_batch_sent_again_gets_its_first_offset_while_it_is_among_the_last_five() {
        let sent: Vec<_> = (0..7).map(|n| batch(0, n * 10, 10, 100 + i64::from(n) * 10)).collect();
        let producers = with(&sent);
        for stored in &sent[2..] {
            let again = producers.judge(stored).unwrap().expect("it is remembered");
            assert_eq!(again.base_offset, stored.base_offset);
        }
        let forgotten = producers.judge(&sent[1]).unwrap_err();
        assert!(matches!(
            forgotten,
            AppendError::OutOfOrderSequence { received: 10, expected: 70 }
        ));
    }

    #[test]
    fn a_gap_is_refused_and_an_unknown_producer_may_begin_anywhere() {
        let producers = with(&[batch(0, 5, 1, 0)]);
        let gap = producers.judge(&batch(0, 7, 1, 0)).unwrap_err();
        assert!(matches!(gap, AppendError::OutOfOrderSequence { received: 7, expected: 6 }));
    }

    #[test]
    fn numbers_begin_again_behind_the_largest() {
        let producers = with(&[batch(0, i32::MAX - 1, 3, 0)]);
        assert_eq!(producers.judge(&batch(0, 1, 1, 3)).unwrap(), None);
    }

    #[test]
    fn a_new_epoch_begins_at_zero_and_fences_the_old_one() {
        let mut producers = with(&[batch(0, 0, 5, 0)]);
        assert!(producers.judge(&batch(1, 5, 1, 5)).is_err());
        let first = batch(1, 0, 1, 5);
        assert_eq!(producers.judge(&first).unwrap(), None);
        producers.record(&first, 0);
        let old = producers.judge(&batch(0, 5, 1, 6)).unwrap_err();
        assert!(matches!(old, AppendError::OldEpoch { received: 0, current: 1 }));
    }

    #[test]
    fn silent_producers_are_forgotten() {
        let mut producers = with(&[batch(3, 0, 5, 0)]);
        producers.expire(999, 1000);
        assert!(producers.judge(&batch(0, 0, 1, 5)).is_err());
        producers.expire(1000, 1000);
        assert_eq!(producers.judge(&batch(0, 0, 1, 5)).unwrap(), None);
    }
}
