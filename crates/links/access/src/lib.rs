//! What a system that is not ours wants to see before it lets a box in: where it is, TLS, user and
//! password.
//!
//! Data only: nothing here connects. The node reads it once from `tidemill.toml` and hands it to
//! the boxes, which never learn in which file a password lay.
//!
//! Invariants: a [`Secret`] is never printed, not by `Debug` either; a [`Tls`] checks the other
//! side's certificate, always, and its name unless the user said no.

mod cassandra;
mod registry;
mod secret;
mod tls;

pub use cassandra::{CassandraAccess, Consistency};
pub use registry::RegistryAccess;
pub use secret::{Credentials, Secret};
pub use tls::{Tls, TlsError, TlsFiles};
