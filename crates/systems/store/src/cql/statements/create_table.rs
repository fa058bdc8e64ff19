//! `CREATE TABLE [IF NOT EXISTS] name (…) WITH …`.

use super::properties::Properties;
use crate::cql::names::QualifiedName;
use crate::cql::parser::{Parser, SyntaxError};
use crate::cql::types::RawType;

/// A column's declaration.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ColumnDeclaration {
    /// Its name.
    pub(crate) name: String,
    /// Its type.
    pub(crate) raw_type: RawType,
    /// One value per partition.
    pub(crate) is_static: bool,
}

/// `PRIMARY KEY ((a, b), c)`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct PrimaryKey {
    /// `a, b`.
    pub(crate) partition: Vec<String>,
    /// `c`.
    pub(crate) clustering: Vec<String>,
}

/// A new table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CreateTable {
    /// Its name.
    pub(crate) table: QualifiedName,
    /// No error if it is there.
    pub(crate) if_not_exists: bool,
    /// In the order written.
    pub(crate) columns: Vec<ColumnDeclaration>,
    /// All primary keys declared: exactly one is right.
    pub(crate) primary_keys: Vec<PrimaryKey>,
    /// `CLUSTERING ORDER BY`: names, and whether descending.
    pub(crate) order: Vec<(String, bool)>,
    /// `ID = …`: a table that is to have this id.
    pub(crate) properties: Properties,
    /// `COMPACT STORAGE`, which only old tables have.
    pub(crate) is_compact: bool,
}

impl Parser<'_> {
    pub(super) fn create_table(&mut self) -> Result<CreateTable, SyntaxError> {
        self.skip();
        self.skip();
        let mut create = CreateTable {
            if_not_exists: self.if_not_exists()?,
            table: self.qualified_name()?,
            columns: Vec::new(),
            primary_keys: Vec::new(),
            order: Vec::new(),
            properties: Vec::new(),
            is_compact: false,
        };
        self.expect_symbol("(")?;
        self.comma_separated(")", |parser| parser.table_part(&mut create))?;
        if self.take_word("with") {
            self.table_property(&mut create)?;
            while self.take_word("and") {
                self.table_property(&mut create)?;
            }
        }
        Ok(create)
    }

    fn table_part(&mut self, create: &mut CreateTable) -> Result<(), SyntaxError> {
        // Cassandra takes a comma too many at the end.
        if self.is_symbol(")") && !create.columns.is_empty() {
            return Ok(());
        }
        if self.take_word("primary") {
            self.expect_word("key")?;
            self.expect_symbol("(")?;
            let partition = if self.take_symbol("(") {
                self.comma_separated(")", Parser::name)?
            } else {
                vec![self.name()?]
            };
            let clustering = if self.take_symbol(",") {
                self.comma_separated(")", Parser::name)?
            } else {
                self.expect_symbol(")")?;
                Vec::new()
            };
            create.primary_keys.push(PrimaryKey { partition, clustering });
            return Ok(());
        }
        let name = self.name()?;
        let raw_type = self.raw_type()?;
        let is_static = self.take_word("static");
        if self.take_word("primary") {
            self.expect_word("key")?;
            let partition = vec![name.clone()];
            create.primary_keys.push(PrimaryKey { partition, clustering: Vec::new() });
        }
        create.columns.push(ColumnDeclaration { name, raw_type, is_static });
        Ok(())
    }

    fn table_property(&mut self, create: &mut CreateTable) -> Result<(), SyntaxError> {
        if self.take_word("compact") {
            create.is_compact = true;
            return self.expect_word("storage");
        }
        if !self.is_word("clustering") {
            create.properties.push(self.property()?);
            return Ok(());
        }
        self.expect_words(&["clustering", "order", "by"])?;
        self.expect_symbol("(")?;
        create.order = self.comma_separated(")", |parser| {
            let name = parser.name()?;
            let descending = parser.take_word("desc");
            if !descending {
                parser.expect_word("asc")?;
            }
            Ok((name, descending))
        })?;
        Ok(())
    }
}
