//! Text to statements: the part of Flink SQL that this engine accepts, and errors in Flink's words.
//!
//! Tokens and expressions are `sqlparser`'s, with the positions of the file. Statements and DDL are
//! our own, because no dialect of `sqlparser` knows `WATERMARK FOR`, `METADATA` or computed
//! columns; a query's body goes to `sqlparser` whole, its window table functions replaced by names
//! that the planner resolves (see [`query`]).

pub mod query;
pub mod statement;
pub mod types;

mod error;
mod parser;
mod table;
mod tokens;

#[cfg(test)]
mod tests;

pub use error::{Location, SqlError, SqlErrorKind};
pub use parser::parse;
pub use tokens::FlinkDialect;
