//! The web services that the examples poll, on loopback, so that a demonstration needs no network.
//!
//! - [`SampleApi::RandomUser`]: the JSON of <https://randomuser.me/api/> (version 1.4), the same
//!   people for the same seed, with faults on demand ([`Faults`]).
//! - [`SampleApi::Replay`]: the rows of a JSON or CSV file, page by page.
//!
//! ```text
//! serve ─▶ server.rs   Host check, connection limit
//!            ├─▶ randomuser/  request ─▶ people (draw, nationalities, identity) ─▶ render
//!            │                 faults may answer instead
//!            └─▶ replay/      file ─▶ rows (csv) ─▶ pages
//! ```
//!
//! Invariants: an answer with a seed is the same bytes for ever (nothing in it depends on the
//! clock); nothing a client sends makes a task panic or memory grow without a named limit.

mod randomuser;
mod replay;
mod server;
#[cfg(test)]
mod test_client;

pub use randomuser::{Faults, FaultsError};
pub use replay::ReplayError;
pub use server::{SampleApi, ServeError, serve, serve_as};
