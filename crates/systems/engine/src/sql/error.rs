//! What is wrong with a text, and where.

use std::fmt;

/// A place in a text; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Location {
    /// Line.
    pub line: u64,
    /// Column, in characters.
    pub column: u64,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl From<datafusion::sql::sqlparser::tokenizer::Location> for Location {
    fn from(at: datafusion::sql::sqlparser::tokenizer::Location) -> Location {
        Location { line: at.line, column: at.column }
    }
}

/// Which part of the front end refused, in Flink's division.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlErrorKind {
    /// The text is no statement.
    Parse,
    /// The statement means nothing: a name, a type, an option.
    Validation,
    /// The statement means something that this engine does not do.
    Unsupported,
}

/// Why a statement was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    /// Who refused.
    pub kind: SqlErrorKind,
    /// Where the trouble begins.
    pub at: Location,
    /// What is wrong, without the place.
    pub message: String,
}

impl SqlError {
    /// `Encountered "found" …`, as Flink's parser says it.
    pub fn unexpected(found: &str, at: Location, expected: &str) -> SqlError {
        let message = format!("Encountered \"{found}\" at {at}.\nWas expecting: {expected}");
        SqlError { kind: SqlErrorKind::Parse, at, message }
    }

    /// A name, type or option that means nothing.
    pub fn invalid(at: Location, message: impl Into<String>) -> SqlError {
        SqlError { kind: SqlErrorKind::Validation, at, message: message.into() }
    }

    /// Something Flink has and this engine has not.
    pub fn unsupported(at: Location, message: impl Into<String>) -> SqlError {
        SqlError { kind: SqlErrorKind::Unsupported, at, message: message.into() }
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            SqlErrorKind::Parse => write!(f, "SQL parse failed. {}", self.message),
            SqlErrorKind::Validation => {
                write!(f, "SQL validation failed. At {}: {}", self.at, self.message)
            }
            SqlErrorKind::Unsupported => {
                write!(f, "Unsupported operation at {}: {}", self.at, self.message)
            }
        }
    }
}

impl std::error::Error for SqlError {}
