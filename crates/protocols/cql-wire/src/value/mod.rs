//! What the bytes of a value mean. Spec v5, section 6.
//!
//! A server mostly moves values without looking; [`CqlValue`] is for where it must look: literals,
//! functions, comparisons, JSON. [`collection`] takes collections apart without decoding elements.

pub mod collection;
mod cql_value;
mod decode;
mod encode;
mod varint;

pub use cql_value::{CqlDuration, CqlValue};
pub use decode::{decode, validate};
pub use encode::encode;
pub use varint::{read_unsigned_vint, read_vint, write_unsigned_vint, write_vint};

/// Why bytes are not a value of their type. Texts are Cassandra's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// A fixed-length value of another length.
    #[error("Expected {expected} byte {type_name} ({got})")]
    Length {
        /// `4`, `4 or 0`, …
        expected: &'static str,
        /// What it should be: `int`, `long`, …
        type_name: &'static str,
        /// Bytes there are.
        got: usize,
    },
    /// Anything else, in words.
    #[error("{0}")]
    Malformed(String),
}

impl ValueError {
    pub(crate) fn malformed(text: impl Into<String>) -> ValueError {
        ValueError::Malformed(text.into())
    }
}

#[cfg(test)]
mod tests;
