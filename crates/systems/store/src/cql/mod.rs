//! CQL: text to statements. A lexer and a recursive-descent parser of our own, with Cassandra's
//! words for what it does not understand. Grammar: `Parser.g` and `Lexer.g` of Cassandra 5.0.

pub(crate) mod keywords;
mod lexer;
pub(crate) mod names;
mod parser;
pub(crate) mod selectable;
pub(crate) mod statements;
pub(crate) mod term;
pub(crate) mod types;

pub(crate) use lexer::ConstantKind;
pub(crate) use parser::{Parsed, SyntaxError, parse_statement, parse_type};
