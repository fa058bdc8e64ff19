//! `SELECT …`.

use super::relation::Relation;
use crate::cql::names::QualifiedName;
use crate::cql::parser::{Parser, SyntaxError};
use crate::cql::selectable::Selectable;
use crate::cql::term::Term;

/// A query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Select {
    /// One row per partition.
    pub(crate) is_distinct: bool,
    /// Each row as one JSON text.
    pub(crate) is_json: bool,
    /// What is listed, and under which name; `None` for `*`.
    pub(crate) selection: Option<Vec<(Selectable, Option<String>)>>,
    /// The table.
    pub(crate) table: QualifiedName,
    /// WHERE.
    pub(crate) relations: Vec<Relation>,
    /// GROUP BY.
    pub(crate) group_by: Vec<String>,
    /// ORDER BY: names, and whether descending.
    pub(crate) order_by: Vec<(String, bool)>,
    /// PER PARTITION LIMIT.
    pub(crate) per_partition_limit: Option<Term>,
    /// LIMIT.
    pub(crate) limit: Option<Term>,
    /// ALLOW FILTERING.
    pub(crate) allow_filtering: bool,
}

impl Parser<'_> {
    pub(super) fn select(&mut self) -> Result<Select, SyntaxError> {
        self.expect_word("select")?;
        let is_json = self.take_prefix("json");
        let is_distinct = self.take_prefix("distinct");
        let selection = if self.take_symbol("*") { None } else { Some(self.selection()?) };
        self.expect_word("from")?;
        let table = self.qualified_name()?;
        let relations = self.optional_where()?;
        let mut group_by = Vec::new();
        if self.take_word("group") {
            self.expect_word("by")?;
            group_by = self.list_of(Parser::name)?;
        }
        let mut order_by = Vec::new();
        if self.take_word("order") {
            self.expect_word("by")?;
            order_by = self.list_of(|parser| {
                let name = parser.name()?;
                let descending = parser.take_word("desc");
                if !descending {
                    parser.take_word("asc");
                }
                Ok((name, descending))
            })?;
        }
        let mut per_partition_limit = None;
        if self.take_word("per") {
            self.expect_words(&["partition", "limit"])?;
            per_partition_limit = Some(self.whole_number()?);
        }
        let limit = if self.take_word("limit") { Some(self.whole_number()?) } else { None };
        let allow_filtering = self.take_word("allow");
        if allow_filtering {
            self.expect_word("filtering")?;
        }
        Ok(Select {
            is_distinct,
            is_json,
            selection,
            table,
            relations,
            group_by,
            order_by,
            per_partition_limit,
            limit,
            allow_filtering,
        })
    }

    /// JSON and DISTINCT are names as well: a column of this name is followed by other things.
    fn take_prefix(&mut self, word: &str) -> bool {
        use crate::cql::lexer::TokenKind;
        let is_column = match self.peek_second() {
            TokenKind::Symbol(symbol) => !["*", "-"].contains(symbol),
            TokenKind::Word(next) => ["from", "as"].contains(&next.as_str()),
            _ => false,
        };
        !is_column && self.take_word(word)
    }

    fn selection(&mut self) -> Result<Vec<(Selectable, Option<String>)>, SyntaxError> {
        self.list_of(|parser| {
            let selectable = parser.selectable()?;
            let alias = if parser.take_word("as") { Some(parser.name()?) } else { None };
            Ok((selectable, alias))
        })
    }
}
