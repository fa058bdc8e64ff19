//! `CREATE KEYSPACE [IF NOT EXISTS] name WITH …`.

use super::properties::Properties;
use crate::cql::parser::{Parser, SyntaxError};

/// A new keyspace.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CreateKeyspace {
    /// Its name.
    pub(crate) name: String,
    /// No error if it is there.
    pub(crate) if_not_exists: bool,
    /// `replication`, `durable_writes`.
    pub(crate) properties: Properties,
}

impl Parser<'_> {
    pub(super) fn create_keyspace(&mut self) -> Result<CreateKeyspace, SyntaxError> {
        self.skip();
        self.skip();
        let if_not_exists = self.if_not_exists()?;
        let name = self.name()?;
        self.expect_word("with")?;
        let properties = self.keyspace_properties()?;
        Ok(CreateKeyspace { name, if_not_exists, properties })
    }

    pub(super) fn keyspace_properties(&mut self) -> Result<Properties, SyntaxError> {
        let mut properties = vec![self.property()?];
        while self.take_word("and") {
            properties.push(self.property()?);
        }
        Ok(properties)
    }
}
