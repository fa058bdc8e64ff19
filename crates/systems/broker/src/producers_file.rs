//! The file beside a partition's log that says what was known of its producers up to an offset, so
//! that a start reads the batch headers behind that offset only.
//!
//! ```text
//! producer-checkpoint: version i16 = 2 · crc32c u32 of what follows · end offset i64 · count u32
//! per producer: id i64 · epoch i16 · active ms i64 ·
//!               first offset of its open transaction, or -1, i64 · coordinator epoch i32 ·
//!               batches u8
//! per batch: first sequence i32 · last sequence i32 · base offset i64 · last offset i64 ·
//!            max timestamp i64
//! ```
//!
//! Version 1 had no transactions, and is read as such.
//!
//! All numbers big-endian. Kafka's own `.snapshot` files keep one batch per producer; five are kept
//! here, because a client may repeat all five after a crash. Invariant: the end offset was durable
//! before the file was written, so it never knows of a batch that a power cut could take.

use bytes::{Buf, BufMut, Bytes};

use crate::producers::{Producer, Producers, StoredBatch};

/// The file's name.
pub(crate) const NAME: &str = "producer-checkpoint";
const VERSION: i16 = 2;
/// The version before transactions.
const WITHOUT_TRANSACTIONS: i16 = 1;
const HEADER_BYTES: usize = 6;
/// Of version 1; version 2 has [`TRANSACTION_BYTES`] more.
const PRODUCER_BYTES: usize = 19;
const TRANSACTION_BYTES: usize = 12;
const BATCH_BYTES: usize = 32;

/// The file's content, for what is known up to `end_offset`.
pub(crate) fn encode(producers: &Producers, end_offset: i64) -> Vec<u8> {
    let mut body = Vec::new();
    body.put_i64(end_offset);
    let count = producers.iter().count();
    body.put_u32(u32::try_from(count).expect("producers are limited far below 2^32"));
    for (id, producer) in producers.iter() {
        body.put_i64(*id);
        body.put_i16(producer.epoch);
        body.put_i64(producer.active_ms);
        body.put_i64(producer.open_since.unwrap_or(-1));
        body.put_i32(producer.coordinator_epoch);
        body.put_u8(u8::try_from(producer.batches.len()).expect("five at most"));
        for batch in &producer.batches {
            body.put_i32(batch.first_sequence);
            body.put_i32(batch.last_sequence);
            body.put_i64(batch.base_offset);
            body.put_i64(batch.last_offset);
            body.put_i64(batch.max_timestamp);
        }
    }
    let mut file = Vec::with_capacity(HEADER_BYTES + body.len());
    file.put_i16(VERSION);
    file.put_u32(crc32c::crc32c(&body));
    file.extend_from_slice(&body);
    file
}

/// What a file says and up to which offset; `None` if it is damaged or of another release.
pub(crate) fn decode(file: Vec<u8>) -> Option<(Producers, i64)> {
    let mut rest = Bytes::from(file);
    if rest.len() < HEADER_BYTES + 12 {
        return None;
    }
    let version = rest.get_i16();
    if ![VERSION, WITHOUT_TRANSACTIONS].contains(&version) {
        return None;
    }
    let checksum = rest.get_u32();
    if crc32c::crc32c(&rest) != checksum {
        return None;
    }
    let (end_offset, count) = (rest.get_i64(), rest.get_u32());
    let mut producers = Producers::default();
    for _ in 0..count {
        let extra = if version == VERSION { TRANSACTION_BYTES } else { 0 };
        if rest.len() < PRODUCER_BYTES + extra {
            return None;
        }
        let (id, epoch, active_ms) = (rest.get_i64(), rest.get_i16(), rest.get_i64());
        let (open_since, coordinator_epoch) = match version {
            WITHOUT_TRANSACTIONS => (None, -1),
            _ => (Some(rest.get_i64()).filter(|offset| *offset >= 0), rest.get_i32()),
        };
        let batches = usize::from(rest.get_u8());
        if rest.len() < batches * BATCH_BYTES {
            return None;
        }
        let batches = (0..batches).map(|_| StoredBatch {
            first_sequence: rest.get_i32(),
            last_sequence: rest.get_i32(),
            base_offset: rest.get_i64(),
            last_offset: rest.get_i64(),
            max_timestamp: rest.get_i64(),
        });
        let batches = batches.collect();
        producers.insert(id, Producer { epoch, batches, active_ms, open_since, coordinator_epoch });
    }
    rest.is_empty().then_some((producers, end_offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_damage_is_noticed() {
        let batch = StoredBatch {
            first_sequence: 3,
            last_sequence: 9,
            base_offset: 100,
            last_offset: 106,
            max_timestamp: 7,
        };
        let mut producers = Producers::default();
        for id in 0..3 {
            let batches = [batch; 5].into_iter().take(id + 1).collect();
            let open_since = (id == 1).then_some(90);
            let (epoch, active_ms, coordinator_epoch) = (2, 55, 0);
            producers.insert(
                id as i64,
                Producer { epoch, batches, active_ms, open_since, coordinator_epoch },
            );
        }
        let file = encode(&producers, 107);
        assert_eq!(decode(file.clone()), Some((producers, 107)));
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            assert_eq!(decode(damaged), None, "{at}");
            assert_eq!(decode(file[..at].to_vec()), None, "{at}");
        }
    }
}
