//! Data: Avro's binary encoding to JSON and back.
//! Spec: <https://avro.apache.org/docs/1.12.0/specification/#binary-encoding>

mod calendar;
mod decimal;
mod decode;
mod encode;

pub use decode::decode;
pub use encode::encode;

/// How values look in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataStyle {
    /// Avro's own JSON encoding: a value of a union carries the name of its branch
    /// (`{"string": "x"}`), logical types are the numbers and bytes below them.
    Avro,
    /// For people: a value of a union is just the value, a date is `2026-11-22`, a timestamp
    /// `2026-11-22T19:35:00.123Z`, a decimal `12.50`. Reading back takes the first branch of a
    /// union that fits.
    Plain,
}

/// Why data and schema do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// The bytes end inside a value.
    #[error("the data ends inside a value at byte {at}")]
    Truncated {
        /// Offset in bytes.
        at: usize,
    },
    /// The bytes are no value of the type.
    #[error("byte {at}: {reason}")]
    Malformed {
        /// Offset in bytes.
        at: usize,
        /// What is wrong.
        reason: String,
    },
    /// The JSON is no value of the type.
    #[error("{path}: {reason}")]
    Mismatch {
        /// Where in the JSON: `/address/0/street`; `/` for the whole.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The data holds more values, or deeper ones, than is read.
    #[error("the data is too large: more than {limit} {what}")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// What it counts.
        what: &'static str,
    },
}

/// Bytes of a number of any length that are read as decimal digits, at most.
const NUMBER_BYTES_MAX: usize = 1024;

/// The text whose characters are these bytes: Avro's JSON for bytes (ISO 8859-1).
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The bytes whose characters this text has; none if it has others.
fn from_latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

#[cfg(test)]
mod tests;
