//! Variable-length integers as durations and vectors use them: the number of leading one bits of
//! the first byte says how many bytes follow. Spec v5, section 3 (`[unsigned vint]`).

use bytes::BufMut;

/// Writes an unsigned number in 1 to 9 bytes.
pub fn write_unsigned_vint(value: u64, out: &mut impl BufMut) {
    // Each extra byte makes room for seven bits; the ninth byte form has 64.
    let bits = 64 - (value | 1).leading_zeros() as usize;
    let extra = (bits - 1) / 7;
    if extra >= 8 {
        out.put_u8(0xFF);
        return out.put_u64(value);
    }
    let raw = value.to_be_bytes();
    let marks = !(0xFF_u16 >> extra) as u8;
    let raw = &raw[8 - 1 - extra..];
    out.put_u8(raw[0] | marks);
    out.put_slice(&raw[1..]);
}

/// Writes a signed number: zigzag, then unsigned.
pub fn write_vint(value: i64, out: &mut impl BufMut) {
    write_unsigned_vint(((value << 1) ^ (value >> 63)) as u64, out);
}

/// Reads an unsigned number off the front of `input`; `None` if it ends too early.
pub fn read_unsigned_vint(input: &mut &[u8]) -> Option<u64> {
    let (first, rest) = input.split_first()?;
    let extra = first.leading_ones() as usize;
    let (raw, rest) = rest.split_at_checked(extra)?;
    *input = rest;
    let high = if extra >= 8 { 0 } else { u64::from(first & (0xFF >> extra)) };
    Some(raw.iter().fold(high, |value, byte| value << 8 | u64::from(*byte)))
}

/// Reads a signed number.
pub fn read_vint(input: &mut &[u8]) -> Option<i64> {
    let raw = read_unsigned_vint(input)?;
    Some((raw >> 1) as i64 ^ -((raw & 1) as i64))
}
