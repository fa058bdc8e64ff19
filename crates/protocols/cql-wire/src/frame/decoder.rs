//! Socket bytes in, envelopes out.

use bytes::{Buf, Bytes, BytesMut};

use super::envelope::{HEADER_BYTES, RESPONSE_BIT};
use super::segment::{self, SegmentError};
use super::{Compression, Envelope, Flags, Opcode};
use crate::Version;

/// Why no envelope could be made. [`FrameError::is_fatal`] says whether the stream is lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A version we do not speak. The client steps down on reading the text.
    #[error("{}", crate::unsupported_version_text(*.version))]
    UnsupportedVersion {
        /// What it asked for.
        version: u8,
        /// Where the answer goes.
        stream: i16,
    },
    /// Longer than the limit. Its body is skipped, the connection goes on.
    #[error("Request is too big: length {length} exceeds maximum allowed length {bytes_max}.")]
    TooLarge {
        /// Where the answer goes.
        stream: i16,
        /// Bytes announced.
        length: usize,
        /// Bytes allowed.
        bytes_max: usize,
    },
    /// An opcode that names nothing. Its body is skipped.
    #[error("Unknown opcode {opcode}")]
    UnknownOpcode {
        /// Where the answer goes.
        stream: i16,
        /// The number.
        opcode: u8,
    },
    /// The wrong side sent it: a response came in, or a client got a request.
    #[error("Wrong protocol direction (expected {expected}, got {got}) for opcode {opcode}")]
    Direction {
        /// Where the answer goes.
        stream: i16,
        /// `REQUEST` or `RESPONSE`.
        expected: &'static str,
        /// The other one.
        got: &'static str,
        /// The number.
        opcode: u8,
    },
    /// Another version than the connection started with.
    #[error(
        "Invalid message version. Got {got} but previous messages on this connection had version {known}"
    )]
    VersionChanged {
        /// Where the answer goes.
        stream: i16,
        /// The version of this envelope.
        got: Version,
        /// The version of the connection.
        known: Version,
    },
    /// A body that does not decompress.
    #[error("Decompression failed")]
    Compression {
        /// Where the answer goes.
        stream: i16,
    },
    /// A segment whose checksum does not match: nothing after it can be read.
    #[error("Invalid or unreadable segment: {0}")]
    Segment(&'static str),
}

impl FrameError {
    /// Whether the place where the next frame starts is unknown or not ours to read.
    pub fn is_fatal(&self) -> bool {
        match self {
            FrameError::UnsupportedVersion { .. }
            | FrameError::VersionChanged { .. }
            | FrameError::Segment(_) => true,
            FrameError::TooLarge { .. }
            | FrameError::UnknownOpcode { .. }
            | FrameError::Direction { .. }
            | FrameError::Compression { .. } => false,
        }
    }

    /// The stream the answer belongs to; 0 where it could not be read.
    pub fn stream(&self) -> i16 {
        match self {
            FrameError::UnsupportedVersion { stream, .. }
            | FrameError::TooLarge { stream, .. }
            | FrameError::UnknownOpcode { stream, .. }
            | FrameError::Direction { stream, .. }
            | FrameError::VersionChanged { stream, .. }
            | FrameError::Compression { stream } => *stream,
            FrameError::Segment(_) => 0,
        }
    }
}

/// One direction of one connection. Feed it what the socket gave, ask until it answers `None`.
#[derive(Debug)]
pub struct FrameDecoder {
    reads_responses: bool,
    body_bytes_max: usize,
    compression: Option<Compression>,
    version: Option<Version>,
    in_segments: bool,
    /// In v5: what the segments carried and no envelope has taken yet.
    unwrapped: BytesMut,
    /// Bytes of a refused body still to be skipped.
    skip: usize,
}

impl FrameDecoder {
    /// A server's side: reads requests whose bodies are at most `body_bytes_max` long.
    pub fn for_requests(body_bytes_max: usize) -> FrameDecoder {
        FrameDecoder {
            reads_responses: false,
            body_bytes_max,
            compression: None,
            version: None,
            in_segments: false,
            unwrapped: BytesMut::new(),
            skip: 0,
        }
    }

    /// A client's side.
    pub fn for_responses(body_bytes_max: usize) -> FrameDecoder {
        FrameDecoder { reads_responses: true, ..FrameDecoder::for_requests(body_bytes_max) }
    }

    /// What STARTUP chose: for bodies in v3 and v4, for segments in v5.
    pub fn set_compression(&mut self, compression: Option<Compression>) {
        self.compression = compression;
    }

    /// From the next byte on the stream comes in segments (v5, after READY or AUTHENTICATE).
    pub fn start_segments(&mut self) {
        self.in_segments = true;
    }

