//! LZ4 and Snappy for the bodies of v3 and v4, LZ4 for the segments of v5.

use bytes::{BufMut, Bytes, BytesMut};

/// What STARTUP may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// `lz4`: all versions.
    Lz4,
    /// `snappy`: v3 and v4 only.
    Snappy,
}

impl Compression {
    /// The algorithm of this name, in any case, as the option `COMPRESSION` gives it.
    pub fn named(name: &str) -> Option<Compression> {
        if name.eq_ignore_ascii_case("lz4") {
            return Some(Compression::Lz4);
        }
        name.eq_ignore_ascii_case("snappy").then_some(Compression::Snappy)
    }

    /// Compresses a body of v3 or v4. LZ4 puts the original length, four bytes, before its block.
    pub(super) fn compress(self, body: &[u8]) -> Bytes {
        match self {
            Compression::Lz4 => {
                let block = lz4_flex::block::compress(body);
                let mut out = BytesMut::with_capacity(4 + block.len());
                out.put_u32(u32::try_from(body.len()).unwrap_or(u32::MAX));
                out.put_slice(&block);
                out.freeze()
            }
            // Only a body above 4 GiB fails, and a frame that long cannot be written.
            Compression::Snappy => {
                snap::raw::Encoder::new().compress_vec(body).unwrap_or_default().into()
            }
        }
    }

    /// The original of a compressed body, at most `bytes_max` long.
    pub(super) fn decompress(self, body: &[u8], bytes_max: usize) -> Option<Bytes> {
        match self {
            Compression::Lz4 => {
                let (length, block) = body.split_first_chunk::<4>()?;
                let length = u32::from_be_bytes(*length) as usize;
                if length > bytes_max { None } else { decompress_block(block, length) }
            }
            Compression::Snappy => {
                let length = snap::raw::decompress_len(body).ok()?;
                if length > bytes_max {
                    return None;
                }
                snap::raw::Decoder::new().decompress_vec(body).ok().map(Bytes::from)
            }
        }
    }
}

/// The original of an LZ4 block, exactly `length` bytes. LZ4 expands at most 255 times, so a
/// larger claim is a lie and is not allocated.
pub(super) fn decompress_block(block: &[u8], length: usize) -> Option<Bytes> {
    if length == 0 {
        return Some(Bytes::new());
    }
    if length / 255 > block.len() {
        return None;
    }
    let plain = lz4_flex::block::decompress(block, length).ok()?;
    (plain.len() == length).then(|| plain.into())
}
