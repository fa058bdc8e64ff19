//! The log as its users see it: on a real disk, on a simulated one, and when that fails.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod batches;
mod compaction;
mod compaction_crash;
mod crash;
mod durability;
mod faults;
mod history;
mod model;
mod reading;
mod recovery;
mod retention;
mod world;
