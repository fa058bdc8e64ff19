//! Frames: a length of four bytes, then so many bytes.

use bytes::{Buf, Bytes, BytesMut};

use crate::jute::Jute;

/// Bytes of the length before a frame.
pub const LENGTH_BYTES: usize = 4;

/// A length that no frame has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {length} bytes, {max} are allowed")]
pub struct BadLength {
    /// The length.
    pub length: i32,
    /// The longest that is taken, in bytes.
    pub max: usize,
}

/// Takes the first frame, without its length, if all of it is there. A frame may have up to `max`
/// bytes (`jute.maxbuffer`).
pub fn take(buffer: &mut BytesMut, max: usize) -> Result<Option<Bytes>, BadLength> {
    let Some(head) = buffer.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
    let length = i32::from_be_bytes(*head);
    let fits = usize::try_from(length).ok().filter(|length| *length <= max);
    let Some(wanted) = fits else { return Err(BadLength { length, max }) };
    if buffer.len() < LENGTH_BYTES + wanted {
        return Ok(None);
    }
    buffer.advance(LENGTH_BYTES);
    Ok(Some(buffer.split_to(wanted).freeze()))
}

/// One frame of what `write` appends.
pub fn build(write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut bytes = vec![0; LENGTH_BYTES];
    write(&mut bytes);
    let length = i32::try_from(bytes.len() - LENGTH_BYTES).expect("frames are below 2 GiB");
    bytes[..LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
    Bytes::from(bytes)
}

/// One frame of one record.
pub fn of(record: &impl Jute) -> Bytes {
    build(|to| record.write(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_taken_when_all_of_it_is_there() {
        let frame = of(&"abc".to_owned());
        let mut buffer = BytesMut::from(&frame[..frame.len() - 1]);
        assert_eq!(take(&mut buffer, 100), Ok(None));
        buffer.extend_from_slice(&frame[frame.len() - 1..]);
        buffer.extend_from_slice(&[0, 0]);
        assert_eq!(take(&mut buffer, 100).unwrap().unwrap(), &frame[4..]);
        assert_eq!(take(&mut buffer, 100), Ok(None));
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_its_bytes_come() {
        let mut buffer = BytesMut::from(&[0, 0, 0, 101][..]);
        assert_eq!(take(&mut buffer, 100), Err(BadLength { length: 101, max: 100 }));
        let mut buffer = BytesMut::from(&[0xff, 0, 0, 0][..]);
        assert!(take(&mut buffer, 100).is_err());
    }
}
