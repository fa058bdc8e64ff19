//! Chance as an argument.

use uuid::Uuid;

/// A source of random bytes.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// A number from the whole range of `u64`.
    fn u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A number in `0..bound`; 0 if `bound` is 0.
    fn below(&self, bound: u64) -> u64 {
        // The high half of a 64 x 64 bit product: the bias is at most bound / 2^64.
        ((u128::from(self.u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A random UUID (RFC 9562, version 4).
    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// The operating system's generator.
#[derive(Debug, Default)]
pub struct SystemRandom;

impl SystemRandom {
    /// A handle; it holds no state.
    pub fn new() -> SystemRandom {
        SystemRandom
    }
}

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "this is the port that everybody else uses")]
    fn fill(&self, bytes: &mut [u8]) {
        use rand::Rng as _;
        rand::rng().fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_never_reached() {
        let random = SystemRandom::new();
        assert_eq!(random.below(0), 0);
        assert_eq!(random.below(1), 0);
        for bound in [2, 3, 1000] {
            assert!((0..1000).all(|_| random.below(bound) < bound));
        }
    }

    #[test]
    fn an_identifier_is_a_version_4_uuid() {
        assert_eq!(SystemRandom::new().uuid().get_version_num(), 4);
    }
}
