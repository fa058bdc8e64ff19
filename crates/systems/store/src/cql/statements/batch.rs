//! `BEGIN [UNLOGGED | COUNTER] BATCH … APPLY BATCH`.

use tidemill_cql_wire::request::BatchKind;

use super::Statement;
use super::using::Using;
use crate::cql::parser::{Parser, SyntaxError};

/// Several modifications as one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Batch {
    /// How it is applied.
    pub(crate) kind: BatchKind,
    /// Timestamp of all that have none.
    pub(crate) using: Using,
    /// INSERT, UPDATE and DELETE.
    pub(crate) statements: Vec<Statement>,
}

impl Parser<'_> {
    pub(super) fn batch(&mut self) -> Result<Batch, SyntaxError> {
        self.expect_word("begin")?;
        let kind = if self.take_word("unlogged") {
            BatchKind::Unlogged
        } else if self.take_word("counter") {
            BatchKind::Counter
        } else {
            BatchKind::Logged
        };
        self.expect_word("batch")?;
        let using = self.using()?;
        let mut statements = Vec::new();
        loop {
            let statement = if self.is_word("insert") {
                Statement::Insert(self.insert()?)
            } else if self.is_word("update") {
                Statement::Update(self.update()?)
            } else if self.is_word("delete") {
                Statement::Delete(self.delete()?)
            } else {
                break;
            };
            statements.push(statement);
            self.take_symbol(";");
        }
        self.expect_words(&["apply", "batch"])?;
        Ok(Batch { kind, using, statements })
    }
}
