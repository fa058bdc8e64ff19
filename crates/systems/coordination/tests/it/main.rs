//! The running server, over its socket.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod client;
mod failures;
mod formats;