    /// The next envelope, or `None` if more bytes are needed. After an error that is not fatal the
    /// next call goes on behind what was refused.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Envelope>, FrameError> {
        if !self.in_segments {
            return self.envelope(input);
        }
        loop {
            let mut unwrapped = std::mem::take(&mut self.unwrapped);
            let found = self.envelope(&mut unwrapped);
            self.unwrapped = unwrapped;
            match found {
                Ok(None) => {}
                other => return other,
            }
            let lz4 = self.compression == Some(Compression::Lz4);
            match segment::take(input, lz4) {
                Ok(Some(payload)) => self.unwrapped.extend_from_slice(&payload),
                Ok(None) => return Ok(None),
                Err(SegmentError::Header) => {
                    return Err(FrameError::Segment("header checksum does not match"));
                }
                Err(SegmentError::Payload) => {
                    return Err(FrameError::Segment("payload checksum does not match"));
                }
                Err(SegmentError::Compression) => {
                    return Err(FrameError::Segment("payload does not decompress"));
                }
            }
        }
    }

    fn envelope(&mut self, input: &mut BytesMut) -> Result<Option<Envelope>, FrameError> {
        let skipped = self.skip.min(input.len());
        input.advance(skipped);
        self.skip -= skipped;
        // The version is judged by the first byte alone: older versions have shorter headers.
        if let Some(first) = input.first()
            && Version::from_number(first & !RESPONSE_BIT).is_none()
            && input.len() >= 4
        {
            let stream = i16::from_be_bytes([input[2], input[3]]);
            return Err(FrameError::UnsupportedVersion { version: first & !RESPONSE_BIT, stream });
        }
        if input.len() < HEADER_BYTES {
            return Ok(None);
        }
        let header = Header::read(&input[..HEADER_BYTES]);
        if let Err(error) = self.check(&header) {
            input.advance(HEADER_BYTES);
            let skipped = header.length.min(input.len());
            input.advance(skipped);
            self.skip = header.length - skipped;
            return Err(error);
        }
        if input.len() < HEADER_BYTES + header.length {
            // The buffer grows with what arrives, never by what is announced.
            return Ok(None);
        }
        input.advance(HEADER_BYTES);
        let body = input.split_to(header.length).freeze();
        self.finish(&header, body).map(Some)
    }

    fn check(&mut self, header: &Header) -> Result<(), FrameError> {
        let stream = header.stream;
        let version = header.version;
        let known = *self.version.get_or_insert(version);
        if known != version {
            return Err(FrameError::VersionChanged { stream, got: version, known });
        }
        if header.length > self.body_bytes_max {
            let (length, bytes_max) = (header.length, self.body_bytes_max);
            return Err(FrameError::TooLarge { stream, length, bytes_max });
        }
        if header.is_response != self.reads_responses {
            let names = ["REQUEST", "RESPONSE"];
            return Err(FrameError::Direction {
                stream,
                expected: names[usize::from(self.reads_responses)],
                got: names[usize::from(header.is_response)],
                opcode: header.opcode,
            });
        }
        match Opcode::from_number(header.opcode) {
            Ok(_) => Ok(()),
            Err(_) => Err(FrameError::UnknownOpcode { stream, opcode: header.opcode }),
        }
    }

    fn finish(&self, header: &Header, body: Bytes) -> Result<Envelope, FrameError> {
        let stream = header.stream;
        let is_compressed = header.flags.has(Flags::COMPRESSION) && !self.in_segments;
        let body = match (is_compressed, self.compression) {
            (false, _) => body,
            (true, Some(compression)) => compression
                .decompress(&body, self.body_bytes_max)
                .ok_or(FrameError::Compression { stream })?,
            (true, None) => return Err(FrameError::Compression { stream }),
        };
        let opcode = Opcode::from_number(header.opcode)
            .map_err(|_| FrameError::UnknownOpcode { stream, opcode: header.opcode })?;
        Ok(Envelope {
            version: header.version,
            is_response: header.is_response,
            flags: header.flags.without(Flags::COMPRESSION),
            stream,
            opcode,
            body,
        })
    }
}

struct Header {
    version: Version,
    is_response: bool,
    flags: Flags,
    stream: i16,
    opcode: u8,
    length: usize,
}

impl Header {
    /// `raw` is nine bytes whose first names a version we speak.
    fn read(raw: &[u8]) -> Header {
        Header {
            version: Version::from_number(raw[0] & !RESPONSE_BIT).unwrap_or(Version::HIGHEST),
            is_response: raw[0] & RESPONSE_BIT != 0,
            flags: Flags(raw[1]),
            stream: i16::from_be_bytes([raw[2], raw[3]]),
            opcode: raw[4],
            length: u32::from_be_bytes([raw[5], raw[6], raw[7], raw[8]]) as usize,
        }
    }
}
