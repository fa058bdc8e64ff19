//! `ALTER TYPE [IF EXISTS] name ADD field type` and `RENAME a TO b`.

use crate::cql::names::QualifiedName;
use crate::cql::parser::{Parser, SyntaxError};
use crate::cql::types::RawType;

/// What happens to the type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TypeChange {
    /// A new field at the end.
    Add(String, RawType),
    /// Fields that get other names.
    Rename(Vec<(String, String)>),
    /// `ALTER field TYPE type`: no longer possible.
    AlterField,
}

/// A change of a user-defined type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AlterType {
    /// The type.
    pub(crate) name: QualifiedName,
    /// No error if it is not there.
    pub(crate) if_exists: bool,
    /// What happens to it.
    pub(crate) change: TypeChange,
}

impl Parser<'_> {
    pub(super) fn alter_type(&mut self) -> Result<AlterType, SyntaxError> {
        self.skip();
        self.skip();
        let if_exists = self.if_exists()?;
        let name = self.qualified_name()?;
        let change = if self.take_word("add") {
            self.if_not_exists()?;
            TypeChange::Add(self.name()?, self.raw_type()?)
        } else if self.take_word("rename") {
            let mut renames = Vec::new();
            loop {
                let from = self.name()?;
                self.expect_word("to")?;
                renames.push((from, self.name()?));
                if !self.take_word("and") {
                    break TypeChange::Rename(renames);
                }
            }
        } else if self.take_word("alter") {
            self.name()?;
            self.expect_word("type")?;
            self.raw_type()?;
            TypeChange::AlterField
        } else {
            return Err(self.no_viable_alternative());
        };
        Ok(AlterType { name, if_exists, change })
    }
}
