//! What SELECT lists.

use super::lexer::TokenKind;
use super::parser::{Parser, SyntaxError};
use super::term::{FunctionName, Term};
use super::types::RawType;

/// One thing of a selection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Selectable {
    /// A column.
    Column(String),
    /// `count(*)`, `count(1)`.
    CountRows,
    /// `writetime(a)`, `maxwritetime(a)`, `ttl(a)`: the function's name and its argument.
    CellMetadata(String, Box<Selectable>),
    /// `name(a, b)`.
    Function(FunctionName, Vec<Selectable>),
    /// `CAST(a AS type)`.
    Cast(Box<Selectable>, RawType),
    /// `a.field`.
    Field(Box<Selectable>, String),
    /// `a[key]`.
    Element(Box<Selectable>, Term),
    /// A constant, a marker, a literal.
    Value(Term),
}

impl Parser<'_> {
    /// A selectable with its fields and elements.
    pub(super) fn selectable(&mut self) -> Result<Selectable, SyntaxError> {
        self.nested(|parser| {
            let mut found = parser.simple_selectable()?;
            loop {
                if parser.take_symbol(".") {
                    found = Selectable::Field(Box::new(found), parser.name()?);
                } else if parser.take_symbol("[") {
                    let key = parser.term()?;
                    parser.expect_symbol("]")?;
                    found = Selectable::Element(Box::new(found), key);
                } else {
                    return Ok(found);
                }
            }
        })
    }

    fn simple_selectable(&mut self) -> Result<Selectable, SyntaxError> {
        let is_call = matches!(self.peek_second(), TokenKind::Symbol("("));
        match self.peek().clone() {
            TokenKind::Word(word) if is_call => match word.as_str() {
                "count" => {
                    let back = self.mark();
                    self.skip();
                    self.skip();
                    let is_rows = self.take_symbol("*")
                        || matches!(self.peek(), TokenKind::Constant(_, one) if one == "1") && {
                            self.skip();
                            true
                        };
                    if is_rows {
                        self.expect_symbol(")")?;
                        return Ok(Selectable::CountRows);
                    }
                    self.reset(back);
                    self.call()
                }
                "writetime" | "maxwritetime" | "ttl" => {
                    self.skip();
                    self.skip();
                    let inner = self.selectable()?;
                    self.expect_symbol(")")?;
                    Ok(Selectable::CellMetadata(word, Box::new(inner)))
                }
                "cast" => {
                    self.skip();
                    self.skip();
                    let inner = self.selectable()?;
                    // AS is no reserved word, and a name may be an alias; here it is neither.
                    self.expect_word("as")?;
                    let to = self.raw_type()?;
                    self.expect_symbol(")")?;
                    Ok(Selectable::Cast(Box::new(inner), to))
                }
                _ => self.call(),
            },
            TokenKind::Quoted(_) if is_call => self.call(),
            TokenKind::Word(word) if word == "null" => Ok(Selectable::Value(self.term()?)),
            TokenKind::Word(_) | TokenKind::Quoted(_) => {
                let back = self.mark();
                let name = self.open_name()?;
                // keyspace.function(…) looks like a field until the parenthesis.
                if self.is_symbol(".") {
                    self.reset(back);
                    let function = self.function_name();
                    if function.is_ok() && self.is_symbol("(") {
                        self.reset(back);
                        return self.call();
                    }
                    self.reset(back);
                    self.name()?;
                }
                Ok(Selectable::Column(name))
            }
            _ => Ok(Selectable::Value(self.unary()?)),
        }
    }

    fn call(&mut self) -> Result<Selectable, SyntaxError> {
        let name = self.function_name()?;
        self.expect_symbol("(")?;
        Ok(Selectable::Function(name, self.comma_separated(")", Parser::selectable)?))
    }
}
