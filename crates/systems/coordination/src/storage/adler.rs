//! Adler-32 (RFC 1950), the checksum in ZooKeeper's files.

const MODULUS: u32 = 65_521;
/// So many bytes can be summed before the sums leave 32 bits.
const CHUNK_BYTES: usize = 5_552;

/// A checksum being made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Adler {
    a: u32,
    b: u32,
}

impl Adler {
    pub(super) fn new() -> Adler {
        Adler { a: 1, b: 0 }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(CHUNK_BYTES) {
            for byte in chunk {
                self.a += u32::from(*byte);
                self.b += self.a;
            }
            self.a %= MODULUS;
            self.b %= MODULUS;
        }
    }

    /// As ZooKeeper writes it, in eight bytes.
    pub(super) fn value(self) -> i64 {
        i64::from((self.b << 16) | self.a)
    }
}

/// The checksum of these bytes.
pub(super) fn adler(bytes: &[u8]) -> i64 {
    let mut adler = Adler::new();
    adler.update(bytes);
    adler.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        assert_eq!(adler(b""), 1);
        assert_eq!(adler(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(adler(&[0xff; 1 << 20]), {
            // The sums without the shortcut of chunks.
            let (mut a, mut b) = (1u64, 0u64);
            for _ in 0..1 << 20 {
                a = (a + 255) % 65_521;
                b = (b + a) % 65_521;
            }
            i64::try_from((b << 16) | a).unwrap()
        });
    }
}
