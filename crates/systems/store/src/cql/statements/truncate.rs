//! `TRUNCATE [TABLE] name`.

use crate::cql::names::QualifiedName;
use crate::cql::parser::{Parser, SyntaxError};

/// All rows of a table go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Truncate {
    /// The table.
    pub(crate) table: QualifiedName,
}

impl Parser<'_> {
    pub(super) fn truncate(&mut self) -> Result<Truncate, SyntaxError> {
        self.expect_word("truncate")?;
        if !self.take_word("table") {
            self.take_word("columnfamily");
        }
        Ok(Truncate { table: self.qualified_name()? })
    }
}
