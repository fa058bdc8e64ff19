//! Statements that Cassandra has and this server has not: they are named, never ignored.

use crate::cql::lexer::TokenKind;
use crate::cql::parser::{Parser, SyntaxError};

/// A statement by its first words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unsupported {
    /// `CREATE INDEX`, `LIST ROLES`, …
    pub(crate) what: String,
}

/// What may follow the verb, one or two words.
const OBJECTS: [&str; 14] = [
    "INDEX",
    "CUSTOM INDEX",
    "MATERIALIZED VIEW",
    "FUNCTION",
    "OR REPLACE",
    "AGGREGATE",
    "TRIGGER",
    "ROLE",
    "USER",
    "ROLES",
    "USERS",
    "ALL",
    "PERMISSIONS",
    "IDENTITY",
];

impl Parser<'_> {
    pub(super) fn unsupported(&mut self) -> Result<Unsupported, SyntaxError> {
        let TokenKind::Word(verb) = self.peek().clone() else {
            return Err(self.no_viable_alternative());
        };
        self.open_here();
        self.skip();
        let verb = verb.to_ascii_uppercase();
        if ["GRANT", "REVOKE"].contains(&verb.as_str()) {
            self.skip_to_end();
            return Ok(Unsupported { what: verb });
        }
        let (TokenKind::Word(first), second) = (self.peek().clone(), self.peek_second().clone())
        else {
            return Err(self.no_viable_alternative());
        };
        let first = first.to_ascii_uppercase();
        let pair = match second {
            TokenKind::Word(second) => format!("{first} {}", second.to_ascii_uppercase()),
            _ => first.clone(),
        };
        let object = OBJECTS.iter().find(|object| **object == pair || **object == first);
        let Some(object) = object else { return Err(self.no_viable_alternative()) };
        self.skip_to_end();
        Ok(Unsupported { what: format!("{verb} {object}") })
    }

    fn skip_to_end(&mut self) {
        while !matches!(self.peek(), TokenKind::End) {
            self.skip();
        }
    }
}
