//! `USING TIMESTAMP … AND TTL …`.

use crate::cql::parser::{Parser, SyntaxError};
use crate::cql::term::Term;

/// When a write counts as made, and how long it stays.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Using {
    /// Microseconds.
    pub(crate) timestamp: Option<Term>,
    /// Seconds.
    pub(crate) ttl: Option<Term>,
}

impl Parser<'_> {
    /// Nothing if USING does not come.
    pub(super) fn using(&mut self) -> Result<Using, SyntaxError> {
        let mut using = Using::default();
        if !self.take_word("using") {
            return Ok(using);
        }
        loop {
            if self.take_word("timestamp") {
                using.timestamp = Some(self.whole_number()?);
            } else if self.take_word("ttl") {
                using.ttl = Some(self.whole_number()?);
            } else {
                return Err(self.no_viable_alternative());
            }
            if !self.take_word("and") {
                return Ok(using);
            }
        }
    }
}
