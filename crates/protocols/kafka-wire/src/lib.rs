//! Kafka's wire protocol: requests, responses and record batches as types. No I/O.
//!
//! - [`messages`]: every API as a table, one file each; a table yields the types with `Default`,
//!   [`Message::encode`] and [`Message::decode`] for every version.
//! - [`RequestHeader`], [`ResponseHeader`], [`frame`]: what stands around a message.
//! - [`records`]: record batches, the unit that is stored and sent unchanged.
//! - [`consumer_protocol`], [`group_records`], [`transaction_records`]: tables for what groups carry
//!   and coordinators keep.
//! - [`ApiKey`], [`ErrorCode`]: Kafka's numbers and their names.
//!
//! Decoding judges every length before it believes it: an array takes memory only as its elements
//! arrive, nothing panics, and an error names the field. Byte strings and records are slices of
//! the frame they came in.

mod api_key;
mod decode;
mod encode;
mod error_code;
mod field;
#[cfg(test)]
mod golden;
mod header;
mod message;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub mod consumer_protocol;
pub mod frame;
pub mod group_records;
pub mod messages;
pub mod records;
pub mod transaction_records;

pub use api_key::ApiKey;
pub use decode::{DecodeError, DecodeReason};
pub use encode::EncodeError;
pub use error_code::ErrorCode;
pub use header::{RequestHeader, ResponseHeader, encode_request, encode_response};
pub use message::{Message, Request};
