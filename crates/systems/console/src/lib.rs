//! Pages and live charts over the other boxes' public interfaces: the box in place of Control Center.
//!
//! What a page asks: `/api/v1/…` (JSON, NDJSON for a scan, `text/event-stream` for what lives).
//! What the console asks: Kafka's protocol, Confluent's registry REST, Airflow's REST v2, CQL, and
//! the engine's listing and Flink gateway. It holds no state of its own beside a quarter of an hour
//! of rates in memory.
//!
//! Flow: `watch` asks the boxes once a second and makes one snapshot for all open pages; `handlers`
//! answer single questions; `browse` reads topics, bounded; `parts` are the clients; `assets` are
//! the built pages, embedded.
//!
//! Invariants: a part that is down is shown as such and fails nothing else; no request makes work
//! without a limit; only loopback names are served, and no other site's page can make the console
//! write.

mod app;
mod assets;
mod browse;
mod config;
mod error;
mod guard;
mod handlers;
mod parts;
mod server;
mod watch;

#[cfg(test)]
mod tests;

pub use config::{Config, Endpoints};
pub use server::{Console, StartError};
