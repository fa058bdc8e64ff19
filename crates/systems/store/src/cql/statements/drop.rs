//! `DROP KEYSPACE | TABLE | TYPE [IF EXISTS] name`.

use crate::cql::names::QualifiedName;
use crate::cql::parser::{Parser, SyntaxError};

/// What goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Dropped {
    /// A keyspace with all that is in it.
    Keyspace(String),
    /// A table.
    Table(QualifiedName),
    /// A user-defined type.
    Type(QualifiedName),
}

/// Something goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Drop {
    /// No error if it is not there.
    pub(crate) if_exists: bool,
    /// What.
    pub(crate) what: Dropped,
}

impl Parser<'_> {
    pub(super) fn drop(&mut self) -> Result<Drop, SyntaxError> {
        self.expect_word("drop")?;
        if self.take_word("keyspace") || self.take_word("schema") {
            let if_exists = self.if_exists()?;
            return Ok(Drop { if_exists, what: Dropped::Keyspace(self.name()?) });
        }
        if self.take_word("type") {
            let if_exists = self.if_exists()?;
            return Ok(Drop { if_exists, what: Dropped::Type(self.qualified_name()?) });
        }
        if !self.take_word("table") {
            self.expect_word("columnfamily")?;
        }
        let if_exists = self.if_exists()?;
        Ok(Drop { if_exists, what: Dropped::Table(self.qualified_name()?) })
    }
}
