//! `.txnindex`: which transactions that ended in the segment were aborted.
//!
//! 34 bytes per entry, big-endian: version 0 (2), producer id (8), first offset (8), offset of the
//! abort marker (8), last stable offset after it (8). Sorted by the marker. Kafka's
//! `TransactionIndex`. It carries no checksum, as in Kafka.

use crate::index::Entry;

/// A transaction whose records readers of committed records leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Whose.
    pub producer_id: i64,
    /// Offset of its first record.
    pub first_offset: i64,
    /// Offset of its abort marker.
    pub last_offset: i64,
    /// Where readers of committed records could read to after the marker: what came before is
    /// listed by entries up to this one.
    pub last_stable_offset: i64,
}

const VERSION: i16 = 0;

impl Entry for AbortedTransaction {
    const BYTES: usize = 34;

    fn decode(bytes: &[u8]) -> AbortedTransaction {
        let number = |at: usize| {
            i64::from_be_bytes(*bytes[at..].first_chunk().expect("an entry has 34 bytes"))
        };
        AbortedTransaction {
            producer_id: number(2),
            first_offset: number(10),
            last_offset: number(18),
            last_stable_offset: number(26),
        }
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend(VERSION.to_be_bytes());
        for number in
            [self.producer_id, self.first_offset, self.last_offset, self.last_stable_offset]
        {
            bytes.extend(number.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{decode_all, encode_all};

    #[test]
    fn an_entry_is_thirty_four_bytes_as_kafka_writes_them() {
        let entry = AbortedTransaction {
            producer_id: 4711,
            first_offset: 10,
            last_offset: 258,
            last_stable_offset: 259,
        };
        let bytes = encode_all([entry].iter());
        assert_eq!(bytes.len(), 34);
        assert_eq!(bytes[..12], [0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x67, 0, 0]);
        assert_eq!(bytes[18..26], [0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(decode_all::<AbortedTransaction>(&bytes), [entry]);
    }
}
