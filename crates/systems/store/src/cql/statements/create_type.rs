//! `CREATE TYPE [IF NOT EXISTS] name (field type, …)`.

use crate::cql::names::QualifiedName;
use crate::cql::parser::{Parser, SyntaxError};
use crate::cql::types::RawType;

/// A new user-defined type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CreateType {
    /// Its name.
    pub(crate) name: QualifiedName,
    /// No error if it is there.
    pub(crate) if_not_exists: bool,
    /// In order.
    pub(crate) fields: Vec<(String, RawType)>,
}

impl Parser<'_> {
    pub(super) fn create_type(&mut self) -> Result<CreateType, SyntaxError> {
        self.skip();
        self.skip();
        let if_not_exists = self.if_not_exists()?;
        let name = self.qualified_name()?;
        self.expect_symbol("(")?;
        let fields =
            self.comma_separated(")", |parser| Ok((parser.name()?, parser.raw_type()?)))?;
        Ok(CreateType { name, if_not_exists, fields })
    }
}
