//! The segmented commit log in Kafka's on-disk format: append, group commit, indexes, recovery.
//!
//! One [`Log`] is one partition: a directory of segment files that hold record batches exactly as
//! the client sent them, except for the base offset and the leader epoch.
//!
//! Synchronous: an append is one positioned write, a sync is done by the [`Flusher`]'s threads for
//! many appends of many logs at once. Readers never wait for a writer.

#![forbid(unsafe_code)]

pub mod batch;
mod config;
mod error;
mod flusher;
mod log;
mod slice;

pub use batch::{BatchError, BatchHeader, Compression};
pub use config::{Durability, LogConfig, SEGMENT_BYTES_MAX};
pub use error::LogError;
pub use flusher::Flusher;
pub use log::{Appended, Done, FirstBad, Log, Observer, Recovery, TimestampMatch};
pub use slice::LogSlice;
