//! As much of the records in an uncompressed batch as a search by time needs.

use crate::batch::{BatchError, BatchHeader, HEADER_BYTES};

/// Offset and timestamp of each record of a whole uncompressed batch. Ends after an error.
pub(crate) fn records<'a>(
    batch: &'a [u8],
    header: &'a BatchHeader,
) -> impl Iterator<Item = Result<(i64, i64), BatchError>> + 'a {
    let mut rest = batch.get(HEADER_BYTES..).ok_or(BatchError::Record);
    (0..header.record_count).map_while(move |_| {
        let read = rest.and_then(|bytes| record(bytes, header));
        if rest.is_err() {
            return None;
        }
        rest = read.map(|(_, after)| after);
        Some(read.map(|(found, _)| found))
    })
}

/// The record at the start of `bytes`, and what follows it.
fn record<'a>(bytes: &'a [u8], header: &BatchHeader) -> Result<((i64, i64), &'a [u8]), BatchError> {
    let (length, bytes) = varint(bytes)?;
    let length = usize::try_from(length).map_err(|_| BatchError::Record)?;
    let (record, after) = bytes.split_at_checked(length).ok_or(BatchError::Record)?;
    // One byte of attributes, all unused.
    let (timestamp_delta, record) = varint(record.get(1..).ok_or(BatchError::Record)?)?;
    let (offset_delta, _) = varint(record)?;
    let offset = header.base_offset.saturating_add(offset_delta);
    Ok(((offset, header.base_timestamp.saturating_add(timestamp_delta)), after))
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
        }
        assert!(varint(&[0x80; 11]).is_err());
        assert!(varint(&[]).is_err());
    }
}
