//! One small ZooKeeper client for every node: nodes, one-shot watches, and the two recipes Tidemill
//! needs.
//!
//! ```text
//! Client ── calls ──▶ session task ──▶ one connection: connect or resume, ping, reconnect
//!    ▲                     │
//!    └──── answers, watches, which session it is
//! ```
//!
//! - [`Client`]: asks and answers. A call that was under way when the connection went fails with
//!   [`ClientError::ConnectionLoss`]: nobody knows whether it was served.
//! - [`Client::register`]: a node of one's own, there as long as the process is: made again when a
//!   session has ended.
//! - [`Lease`]: of all who ask, one holds it. What it does under the lease carries
//!   [`Held::fencing`], by which a store can refuse one that has lost it and does not know yet.
//!
//! A session that has ended is followed by a new one; who must know that listens to
//! [`Client::sessions`].

#![forbid(unsafe_code)]

mod client;
mod config;
mod error;
mod recipes;
mod session;
mod watches;

#[cfg(test)]
mod tests;

pub use client::{Client, Op};
pub use config::{Config, ConfigError};
pub use error::ClientError;
pub use recipes::{Held, Lease, Registration};
pub use session::SessionState;
pub use tidemill_zookeeper_wire::ErrorCode;
pub use tidemill_zookeeper_wire::data::{Acl, Id, Stat, perms};
pub use tidemill_zookeeper_wire::request::CreateMode;
pub use tidemill_zookeeper_wire::session::EventType;
pub use watches::{Event, Watch};
