//! `ALTER KEYSPACE [IF EXISTS] name WITH …`.

use super::properties::Properties;
use crate::cql::parser::{Parser, SyntaxError};

/// Other properties for a keyspace.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AlterKeyspace {
    /// Its name.
    pub(crate) name: String,
    /// No error if it is not there.
    pub(crate) if_exists: bool,
    /// `replication`, `durable_writes`.
    pub(crate) properties: Properties,
}

impl Parser<'_> {
    pub(super) fn alter_keyspace(&mut self) -> Result<AlterKeyspace, SyntaxError> {
        self.skip();
        self.skip();
        let if_exists = self.if_exists()?;
        let name = self.name()?;
        self.expect_word("with")?;
        let properties = self.keyspace_properties()?;
        Ok(AlterKeyspace { name, if_exists, properties })
    }
}
