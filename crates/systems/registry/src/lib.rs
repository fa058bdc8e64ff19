//! Subjects, versions and compatibility: the box in place of Schema Registry. Keeps topic `_schemas`.
//!
//! Speaks Confluent's REST interface on 127.0.0.1:8081 and keeps everything in one compacted topic,
//! in Confluent's own records, so that either registry can take over the other's topic.
//!
//! A request: [`handlers`] (HTTP to words) → `service` (one reader, one writer) → [`state`] (what it
//! means: synchronous, no I/O) → records → [`storage`] (the topic) → read back → applied → answered.
//!
//! Invariants: the state changes only by records read from the log, so a restart finds the same
//! state; a write is answered when it is durable and applied; an id once given is never given again;
//! what cannot be checked (the compatibility of JSON and Protobuf schemas) is refused, not passed.

mod config;
pub mod entity;
mod error;
mod handlers;
mod protobuf;
pub mod record;
mod schema;
mod server;
mod service;
pub mod settings;
pub mod state;
pub mod storage;
pub mod subject;

pub use config::{CompatibilityLevel, Config, Profile};
pub use error::RegistryError;
pub use server::{Registry, StartError};
