//! Record batches of magic 2: the unit in which records are sent, stored and fetched, unchanged.
//!
//! [`batches`] walks over raw batches by their headers, [`decode`] over their records (every codec,
//! bounded), [`BatchBuilder`] makes one. Format: <https://kafka.apache.org/documentation/#recordbatch>

mod batch;
mod builder;
mod compression;
mod marker;
mod reader;
mod varint;

#[cfg(test)]
mod tests;

pub use batch::{Batch, BatchHeader, Batches, TimestampType, batches};
pub use builder::BatchBuilder;
pub use compression::Compression;
pub use marker::Marker;
pub use reader::{Records, decode, decode_bounded};

use bytes::Bytes;

/// Bytes one batch may take once decompressed, unless the caller says otherwise: 256 MiB.
pub const DECOMPRESSED_BYTES_MAX: usize = 256 << 20;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// Its place in the partition.
    pub offset: i64,
    /// Milliseconds since 1970; -1 if none was given.
    pub timestamp: i64,
    /// Decides partition and compaction.
    pub key: Option<Bytes>,
    /// The content; none deletes the key in a compacted topic.
    pub value: Option<Bytes>,
    /// In the order given; a key may come more than once.
    pub headers: Vec<Header>,
}

/// A header of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// Its name.
    pub key: String,
    /// Its content.
    pub value: Option<Bytes>,
}

/// Why batches or records could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A message set of before Kafka 0.11, which Kafka 4 does not write or read either.
    #[error("magic {0}; only record batches of magic 2 are known")]
    Magic(i8),
    /// The bytes are not those that were written.
    #[error("checksum {computed:08x} instead of {stored:08x} in the batch at offset {base_offset}")]
    Checksum {
        /// The batch's first offset.
        base_offset: i64,
        /// As the header says.
        stored: u32,
        /// As the bytes give it.
        computed: u32,
    },
    /// The header or a record contradicts the bytes.
    #[error("the batch at offset {base_offset} is malformed: {reason}")]
    Malformed {
        /// The batch's first offset.
        base_offset: i64,
        /// What does not fit.
        reason: &'static str,
    },
    /// A codec number nobody has given a meaning.
    #[error("compression codec {0} is not known")]
    Codec(i8),
    /// The codec refused the bytes.
    #[error("the {codec} data of a batch cannot be decompressed: {reason}")]
    Decompression {
        /// The codec's name.
        codec: &'static str,
        /// What it said.
        reason: String,
    },
    /// More than the bound once decompressed.
    #[error("a batch decompresses to more than {max} bytes")]
    TooLarge {
        /// Bytes allowed.
        max: usize,
    },
}
