//! Chance that can be repeated: a stream of numbers from a seed.

use md5::{Digest, Md5};

/// A stream of numbers (SplitMix64, <https://prng.di.unimi.it/splitmix64.c>): the same key gives
/// the same stream on every machine and in every version. Not for secrets.
#[derive(Debug, Clone)]
pub(super) struct Draw(u64);

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl Draw {
    /// The stream with number `index` under a text.
    pub(super) fn keyed(text: &str, index: u64) -> Draw {
        let digest = Md5::digest(text);
        let key = digest.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte));
        // Mixed before it is used as a state: streams of neighbouring indexes must not overlap.
        Draw(Draw(key ^ index.wrapping_mul(GAMMA)).next())
    }

    /// A number from the whole range of `u64`.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..bound`; 0 if `bound` is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `low..=high`; `low` if that is empty.
    pub(super) fn range(&mut self, low: i64, high: i64) -> i64 {
        let width = high.checked_sub(low).and_then(|width| u64::try_from(width).ok()).unwrap_or(0);
        low.wrapping_add_unsigned(self.below(width.saturating_add(1)))
    }

    /// A number in `[0, 1)`.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of the bytes of an ASCII text, as a character; a space if it is empty.
    pub(super) fn one_of(&mut self, ascii: &str) -> char {
        let index = self.below(ascii.len() as u64) as usize;
        ascii.as_bytes().get(index).map_or(' ', |byte| char::from(*byte))
    }

    /// `count` characters out of an ASCII text.
    pub(super) fn text(&mut self, ascii: &str, count: usize) -> String {
        (0..count).map(|_| self.one_of(ascii)).collect()
    }

    /// `count` decimal digits.
    pub(super) fn digits(&mut self, count: usize) -> String {
        self.text("0123456789", count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_reaches_both_ends_and_nothing_else() {
        let mut draw = Draw::keyed("range", 0);
        let mut seen = [0; 5];
        (0..1000).for_each(|_| seen[(draw.range(-2, 2) + 2) as usize] += 1);
        assert!(seen.iter().all(|count| (150..250).contains(count)), "{seen:?}");
        assert_eq!(draw.range(7, 7), 7);
        assert_eq!(draw.range(7, 3), 7);
    }

    #[test]
    fn neighbouring_streams_share_no_numbers() {
        let (mut first, mut second) = (Draw::keyed("streams", 0), Draw::keyed("streams", 1));
        let first: Vec<u64> = (0..100).map(|_| first.next()).collect();
        assert!((0..100).all(|_| !first.contains(&second.next())));
    }
}
