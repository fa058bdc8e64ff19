//! Envelopes in, socket bytes out.

use bytes::BytesMut;

use super::segment::{self, SEGMENT_PAYLOAD_BYTES_MAX};
use super::{Compression, Envelope, Flags};

/// Bodies shorter than this are not worth compressing in v3 and v4.
const COMPRESS_BYTES_MIN: usize = 512;

/// One direction of one connection. Envelopes pushed between two calls of [`FrameEncoder::flush`]
/// share segments where they fit.
#[derive(Debug, Default)]
pub struct FrameEncoder {
    compression: Option<Compression>,
    in_segments: bool,
    waiting: BytesMut,
}

impl FrameEncoder {
    /// Writes envelopes as they are until told otherwise.
    pub fn new() -> FrameEncoder {
        FrameEncoder::default()
    }

    /// What STARTUP chose: for bodies in v3 and v4, for segments in v5.
    pub fn set_compression(&mut self, compression: Option<Compression>) {
        self.compression = compression;
    }

    /// From the next envelope on the stream goes out in segments (v5).
    pub fn start_segments(&mut self) {
        self.in_segments = true;
    }

    /// Adds an envelope. It is in `out` at the latest after [`FrameEncoder::flush`].
    pub fn push(&mut self, envelope: &Envelope, out: &mut BytesMut) {
        if !self.in_segments {
            return self.put_bare(envelope, out);
        }
        let start = self.waiting.len();
        envelope.write(&mut self.waiting);
        if self.waiting.len() <= SEGMENT_PAYLOAD_BYTES_MAX {
            return;
        }
        let last = self.waiting.split_off(start);
        self.flush(out);
        self.waiting = last;
        if self.waiting.len() > SEGMENT_PAYLOAD_BYTES_MAX {
            let large = std::mem::take(&mut self.waiting);
            for part in large.chunks(SEGMENT_PAYLOAD_BYTES_MAX) {
                segment::put(out, part, false, self.is_lz4());
            }
        }
    }

    /// Puts what waits for company into a segment of its own.
    pub fn flush(&mut self, out: &mut BytesMut) {
        if !self.waiting.is_empty() {
            segment::put(out, &self.waiting, true, self.is_lz4());
            self.waiting.clear();
        }
    }

    fn is_lz4(&self) -> bool {
        self.compression == Some(Compression::Lz4)
    }

    fn put_bare(&self, envelope: &Envelope, out: &mut BytesMut) {
        match self.compression {
            Some(compression) if envelope.body.len() >= COMPRESS_BYTES_MIN => {
                let body = compression.compress(&envelope.body);
                envelope.write_with(out, envelope.flags.with(Flags::COMPRESSION), &body);
            }
            _ => envelope.write(out),
        }
    }
}
