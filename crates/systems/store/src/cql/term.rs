//! Terms: what stands on the right of an equals sign.

use super::lexer::{ConstantKind, TokenKind};
use super::parser::{Parser, SyntaxError};
use super::types::RawType;

/// A value as it is written, before anybody knows its type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Term {
    /// A constant.
    Constant(ConstantKind, String),
    /// `null`.
    Null,
    /// `?` or `:name`: the number of the marker, and its name.
    Marker(usize, Option<String>),
    /// `[a, b]`: a list or a vector.
    List(Vec<Term>),
    /// `{a, b}`: a set; `{}` may be a map too.
    Set(Vec<Term>),
    /// `{a: b}`: a map, or a user-defined type whose fields are names.
    Map(Vec<(Term, Term)>),
    /// `(a, b)`.
    Tuple(Vec<Term>),
    /// `name(a, b)`.
    Function(FunctionName, Vec<Term>),
    /// `(type) a`.
    Cast(RawType, Box<Term>),
    /// `a + b`: the operator's symbol.
    Arithmetic(char, Box<Term>, Box<Term>),
    /// `- a`.
    Negative(Box<Term>),
    /// A bare word: a field's name in `{field: value}`.
    Name(String),
}

/// A function's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionName {
    /// The keyspace, if it is written.
    pub(crate) keyspace: Option<String>,
    /// The name, lower case.
    pub(crate) name: String,
}

impl Term {
    /// As Cassandra's errors write it.
    pub(crate) fn text(&self) -> String {
        let all = |items: &[Term]| items.iter().map(Term::text).collect::<Vec<_>>().join(", ");
        match self {
            Term::Constant(ConstantKind::String, text) => format!("'{text}'"),
            Term::Constant(ConstantKind::Hex, text) => format!("0x{text}"),
            Term::Constant(_, text) | Term::Name(text) => text.clone(),
            Term::Null => "NULL".to_owned(),
            Term::Marker(_, Some(name)) => format!(":{name}"),
            Term::Marker(_, None) => "?".to_owned(),
            Term::List(items) => format!("[{}]", all(items)),
            Term::Set(items) => format!("{{{}}}", all(items)),
            Term::Tuple(items) => format!("({})", all(items)),
            Term::Map(pairs) => {
                let pairs: Vec<_> =
                    pairs.iter().map(|(k, v)| format!("{}: {}", k.text(), v.text())).collect();
                format!("{{{}}}", pairs.join(", "))
            }
            Term::Function(name, items) => format!("{}({})", name.name, all(items)),
            Term::Cast(to, inner) => format!("({to}){}", inner.text()),
            Term::Arithmetic(symbol, a, b) => format!("{} {symbol} {}", a.text(), b.text()),
            Term::Negative(inner) => format!("-{}", inner.text()),
        }
    }
}

