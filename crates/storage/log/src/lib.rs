//! The segmented commit log in Kafka's on-disk format: append, group commit, indexes, recovery.
//!
//! One [`Log`] is one partition: a directory of segment files that hold record batches exactly as
//! the client sent them, except for the base offset and the leader epoch.
//!
//! Synchronous: an append is one positioned write, a sync is done by the [`Flusher`]'s threads for
//! many appends of many logs at once. Readers never wait for a writer.

#![forbid(unsafe_code)]

mod acks;
mod append;
pub mod batch;
mod checkpoint;
mod config;
mod error;
mod files;
mod flusher;
mod index;
mod log;
mod offset_index;
mod read;
mod records;
mod recovery;
mod retention;
mod segment;
mod shared;
mod slice;
mod sync;
mod time_index;
mod timestamps;
mod walk;

pub use acks::Done;
pub use batch::{BatchError, BatchHeader, Compression};
pub use config::{Durability, LogConfig, SEGMENT_BYTES_MAX};
pub use error::LogError;
pub use flusher::{FLUSH_THREADS, Flusher};
pub use log::{Appended, Log};
pub use recovery::{FirstBad, Recovery};
pub use shared::Observer;
pub use slice::LogSlice;
pub use timestamps::TimestampMatch;
