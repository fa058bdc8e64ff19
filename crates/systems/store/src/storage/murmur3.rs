//! Cassandra's Murmur3: the 128 bit x64 variant, of which the first half is the token.
//!
//! Cassandra reads the tail's bytes as signed numbers, so its tokens differ from everybody else's
//! for keys with bytes above 127. Drivers compute the same to find the right node.

const C1: u64 = 0x87c3_7b91_1142_53d5;
const C2: u64 = 0x4cf5_ad43_2745_937f;

/// The token of a serialized partition key. Never `i64::MIN`, which means "before the first".
pub(crate) fn token(key: &[u8]) -> i64 {
    if key.is_empty() {
        return i64::MIN;
    }
    match hash(key) as i64 {
        i64::MIN => i64::MAX,
        token => token,
    }
}

/// The first 64 bits of the hash.
fn hash(key: &[u8]) -> u64 {
    let (mut h1, mut h2) = (0_u64, 0_u64);
    let blocks = key.chunks_exact(16);
    let tail = blocks.remainder();
    for block in blocks {
        let (first, second) = block.split_at(8);
        h1 ^= mix_first(little_endian(first));
        h1 = h1.rotate_left(27).wrapping_add(h2).wrapping_mul(5).wrapping_add(0x52dc_e729);
        h2 ^= mix_second(little_endian(second));
        h2 = h2.rotate_left(31).wrapping_add(h1).wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let (first, second) = tail.split_at(tail.len().min(8));
    if !second.is_empty() {
        h2 ^= mix_second(signed_tail(second));
    }
    if !first.is_empty() {
        h1 ^= mix_first(signed_tail(first));
    }
    h1 ^= key.len() as u64;
    h2 ^= key.len() as u64;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    final_mix(h1).wrapping_add(final_mix(h2))
}

fn mix_first(k: u64) -> u64 {
    k.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2)
}

fn mix_second(k: u64) -> u64 {
    k.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1)
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Each byte sign-extended before it is shifted: the quirk.
fn signed_tail(bytes: &[u8]) -> u64 {
    let signed = |byte: u8| i64::from(i8::from_be_bytes([byte])) as u64;
    bytes.iter().enumerate().fold(0, |k, (at, byte)| k ^ signed(*byte) << (8 * at))
}

fn final_mix(mut k: u64) -> u64 {
    k ^= k >> 33;
    k = k.wrapping_mul(0xff51_afd7_ed55_8ccd);
    k ^= k >> 33;
    k = k.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    k ^ k >> 33
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two: `SELECT token(…)` on Cassandra 5.0.9 for the ints 1 and 2. The others: test
    /// vectors that drivers publish, with bytes above 127 in the tail.
    #[test]
    fn tokens_are_cassandras() {
        for (key, expected) in [
            (&1_i32.to_be_bytes()[..], -4_069_959_284_402_364_209),
            (&2_i32.to_be_bytes()[..], -3_248_873_570_005_575_792),
            (b"123", -7_468_325_962_851_647_638),
            (b"\x00\xff\x10\xfa\x99".repeat(10).as_slice(), 5_837_342_703_291_459_765),
            (b"\xfe".repeat(8).as_slice(), -8_927_430_733_708_461_935),
            (b"\x10".repeat(8).as_slice(), 1_446_172_840_243_228_796),
            (b"9223372036854775807", 7_162_290_910_810_015_547),
        ] {
            assert_eq!(token(key), expected, "{key:?}");
        }
        assert_eq!(token(b""), i64::MIN);
    }
}