impl Parser<'_> {
    /// A term with sums and products.
    pub(super) fn term(&mut self) -> Result<Term, SyntaxError> {
        self.nested(|parser| {
            let mut left = parser.product()?;
            while let Some(symbol) = parser.take_symbol_of(&["+", "-"]) {
                let right = parser.product()?;
                left = Term::Arithmetic(symbol, Box::new(left), Box::new(right));
            }
            Ok(left)
        })
    }

    fn product(&mut self) -> Result<Term, SyntaxError> {
        let mut left = self.unary()?;
        while let Some(symbol) = self.take_symbol_of(&["*", "/", "%"]) {
            let right = self.unary()?;
            left = Term::Arithmetic(symbol, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    /// A term that no operator follows: what `SET a = a + …` and list elements need.
    pub(super) fn unary(&mut self) -> Result<Term, SyntaxError> {
        if !self.take_symbol("-") {
            return self.simple_term();
        }
        // A sign before a number belongs to the number.
        if let TokenKind::Constant(
            kind @ (ConstantKind::Integer | ConstantKind::Float | ConstantKind::Duration),
            text,
        ) = self.peek()
        {
            let constant = Term::Constant(*kind, format!("-{text}"));
            self.skip();
            return Ok(constant);
        }
        Ok(Term::Negative(Box::new(self.nested(Parser::unary)?)))
    }

    /// A whole number or a marker.
    pub(super) fn whole_number(&mut self) -> Result<Term, SyntaxError> {
        let before = self.mark();
        match self.unary() {
            Ok(term @ (Term::Constant(ConstantKind::Integer, _) | Term::Marker(..))) => Ok(term),
            _ => {
                self.reset(before);
                Err(self.no_viable_alternative())
            }
        }
    }

    fn simple_term(&mut self) -> Result<Term, SyntaxError> {
        match self.peek().clone() {
            TokenKind::Constant(kind, text) => {
                self.skip();
                Ok(Term::Constant(kind, text))
            }
            TokenKind::Marker => {
                self.skip();
                Ok(self.new_marker(None))
            }
            TokenKind::Symbol(":") => {
                self.skip();
                let name = self.name()?;
                Ok(self.new_marker(Some(name)))
            }
            TokenKind::Symbol("[") => {
                self.skip();
                Ok(Term::List(self.comma_separated("]", Parser::term)?))
            }
            TokenKind::Symbol("{") => self.nested(Parser::braces),
            TokenKind::Symbol("(") => self.nested(Parser::parenthesis),
            TokenKind::Word(word) if word == "null" => {
                self.skip();
                Ok(Term::Null)
            }
            TokenKind::Word(_) | TokenKind::Quoted(_) => self.function_or_name(),
            _ => Err(self.no_viable_alternative()),
        }
    }

    /// A set, a map or a user-defined type.
    fn braces(&mut self) -> Result<Term, SyntaxError> {
        self.expect_symbol("{")?;
        if self.take_symbol("}") {
            return Ok(Term::Set(Vec::new()));
        }
        let first = self.term()?;
        if !self.take_symbol(":") {
            let mut items = vec![first];
            if self.take_symbol(",") {
                items.extend(self.comma_separated("}", Parser::term)?);
            } else {
                self.expect_symbol("}")?;
            }
            return Ok(Term::Set(items));
        }
        let mut pairs = vec![(first, self.term()?)];
        if self.take_symbol(",") {
            pairs.extend(self.comma_separated("}", |parser| {
                let key = parser.term()?;
                parser.expect_symbol(":")?;
                Ok((key, parser.term()?))
            })?);
        } else {
            self.expect_symbol("}")?;
        }
        Ok(Term::Map(pairs))
    }

    /// `(type) term`, `(a, b)` or `(a + b)`.
    fn parenthesis(&mut self) -> Result<Term, SyntaxError> {
        let back = self.mark();
        self.expect_symbol("(")?;
        if let Ok(to) = self.raw_type()
            && self.take_symbol(")")
            && self.starts_term()
        {
            return Ok(Term::Cast(to, Box::new(self.unary()?)));
        }
        self.reset(back);
        self.expect_symbol("(")?;
        let items = self.comma_separated(")", Parser::term)?;
        Ok(Term::Tuple(items))
    }

    fn starts_term(&self) -> bool {
        match self.peek() {
            TokenKind::Constant(..) | TokenKind::Marker | TokenKind::Quoted(_) => true,
            TokenKind::Symbol(symbol) => ["(", "[", "{", ":", "-"].contains(symbol),
            TokenKind::Word(word) => {
                word == "null" || !super::keywords::is_reserved(word) || word == "token"
            }
            TokenKind::End => false,
        }
    }

    fn function_or_name(&mut self) -> Result<Term, SyntaxError> {
        let name = self.function_name()?;
        if self.take_symbol("(") {
            return Ok(Term::Function(name, self.comma_separated(")", Parser::term)?));
        }
        match name.keyspace {
            None => Ok(Term::Name(name.name)),
            Some(_) => Err(self.no_viable_alternative()),
        }
    }

    /// `name` or `keyspace.name`; `token` is reserved and a function all the same.
    pub(super) fn function_name(&mut self) -> Result<FunctionName, SyntaxError> {
        if self.take_word("token") {
            return Ok(FunctionName { keyspace: None, name: "token".to_owned() });
        }
        let first = self.name()?;
        if self.take_symbol(".") {
            return Ok(FunctionName { keyspace: Some(first), name: self.name()? });
        }
        Ok(FunctionName { keyspace: None, name: first })
    }
}
