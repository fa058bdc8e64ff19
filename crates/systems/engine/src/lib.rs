//! SQL, windows and state over topics and tables: the box in place of Spark and Flink. The only crate
//! with DataFusion.
//!
//! ```text
//!  pipelines/*.sql ─┐                                      ┌▶ jobs ─ checkpoints
//!                   ├▶ sql (text ▶ statements) ▶ plan ─────┤
//!  SQL gateway ─────┘        catalog (tables, options)     └▶ batch (SELECT to the current end)
//! ```
//!
//! The dialect is a strict subset of Flink SQL, so that the same text runs on a Flink cluster; what
//! is outside of it is refused in Flink's words, with line and column. DataFusion binds names, checks
//! types and computes expressions; streams run on our own operators, because its plans hold rows back
//! on unbounded input and know neither event time nor checkpoints.
//!
//! Invariants:
//! - a job's positions move only when the sink and the dead letters have everything before them;
//! - a bad record costs its neighbours nothing, and is never dropped in silence;
//! - a bad pipeline fails alone, with its file, line and column.

pub mod catalog;
pub mod formats;
pub mod plan;
pub mod sql;

mod batch;
mod config;
mod ends;
mod error;
mod gateway;
mod jobs;
mod pipelines;
mod runtime;
mod server;
mod session;
mod spark;
mod time;

pub use config::Config;
pub use ends::EngineLinks;
pub use error::StartError;
pub use server::{Engine, EnginePaths};
