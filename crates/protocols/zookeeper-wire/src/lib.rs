//! The ZooKeeper protocol: bytes to types and back, no I/O.
//!
//! ```text
//! frame: length (4) ─┬─ connect request / response        the first frame of each direction
//!                    ├─ request header, request           xid, op, then the op's own record
//!                    └─ reply header, response            xid, zxid, error, then a record if no error
//! ```
//!
//! - [`jute`]: the primitives (big-endian numbers, length-prefixed buffers, vectors) and the trait
//!   that every record has.
//! - [`data`]: what nodes consist of: [`Stat`](data::Stat), [`Acl`](data::Acl).
//! - [`request`], [`response`]: one variant for each op.
//! - [`session`]: connecting, headers, authentication, watch events.
//! - [`path`]: which paths there are.
//! - [`txn`]: the records of ZooKeeper's transaction log.
//!
//! Bytes from outside are never trusted: a length is checked against what is there before anything
//! is allocated for it, and a malformed record is a [`DecodeError`], never a panic.
//!
//! Specification: `zookeeper.jute` of Apache ZooKeeper 3.9.

#![forbid(unsafe_code)]

pub mod code;
pub mod data;
pub mod frame;
pub mod jute;
pub mod path;
pub mod request;
pub mod response;
pub mod session;
pub mod txn;

pub use code::{ErrorCode, Op};
pub use jute::{DecodeError, Jute, Reader};
pub use request::Request;
pub use response::{OpResult, Response};
