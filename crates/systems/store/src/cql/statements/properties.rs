//! `WITH name = value AND …`: the properties of keyspaces and tables.

use std::collections::BTreeMap;

use crate::cql::lexer::TokenKind;
use crate::cql::parser::{Parser, SyntaxError};
use crate::cql::term::Term;

/// A property's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PropertyValue {
    /// A string, number or truth value, by its text.
    Text(String),
    /// `{'a': 'b'}`.
    Map(BTreeMap<String, String>),
}

/// Properties by name, in the order written.
pub(crate) type Properties = Vec<(String, PropertyValue)>;

impl Parser<'_> {
    /// One `name = value`.
    pub(super) fn property(&mut self) -> Result<(String, PropertyValue), SyntaxError> {
        let name = self.name()?;
        self.expect_symbol("=")?;
        let value = match self.peek().clone() {
            TokenKind::Symbol("{") => PropertyValue::Map(self.property_map()?),
            TokenKind::Word(word) => {
                self.skip();
                PropertyValue::Text(word)
            }
            _ => PropertyValue::Text(self.property_text()?),
        };
        Ok((name, value))
    }

    fn property_text(&mut self) -> Result<String, SyntaxError> {
        let before = self.mark();
        match self.unary()? {
            Term::Constant(_, text) => Ok(text),
            _ => {
                self.reset(before);
                Err(self.no_viable_alternative())
            }
        }
    }

    fn property_map(&mut self) -> Result<BTreeMap<String, String>, SyntaxError> {
        self.expect_symbol("{")?;
        let pairs = self.comma_separated("}", |parser| {
            let key = parser.property_text()?;
            parser.expect_symbol(":")?;
            Ok((key, parser.property_text()?))
        })?;
        Ok(pairs.into_iter().collect())
    }
}
