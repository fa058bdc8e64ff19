//! `UPDATE name SET … WHERE … IF …`.

use super::conditions::Conditions;
use super::relation::Relation;
use super::using::Using;
use crate::cql::lexer::TokenKind;
use crate::cql::names::QualifiedName;
use crate::cql::parser::{Parser, SyntaxError};
use crate::cql::term::Term;

/// What happens to a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operation {
    /// `a = x`.
    Set(Term),
    /// `a[k] = x`.
    SetElement(Term, Term),
    /// `a.f = x`.
    SetField(String, Term),
    /// `a = a + x`, `a += x`.
    Add(Term),
    /// `a = x + a`.
    Prepend(Term),
    /// `a = a - x`, `a -= x`.
    Subtract(Term),
}

/// Other values for a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Update {
    /// The table.
    pub(crate) table: QualifiedName,
    /// Timestamp and TTL.
    pub(crate) using: Using,
    /// Columns and what happens to them.
    pub(crate) operations: Vec<(String, Operation)>,
    /// WHERE.
    pub(crate) relations: Vec<Relation>,
    /// IF.
    pub(crate) conditions: Conditions,
}

impl Parser<'_> {
    pub(super) fn update(&mut self) -> Result<Update, SyntaxError> {
        self.expect_word("update")?;
        let table = self.qualified_name()?;
        let using = self.using()?;
        self.expect_word("set")?;
        let operations = self.list_of(Parser::operation)?;
        self.expect_word("where")?;
        let relations = self.relations()?;
        let conditions = self.conditions()?;
        Ok(Update { table, using, operations, relations, conditions })
    }

    fn operation(&mut self) -> Result<(String, Operation), SyntaxError> {
        let column = self.name()?;
        if self.take_symbol("[") {
            let key = self.term()?;
            self.expect_symbol("]")?;
            self.expect_symbol("=")?;
            return Ok((column, Operation::SetElement(key, self.term()?)));
        }
        if self.take_symbol(".") {
            let field = self.name()?;
            self.expect_symbol("=")?;
            return Ok((column, Operation::SetField(field, self.term()?)));
        }
        if self.take_symbol("+=") {
            return Ok((column, Operation::Add(self.term()?)));
        }
        if self.take_symbol("-=") {
            return Ok((column, Operation::Subtract(self.term()?)));
        }
        if !self.take_symbol("=") {
            return Err(self.no_viable_alternative());
        }
        // `a = a + x` starts with the column itself.
        let is_self = matches!(self.peek(), TokenKind::Word(name) | TokenKind::Quoted(name) if *name == column)
            && matches!(self.peek_second(), TokenKind::Symbol("+" | "-"));
        if is_self {
            self.skip();
            let is_add = self.take_symbol("+");
            if !is_add {
                self.expect_symbol("-")?;
            }
            let term = self.term()?;
            let operation = if is_add { Operation::Add(term) } else { Operation::Subtract(term) };
            return Ok((column, operation));
        }
        match self.term()? {
            // `a = x + a` ends with it.
            Term::Arithmetic('+', value, last) if *last == Term::Name(column.clone()) => {
                Ok((column, Operation::Prepend(*value)))
            }
            Term::Name(_) => Err(self.no_viable_alternative()),
            term => Ok((column, Operation::Set(term))),
        }
    }
}
