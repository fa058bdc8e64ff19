//! `WHERE …`: what rows must be like.

use crate::cql::lexer::TokenKind;
use crate::cql::parser::{Parser, SyntaxError};
use crate::cql::term::Term;

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `=`
    Equal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `!=`
    NotEqual,
}

impl Operator {
    /// As it is written.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Operator::Equal => "=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::NotEqual => "!=",
        }
    }

    /// Whether it holds when the left side compares like this to the right.
    pub(crate) fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Operator::Equal => order.is_eq(),
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::Greater => order.is_gt(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::NotEqual => order.is_ne(),
        }
    }
}

/// What a relation is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RelationLeft {
    /// A column.
    Column(String),
    /// `(a, b)`.
    Columns(Vec<String>),
    /// `token(a, b)`.
    Token(Vec<String>),
    /// `a[key]`.
    Element(String, Term),
}

/// What it says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RelationRight {
    /// A comparison.
    Compare(Operator, Term),
    /// `IN (a, b)`, or IN and a marker for the whole list.
    In(InValues),
    /// `CONTAINS a`.
    Contains(Term),
    /// `CONTAINS KEY a`.
    ContainsKey(Term),
    /// `IS NOT NULL`, which only views may say.
    IsNotNull,
    /// `LIKE a`, which only SASI indexes answer.
    Like(Term),
}

/// What follows IN.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum InValues {
    /// `(a, b)`.
    Terms(Vec<Term>),
    /// `?`: a list.
    Marker(Term),
}

/// One condition of WHERE.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Relation {
    /// About what.
    pub(crate) left: RelationLeft,
    /// What it says.
    pub(crate) right: RelationRight,
}

impl Parser<'_> {
    /// `WHERE a AND b`; nothing if WHERE does not come.
    pub(super) fn optional_where(&mut self) -> Result<Vec<Relation>, SyntaxError> {
        if self.take_word("where") { self.relations() } else { Ok(Vec::new()) }
    }

    /// `a AND b`.
    pub(super) fn relations(&mut self) -> Result<Vec<Relation>, SyntaxError> {
        let mut relations = Vec::new();
        loop {
            self.relation(&mut relations)?;
            if !self.take_word("and") {
                return Ok(relations);
            }
        }
    }

    fn relation(&mut self, out: &mut Vec<Relation>) -> Result<(), SyntaxError> {
        let left = if self.is_word("token") {
            self.skip();
            self.expect_symbol("(")?;
            RelationLeft::Token(self.comma_separated(")", Parser::name)?)
        } else if self.is_symbol("(") {
            // A parenthesis may hold columns or a whole relation.
            let back = self.mark();
            self.skip();
            match self.comma_separated(")", Parser::name) {
                Ok(columns) => RelationLeft::Columns(columns),
                Err(_) => {
                    self.reset(back);
                    self.skip();
                    self.nested(|parser| parser.relation(out))?;
                    return self.expect_symbol(")");
                }
            }
        } else {
            let column = self.open_name()?;
            if self.take_symbol("[") {
                let key = self.term()?;
                self.expect_symbol("]")?;
                RelationLeft::Element(column, key)
            } else {
                RelationLeft::Column(column)
            }
        };
        let right = self.relation_right()?;
        out.push(Relation { left, right });
        Ok(())
    }

    fn relation_right(&mut self) -> Result<RelationRight, SyntaxError> {
        if let Some(operator) = self.operator() {
            return Ok(RelationRight::Compare(operator, self.term()?));
        }
        if self.take_word("in") {
            return self.in_values().map(RelationRight::In);
        }
        if self.take_word("contains") {
            return Ok(if self.take_word("key") {
                RelationRight::ContainsKey(self.term()?)
            } else {
                RelationRight::Contains(self.term()?)
            });
        }
        if self.take_word("is") {
            self.expect_words(&["not", "null"])?;
            return Ok(RelationRight::IsNotNull);
        }
        if self.take_word("like") {
            return Ok(RelationRight::Like(self.term()?));
        }
        Err(self.no_viable_alternative())
    }

    /// Takes an operator if one is there.
    pub(super) fn operator(&mut self) -> Option<Operator> {
        let TokenKind::Symbol(symbol) = *self.peek() else { return None };
        let operator = match symbol {
            "=" => Operator::Equal,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            "!=" => Operator::NotEqual,
            _ => return None,
        };
        self.skip();
        Some(operator)
    }

    /// `(a, b)` or a marker.
    pub(super) fn in_values(&mut self) -> Result<InValues, SyntaxError> {
        if self.take_symbol("(") {
            return Ok(InValues::Terms(self.comma_separated(")", Parser::term)?));
        }
        let marker = self.unary()?;
        match marker {
            Term::Marker(..) => Ok(InValues::Marker(marker)),
            _ => Err(self.no_viable_alternative()),
        }
    }
}
