//! `ALTER TABLE [IF EXISTS] name ADD | DROP | RENAME | ALTER | WITH …`.

use super::create_table::ColumnDeclaration;
use super::properties::Properties;
use crate::cql::names::QualifiedName;
use crate::cql::parser::{Parser, SyntaxError};

/// What happens to the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TableChange {
    /// New columns.
    Add(Vec<ColumnDeclaration>, bool),
    /// Columns that go.
    Drop(Vec<String>, bool),
    /// Key columns that get other names.
    Rename(Vec<(String, String)>, bool),
    /// `ALTER column TYPE type`: no longer possible.
    AlterType,
    /// Other properties.
    With(Properties),
}

/// A change of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AlterTable {
    /// The table.
    pub(crate) table: QualifiedName,
    /// No error if it is not there.
    pub(crate) if_exists: bool,
    /// What happens to it.
    pub(crate) change: TableChange,
}

impl Parser<'_> {
    pub(super) fn alter_table(&mut self) -> Result<AlterTable, SyntaxError> {
        self.skip();
        self.skip();
        let if_exists = self.if_exists()?;
        let table = self.qualified_name()?;
        let change = self.table_change()?;
        Ok(AlterTable { table, if_exists, change })
    }

    fn table_change(&mut self) -> Result<TableChange, SyntaxError> {
        if self.take_word("add") {
            let tolerant = self.if_not_exists()?;
            let columns = self.one_or_in_parentheses(|parser| {
                let (name, raw_type) = (parser.name()?, parser.raw_type()?);
                let is_static = parser.take_word("static");
                Ok(ColumnDeclaration { name, raw_type, is_static })
            })?;
            return Ok(TableChange::Add(columns, tolerant));
        }
        if self.take_word("drop") {
            let tolerant = self.if_exists()?;
            let columns = self.one_or_in_parentheses(Parser::name)?;
            if self.take_word("using") {
                self.expect_word("timestamp")?;
                self.unary()?;
            }
            return Ok(TableChange::Drop(columns, tolerant));
        }
        if self.take_word("rename") {
            let tolerant = self.if_exists()?;
            let mut renames = vec![self.rename()?];
            while self.take_word("and") {
                renames.push(self.rename()?);
            }
            return Ok(TableChange::Rename(renames, tolerant));
        }
        if self.take_word("alter") {
            self.if_exists()?;
            self.name()?;
            self.expect_word("type")?;
            self.raw_type()?;
            return Ok(TableChange::AlterType);
        }
        if self.take_word("with") {
            return Ok(TableChange::With(self.keyspace_properties()?));
        }
        Err(self.no_viable_alternative())
    }

    fn rename(&mut self) -> Result<(String, String), SyntaxError> {
        let from = self.name()?;
        self.expect_word("to")?;
        Ok((from, self.name()?))
    }

    /// `a`, `a, b` or `(a, b)`.
    fn one_or_in_parentheses<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<Vec<T>, SyntaxError> {
        if self.take_symbol("(") {
            self.comma_separated(")", item)
        } else {
            self.list_of(&mut item)
        }
    }
}
