//! Making a batch.

use bytes::{BufMut, Bytes, BytesMut};

use super::batch::{CHECKED_FROM, HEADER_BYTES, PREFIX_BYTES};
use super::{Compression, Header, varint};

const MAGIC: i8 = 2;
const CONTROL_BIT: i16 = 0x20;
const TRANSACTIONAL_BIT: i16 = 0x10;

/// Collects records and writes them as one batch of magic 2.
///
/// ```
/// use tidemill_kafka_wire::records::{self, BatchBuilder, Compression};
///
/// let mut batch = BatchBuilder::new(Compression::Lz4);
/// batch.push(1_700_000_000_000, Some(b"key"), Some(b"value"), &[]);
/// let bytes = batch.build();
/// assert_eq!(records::decode(&bytes).count(), 1);
/// ```
#[derive(Debug)]
pub struct BatchBuilder {
    compression: Compression,
    attributes: i16,
    base_offset: i64,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    count: i32,
    records: BytesMut,
}

impl BatchBuilder {
    /// An empty batch that begins at offset 0 and belongs to no producer.
    pub fn new(compression: Compression) -> BatchBuilder {
        BatchBuilder {
            compression,
            attributes: 0,
            base_offset: 0,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            base_timestamp: -1,
            max_timestamp: -1,
            count: 0,
            records: BytesMut::new(),
        }
    }

    /// The offset of the first record; a broker replaces it.
    pub fn base_offset(mut self, offset: i64) -> BatchBuilder {
        self.base_offset = offset;
        self
    }

    /// The idempotent producer, and the sequence number of the first record.
    pub fn producer(mut self, id: i64, epoch: i16, base_sequence: i32) -> BatchBuilder {
        (self.producer_id, self.producer_epoch, self.base_sequence) = (id, epoch, base_sequence);
        self
    }

    /// Makes the batch part of a transaction.
    pub fn transactional(mut self) -> BatchBuilder {
        self.attributes |= TRANSACTIONAL_BIT;
        self
    }

    /// Makes the records markers, which no consumer sees.
    pub fn control(mut self) -> BatchBuilder {
        self.attributes |= CONTROL_BIT;
        self
    }

    /// Adds a record; `timestamp` in ms since 1970.
    pub fn push(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header],
    ) {
        if self.count == 0 {
            (self.base_timestamp, self.max_timestamp) = (timestamp, timestamp);
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let timestamp_delta = timestamp.wrapping_sub(self.base_timestamp);
        let offset_delta = i64::from(self.count);
        let body = 1
            + varint::length(timestamp_delta)
            + varint::length(offset_delta)
            + bytes_length(key)
            + bytes_length(value)
            + headers_length(headers);
        let out = &mut self.records;
        varint::put(out, body as i64);
        out.put_i8(0);
        varint::put(out, timestamp_delta);
        varint::put(out, offset_delta);
        put_bytes(out, key);
        put_bytes(out, value);
        varint::put(out, headers.len() as i64);
        for header in headers {
            put_bytes(out, Some(header.key.as_bytes()));
            put_bytes(out, header.value.as_deref());
        }
        self.count += 1;
    }

    /// Records added.
    pub fn count(&self) -> i32 {
        self.count
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the batch before compression.
    pub fn size(&self) -> usize {
        HEADER_BYTES + self.records.len()
    }

    /// Bytes a record would add at most, before compression: for who keeps a batch below a limit.
    pub fn record_size_max(key: Option<&[u8]>, value: Option<&[u8]>, headers: &[Header]) -> usize {
        // Length, attributes, and deltas of at most ten and five bytes.
        5 + 1 + 10 + 5 + bytes_length(key) + bytes_length(value) + headers_length(headers)
    }

    /// The batch.
    pub fn build(self) -> Bytes {
        let payload = self.compression.compress(self.records.freeze());
        let mut out = BytesMut::with_capacity(HEADER_BYTES + payload.len());
        out.put_i64(self.base_offset);
        let length = HEADER_BYTES - PREFIX_BYTES + payload.len();
        out.put_i32(i32::try_from(length).expect("a batch is kept far below 2 GiB by its maker"));
        out.put_i32(-1); // Partition leader epoch: the leader's to write.
        out.put_i8(MAGIC);
        out.put_u32(0); // The checksum, known when all is written.
        out.put_i16(self.attributes | i16::from(self.compression.number()));
        out.put_i32((self.count - 1).max(0));
        out.put_i64(self.base_timestamp);
        out.put_i64(self.max_timestamp);
        out.put_i64(self.producer_id);
        out.put_i16(self.producer_epoch);
        out.put_i32(self.base_sequence);
        out.put_i32(self.count);
        out.put_slice(&payload);
        let checksum = crc32c::crc32c(&out[CHECKED_FROM..]);
        out[CHECKED_FROM - 4..CHECKED_FROM].copy_from_slice(&checksum.to_be_bytes());
        out.freeze()
    }
}

fn bytes_length(bytes: Option<&[u8]>) -> usize {
    match bytes {
        None => varint::length(-1),
        Some(bytes) => varint::length(bytes.len() as i64) + bytes.len(),
    }
}

fn headers_length(headers: &[Header]) -> usize {
    let each = |header: &Header| {
        bytes_length(Some(header.key.as_bytes())) + bytes_length(header.value.as_deref())
    };
    varint::length(headers.len() as i64) + headers.iter().map(each).sum::<usize>()
}

fn put_bytes(out: &mut BytesMut, bytes: Option<&[u8]>) {
    match bytes {
        None => varint::put(out, -1),
        Some(bytes) => {
            varint::put(out, bytes.len() as i64);
            out.put_slice(bytes);
        }
    }
}
