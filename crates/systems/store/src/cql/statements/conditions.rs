//! `IF …`: what must hold for a modification to be made.

use super::relation::{InValues, Operator};
use crate::cql::parser::{Parser, SyntaxError};
use crate::cql::term::Term;

/// What of a column a condition looks at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ConditionTarget {
    /// All of it.
    Column,
    /// One element.
    Element(Term),
    /// One field.
    Field(String),
}

/// What must hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ConditionCheck {
    /// A comparison.
    Compare(Operator, Term),
    /// One of several.
    In(InValues),
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    /// The column.
    pub(crate) column: String,
    /// What of it.
    pub(crate) target: ConditionTarget,
    /// What must hold.
    pub(crate) check: ConditionCheck,
}

/// All that must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Conditions {
    /// Nothing: the modification is made.
    #[default]
    None,
    /// `IF EXISTS`.
    Exists,
    /// `IF NOT EXISTS`.
    NotExists,
    /// `IF a = 1 AND b = 2`.
    All(Vec<Condition>),
}

impl Parser<'_> {
    /// Conditions of UPDATE and DELETE, if IF comes.
    pub(super) fn conditions(&mut self) -> Result<Conditions, SyntaxError> {
        if !self.take_word("if") {
            return Ok(Conditions::None);
        }
        if self.take_word("exists") {
            return Ok(Conditions::Exists);
        }
        let mut all = Vec::new();
        loop {
            all.push(self.condition()?);
            if !self.take_word("and") {
                return Ok(Conditions::All(all));
            }
        }
    }

    fn condition(&mut self) -> Result<Condition, SyntaxError> {
        let column = self.name()?;
        let target = if self.take_symbol("[") {
            let key = self.term()?;
            self.expect_symbol("]")?;
            ConditionTarget::Element(key)
        } else if self.take_symbol(".") {
            ConditionTarget::Field(self.name()?)
        } else {
            ConditionTarget::Column
        };
        let check = if self.take_word("in") {
            ConditionCheck::In(self.in_values()?)
        } else {
            match self.operator() {
                Some(operator) => ConditionCheck::Compare(operator, self.term()?),
                None => return Err(self.no_viable_alternative()),
            }
        };
        Ok(Condition { column, target, check })
    }
}
