//! Keyspaces, tables and rows: the box in place of Cassandra. Speaks the CQL native protocol.
//!
//! ```text
//! socket ─▶ connection ─▶ handlers/*.rs ─▶ query (parse, plan) ─▶ execution
//!                                                                  │  SELECT: partition ─▶ engine
//!                                                                  ▼
//! answer ◀─ reply ◀─ [committer: group, fdatasync] ◀─ [writer: shard lock, read, merge]
//! ```
//!
//! Invariants:
//! - A write is answered after the fsync of its group (`commitlog_sync = "group"`, the default).
//! - A batch is made whole, at one moment; so is a change of the schema, before its answer.
//! - After one failed commit nothing is acknowledged any more, and the store fails by name.
//! - One node stores everything: consistency levels are accepted and all equal; replication is
//!   kept, shown and without effect.

mod config;
mod connection;
mod cql;
mod database;
mod error;
mod execution;
mod handlers;
mod limits;
mod prepared;
mod query;
mod reply;
mod schema;
mod server;
mod stage;
mod storage;
mod system;

pub use config::{CommitlogSync, Config};
pub use error::StartError;
pub use server::Store;
