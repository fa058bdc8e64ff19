//! Jobs: what a dataflow does record by record, what it keeps, and how it survives a crash.
//!
//! ```text
//!  feeder ──records──▶ job: decode ▶ operators ▶ sink ▶ dead letters ▶ positions move
//!  (one per source,          └─ watermarks ─┘                            │
//!   bounded channel)                              checkpoint every second ┘
//! ```
//!
//! A job is one task: operators call each other, nothing is queued between them. Positions move
//! only when the sink and the dead letters have everything, and a checkpoint holds positions and
//! state of one moment between two batches: so a replay repeats a suffix, never skips, and an
//! upsert sink ends with the same rows.

pub(crate) mod checkpoint;
pub(crate) mod flow;
pub(crate) mod job;
pub(crate) mod status;

mod calc;
mod feeder;
mod latency;
mod rows;
mod watermark;
mod window;
mod write_clock;

pub(crate) use window::window_start;

#[cfg(test)]
mod tests;
