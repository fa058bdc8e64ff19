//! Cutting a stream of bytes into frames: four bytes of length, then so many bytes.

use bytes::{Buf, Bytes, BytesMut};

/// Bytes in front of a frame.
const PREFIX_BYTES: usize = 4;

/// Why a stream cannot be cut any further. The connection is of no more use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// More than the receiver takes; nothing was allocated for it.
    #[error("a frame of {length} bytes is larger than the {max} allowed")]
    TooLarge {
        /// Bytes announced.
        length: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// A length below zero.
    #[error("a frame of length {0}")]
    Negative(i32),
    /// The other side speaks TLS.
    #[error("the other side speaks TLS, this is a plain Kafka port")]
    Tls,
    /// The other side speaks HTTP.
    #[error("the other side speaks HTTP, this is a Kafka port")]
    Http,
}

/// Takes the next frame, without its length, from the front of what has arrived. `None`: it is not
/// complete, and the buffer has room for the rest of it. `length_max`: bytes allowed in a frame.
pub fn take(buffer: &mut BytesMut, length_max: usize) -> Result<Option<Bytes>, FrameError> {
    let Some(prefix) = buffer.first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
    let length = judge(*prefix, length_max)?;
    if buffer.len() < PREFIX_BYTES + length {
        // The sender shows what it announced before memory is taken for it: at most double.
        let missing = PREFIX_BYTES + length - buffer.len();
        buffer.reserve(missing.min(buffer.len().max(64 * 1024)));
        return Ok(None);
    }
    buffer.advance(PREFIX_BYTES);
    Ok(Some(buffer.split_to(length).freeze()))
}

fn judge(prefix: [u8; PREFIX_BYTES], max: usize) -> Result<usize, FrameError> {
    let number = i32::from_be_bytes(prefix);
    match usize::try_from(number) {
        Ok(length) if length <= max => Ok(length),
        // Told by the first bytes of a hello: handshake record, TLS 1.x.
        _ if prefix[..2] == [0x16, 0x03] => Err(FrameError::Tls),
        _ if [*b"GET ", *b"POST", *b"PUT ", *b"HEAD", *b"OPTI", *b"DELE"].contains(&prefix) => {
            Err(FrameError::Http)
        }
        Ok(length) => Err(FrameError::TooLarge { length, max }),
        Err(_) => Err(FrameError::Negative(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_cut_where_they_end() {
        let mut buffer = BytesMut::from(&b"\0\0\0\x03abc\0\0\0\0\0\0\0\x02d"[..]);
        assert_eq!(take(&mut buffer, 10).unwrap().unwrap(), "abc");
        assert_eq!(take(&mut buffer, 10).unwrap().unwrap(), "");
        assert_eq!(take(&mut buffer, 10), Ok(None));
        buffer.extend_from_slice(b"e");
        assert_eq!(take(&mut buffer, 10).unwrap().unwrap(), "de");
        assert_eq!(take(&mut buffer, 10), Ok(None));
    }

    #[test]
    fn what_is_not_kafka_is_named() {
        for (bytes, error) in [
            (*b"\x16\x03\x01\x02", FrameError::Tls),
            (*b"GET ", FrameError::Http),
            (*b"\xff\xff\xff\xff", FrameError::Negative(-1)),
            (*b"\0\0\0\x0b", FrameError::TooLarge { length: 11, max: 10 }),
        ] {
            assert_eq!(take(&mut BytesMut::from(&bytes[..]), 10), Err(error));
        }
    }

    #[test]
    fn memory_follows_what_arrived_and_not_what_was_announced() {
        let mut buffer = BytesMut::from(&b"\x06\0\0\0abc"[..]);
        assert_eq!(take(&mut buffer, 100 << 20), Ok(None));
        assert!(buffer.capacity() < 256 * 1024, "{}", buffer.capacity());
    }
}
