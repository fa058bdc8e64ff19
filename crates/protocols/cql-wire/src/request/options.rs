//! OPTIONS: asks what the server can do. Empty. Answered before STARTUP too.

/// The request; it says nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options;
