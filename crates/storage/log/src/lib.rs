//! The segmented commit log in Kafka's on-disk format: append, group commit, indexes, recovery,
//! retention, compaction.
//!
//! One [`Log`] is one partition: a directory of segment files that hold record batches exactly as
//! the client sent them, except for the base offset and the leader epoch. Synchronous: the box
//! above decides which thread calls.
//!
//! ```text
//! append ─▶ check ─▶ stamp offsets ─▶ one pwrite ──▶ Flusher: fdatasync ─▶ publish ─▶ when_durable
//!           (no lock)                                 (many appends,        high        observers
//!                                                      many logs)           watermark
//! read ──▶ segment ─▶ index ─▶ walk ≤ 4 KiB of headers ─▶ LogSlice: file, position, length
//! open ──▶ recovery point ─▶ check what follows ─▶ cut at the first bad batch ─▶ sync ─▶ serve
//! compact ▶ newest offset per key ─▶ segments written anew ─▶ swapped in
//! ```
//!
//! Invariants:
//! - What is acknowledged is synced, with the names that lead to it (with [`Durability::Fsync`]);
//!   readers see nothing else.
//! - After a failed write or sync nothing is acknowledged any more.
//! - The index may lag the log, never lead it; what it says is checked against the batch.
//! - A batch is served only if its checksum holds. Before the recovery point nothing is ever cut.
//! - An offset is never given to a second record once the first was acknowledged or seen.
//!
//! What is on the disk: `docs/formats/log.md`.

#![forbid(unsafe_code)]

mod acks;
mod append;
pub mod batch;
mod checkpoint;
mod compact;
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
mod txn_index;
mod walk;

pub use acks::Done;
pub use batch::{BatchError, BatchHeader, Compression};
pub use compact::{
    Codec, Compactable, Compacted, Compaction, CompactionRequest, CompactionStep, LastBatch,
};
pub use config::{Durability, LogConfig, SEGMENT_BYTES_MAX};
pub use error::LogError;
pub use flusher::{FLUSH_THREADS, Flusher};
pub use log::{Appended, Log};
pub use recovery::{FirstBad, Recovery};
pub use shared::Observer;
pub use slice::LogSlice;
pub use timestamps::TimestampMatch;
pub use txn_index::AbortedTransaction;
