//! Record batches (magic 2) as raw bytes: the header, the checksum, the walk from one to the next.
//!
//! Nothing here reads a file. Layout: <https://kafka.apache.org/documentation/#recordbatch>.
//!
//! The checksum covers everything from the attributes on. Base offset, length, leader epoch and
//! magic lie before it, so that a broker can assign the offset without touching the checksum; they
//! are guarded by the chain instead: each batch begins where the one before it ends, in bytes and in
//! offsets.

/// Bytes from the start of a batch to its first record.
pub const HEADER_BYTES: usize = 61;

/// Bytes before those that `batch_length` counts: base offset and the length itself.
pub const LENGTH_OVERHEAD: usize = 12;

/// The checksum covers the batch from here on.
pub(crate) const CRC_START: usize = 21;

/// Attribute bit: the base timestamp is the time from which on deletion markers may go (KIP-534).
pub(crate) const DELETE_HORIZON_BIT: i16 = 1 << 6;

/// The only record format there is since Kafka 4.0.
pub const MAGIC: i8 = 2;

/// What is wrong with the bytes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The bytes end before the batch does.
    #[error("{actual} bytes where {needed} are needed")]
    Truncated {
        /// Bytes the batch has according to what could be read of it.
        needed: usize,
        /// Bytes there are.
        actual: usize,
    },
    /// A length that no batch has.
    #[error("impossible batch length {0}")]
    Length(i32),
    /// A format that Kafka no longer takes.
    #[error("record format {0}; only 2 is supported")]
    Magic(i8),
    /// The checksum does not match.
    #[error("checksum is {actual:08x}, the header says {expected:08x}")]
    Crc {
        /// From the header.
        expected: u32,
        /// Computed from the bytes.
        actual: u32,
    },
    /// The number of records and the last offset contradict each other, or there are none.
    #[error("{records} records with last offset delta {last_offset_delta}")]
    Count {
        /// From the header.
        records: i32,
        /// From the header.
        last_offset_delta: i32,
    },
    /// Stored batches follow one another without overlap, and without gap where the log was not
    /// compacted; this one does not.
    #[error("base offset is {actual}, the batch before it says {expected}")]
    Chain {
        /// The offset after the last record of the batch before.
        expected: i64,
        /// From the header.
        actual: i64,
    },
    /// A record inside an uncompressed batch cannot be read.
    #[error("malformed record")]
    Record,
    /// There are no batches at all.
    #[error("no record batch")]
    Empty,
}

/// How the records of a batch are compressed: the low three attribute bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Plain records.
    None,
    /// gzip
    Gzip,
    /// Snappy, in xerial framing.
    Snappy,
    /// LZ4 frames.
    Lz4,
    /// Zstandard.
    Zstd,
    /// A code without a meaning.
    Unknown(u8),
}

/// The fixed fields at the start of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record.
    pub base_offset: i64,
    /// Bytes after this field; the whole batch has [`LENGTH_OVERHEAD`] more.
    pub batch_length: i32,
    /// Epoch of the leader that appended it.
    pub partition_leader_epoch: i32,
    /// Record format.
    pub magic: i8,
    /// CRC-32C of everything after it.
    pub crc: u32,
    /// Compression, timestamp type, transactional, control, delete horizon.
    pub attributes: i16,
    /// Offset of the last record, relative to the first.
    pub last_offset_delta: i32,
    /// Milliseconds; the records' timestamps are relative to it.
    pub base_timestamp: i64,
    /// Milliseconds; the newest timestamp in the batch.
    pub max_timestamp: i64,
    /// -1 without idempotence.
    pub producer_id: i64,
    /// -1 without idempotence.
    pub producer_epoch: i16,
    /// Sequence number of the first record; -1 without idempotence.
    pub base_sequence: i32,
    /// Number of records.
    pub record_count: i32,
}

