//! The CQL native protocol, v3 to v5, as types: bytes in, messages out, and back. No I/O.
//!
//! Spec: `native_protocol_v{3,4,5}.spec` of Apache Cassandra. Both directions of every message are
//! here, so that a test can be a client.
//!
//! ```text
//! socket bytes ─▶ [frame::FrameDecoder] ─▶ Envelope ─▶ [Request::decode] ─▶ the server's work
//! socket bytes ◀─ [frame::FrameEncoder] ◀─ Envelope ◀─ [Response::encode] ◀──────┘
//! ```
//!
//! - [`frame`]: envelopes of v3 and v4 (LZ4 or Snappy bodies), segments of v5 (checksums, LZ4).
//! - [`request`], [`response`]: one file per message.
//! - [`CqlType`]: type descriptions as they travel in result metadata.
//! - [`value`]: what a cell's bytes mean.
//!
//! Invariants: no input panics; every length is checked against what is there before anything is
//! allocated for it; a frame above the limit is skipped and named, not a reason to disconnect.

mod consistency;
mod error;
pub mod frame;
mod read;
pub mod request;
pub mod response;
mod types;
pub mod value;
mod version;
mod write;

pub use consistency::{Consistency, SerialConsistency};
pub use error::WireError;
pub use read::Reader;
pub use request::Request;
pub use response::{Response, ResponseBody};
pub use types::{CqlType, UdtType};
pub use version::{Version, unsupported_version_text};
pub use write::WireWrite;
