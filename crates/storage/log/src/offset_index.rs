//! `.index`: where in the segment a batch lies, for about every 4096th byte.
//!
//! Eight bytes per entry, big-endian: the offset of the batch's *last* record relative to the
//! segment's base offset (4), and the byte position where the batch begins (4). Kafka's
//! `OffsetIndex`.

use crate::index::Entry;

/// One indexed batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffsetEntry {
    /// Offset of the batch's last record, minus the segment's base offset.
    pub(crate) relative_offset: u32,
    /// Where the batch begins in the segment file, in bytes.
    pub(crate) position: u32,
}

impl Entry for OffsetEntry {
    const BYTES: usize = 8;

    fn decode(bytes: &[u8]) -> OffsetEntry {
        let word = |at: usize| {
            u32::from_be_bytes(*bytes[at..].first_chunk().expect("an entry has eight bytes"))
        };
        OffsetEntry { relative_offset: word(0), position: word(4) }
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.relative_offset.to_be_bytes());
        bytes.extend(self.position.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{decode_all, encode_all, last_in_memory};

    #[test]
    fn an_entry_is_eight_bytes_as_kafka_writes_them() {
        let entries = [
            OffsetEntry { relative_offset: 41, position: 4208 },
            OffsetEntry { relative_offset: 0x0102_0304, position: 0x7fff_ffff },
        ];
        let bytes = encode_all(entries.iter());
        assert_eq!(bytes, [0, 0, 0, 41, 0, 0, 0x10, 0x70, 1, 2, 3, 4, 0x7f, 0xff, 0xff, 0xff]);
        assert_eq!(decode_all::<OffsetEntry>(&bytes), entries);
        assert_eq!(decode_all::<OffsetEntry>(&bytes[..15]), entries[..1], "a torn entry is none");
    }

    #[test]
    fn the_last_entry_at_or_below_an_offset_is_found() {
        let entries = [10, 20, 30].map(|n| OffsetEntry { relative_offset: n, position: n * 100 });
        for (offset, found) in [(9, None), (10, Some(10)), (29, Some(20)), (1000, Some(30))] {
            let entry = last_in_memory(&entries, |e| e.relative_offset <= offset);
            assert_eq!(entry.map(|e| e.relative_offset), found, "{offset}");
        }
    }
}
