//! Records out of raw batches.

use bytes::Bytes;

use super::batch::{Batch, Batches, TimestampType, batches};
use super::{DECOMPRESSED_BYTES_MAX, Header, Record, RecordError, varint};

/// The records of raw batches, as a fetch gives them: every codec, checksums verified, control
/// records left out, a batch cut off at the end ignored. An error ends the walk. Keys, values and
/// header values are slices of `bytes`, or of the decompressed batch.
pub fn decode(bytes: &Bytes) -> Records {
    decode_bounded(bytes, DECOMPRESSED_BYTES_MAX)
}

/// As [`decode`], with the bytes one batch may take once decompressed.
pub fn decode_bounded(bytes: &Bytes, decompressed_bytes_max: usize) -> Records {
    Records { batches: batches(bytes), current: None, decompressed_bytes_max }
}

/// The first record of a batch, also of a control batch; `None` if there is none to be read.
pub(super) fn first_record(batch: &Batch) -> Option<Record> {
    let compression = batch.header.compression().ok()?;
    let content = compression.decompress(&batch.payload(), DECOMPRESSED_BYTES_MAX).ok()?;
    let left = batch.header.record_count;
    let mut open = Open { batch: batch.clone(), content, position: 0, left };
    if left > 0 { open.next_record().ok() } else { None }
}

/// Walks over records. See [`decode`].
#[derive(Debug)]
pub struct Records {
    batches: Batches,
    current: Option<Open>,
    decompressed_bytes_max: usize,
}

/// A batch whose records are being read.
#[derive(Debug)]
struct Open {
    batch: Batch,
    /// The records, decompressed.
    content: Bytes,
    /// Where the next one begins.
    position: usize,
    left: i32,
}

impl Iterator for Records {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(open) = &mut self.current {
                if open.left > 0 {
                    let next = open.next_record();
                    if next.is_err() {
                        self.end();
                    }
                    return Some(next);
                }
                if open.position != open.content.len() {
                    let error = open.malformed("bytes behind its last record");
                    self.end();
                    return Some(Err(error));
                }
                self.current = None;
            }
            match self.batches.next()?.and_then(|batch| self.open(batch)) {
                Ok(open) => self.current = open,
                Err(error) => {
                    self.end();
                    return Some(Err(error));
                }
            }
        }
    }
}

impl Records {
    fn end(&mut self) {
        self.current = None;
        self.batches = batches(&Bytes::new());
    }

    fn open(&self, batch: Batch) -> Result<Option<Open>, RecordError> {
        batch.check()?;
        if batch.header.is_control() {
            return Ok(None);
        }
        let compression = batch.header.compression()?;
        let content = compression.decompress(&batch.payload(), self.decompressed_bytes_max)?;
        Ok(Some(Open { left: batch.header.record_count, content, position: 0, batch }))
    }
}

impl Open {
    fn malformed(&self, reason: &'static str) -> RecordError {
        RecordError::Malformed { base_offset: self.batch.header.base_offset, reason }
    }

    fn next_record(&mut self) -> Result<Record, RecordError> {
        self.left -= 1;
        let mut rest = &self.content[self.position..];
        let length = varint::take_int(&mut rest)
            .and_then(|length| usize::try_from(length).ok())
            .filter(|length| *length <= rest.len())
            .ok_or_else(|| self.malformed("a record longer than the batch"))?;
        let begin = self.content.len() - rest.len();
        self.position = begin + length;
        let body = self.content.slice(begin..self.position);
        self.record(&body).ok_or_else(|| self.malformed("a record that contradicts its length"))
    }

    /// One record: attributes, deltas, key, value, headers. `None` if `body` is too short or long.
    fn record(&self, body: &Bytes) -> Option<Record> {
        let header = &self.batch.header;
        let mut rest = body.get(1..)?;
        let timestamp_delta = varint::take_long(&mut rest)?;
        let offset_delta = varint::take_int(&mut rest)?;
        let timestamp = match header.timestamp_type() {
            TimestampType::CreateTime => header.base_timestamp.wrapping_add(timestamp_delta),
            TimestampType::LogAppendTime => header.max_timestamp,
        };
        let offset = header.base_offset.wrapping_add(offset_delta.into());
        let key = take_bytes(body, &mut rest)?;
        let value = take_bytes(body, &mut rest)?;
        let headers = take_headers(body, &mut rest)?;
        rest.is_empty().then_some(Record { offset, timestamp, key, value, headers })
    }
}

fn take_headers(body: &Bytes, rest: &mut &[u8]) -> Option<Vec<Header>> {
    let count = usize::try_from(varint::take_int(rest)?).ok()?;
    // A header takes two bytes at least.
    if count > rest.len() / 2 {
        return None;
    }
    (0..count)
        .map(|_| {
            let key = String::from_utf8(take_bytes(body, rest)??.to_vec()).ok()?;
            Some(Header { key, value: take_bytes(body, rest)? })
        })
        .collect()
}

/// A byte string with its length in front, as a slice of `body`. The inner `None` is null.
fn take_bytes(body: &Bytes, rest: &mut &[u8]) -> Option<Option<Bytes>> {
    match varint::take_int(rest)? {
        -1 => Some(None),
        length => {
            let (taken, left) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            *rest = left;
            Some(Some(body.slice_ref(taken)))
        }
    }
}
