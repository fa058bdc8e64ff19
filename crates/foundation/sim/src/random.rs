//! Chance that repeats itself.

use parking_lot::Mutex;
use tidemill_runtime::Random;

/// A seeded generator (SplitMix64). Written out here, so that a seed means the same history in every
/// release.
#[derive(Debug)]
pub struct SimRandom(Mutex<u64>);

impl SimRandom {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> SimRandom {
        SimRandom(Mutex::new(seed))
    }

    /// Another sequence that follows from this one.
    pub fn fork(&self) -> SimRandom {
        SimRandom::new(self.u64())
    }

    /// True in `of` out of `out_of` cases.
    pub fn chance(&self, of: u64, out_of: u64) -> bool {
        self.below(out_of) < of
    }
}

impl Random for SimRandom {
    fn u64(&self) -> u64 {
        let mut state = self.0.lock();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.u64().to_le_bytes()[..chunk.len()]);
        }
    }
}
