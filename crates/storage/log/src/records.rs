//! As much of the records in an uncompressed batch as a search by time needs.

use crate::batch::{BatchError, BatchHeader, HEADER_BYTES};

/// The first record of a whole uncompressed batch that is at or after `ms` and at or after offset
/// `from`: its offset and timestamp.
pub(crate) fn first_at_or_after(
    batch: &[u8],
    header: &BatchHeader,
    ms: i64,
    from: i64,
) -> Result<Option<(i64, i64)>, BatchError> {
    let mut rest = batch.get(HEADER_BYTES..).ok_or(BatchError::Record)?;
    for _ in 0..header.record_count {
        let (length, after) = varint(rest)?;
        let length = usize::try_from(length).map_err(|_| BatchError::Record)?;
        let record = after.get(..length).ok_or(BatchError::Record)?;
        rest = &after[length..];
        // One byte of attributes, all unused.
        let (timestamp_delta, record) = varint(record.get(1..).ok_or(BatchError::Record)?)?;
        let (offset_delta, _) = varint(record)?;
        let timestamp = header.base_timestamp.saturating_add(timestamp_delta);
        let offset = header.base_offset.saturating_add(offset_delta);
        if timestamp >= ms && offset >= from {
            return Ok(Some((offset, timestamp)));
        }
    }
    Ok(None)
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
