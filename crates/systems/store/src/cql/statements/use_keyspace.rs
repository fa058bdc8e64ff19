//! `USE keyspace`.

use crate::cql::parser::{Parser, SyntaxError};

/// The connection's keyspace from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    /// Its name.
    pub(crate) keyspace: String,
}

impl Parser<'_> {
    pub(super) fn use_keyspace(&mut self) -> Result<Use, SyntaxError> {
        self.expect_word("use")?;
        Ok(Use { keyspace: self.name()? })
    }
}
