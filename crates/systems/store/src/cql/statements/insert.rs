//! `INSERT INTO name (…) VALUES (…)` and `INSERT INTO name JSON …`.

use super::conditions::Conditions;
use super::using::Using;
use crate::cql::names::QualifiedName;
use crate::cql::parser::{Parser, SyntaxError};
use crate::cql::term::Term;

/// What a row gets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum InsertValues {
    /// Columns and values, in the order written.
    Columns(Vec<String>, Vec<Term>),
    /// A JSON text; whether columns it does not name stay as they are.
    Json(Term, bool),
}

/// A new row, or other values for one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Insert {
    /// The table.
    pub(crate) table: QualifiedName,
    /// What it gets.
    pub(crate) values: InsertValues,
    /// `IF NOT EXISTS`.
    pub(crate) conditions: Conditions,
    /// Timestamp and TTL.
    pub(crate) using: Using,
}

impl Parser<'_> {
    pub(super) fn insert(&mut self) -> Result<Insert, SyntaxError> {
        self.expect_words(&["insert", "into"])?;
        let table = self.qualified_name()?;
        let values = if self.take_word("json") {
            let text = self.unary()?;
            let mut unset = false;
            if self.take_word("default") {
                unset = self.take_word("unset");
                if !unset {
                    self.expect_word("null")?;
                }
            }
            InsertValues::Json(text, unset)
        } else {
            self.expect_symbol("(")?;
            let columns = self.comma_separated(")", Parser::name)?;
            self.expect_word("values")?;
            self.expect_symbol("(")?;
            InsertValues::Columns(columns, self.comma_separated(")", Parser::term)?)
        };
        let conditions =
            if self.if_not_exists()? { Conditions::NotExists } else { Conditions::None };
        Ok(Insert { table, values, conditions, using: self.using()? })
    }
}
