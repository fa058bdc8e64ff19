//! The broker over its own protocol: raw frames and typed messages on a loopback port.
//!
//! Everything outside `own` states what Kafka does, not only what this broker does: with
//! `TIDEMILL_KAFKA=127.0.0.1:9092` the same tests run against the broker there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod commits;
mod compaction;
mod configs;
mod fetch;
mod groups;
mod harness;
mod killed;
mod offsets;
mod own;
mod power;
mod produce;
mod protocol;
mod sessions;
mod topics;
mod transactions;
