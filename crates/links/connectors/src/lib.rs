//! Sources and sinks, one folder each, all of one shape.
//!
//! A [`Source`] hands out records as they lie in its partitions and can be put back to any
//! position; a [`Sink`] takes rows and says which of them it will never take. What neither takes
//! goes to [`DeadLetters`], with its original bytes and the reason.
//!
//! ```text
//!  Source ──records──▶ (decode, compute: the engine) ──rows──▶ Sink
//!                             └──────── dead letters ────────▶ DeadLetters
//! ```
//!
//! Rows are Arrow batches; nothing here knows DataFusion. Invariants:
//! - a source never skips: after [`Source::open`] at a position the next record is the first one at
//!   or after it, or the source has said in a notice why not;
//! - [`Sink::write`] returns when what it reports as written is durable at the other side;
//! - errors are split by what the caller does next: wait, retry, or stop.

pub mod cassandra;
pub mod datagen;
pub mod discard;
pub mod kafka;
pub mod memory;
pub mod registry;

mod record;
mod sink;
mod source;

pub use record::{DATA_EXCEPTION, DeadLetter, Header, Record, Stage};
pub use sink::{DeadLetters, Encode, Rejected, Sink, SinkError, SinkRows, Written};
pub use source::{Fetched, Polled, Positions, Source, SourceError};
