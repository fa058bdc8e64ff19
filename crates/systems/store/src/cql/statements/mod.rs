//! Statements: one file each, its parts and how they are read.

pub(crate) mod alter_keyspace;
pub(crate) mod alter_table;
pub(crate) mod alter_type;
pub(crate) mod batch;
pub(crate) mod conditions;
pub(crate) mod create_keyspace;
pub(crate) mod create_table;
pub(crate) mod create_type;
pub(crate) mod delete;
pub(crate) mod describe;
pub(crate) mod drop;
pub(crate) mod insert;
pub(crate) mod properties;
pub(crate) mod relation;
pub(crate) mod select;
pub(crate) mod truncate;
pub(crate) mod unsupported;
pub(crate) mod update;
pub(crate) mod use_keyspace;
pub(crate) mod using;

use super::lexer::TokenKind;
use super::parser::{Parser, SyntaxError};

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Statement {
    /// `SELECT`.
    Select(Box<select::Select>),
    /// `INSERT`.
    Insert(insert::Insert),
    /// `UPDATE`.
    Update(update::Update),
    /// `DELETE`.
    Delete(delete::Delete),
    /// `BEGIN BATCH`.
    Batch(batch::Batch),
    /// `USE`.
    Use(use_keyspace::Use),
    /// `TRUNCATE`.
    Truncate(truncate::Truncate),
    /// `CREATE KEYSPACE`.
    CreateKeyspace(create_keyspace::CreateKeyspace),
    /// `ALTER KEYSPACE`.
    AlterKeyspace(alter_keyspace::AlterKeyspace),
    /// `CREATE TABLE`.
    CreateTable(create_table::CreateTable),
    /// `ALTER TABLE`.
    AlterTable(alter_table::AlterTable),
    /// `CREATE TYPE`.
    CreateType(create_type::CreateType),
    /// `ALTER TYPE`.
    AlterType(alter_type::AlterType),
    /// `DROP KEYSPACE`, `DROP TABLE`, `DROP TYPE`.
    Drop(drop::Drop),
    /// `DESCRIBE`.
    Describe(describe::Describe),
    /// What Cassandra has and this server has not.
    Unsupported(unsupported::Unsupported),
}

impl Parser<'_> {
    /// One statement, told by its first words.
    pub(super) fn statement(&mut self) -> Result<Statement, SyntaxError> {
        let TokenKind::Word(first) = self.peek().clone() else {
            return Err(self.no_viable_alternative());
        };
        match first.as_str() {
            "select" => Ok(Statement::Select(Box::new(self.select()?))),
            "insert" => self.insert().map(Statement::Insert),
            "update" => self.update().map(Statement::Update),
            "delete" => self.delete().map(Statement::Delete),
            "begin" => self.batch().map(Statement::Batch),
            "use" => self.use_keyspace().map(Statement::Use),
            "truncate" => self.truncate().map(Statement::Truncate),
            "describe" | "desc" => self.describe().map(Statement::Describe),
            "create" | "alter" | "drop" => self.schema_statement(&first),
            "grant" | "revoke" | "list" | "add" => self.unsupported().map(Statement::Unsupported),
            _ => Err(self.no_viable_alternative()),
        }
    }

    fn schema_statement(&mut self, verb: &str) -> Result<Statement, SyntaxError> {
        self.open_here();
        let TokenKind::Word(object) = self.peek_second().clone() else {
            self.skip();
            return Err(self.no_viable_alternative());
        };
        match (verb, object.as_str()) {
            ("create", "keyspace" | "schema") => {
                self.create_keyspace().map(Statement::CreateKeyspace)
            }
            ("create", "table" | "columnfamily") => self.create_table().map(Statement::CreateTable),
            ("create", "type") => self.create_type().map(Statement::CreateType),
            ("alter", "keyspace" | "schema") => self.alter_keyspace().map(Statement::AlterKeyspace),
            ("alter", "table" | "columnfamily") => self.alter_table().map(Statement::AlterTable),
            ("alter", "type") => self.alter_type().map(Statement::AlterType),
            ("drop", "keyspace" | "schema" | "table" | "columnfamily" | "type") => {
                self.drop().map(Statement::Drop)
            }
            _ => self.unsupported().map(Statement::Unsupported),
        }
    }
}
