//! Why a message could not be read.

/// A body that does not follow the specification. The connection can go on: the frame around it
/// was whole, so the next one starts where it should. The text is what the client is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The body ends before what it announces.
    #[error("Not enough bytes to read {what}: {needed} announced, {left} left")]
    Truncated {
        /// The notation of the specification: `[int]`, `[string]`, …
        what: &'static str,
        /// Bytes needed.
        needed: usize,
        /// Bytes there are.
        left: usize,
    },
    /// A text that is not UTF-8.
    #[error("Cannot decode string as UTF8")]
    NotUtf8,
    /// A number that names nothing.
    #[error("{what} {value} is unknown")]
    Unknown {
        /// What the number should name.
        what: &'static str,
        /// The number.
        value: i64,
    },
    /// A number outside what the field allows.
    #[error("Invalid {what}: {value}")]
    Invalid {
        /// The field.
        what: &'static str,
        /// Its content.
        value: String,
    },
}

impl WireError {
    pub(crate) fn unknown(what: &'static str, value: impl Into<i64>) -> WireError {
        WireError::Unknown { what, value: value.into() }
    }

    pub(crate) fn invalid(what: &'static str, value: impl std::fmt::Display) -> WireError {
        WireError::Invalid { what, value: value.to_string() }
    }
}
