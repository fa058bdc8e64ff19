//! As much of the records in a batch as searches by time and compaction need.

use crate::batch::{BatchError, BatchHeader, HEADER_BYTES};

/// One record of a batch, of which only the parts that are needed are taken apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    attributes: u8,
    /// Milliseconds after the batch's base timestamp.
    pub(crate) timestamp_delta: i64,
    /// Offset after the batch's base offset.
    pub(crate) offset_delta: i64,
    /// Decides which records replace each other.
    pub(crate) key: Option<&'a [u8]>,
    /// Whether it is more than a deletion of its key.
    pub(crate) has_value: bool,
    /// Key, value and headers as they were encoded.
    content: &'a [u8],
}

impl Record<'_> {
    /// Appends the record, with another timestamp delta.
    pub(crate) fn encode(&self, timestamp_delta: i64, out: &mut Vec<u8>) {
        let mut head = Vec::with_capacity(16);
        head.push(self.attributes);
        put_varint(timestamp_delta, &mut head);
        put_varint(self.offset_delta, &mut head);
        put_varint((head.len() + self.content.len()) as i64, out);
        out.extend(head);
        out.extend(self.content);
    }
}

/// What a control batch says of its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MarkerKind {
    /// Its records are as if they had never been written.
    Abort,
    /// Its records count.
    Commit,
}

/// What the marker in a whole control batch says; `None` if it holds none that is known.
pub(crate) fn marker_kind(batch: &[u8], header: &BatchHeader) -> Option<MarkerKind> {
    let record = decode(batch.get(HEADER_BYTES..)?, header).next()?.ok()?;
    // Version, then type, two bytes each.
    match record.key?.get(2..4)? {
        [0, 0] => Some(MarkerKind::Abort),
        [0, 1] => Some(MarkerKind::Commit),
        _ => None,
    }
}

/// Offset and timestamp of each record of a whole uncompressed batch. Ends after an error.
pub(crate) fn records<'a>(
    batch: &'a [u8],
    header: &'a BatchHeader,
) -> impl Iterator<Item = Result<(i64, i64), BatchError>> + 'a {
    let payload = batch.get(HEADER_BYTES..).unwrap_or_default();
    decode(payload, header).map(|record| {
        let Record { offset_delta, timestamp_delta, .. } = record?;
        let offset = header.base_offset.saturating_add(offset_delta);
        Ok((offset, header.base_timestamp.saturating_add(timestamp_delta)))
    })
}

/// The records in what follows a batch's header, decompressed. Ends after an error.
pub(crate) fn decode<'a>(
    payload: &'a [u8],
    header: &BatchHeader,
) -> impl Iterator<Item = Result<Record<'a>, BatchError>> + use<'a> {
    let mut rest = Ok(payload);
    (0..header.record_count).map_while(move |_| {
        let read = rest.and_then(record);
        if rest.is_err() {
            return None;
        }
        rest = read.map(|(_, after)| after);
        Some(read.map(|(found, _)| found))
    })
}

/// The record at the start of `bytes`, and what follows it.
fn record(bytes: &[u8]) -> Result<(Record<'_>, &[u8]), BatchError> {
    let (length, bytes) = varint(bytes)?;
    let length = usize::try_from(length).map_err(|_| BatchError::Record)?;
    let (record, after) = bytes.split_at_checked(length).ok_or(BatchError::Record)?;
    let (attributes, record) = record.split_first().ok_or(BatchError::Record)?;
    let (timestamp_delta, record) = varint(record)?;
    let (offset_delta, content) = varint(record)?;
    let (key, behind) = byte_string(content)?;
    let (value_length, _) = varint(behind)?;
    let has_value = value_length >= 0;
    let attributes = *attributes;
    Ok((Record { attributes, timestamp_delta, offset_delta, key, has_value, content }, after))
}

/// A byte string with its length in front, and what follows it; a negative length means none.
fn byte_string(bytes: &[u8]) -> Result<(Option<&[u8]>, &[u8]), BatchError> {
    let (length, bytes) = varint(bytes)?;
    let Ok(length) = usize::try_from(length) else { return Ok((None, bytes)) };
    let (string, after) = bytes.split_at_checked(length).ok_or(BatchError::Record)?;
    Ok((Some(string), after))
}

/// A zigzag variable-length number and what follows it.
fn varint(bytes: &[u8]) -> Result<(i64, &[u8]), BatchError> {
    let mut value = 0_u64;
    for (i, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i).min(63);
        if byte & 0x80 == 0 {
            let number = (value >> 1) as i64 ^ -((value & 1) as i64);
            return Ok((number, &bytes[i + 1..]));
        }
    }
    Err(BatchError::Record)
}

fn put_varint(number: i64, out: &mut Vec<u8>) {
    let mut zigzag = ((number << 1) ^ (number >> 63)) as u64;
    while zigzag >= 0x80 {
        out.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    out.push(zigzag as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_length_numbers_are_zigzag() {
        for (bytes, number) in [
            (&[0][..], 0),
            (&[1], -1),
            (&[2], 1),
            (&[0x80, 0x01], 64),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], i64::MIN),
        ] {
            assert_eq!(varint(bytes).unwrap(), (number, &[][..]), "{bytes:?}");
            let mut written = Vec::new();
            put_varint(number, &mut written);
            assert_eq!(written, bytes);
        }
        assert!(varint(&[0x80; 11]).is_err());
        assert!(varint(&[]).is_err());
    }

    #[test]
    fn a_record_is_written_as_it_was_read() {
        // Attributes, deltas 3 and 1, key "k", value "v", no headers.
        let bytes = [16, 0, 6, 2, 2, b'k', 2, b'v', 0];
        let (record, after) = record(&bytes).unwrap();
        assert_eq!((record.key, record.has_value, after), (Some(&b"k"[..]), true, &[][..]));
        let mut written = Vec::new();
        record.encode(3, &mut written);
        assert_eq!(written, bytes);
        written.clear();
        record.encode(200, &mut written);
        assert_eq!(super::record(&written).unwrap().0.timestamp_delta, 200);
    }
}
