//! Types as statements write them, before names are looked up.

use std::fmt;

use super::names::QualifiedName;
use super::parser::{Parser, SyntaxError};
use super::{keywords, lexer::TokenKind};

/// A type by its words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RawType {
    /// A native or user-defined type.
    Named(QualifiedName),
    /// `list<…>`.
    List(Box<RawType>),
    /// `set<…>`.
    Set(Box<RawType>),
    /// `map<…, …>`.
    Map(Box<RawType>, Box<RawType>),
    /// `tuple<…>`.
    Tuple(Vec<RawType>),
    /// `vector<…, n>`.
    Vector(Box<RawType>, u16),
    /// `frozen<…>`.
    Frozen(Box<RawType>),
    /// `'org.apache.cassandra.…'`.
    Class(String),
}

impl fmt::Display for RawType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RawType::Named(QualifiedName { keyspace: None, name }) => {
                f.write_str(&keywords::quoted(name))
            }
            RawType::Named(QualifiedName { keyspace: Some(keyspace), name }) => {
                write!(f, "{}.{}", keywords::quoted(keyspace), keywords::quoted(name))
            }
            RawType::List(element) => write!(f, "list<{element}>"),
            RawType::Set(element) => write!(f, "set<{element}>"),
            RawType::Map(key, value) => write!(f, "map<{key}, {value}>"),
            RawType::Vector(element, dimension) => write!(f, "vector<{element}, {dimension}>"),
            RawType::Frozen(inner) => write!(f, "frozen<{inner}>"),
            RawType::Class(name) => write!(f, "'{name}'"),
            RawType::Tuple(fields) => {
                let fields: Vec<_> = fields.iter().map(RawType::to_string).collect();
                write!(f, "tuple<{}>", fields.join(", "))
            }
        }
    }
}

impl Parser<'_> {
    /// A type.
    pub(super) fn raw_type(&mut self) -> Result<RawType, SyntaxError> {
        self.nested(Parser::raw_type_inner)
    }

    fn raw_type_inner(&mut self) -> Result<RawType, SyntaxError> {
        if let TokenKind::Constant(super::ConstantKind::String, class) = self.peek().clone() {
            self.skip();
            return Ok(RawType::Class(class));
        }
        let is_quoted = matches!(self.peek(), TokenKind::Quoted(_));
        // SET is reserved everywhere but here.
        let name = if self.take_word("set") {
            QualifiedName { keyspace: None, name: "set".to_owned() }
        } else {
            self.qualified_name()?
        };
        let is_parameterized = name.keyspace.is_none() && !is_quoted && self.take_symbol("<");
        if !is_parameterized {
            return Ok(RawType::Named(name));
        }
        let boxed = |parser: &mut Self| parser.raw_type().map(Box::new);
        let parsed = match name.name.as_str() {
            "list" => RawType::List(boxed(self)?),
            "set" => RawType::Set(boxed(self)?),
            "frozen" => RawType::Frozen(boxed(self)?),
            "map" => {
                let key = boxed(self)?;
                self.expect_symbol(",")?;
                RawType::Map(key, boxed(self)?)
            }
            "vector" => {
                let element = boxed(self)?;
                self.expect_symbol(",")?;
                RawType::Vector(element, self.dimension()?)
            }
            "tuple" => {
                return Ok(RawType::Tuple(self.comma_separated(">", Parser::raw_type)?));
            }
            _ => return Err(self.no_viable_alternative()),
        };
        self.expect_symbol(">")?;
        Ok(parsed)
    }

    fn dimension(&mut self) -> Result<u16, SyntaxError> {
        let TokenKind::Constant(super::ConstantKind::Integer, text) = self.peek().clone() else {
            return Err(self.mismatched("INTEGER"));
        };
        match text.parse() {
            Ok(dimension) if dimension <= 8192 => {
                self.skip();
                Ok(dimension)
            }
            _ => Err(self.no_viable_alternative()),
        }
    }
}
