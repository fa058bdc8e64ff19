//! Raw batches by their headers.

use bytes::{Buf, Bytes};

use super::{Compression, RecordError};

/// Bytes of a header: from the base offset to the count of records.
pub(super) const HEADER_BYTES: usize = 61;
/// Bytes in front of what the length field counts.
pub(super) const PREFIX_BYTES: usize = 12;
/// Where the checksum begins to count: behind itself.
pub(super) const CHECKED_FROM: usize = 21;

const MAGIC_AT: usize = 16;
const CODEC_BITS: i16 = 0x07;
const LOG_APPEND_TIME_BIT: i16 = 0x08;
const TRANSACTIONAL_BIT: i16 = 0x10;
const CONTROL_BIT: i16 = 0x20;

/// Who gave the timestamps of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer, record by record.
    CreateTime,
    /// The broker, one for the batch.
    LogAppendTime,
}

/// The header of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record.
    pub base_offset: i64,
    /// Bytes behind this field.
    pub length: i32,
    /// Epoch of the leader that appended it.
    pub partition_leader_epoch: i32,
    /// CRC-32C of everything from the attributes on.
    pub checksum: u32,
    /// Codec, timestamp type, transactional and control bits.
    pub attributes: i16,
    /// Offset of the last record, less the first.
    pub last_offset_delta: i32,
    /// Timestamp of the first record, in ms.
    pub base_timestamp: i64,
    /// The largest timestamp, in ms.
    pub max_timestamp: i64,
    /// The producer, or -1.
    pub producer_id: i64,
    /// The producer's epoch, or -1.
    pub producer_epoch: i16,
    /// Sequence number of the first record, or -1.
    pub base_sequence: i32,
    /// How many records there are; after compaction fewer than the offsets suggest.
    pub record_count: i32,
}

impl BatchHeader {
    /// Offset of the last record.
    pub fn last_offset(&self) -> i64 {
        self.base_offset.saturating_add(self.last_offset_delta.into())
    }

    /// Sequence number of the last record; it starts again at 0 behind the largest.
    pub fn last_sequence(&self) -> i32 {
        match self.base_sequence {
            -1 => -1,
            base => (base & i32::MAX).wrapping_add(self.last_offset_delta) & i32::MAX,
        }
    }

    /// Bytes of the whole batch.
    pub fn size(&self) -> usize {
        PREFIX_BYTES + usize::try_from(self.length).unwrap_or(0)
    }

    /// How the records are compressed.
    pub fn compression(&self) -> Result<Compression, RecordError> {
        Compression::from_number((self.attributes & CODEC_BITS) as i8)
    }

    /// Who gave the timestamps.
    pub fn timestamp_type(&self) -> TimestampType {
        match self.attributes & LOG_APPEND_TIME_BIT {
            0 => TimestampType::CreateTime,
            _ => TimestampType::LogAppendTime,
        }
    }

    /// Whether it belongs to a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL_BIT != 0
    }

    /// Whether its records are markers, which no consumer sees.
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL_BIT != 0
    }
}

/// A batch: its header, and all its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// What it says of itself.
    pub header: BatchHeader,
    /// All of it, header included: a slice of what it was read from.
    pub bytes: Bytes,
}

impl Batch {
    /// Computes the checksum and compares.
    pub fn check(&self) -> Result<(), RecordError> {
        let computed = crc32c::crc32c(&self.bytes[CHECKED_FROM..]);
        match self.header.checksum {
            stored if stored == computed => Ok(()),
            stored => {
                let base_offset = self.header.base_offset;
                Err(RecordError::Checksum { base_offset, stored, computed })
            }
        }
    }

    /// What follows the header: the records, compressed as the header says.
    pub fn payload(&self) -> Bytes {
        self.bytes.slice(HEADER_BYTES..)
    }
}

/// Walks over raw batches. See [`batches`].
#[derive(Debug, Clone)]
pub struct Batches {
    rest: Bytes,
}

impl Batches {
    /// Bytes not walked over yet: at the end, the part of a batch that was cut off.
    pub fn rest(&self) -> &Bytes {
        &self.rest
    }
}

/// The batches in `bytes`, by their headers; checksums are not computed. A batch cut off at the end
/// is not given: a fetch may end in the middle of one. An error ends the walk.
pub fn batches(bytes: &Bytes) -> Batches {
    Batches { rest: bytes.clone() }
}

impl Iterator for Batches {
    type Item = Result<Batch, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = take(&mut self.rest).transpose();
        if matches!(next, Some(Err(_))) {
            self.rest = Bytes::new();
        }
        next
    }
}

fn take(rest: &mut Bytes) -> Result<Option<Batch>, RecordError> {
    if rest.len() <= MAGIC_AT {
        return Ok(None);
    }
    let mut fields = rest.slice(..rest.len().min(HEADER_BYTES));
    let (base_offset, length) = (fields.get_i64(), fields.get_i32());
    let partition_leader_epoch = fields.get_i32();
    match fields.get_i8() {
        2 => {}
        magic => return Err(RecordError::Magic(magic)),
    }
    let malformed = |reason| RecordError::Malformed { base_offset, reason };
    let size = usize::try_from(length)
        .ok()
        .and_then(|length| length.checked_add(PREFIX_BYTES))
        .filter(|size| *size >= HEADER_BYTES)
        .ok_or_else(|| malformed("shorter than its header"))?;
    if rest.len() < size {
        return Ok(None);
    }
    let header = BatchHeader {
        base_offset,
        length,
        partition_leader_epoch,
        checksum: fields.get_u32(),
        attributes: fields.get_i16(),
        last_offset_delta: fields.get_i32(),
        base_timestamp: fields.get_i64(),
        max_timestamp: fields.get_i64(),
        producer_id: fields.get_i64(),
        producer_epoch: fields.get_i16(),
        base_sequence: fields.get_i32(),
        record_count: fields.get_i32(),
    };
    if header.last_offset_delta < 0 || header.record_count < 0 {
        return Err(malformed("a negative count"));
    }
    Ok(Some(Batch { header, bytes: rest.split_to(size) }))
}
