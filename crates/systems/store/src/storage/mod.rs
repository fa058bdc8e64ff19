//! Rows as bytes: keys in ring order, one key-value per CQL row, reconcile, and the path a write
//! takes to the disk.
//!
//! ```text
//! statement ─▶ [writer] shard lock: get, check, merge ─▶ [committer] group, fdatasync ─▶ ack
//! statement ◀─ [partition] what is live now ◀─ [engine] key order
//! ```
//!
//! Invariants: a write is acknowledged after its group is durable; readers see whole groups only;
//! after one failed commit nothing is acknowledged any more. Layout: `docs/formats/store.md`.

pub(crate) mod byte_comparable;
pub(crate) mod cell;
pub(crate) mod committer;
pub(crate) mod engine;
#[cfg(test)]
mod engine_suite;
pub(crate) mod fjall_engine;
pub(crate) mod header;
pub(crate) mod key;
#[cfg(test)]
pub(crate) mod memory_engine;
pub(crate) mod murmur3;
pub(crate) mod partition;
pub(crate) mod purge;
pub(crate) mod row;
pub(crate) mod row_codec;
pub(crate) mod writer;
