//! The store from outside: over its socket, with clients of our own and of others, killed and
//! started again.
#![expect(clippy::unwrap_used, reason = "a test says what it knows by unwrapping")]

mod client;
mod crash;
mod drivers;
mod protocol;
mod render;
mod server;
mod transcripts;
