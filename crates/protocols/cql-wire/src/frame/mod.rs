//! Frames: from socket bytes to envelopes and back.
//!
//! v3 and v4 send envelopes as they are, each body compressed on its own. v5 sends its first
//! envelopes (until READY or AUTHENTICATE) the same way, then wraps the stream of envelopes into
//! checksummed segments; there a body is never compressed, the segment is.

mod compression;
mod decoder;
mod encoder;
mod envelope;
mod segment;

pub use compression::Compression;
pub use decoder::{FrameDecoder, FrameError};
pub use encoder::FrameEncoder;
pub use envelope::{Envelope, Flags, HEADER_BYTES, Opcode};
pub use segment::SEGMENT_PAYLOAD_BYTES_MAX;

#[cfg(test)]
mod tests;
