//! gRPC's frames in an HTTP/2 body: a flag, a length, a message.
//! Spec: `doc/PROTOCOL-HTTP2.md` of gRPC.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use prost::Message;

/// Flag and length.
const HEADER_BYTES: usize = 5;

/// Why a body is not gRPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Nobody asked for compression: the server names none in `grpc-accept-encoding`.
    #[error("compressed messages are not supported")]
    Compressed,
    /// More than the server takes.
    #[error("a message of {bytes} bytes, more than the {most} that are taken")]
    TooLarge {
        /// Length of the message.
        bytes: usize,
        /// The limit.
        most: usize,
    },
}

/// Cuts a body into messages.
#[derive(Debug)]
pub struct Frames {
    buffer: BytesMut,
    most: usize,
}

impl Frames {
    /// `most`: bytes of one message at most.
    pub fn new(most: usize) -> Frames {
        Frames { buffer: BytesMut::new(), most }
    }

    /// Takes a piece of the body.
    pub fn push(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// Whether the body ended in the middle of a message.
    pub fn is_torn(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next whole message. An error is final: where the next message begins is unknown.
    pub fn take(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some(&[flag, a, b, c, d]) = self.buffer.first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let bytes = u32::from_be_bytes([a, b, c, d]) as usize;
        if bytes > self.most {
            return Err(FrameError::TooLarge { bytes, most: self.most });
        }
        if flag != 0 {
            return Err(FrameError::Compressed);
        }
        if self.buffer.len() < HEADER_BYTES + bytes {
            return Ok(None);
        }
        self.buffer.advance(HEADER_BYTES);
        Ok(Some(self.buffer.split_to(bytes).freeze()))
    }
}

/// A message in its frame.
pub fn frame<M: Message>(message: &M) -> Bytes {
    let len = message.encoded_len();
    let mut bytes = BytesMut::with_capacity(HEADER_BYTES + len);
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(len).unwrap_or(u32::MAX));
    message.encode(&mut bytes).expect("a growing buffer has room");
    bytes.freeze()
}

/// Text for the trailer `grpc-message`: everything but printable ASCII in percent signs.
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (0x20..=0x7e).contains(&byte) && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyValue;

    #[test]
    fn messages_come_out_whole_however_the_body_is_cut() {
        let message = KeyValue { key: "a".repeat(300), value: None };
        let body = [frame(&message), frame(&KeyValue::default()), frame(&message)].concat();
        for size in [1, 2, 7, 1000] {
            let mut frames = Frames::new(1 << 20);
            let mut found = Vec::new();
            for piece in body.chunks(size) {
                frames.push(piece);
                while let Some(bytes) = frames.take().unwrap() {
                    found.push(KeyValue::decode(bytes).unwrap());
                }
            }
            assert_eq!(found, [message.clone(), KeyValue::default(), message.clone()]);
            assert!(!frames.is_torn());
        }
    }

    #[test]
    fn a_message_above_the_limit_is_refused_before_it_arrives() {
        let mut frames = Frames::new(10);
        frames.push(&[0, 0, 0, 0, 11]);
        assert_eq!(frames.take(), Err(FrameError::TooLarge { bytes: 11, most: 10 }));
        let mut frames = Frames::new(10);
        frames.push(&[1, 0, 0, 0, 1]);
        assert_eq!(frames.take(), Err(FrameError::Compressed));
    }

    #[test]
    fn a_status_message_is_printable_ascii() {
        assert_eq!(percent_encoded("50% of ä\n"), "50%25 of %C3%A4%0A");
    }
}
