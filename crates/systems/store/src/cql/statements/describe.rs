//! `DESCRIBE …`, which cqlsh sends as CQL since Cassandra 4.

use crate::cql::lexer::TokenKind;
use crate::cql::names::QualifiedName;
use crate::cql::parser::{Parser, SyntaxError};

/// What is to be described.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Described {
    /// Its name and partitioner.
    Cluster,
    /// All keyspaces of users, or of the system too.
    Schema {
        /// `FULL`.
        full: bool,
    },
    /// The names of all keyspaces.
    Keyspaces,
    /// The names of all tables.
    Tables,
    /// The names of all types.
    Types,
    /// The names of all functions.
    Functions,
    /// The names of all aggregates.
    Aggregates,
    /// A keyspace; the connection's own if no name is given.
    Keyspace {
        /// Its name.
        name: Option<String>,
        /// Without what is in it.
        only: bool,
    },
    /// A table.
    Table(QualifiedName),
    /// A type.
    Type(QualifiedName),
    /// An index, a view, a function or an aggregate: what kind, and its name.
    Other(&'static str, QualifiedName),
    /// Whatever has this name.
    Any(QualifiedName),
}

/// A question about the schema.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Describe {
    /// About what.
    pub(crate) what: Described,
    /// `WITH INTERNALS`.
    pub(crate) with_internals: bool,
}

impl Parser<'_> {
    pub(super) fn describe(&mut self) -> Result<Describe, SyntaxError> {
        self.skip();
        let what = self.described()?;
        let with_internals = self.take_word("with");
        if with_internals {
            self.expect_word("internals")?;
        }
        Ok(Describe { what, with_internals })
    }

    fn described(&mut self) -> Result<Described, SyntaxError> {
        let ends = matches!(
            self.peek_second(),
            TokenKind::End | TokenKind::Symbol(";") | TokenKind::Word(_)
        );
        let word = match self.peek().clone() {
            TokenKind::Word(word) => word,
            TokenKind::Quoted(_) => return Ok(Described::Any(self.qualified_name()?)),
            _ => return Err(self.no_viable_alternative()),
        };
        let simple = match word.as_str() {
            "cluster" => Some(Described::Cluster),
            "schema" => Some(Described::Schema { full: false }),
            "keyspaces" => Some(Described::Keyspaces),
            "tables" => Some(Described::Tables),
            "types" => Some(Described::Types),
            "functions" => Some(Described::Functions),
            "aggregates" => Some(Described::Aggregates),
            _ => None,
        };
        if let Some(simple) = simple.filter(|_| ends) {
            self.skip();
            return Ok(simple);
        }
        if word == "full" {
            self.skip();
            self.expect_word("schema")?;
            return Ok(Described::Schema { full: true });
        }
        if word == "only" && self.peek_second() == &TokenKind::Word("keyspace".into()) {
            self.skip();
            self.skip();
            return Ok(Described::Keyspace { name: self.optional_name()?, only: true });
        }
        if word == "keyspace" {
            self.skip();
            return Ok(Described::Keyspace { name: self.optional_name()?, only: false });
        }
        self.described_object(&word)
    }

    fn described_object(&mut self, word: &str) -> Result<Described, SyntaxError> {
        let is_named = matches!(self.peek_second(), TokenKind::Word(_) | TokenKind::Quoted(_));
        if !is_named {
            return Ok(Described::Any(self.qualified_name()?));
        }
        let other = match word {
            "table" | "columnfamily" => None,
            "type" => None,
            "index" => Some("index"),
            "function" => Some("function"),
            "aggregate" => Some("aggregate"),
            "materialized" => {
                self.skip();
                Some("materialized view")
            }
            _ => return Ok(Described::Any(self.qualified_name()?)),
        };
        self.skip();
        let name = self.qualified_name()?;
        Ok(match (other, word) {
            (Some(kind), _) => Described::Other(kind, name),
            (None, "type") => Described::Type(name),
            (None, _) => Described::Table(name),
        })
    }

    fn optional_name(&mut self) -> Result<Option<String>, SyntaxError> {
        let starts = match self.peek() {
            TokenKind::Quoted(_) => true,
            TokenKind::Word(word) => word != "with",
            _ => false,
        };
        if starts { self.name().map(Some) } else { Ok(None) }
    }
}