impl BatchHeader {
    /// Reads the header at the start of `bytes` and checks that length and format are possible.
    /// The records need not be there; the checksum is not looked at.
    pub fn parse(bytes: &[u8]) -> Result<BatchHeader, BatchError> {
        let Some(head) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(BatchError::Truncated { needed: HEADER_BYTES, actual: bytes.len() });
        };
        let header = BatchHeader {
            base_offset: i64::from_be_bytes(field(head, 0)),
            batch_length: i32::from_be_bytes(field(head, 8)),
            partition_leader_epoch: i32::from_be_bytes(field(head, 12)),
            magic: i8::from_be_bytes(field(head, 16)),
            crc: u32::from_be_bytes(field(head, 17)),
            attributes: i16::from_be_bytes(field(head, 21)),
            last_offset_delta: i32::from_be_bytes(field(head, 23)),
            base_timestamp: i64::from_be_bytes(field(head, 27)),
            max_timestamp: i64::from_be_bytes(field(head, 35)),
            producer_id: i64::from_be_bytes(field(head, 43)),
            producer_epoch: i16::from_be_bytes(field(head, 51)),
            base_sequence: i32::from_be_bytes(field(head, 53)),
            record_count: i32::from_be_bytes(field(head, 57)),
        };
        if header.magic != MAGIC {
            return Err(BatchError::Magic(header.magic));
        }
        if header.batch_length < (HEADER_BYTES - LENGTH_OVERHEAD) as i32 {
            return Err(BatchError::Length(header.batch_length));
        }
        Ok(header)
    }

    /// Reads and checks the whole batch at the start of `bytes`: length, checksum, and that the
    /// last offset agrees with the number of records.
    pub fn check(bytes: &[u8]) -> Result<BatchHeader, BatchError> {
        BatchHeader::check_stored(bytes, Gaps::None)
    }

    /// As [`BatchHeader::check`]; where gaps are legal the batch may hold fewer records than its
    /// offsets say, or none.
    pub(crate) fn check_stored(bytes: &[u8], gaps: Gaps) -> Result<BatchHeader, BatchError> {
        let header = BatchHeader::parse(bytes)?;
        let size = header.size_bytes();
        if bytes.len() < size {
            return Err(BatchError::Truncated { needed: size, actual: bytes.len() });
        }
        let actual = crc32c::crc32c(&bytes[CRC_START..size]);
        if actual != header.crc {
            return Err(BatchError::Crc { expected: header.crc, actual });
        }
        let (count, span) =
            (i64::from(header.record_count), i64::from(header.last_offset_delta) + 1);
        let is_complete = match gaps {
            Gaps::None => count == span,
            Gaps::Legal => (0..=span).contains(&count),
        };
        if header.last_offset_delta < 0 || !is_complete {
            return Err(BatchError::Count {
                records: header.record_count,
                last_offset_delta: header.last_offset_delta,
            });
        }
        Ok(header)
    }

    /// Bytes of the whole batch, header included.
    pub fn size_bytes(&self) -> usize {
        LENGTH_OVERHEAD + self.batch_length as usize
    }

    /// Offset of the last record.
    pub fn last_offset(&self) -> i64 {
        self.base_offset.saturating_add(i64::from(self.last_offset_delta))
    }

    /// Offset after the last record.
    pub fn next_offset(&self) -> i64 {
        self.last_offset().saturating_add(1)
    }

    /// Sequence number of the last record; -1 without idempotence. Sequence numbers go from
    /// `i32::MAX` to 0.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return -1;
        }
        let sum = i64::from(self.base_sequence) + i64::from(self.last_offset_delta);
        (sum % (i64::from(i32::MAX) + 1)) as i32
    }

    /// How the records are compressed.
    pub fn compression(&self) -> Compression {
        match self.attributes & 0b111 {
            0 => Compression::None,
            1 => Compression::Gzip,
            2 => Compression::Snappy,
            3 => Compression::Lz4,
            4 => Compression::Zstd,
            code => Compression::Unknown(code as u8),
        }
    }

    /// Whether all records bear the broker's time (`LogAppendTime`): then it is `max_timestamp`.
    pub fn is_log_append_time(&self) -> bool {
        self.attributes & 1 << 3 != 0
    }

    /// Whether it is part of a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes & 1 << 4 != 0
    }

    /// Whether it holds a commit or abort marker instead of a client's records.
    pub fn is_control(&self) -> bool {
        self.attributes & 1 << 5 != 0
    }

    /// From when on its deletion markers may go, in wall ms; `None` until a compaction has seen them.
    pub fn delete_horizon_ms(&self) -> Option<i64> {
        (self.attributes & DELETE_HORIZON_BIT != 0).then_some(self.base_timestamp)
    }

    /// Writes the header in front of `records`, with the length and the checksum they ask for.
    pub(crate) fn with_records(&self, records: &[u8]) -> Vec<u8> {
        let length = (HEADER_BYTES - LENGTH_OVERHEAD + records.len()) as i32;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + records.len());
        bytes.extend(self.base_offset.to_be_bytes());
        bytes.extend(length.to_be_bytes());
        bytes.extend(self.partition_leader_epoch.to_be_bytes());
        bytes.extend(self.magic.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.attributes.to_be_bytes());
        bytes.extend(self.last_offset_delta.to_be_bytes());
        bytes.extend(self.base_timestamp.to_be_bytes());
        bytes.extend(self.max_timestamp.to_be_bytes());
        bytes.extend(self.producer_id.to_be_bytes());
        bytes.extend(self.producer_epoch.to_be_bytes());
        bytes.extend(self.base_sequence.to_be_bytes());
        bytes.extend(self.record_count.to_be_bytes());
        bytes.extend(records);
        let crc = crc32c::crc32c(&bytes[CRC_START..]);
        bytes[CRC_START - 4..CRC_START].copy_from_slice(&crc.to_be_bytes());
        bytes
    }
}

/// Whether offsets may be missing between batches and inside them: compaction makes such gaps, and
/// anywhere else they are damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gaps {
    /// Every offset is there.
    None,
    /// The segment was compacted, or may have been.
    Legal,
}

impl Gaps {
    /// Whether a batch or segment may begin at `actual` where the one before it ends at `expected`.
    pub(crate) fn allow(self, expected: i64, actual: i64) -> bool {
        actual == expected || (self == Gaps::Legal && actual > expected)
    }
}

fn field<const N: usize>(head: &[u8; HEADER_BYTES], at: usize) -> [u8; N] {
    *head[at..].first_chunk().expect("the fields lie within the header")
}

/// The batches in `bytes`, one after the other, each checked by [`BatchHeader::check`]. Ends after
/// the first error.
pub fn batches(bytes: &[u8]) -> impl Iterator<Item = Result<(BatchHeader, &[u8]), BatchError>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        Some(match BatchHeader::check(rest) {
            Ok(header) => {
                let (batch, after) = rest.split_at(header.size_bytes());
                rest = after;
                Ok((header, batch))
            }
            Err(error) => {
                rest = &[];
                Err(error)
            }
        })
    })
}

/// Writes the two fields that the leader owns. Both lie before what the checksum covers.
pub(crate) fn stamp(batch: &mut [u8], base_offset: i64, leader_epoch: i32) {
    batch[..8].copy_from_slice(&base_offset.to_be_bytes());
    batch[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
}
