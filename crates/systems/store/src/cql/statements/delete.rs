//! `DELETE … FROM name WHERE … IF …`.

use super::conditions::Conditions;
use super::relation::Relation;
use super::using::Using;
use crate::cql::names::QualifiedName;
use crate::cql::parser::{Parser, SyntaxError};
use crate::cql::term::Term;

/// What of a row goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Deletable {
    /// A column.
    Column(String),
    /// `a[k]`.
    Element(String, Term),
    /// `a.f`.
    Field(String, String),
}

impl Deletable {
    /// The column it is in.
    pub(crate) fn column(&self) -> &str {
        match self {
            Deletable::Column(name) | Deletable::Element(name, _) | Deletable::Field(name, _) => {
                name
            }
        }
    }
}

/// Rows, or parts of rows, that go.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Delete {
    /// The table.
    pub(crate) table: QualifiedName,
    /// What of the rows; empty for all of them.
    pub(crate) parts: Vec<Deletable>,
    /// Timestamp.
    pub(crate) using: Using,
    /// WHERE.
    pub(crate) relations: Vec<Relation>,
    /// IF.
    pub(crate) conditions: Conditions,
}

impl Parser<'_> {
    pub(super) fn delete(&mut self) -> Result<Delete, SyntaxError> {
        self.expect_word("delete")?;
        let parts =
            if self.is_word("from") { Vec::new() } else { self.list_of(Parser::deletable)? };
        self.expect_word("from")?;
        let table = self.qualified_name()?;
        let using = self.using()?;
        self.expect_word("where")?;
        let relations = self.relations()?;
        let conditions = self.conditions()?;
        Ok(Delete { table, parts, using, relations, conditions })
    }

    fn deletable(&mut self) -> Result<Deletable, SyntaxError> {
        let column = self.open_name()?;
        if self.take_symbol("[") {
            let key = self.term()?;
            self.expect_symbol("]")?;
            return Ok(Deletable::Element(column, key));
        }
        if self.take_symbol(".") {
            return Ok(Deletable::Field(column, self.name()?));
        }
        Ok(Deletable::Column(column))
    }
}
