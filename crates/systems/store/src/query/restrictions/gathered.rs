//! What WHERE says of one column, gathered from all its relations.

use crate::cql::statements::relation::Operator;
use crate::error::CqlError;
use crate::query::filter::{Filter, FilterCheck};
use crate::query::term::{TypedIn, TypedTerm};

/// Relations of one column, gathered.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) equal: Option<TypedTerm>,
    pub(super) within: Option<TypedIn>,
    pub(super) lower: Option<(TypedTerm, bool)>,
    pub(super) upper: Option<(TypedTerm, bool)>,
}

impl Gathered {
    pub(super) fn is_empty(&self) -> bool {
        self.equal.is_none() && self.within.is_none() && !self.has_slice()
    }

    pub(super) fn has_slice(&self) -> bool {
        self.lower.is_some() || self.upper.is_some()
    }

    pub(super) fn compare(
        &mut self,
        name: &str,
        operator: Operator,
        term: TypedTerm,
    ) -> Result<(), CqlError> {
        let conflict = |what: &str| {
            CqlError::invalid(format!(
                "{name} cannot be restricted by more than one relation if it includes {what}"
            ))
        };
        if self.equal.is_some() {
            return Err(conflict("an Equal"));
        }
        if self.within.is_some() && operator != Operator::Equal {
            return Err(conflict("a IN"));
        }
        let twice = |end: &str| {
            CqlError::invalid(format!(
                "More than one restriction was found for the {end} bound on {name}"
            ))
        };
        match operator {
            Operator::Equal if !self.is_empty() => return Err(conflict("an Equal")),
            Operator::Equal => self.equal = Some(term),
            Operator::Greater | Operator::GreaterOrEqual => {
                if self.lower.is_some() {
                    return Err(twice("start"));
                }
                self.lower = Some((term, operator == Operator::GreaterOrEqual));
            }
            Operator::Less | Operator::LessOrEqual => {
                if self.upper.is_some() {
                    return Err(twice("end"));
                }
                self.upper = Some((term, operator == Operator::LessOrEqual));
            }
            Operator::NotEqual => {
                return Err(CqlError::invalid(format!("Unsupported \"!=\" relation: {name} != ?")));
            }
        }
        Ok(())
    }

    pub(super) fn one_of(&mut self, name: &str, values: TypedIn) -> Result<(), CqlError> {
        if !self.is_empty() {
            let what = if self.equal.is_some() { "an Equal" } else { "a IN" };
            return Err(CqlError::invalid(format!(
                "{name} cannot be restricted by more than one relation if it includes {what}"
            )));
        }
        self.within = Some(values);
        Ok(())
    }

    /// The same as filters, for where no key helps.
    pub(super) fn filters(self, at: usize, out: &mut Vec<Filter>) {
        let mut add = |check| out.push(Filter { at, check });
        if let Some(term) = self.equal {
            add(FilterCheck::Compare(Operator::Equal, term));
        }
        if let Some(values) = self.within {
            add(FilterCheck::In(values));
        }
        if let Some((term, included)) = self.lower {
            let operator = if included { Operator::GreaterOrEqual } else { Operator::Greater };
            add(FilterCheck::Compare(operator, term));
        }
        if let Some((term, included)) = self.upper {
            let operator = if included { Operator::LessOrEqual } else { Operator::Less };
            add(FilterCheck::Compare(operator, term));
        }
    }
}
