//! `.timeindex`: up to which offset no record is newer than a timestamp.
//!
//! Twelve bytes per entry, big-endian: the newest timestamp so far in the segment (8, milliseconds)
//! and the last offset of the batch that brought it, relative to the base offset (4). Timestamps
//! grow strictly. Kafka's `TimeIndex`.

use crate::index::Entry;

/// The newest timestamp at some moment in the life of the segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    /// Milliseconds. No record up to the offset below has a newer one.
    pub(crate) timestamp: i64,
    /// Last offset of the batch that has it, minus the segment's base offset.
    pub(crate) relative_offset: u32,
}

impl Entry for TimeEntry {
    const BYTES: usize = 12;

    fn decode(bytes: &[u8]) -> TimeEntry {
        let timestamp = *bytes.first_chunk().expect("an entry has twelve bytes");
        let offset = *bytes[8..].first_chunk().expect("an entry has twelve bytes");
        TimeEntry {
            timestamp: i64::from_be_bytes(timestamp),
            relative_offset: u32::from_be_bytes(offset),
        }
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend(self.relative_offset.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{decode_all, encode_all};

    #[test]
    fn an_entry_is_twelve_bytes_as_kafka_writes_them() {
        let entry = TimeEntry { timestamp: 1_767_225_600_000, relative_offset: 258 };
        let bytes = encode_all([entry].iter());
        assert_eq!(bytes, [0, 0, 1, 0x9b, 0x76, 0xda, 0xa8, 0, 0, 0, 1, 2]);
        assert_eq!(decode_all::<TimeEntry>(&bytes), [entry]);
    }
}
