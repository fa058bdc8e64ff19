//! Signed numbers of variable length: zigzag, seven bits per byte, the lowest first.

use bytes::{BufMut, BytesMut};

/// Takes a 64-bit number from the front; `None` if it ends too early or never.
pub(super) fn take_long(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        // The tenth byte has room for the last bit only.
        if index == 9 && bits > 1 {
            return None;
        }
        value |= bits << (7 * index);
        if byte & 0x80 == 0 {
            *bytes = &bytes[index + 1..];
            return Some((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    None
}

/// Takes a 32-bit number.
pub(super) fn take_int(bytes: &mut &[u8]) -> Option<i32> {
    i32::try_from(take_long(bytes)?).ok()
}

/// Puts a number.
pub(super) fn put(out: &mut BytesMut, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.put_u8(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.put_u8(rest as u8);
}

/// Bytes a number takes.
pub(super) fn length(value: i64) -> usize {
    let zigzag = ((value << 1) ^ (value >> 63)) as u64;
    (64 - (zigzag | 1).leading_zeros() as usize).div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_in_the_length_foretold() {
        for value in [0, -1, 1, 63, 64, -64, -65, 8191, 8192, i64::MAX, i64::MIN, 1 << 40] {
            let mut out = BytesMut::new();
            put(&mut out, value);
            assert_eq!(out.len(), length(value), "{value}");
            let mut rest = &out[..];
            assert_eq!(take_long(&mut rest), Some(value));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn what_never_ends_is_refused() {
        assert_eq!(take_long(&mut &[0xff; 11][..]), None);
        assert_eq!(take_long(&mut &[0x80][..]), None);
        assert_eq!(take_int(&mut &[0xff, 0xff, 0xff, 0xff, 0x7f][..]), None);
    }
}
