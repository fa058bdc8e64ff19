//! The newest offset of each key, in memory of a fixed size.
//!
//! Keys are told apart by their MD5, as in Kafka: 16 bytes per key whatever its length.

use md5::{Digest, Md5};

/// Bytes a key takes: its digest and its offset.
const SLOT_BYTES: usize = 16 + 8;
/// Of a hundred slots so many are filled at most: beyond, searching gets slow.
const FILLED_PERCENT: usize = 80;
const SLOTS_MIN: usize = 16;
/// An offset that no record has.
const EMPTY: i64 = -1;

/// Open addressing: a key lies at or behind the place its digest names.
pub(super) struct OffsetMap {
    digests: Vec<[u8; 16]>,
    offsets: Vec<i64>,
    used: usize,
    used_max: usize,
}

impl OffsetMap {
    /// Room for `keys` keys, but in at most so many bytes.
    pub(super) fn new(keys: u64, bytes_max: usize) -> OffsetMap {
        let wanted = usize::try_from(keys).unwrap_or(usize::MAX).saturating_add(1);
        let wanted = (wanted / FILLED_PERCENT).saturating_add(1).saturating_mul(100);
        let slots = wanted.min(bytes_max / SLOT_BYTES).max(SLOTS_MIN);
        OffsetMap {
            digests: vec![[0; 16]; slots],
            offsets: vec![EMPTY; slots],
            used: 0,
            used_max: slots * FILLED_PERCENT / 100,
        }
    }

    /// Notes that a key was written at an offset. False if there is no room for another key.
    pub(super) fn put(&mut self, key: &[u8], offset: i64) -> bool {
        let digest = digest(key);
        let slot = self.slot(&digest);
        if self.offsets[slot] == EMPTY {
            if self.used == self.used_max {
                return false;
            }
            self.used += 1;
            self.digests[slot] = digest;
        }
        self.offsets[slot] = self.offsets[slot].max(offset);
        true
    }

    /// The newest offset of a key that is known.
    pub(super) fn get(&self, key: &[u8]) -> Option<i64> {
        let slot = self.slot(&digest(key));
        Some(self.offsets[slot]).filter(|offset| *offset != EMPTY)
    }

    /// Where a key is, or the empty slot where it would go.
    fn slot(&self, digest: &[u8; 16]) -> usize {
        let first = u64::from_be_bytes(*digest.first_chunk().expect("a digest has 16 bytes"));
        let mut slot = (first % self.offsets.len() as u64) as usize;
        while self.offsets[slot] != EMPTY && self.digests[slot] != *digest {
            slot = (slot + 1) % self.offsets.len();
        }
        slot
    }
}

fn digest(key: &[u8]) -> [u8; 16] {
    Md5::digest(key).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_offset_of_each_key_is_known_until_the_memory_is_full() {
        let mut map = OffsetMap::new(u64::MAX, 1000 * SLOT_BYTES);
        let key = |n: i64| n.to_be_bytes();
        for n in 0..800 {
            assert!(map.put(&key(n), n), "{n}");
        }
        assert!(!map.put(&key(800), 800), "no room for a new key");
        assert!(map.put(&key(5), 900), "but for a new offset of a known one");
        assert!(map.put(&key(5), 7), "an older one changes nothing");
        assert_eq!(map.get(&key(5)), Some(900));
        assert_eq!(map.get(&key(799)), Some(799));
        assert_eq!(map.get(&key(800)), None);
    }

    #[test]
    fn a_map_for_few_keys_is_small() {
        for keys in [0, 1, 10, 1000] {
            let mut map = OffsetMap::new(keys, 1 << 30);
            assert!((0..keys as i64).all(|n| map.put(&n.to_be_bytes(), n)), "{keys}");
            assert!(map.offsets.len() < 2 * keys as usize + 200, "{keys}");
        }
    }
}
