//! The codecs of batches. What comes in may be hostile: decompression stops at a bound.

use std::fmt;
use std::io::{self, Read, Write};

use bytes::Bytes;

use super::RecordError;

/// In front of snappy data as Java clients write it: blocks with their lengths, each a snappy
/// stream of its own (the framing of snappy-java). The others send one bare stream.
const XERIAL_MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
/// The magic, then version 1, readable since version 1.
const XERIAL_HEADER: [u8; 16] =
    [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1];
/// Bytes of one block before compression.
const XERIAL_BLOCK_BYTES: usize = 32 * 1024;
/// Kafka's default levels.
const GZIP_LEVEL: u32 = 6;
const ZSTD_LEVEL: i32 = 3;

/// How the records of a batch are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// gzip (RFC 1952).
    Gzip,
    /// Snappy, framed by snappy-java or bare.
    Snappy,
    /// The LZ4 frame format.
    Lz4,
    /// Zstandard (RFC 8878).
    Zstd,
}

impl Compression {
    /// Every codec.
    pub const ALL: [Compression; 5] = [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];

    /// The codec of a number in a batch's attributes.
    pub fn from_number(number: i8) -> Result<Compression, RecordError> {
        usize::try_from(number)
            .ok()
            .and_then(|index| Compression::ALL.get(index).copied())
            .ok_or(RecordError::Codec(number))
    }

    /// Its number in a batch's attributes.
    pub fn number(self) -> i8 {
        match self {
            Compression::None => 0,
            Compression::Gzip => 1,
            Compression::Snappy => 2,
            Compression::Lz4 => 3,
            Compression::Zstd => 4,
        }
    }

    /// Kafka's name for it, as in `compression.type`.
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }

    /// Compresses records, with Kafka's default level.
    pub fn compress(self, plain: Bytes) -> Bytes {
        let written = match self {
            Compression::None => return plain,
            Compression::Gzip => gzip(&plain),
            Compression::Snappy => snappy(&plain),
            Compression::Lz4 => lz4(&plain),
            Compression::Zstd => zstd::bulk::compress(&plain, ZSTD_LEVEL),
        };
        written.expect("compressing from memory into memory meets no device that could fail").into()
    }

    /// Decompresses records into at most `max` bytes.
    pub fn decompress(self, packed: &Bytes, max: usize) -> Result<Bytes, RecordError> {
        let read = match self {
            Compression::None => return Ok(packed.clone()),
            Compression::Gzip => read_bounded(flate2::read::MultiGzDecoder::new(&packed[..]), max),
            Compression::Snappy => unsnappy(packed, max),
            Compression::Lz4 => read_bounded(lz4_flex::frame::FrameDecoder::new(&packed[..]), max),
            Compression::Zstd => zstd::stream::read::Decoder::with_buffer(&packed[..])
                .and_then(|decoder| read_bounded(decoder, max)),
        };
        match read {
            Ok(Some(plain)) => Ok(plain.into()),
            Ok(None) => Err(RecordError::TooLarge { max }),
            Err(error) => {
                let (codec, reason) = (self.name(), error.to_string());
                Err(RecordError::Decompression { codec, reason })
            }
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// All that `source` gives, or `None` if it is more than `max` bytes.
fn read_bounded(source: impl Read, max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut plain = Vec::new();
    source.take(max as u64 + 1).read_to_end(&mut plain)?;
    Ok((plain.len() <= max).then_some(plain))
}

fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    let level = flate2::Compression::new(GZIP_LEVEL);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(plain)?;
    encoder.finish()
}

fn lz4(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(plain)?;
    Ok(encoder.finish()?)
}

fn snappy(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = XERIAL_HEADER.to_vec();
    let mut encoder = snap::raw::Encoder::new();
    for block in plain.chunks(XERIAL_BLOCK_BYTES) {
        let packed = encoder.compress_vec(block)?;
        let length = u32::try_from(packed.len()).map_err(io::Error::other)?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&packed);
    }
    Ok(out)
}

fn unsnappy(packed: &[u8], max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut plain = Vec::new();
    if !packed.starts_with(&XERIAL_MAGIC) {
        return Ok(unsnappy_block(packed, &mut plain, max)?.then_some(plain));
    }
    let mut rest = packed.get(XERIAL_HEADER.len()..).ok_or(io::ErrorKind::UnexpectedEof)?;
    while !rest.is_empty() {
        // Streams that were written one behind the other each begin with a header.
        if rest.starts_with(&XERIAL_MAGIC) {
            rest = rest.get(XERIAL_HEADER.len()..).ok_or(io::ErrorKind::UnexpectedEof)?;
            continue;
        }
        let (length, behind) = rest.split_first_chunk::<4>().ok_or(io::ErrorKind::UnexpectedEof)?;
        let (block, behind) = behind
            .split_at_checked(u32::from_be_bytes(*length) as usize)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        if !unsnappy_block(block, &mut plain, max)? {
            return Ok(None);
        }
        rest = behind;
    }
    Ok(Some(plain))
}

/// Appends one stream to `plain`; false if that would be more than `max` bytes. The stream says
/// its length first, so nothing is allocated for what is refused.
fn unsnappy_block(block: &[u8], plain: &mut Vec<u8>, max: usize) -> io::Result<bool> {
    let announced = snap::raw::decompress_len(block)?;
    let begin = plain.len();
    if announced > max.saturating_sub(begin) {
        return Ok(false);
    }
    // No stream shrinks its content to less than a 32nd: a copy of 64 bytes takes three or more.
    if announced / 32 > block.len() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    plain.resize(begin + announced, 0);
    let written = snap::raw::Decoder::new().decompress(block, &mut plain[begin..])?;
    plain.truncate(begin + written);
    Ok(true)
}
