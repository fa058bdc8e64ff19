//! Segments of v5: a header with its own checksum, a payload with another. Spec v5, section 2.2.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::compression::decompress_block;

/// The most a segment carries: its length has 17 bits.
pub const SEGMENT_PAYLOAD_BYTES_MAX: usize = (1 << 17) - 1;

const CHECKSUM_BYTES: usize = 4;
const HEADER_CHECKSUM_BYTES: usize = 3;
const SELF_CONTAINED_BITS: u64 = 1;

/// Why a segment cannot be trusted. Nothing after it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SegmentError {
    Header,
    Payload,
    Compression,
}

/// Takes one whole segment off the front of `input`; `None` if it is not there yet.
pub(super) fn take(input: &mut BytesMut, lz4: bool) -> Result<Option<Bytes>, SegmentError> {
    let length_bytes = if lz4 { 5 } else { 3 };
    let header_bytes = length_bytes + HEADER_CHECKSUM_BYTES;
    if input.len() < header_bytes {
        return Ok(None);
    }
    let lengths = little_endian(&input[..length_bytes]);
    let checksum = little_endian(&input[length_bytes..header_bytes]);
    if u64::from(crc24(lengths, length_bytes)) != checksum {
        return Err(SegmentError::Header);
    }
    let payload_bytes = (lengths & 0x1FFFF) as usize;
    if input.len() < header_bytes + payload_bytes + CHECKSUM_BYTES {
        return Ok(None);
    }
    input.advance(header_bytes);
    let payload = input.split_to(payload_bytes).freeze();
    if crc32(&payload) != input.get_u32_le() {
        return Err(SegmentError::Payload);
    }
    let original_bytes = if lz4 { (lengths >> 17 & 0x1FFFF) as usize } else { 0 };
    // Original length 0 says that this payload was left as it is.
    if original_bytes == 0 {
        return Ok(Some(payload));
    }
    decompress_block(&payload, original_bytes).map(Some).ok_or(SegmentError::Compression)
}

/// Writes one segment. `payload` is at most [`SEGMENT_PAYLOAD_BYTES_MAX`] long.
pub(super) fn put(out: &mut BytesMut, payload: &[u8], is_self_contained: bool, lz4: bool) {
    if !lz4 {
        let lengths = payload.len() as u64 | u64::from(is_self_contained) << 17;
        return put_parts(out, lengths, 3, payload);
    }
    let compressed = lz4_flex::block::compress(payload);
    let (content, original_bytes) = if compressed.len() < payload.len() {
        (compressed.as_slice(), payload.len())
    } else {
        (payload, 0)
    };
    let flag = (u64::from(is_self_contained) & SELF_CONTAINED_BITS) << 34;
    put_parts(out, content.len() as u64 | (original_bytes as u64) << 17 | flag, 5, content);
}

fn put_parts(out: &mut BytesMut, lengths: u64, length_bytes: usize, content: &[u8]) {
    out.reserve(length_bytes + HEADER_CHECKSUM_BYTES + content.len() + CHECKSUM_BYTES);
    out.put_uint_le(lengths, length_bytes);
    out.put_uint_le(u64::from(crc24(lengths, length_bytes)), HEADER_CHECKSUM_BYTES);
    out.put_slice(content);
    out.put_u32_le(crc32(content));
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The header's checksum: 24 bits, Koopman's polynomial, as the specification gives it.
fn crc24(value: u64, length: usize) -> u32 {
    const INITIAL: u32 = 0x0087_5060;
    const POLYNOMIAL: u32 = 0x0197_4F0B;
    (0..length).fold(INITIAL, |crc, index| {
        let byte = (value >> (8 * index) & 0xFF) as u32;
        (0..8).fold(crc ^ byte << 16, |crc, _| {
            let shifted = crc << 1;
            if shifted & 0x0100_0000 != 0 { shifted ^ POLYNOMIAL } else { shifted }
        })
    })
}

/// The payload's checksum: CRC-32 of four fixed bytes and the payload.
fn crc32(payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[0xFA, 0x2D, 0x55, 0xCA]);
    hasher.update(payload);
    hasher.finalize()
}
