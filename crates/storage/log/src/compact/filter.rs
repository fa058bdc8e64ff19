//! What of a batch stays. Kafka's `Cleaner` and `MemoryRecords.filterTo` are the model.

use std::collections::HashMap;

use bytes::Bytes;

use super::offset_map::OffsetMap;
use super::{Codec, LastBatch};
use crate::Compression;
use crate::batch::{BatchError, BatchHeader, DELETE_HORIZON_BIT, HEADER_BYTES};
use crate::records::{self, Record};

/// Attribute bits that an emptied batch keeps: the timestamps' type, transactional, control.
const KEPT_BITS: i16 = 0b11_1000;

/// By what records are judged.
pub(super) struct Rules<'a> {
    pub(super) map: &'a OffsetMap,
    /// Records after this offset stay: their keys are not in the map.
    pub(super) mapped_to: i64,
    pub(super) now_ms: i64,
    pub(super) delete_retention_ms: i64,
    pub(super) last_batches: &'a HashMap<i64, LastBatch>,
    pub(super) codec: &'a dyn Codec,
}

/// A batch and what is known of it.
pub(super) struct Candidate<'a> {
    pub(super) header: &'a BatchHeader,
    pub(super) bytes: &'a [u8],
    /// Its transaction was aborted.
    pub(super) is_aborted: bool,
    /// It is a marker of a transaction of which nothing is left.
    pub(super) ends_nothing: bool,
    /// It ends the segment that is written: its offset must not get lost.
    pub(super) ends_segment: bool,
}

/// What becomes of a batch.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// It stays as it is.
    Stays,
    /// It stays in this form.
    Becomes(Vec<u8>),
    /// It goes.
    Goes,
}

impl Rules<'_> {
    pub(super) fn judge(&self, batch: &Candidate<'_>) -> Result<Verdict, BatchError> {
        let header = batch.header;
        if header.base_offset > self.mapped_to {
            return Ok(Verdict::Stays);
        }
        let horizon_passed = header.delete_horizon_ms().is_some_and(|ms| ms <= self.now_ms);
        let all_go = match header.is_control() {
            true => batch.ends_nothing && horizon_passed,
            false => batch.is_aborted,
        };
        if all_go || header.record_count == 0 {
            return Ok(self.without_records(batch));
        }
        let payload = self.payload(batch)?;
        let mut kept = Kept::default();
        for record in records::decode(&payload, header) {
            let record = record?;
            if header.is_control() || self.stays(header, &record, horizon_passed) {
                kept.push(header, &record);
            }
        }
        if kept.count == 0 {
            return Ok(self.without_records(batch));
        }
        let must_age = kept.has_deletions || (header.is_control() && batch.ends_nothing);
        let horizon = (must_age && header.delete_horizon_ms().is_none())
            .then(|| self.now_ms.saturating_add(self.delete_retention_ms));
        if kept.count == header.record_count && horizon.is_none() {
            return Ok(Verdict::Stays);
        }
        self.rewritten(header, &kept, horizon, &payload)
    }

    /// Whether a record is the newest of its key, and not a deletion that everybody has seen.
    fn stays(&self, header: &BatchHeader, record: &Record<'_>, horizon_passed: bool) -> bool {
        let offset = header.base_offset.saturating_add(record.offset_delta);
        if offset > self.mapped_to {
            return true;
        }
        // Kafka takes none without a key into such a topic; it cannot be told what replaces it.
        let Some(key) = record.key else { return false };
        let is_newest = self.map.get(key).is_none_or(|newest| offset >= newest);
        is_newest && (record.has_value || !horizon_passed)
    }

    fn payload(&self, batch: &Candidate<'_>) -> Result<Bytes, BatchError> {
        let packed = Bytes::copy_from_slice(&batch.bytes[HEADER_BYTES..]);
        match batch.header.compression() {
            Compression::None => Ok(packed),
            codec => self.codec.decompress(codec, &packed).ok_or(BatchError::Record),
        }
    }

    /// A batch of which no record stays: its header does if a producer's numbers go on from it, or
    /// if it ends the segment.
    fn without_records(&self, batch: &Candidate<'_>) -> Verdict {
        let header = batch.header;
        if !batch.ends_segment && !self.is_last_of_producer(header) {
            return Verdict::Goes;
        }
        if header.record_count == 0 {
            return Verdict::Stays;
        }
        let empty = BatchHeader {
            attributes: header.attributes & KEPT_BITS,
            base_timestamp: -1,
            max_timestamp: -1,
            record_count: 0,
            ..*header
        };
        Verdict::Becomes(empty.with_records(&[]))
    }

    fn is_last_of_producer(&self, header: &BatchHeader) -> bool {
        match self.last_batches.get(&header.producer_id) {
            None => false,
            Some(LastBatch { data_offset: Some(offset), .. }) => header.last_offset() == *offset,
            Some(LastBatch { epoch, .. }) => header.is_control() && header.producer_epoch == *epoch,
        }
    }

    fn rewritten(
        &self,
        header: &BatchHeader,
        kept: &Kept,
        horizon_ms: Option<i64>,
        payload: &Bytes,
    ) -> Result<Verdict, BatchError> {
        let base_timestamp = horizon_ms.unwrap_or(header.base_timestamp);
        let mut plain = Vec::with_capacity(payload.len());
        // What stays keeps its time, whatever it is counted from.
        let shift = header.base_timestamp.wrapping_sub(base_timestamp);
        for record in records::decode(payload, header) {
            let record = record?;
            if kept.has(record.offset_delta) {
                record.encode(record.timestamp_delta.wrapping_add(shift), &mut plain);
            }
        }
        let packed = match header.compression() {
            Compression::None => Bytes::from(plain),
            codec => self.codec.compress(codec, plain.into()),
        };
        let horizon_bit = if horizon_ms.is_some() { DELETE_HORIZON_BIT } else { 0 };
        let header = BatchHeader {
            attributes: header.attributes | horizon_bit,
            base_timestamp,
            max_timestamp: match header.is_log_append_time() {
                true => header.max_timestamp,
                false => kept.newest_ms,
            },
            record_count: kept.count,
            ..*header
        };
        Ok(Verdict::Becomes(header.with_records(&packed)))
    }
}

/// Which records of a batch stay.
struct Kept {
    /// By offset delta, ascending.
    offset_deltas: Vec<i64>,
    count: i32,
    newest_ms: i64,
    has_deletions: bool,
}

impl Default for Kept {
    fn default() -> Kept {
        Kept { offset_deltas: Vec::new(), count: 0, newest_ms: i64::MIN, has_deletions: false }
    }
}

impl Kept {
    fn push(&mut self, header: &BatchHeader, record: &Record<'_>) {
        self.offset_deltas.push(record.offset_delta);
        self.count += 1;
        let timestamp = header.base_timestamp.wrapping_add(record.timestamp_delta);
        self.newest_ms = self.newest_ms.max(timestamp);
        self.has_deletions |= !record.has_value && !header.is_control();
    }

    fn has(&self, offset_delta: i64) -> bool {
        self.offset_deltas.binary_search(&offset_delta).is_ok()
    }
}
