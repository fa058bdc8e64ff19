//! The parser's core: looking, taking, and saying what was not expected.

use super::keywords;
use super::lexer::{LexError, Token, TokenKind, place, tokens};
use super::names::QualifiedName;
use super::statements::Statement;
use super::term::Term;
use super::types::RawType;

/// How deep terms and types may nest.
const DEPTH_MAX: usize = 48;
/// Tokens, spaces counted, that an error shows before the one it is about.
const SNIPPET_TOKENS: usize = 10;

/// What is wrong with the text, in Cassandra's words: `line 1:9 mismatched input …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SyntaxError(pub(crate) String);

impl From<LexError> for SyntaxError {
    fn from(error: LexError) -> SyntaxError {
        SyntaxError(error.0)
    }
}

/// A statement and the names of its markers, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parsed {
    /// The statement.
    pub(crate) statement: Statement,
    /// One per marker; `None` for `?`.
    pub(crate) markers: Vec<Option<String>>,
}

/// Parses one statement, with or without a semicolon behind it.
pub(crate) fn parse_statement(text: &str) -> Result<Parsed, SyntaxError> {
    let mut parser = Parser::new(text)?;
    let statement = parser.statement()?;
    while parser.take_symbol(";") {}
    match parser.peek() {
        TokenKind::End => Ok(Parsed { statement, markers: parser.markers }),
        _ => Err(parser.mismatched("EOF")),
    }
}

/// Parses a type on its own, as the schema keeps it.
pub(crate) fn parse_type(text: &str) -> Result<RawType, SyntaxError> {
    let mut parser = Parser::new(text)?;
    let parsed = parser.raw_type()?;
    match parser.peek() {
        TokenKind::End => Ok(parsed),
        _ => Err(parser.mismatched("EOF")),
    }
}

/// Reads tokens from first to last.
pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    markers: Vec<Option<String>>,
    /// The token of a name that only what follows could tell the meaning of.
    open_name: Option<usize>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Parser<'a>, SyntaxError> {
        Ok(Parser {
            text,
            tokens: tokens(text)?,
            at: 0,
            depth: 0,
            markers: Vec::new(),
            open_name: None,
        })
    }

    /// The token it stands at.
    pub(super) fn peek(&self) -> &TokenKind {
        &self.tokens[self.at].kind
    }

    /// The token behind it.
    pub(super) fn peek_second(&self) -> &TokenKind {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)].kind
    }

    /// Moves on by one token; not beyond the end.
    pub(super) fn skip(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// Where it stands, to come back.
    pub(super) fn mark(&self) -> (usize, usize) {
        (self.at, self.markers.len())
    }

    /// Goes back to a place it stood at.
    pub(super) fn reset(&mut self, (at, markers): (usize, usize)) {
        self.at = at;
        self.markers.truncate(markers);
    }

    /// Whether it stands at a keyword.
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), TokenKind::Word(found) if found == word)
    }

    /// Whether it stands at a symbol.
    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), TokenKind::Symbol(found) if *found == symbol)
    }

    /// Takes a keyword if it is there.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.skip();
        }
        found
    }

    /// Takes a symbol if it is there.
    pub(super) fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.skip();
        }
        found
    }

    /// Takes one of some symbols of one character.
    pub(super) fn take_symbol_of(&mut self, symbols: &[&str]) -> Option<char> {
        let TokenKind::Symbol(found) = *self.peek() else { return None };
        if !symbols.contains(&found) {
            return None;
        }
        self.skip();
        found.chars().next()
    }

    /// Takes a keyword that must be there.
    pub(super) fn expect_word(&mut self, word: &str) -> Result<(), SyntaxError> {
        if self.take_word(word) {
            return Ok(());
        }
        Err(self.mismatched(&format!("K_{}", word.to_ascii_uppercase())))
    }

    /// Takes keywords that must follow one another.
    pub(super) fn expect_words(&mut self, words: &[&str]) -> Result<(), SyntaxError> {
        words.iter().try_for_each(|word| self.expect_word(word))
    }

    /// Takes a symbol that must be there.
    pub(super) fn expect_symbol(&mut self, symbol: &str) -> Result<(), SyntaxError> {
        if self.take_symbol(symbol) {
            return Ok(());
        }
        Err(self.mismatched(&format!("'{symbol}'")))
    }

    /// Takes a name: a word that is not reserved, or anything in double quotes.
    pub(super) fn name(&mut self) -> Result<String, SyntaxError> {
        let name = match self.peek() {
            TokenKind::Word(word) if !keywords::is_reserved(word) => word.clone(),
            TokenKind::Quoted(name) => name.clone(),
            _ => return Err(self.no_viable_alternative()),
        };
        self.skip();
        Ok(name)
    }

    /// Takes a name whose meaning depends on what follows: an error there names both.
    pub(super) fn open_name(&mut self) -> Result<String, SyntaxError> {
        self.open_name = Some(self.at);
        self.name()
    }

    /// Remembers the token it stands at as one whose meaning depends on what follows.
    pub(super) fn open_here(&mut self) {
        self.open_name = Some(self.at);
    }

    /// Takes `name` or `keyspace.name`.
    pub(super) fn qualified_name(&mut self) -> Result<QualifiedName, SyntaxError> {
        let first = self.open_name()?;
        if self.take_symbol(".") {
            return Ok(QualifiedName { keyspace: Some(first), name: self.name()? });
        }
        Ok(QualifiedName { keyspace: None, name: first })
    }

    /// Takes `IF NOT EXISTS` if it is there.
    pub(super) fn if_not_exists(&mut self) -> Result<bool, SyntaxError> {
        if !self.take_word("if") {
            return Ok(false);
        }
        self.expect_words(&["not", "exists"]).map(|()| true)
    }

    /// Takes `IF EXISTS` if it is there.
    pub(super) fn if_exists(&mut self) -> Result<bool, SyntaxError> {
        if !self.take_word("if") {
            return Ok(false);
        }
        self.expect_word("exists").map(|()| true)
    }

    /// Items between commas up to a closing symbol, which is taken; none if it comes at once.
    pub(super) fn comma_separated<T>(
        &mut self,
        closing: &str,
        mut item: impl FnMut(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<Vec<T>, SyntaxError> {
        let mut items = Vec::new();
        if self.take_symbol(closing) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.take_symbol(closing) {
                return Ok(items);
            }
            if !self.take_symbol(",") {
                return Err(self.mismatched(&format!("'{closing}'")));
            }
        }
    }

    /// At least one item, between commas.
    pub(super) fn list_of<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<Vec<T>, SyntaxError> {
        let mut items = vec![item(self)?];
        while self.take_symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Counts how deep it is: a text of brackets must not use up the stack.
    pub(super) fn nested<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        if self.depth >= DEPTH_MAX {
            return Err(self.no_viable_alternative());
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Numbers a marker.
    pub(super) fn new_marker(&mut self, name: Option<String>) -> Term {
        self.markers.push(name.clone());
        Term::Marker(self.markers.len() - 1, name)
    }

    /// Nothing that may stand here starts like this.
    pub(super) fn no_viable_alternative(&self) -> SyntaxError {
        let what = format!("no viable alternative at input '{}'", self.token_text());
        match self.open_name.filter(|name| name + 1 == self.at) {
            Some(name) => self.error(&what, name),
            None => self.error(&what, self.at),
        }
    }

    /// Only one thing may stand here, and this is not it.
    pub(super) fn mismatched(&self, expected: &str) -> SyntaxError {
        let is_word = matches!(self.peek(), TokenKind::Word(word) if !keywords::is_reserved(word));
        // FROM, WHERE and the like end a decision the same way where a name could be more.
        let is_word = is_word || self.is_word("where");
        if is_word && self.open_name.is_some_and(|name| name + 1 == self.at) {
            return self.no_viable_alternative();
        }
        self.mismatched_here(expected)
    }

    /// The same whatever stands before.
    pub(super) fn mismatched_here(&self, expected: &str) -> SyntaxError {
        let what = format!("mismatched input '{}' expecting {expected}", self.token_text());
        self.error(&what, self.at)
    }

    fn token_text(&self) -> &str {
        let token = &self.tokens[self.at];
        if token.kind == TokenKind::End { "<EOF>" } else { &self.text[token.start..token.end] }
    }

    /// `what` at the token it stands at; `marked` is the token put in brackets, that one or the one
    /// before.
    fn error(&self, what: &str, marked: usize) -> SyntaxError {
        let token = &self.tokens[self.at];
        if token.kind == TokenKind::End {
            return SyntaxError(format!("line 0:-1 {what}"));
        }
        // Spaces are tokens to Cassandra: they count, and the snippet may start with one.
        let (mut first, mut start, mut shown) = (marked, self.tokens[marked].start, 0);
        while first > 0 && shown < SNIPPET_TOKENS {
            let before = &self.tokens[first - 1];
            if before.end < start {
                (start, shown) = (before.end, shown + 1);
            } else {
                (first, start, shown) = (first - 1, before.start, shown + 1);
            }
        }
        let (line, column) = place(self.text, token.start);
        let marked = &self.tokens[marked];
        let before = &self.text[start..marked.start];
        let head = if start == self.tokens[0].start { "" } else { "..." };
        let between = if marked.end < token.start { &self.text[marked.end..token.end] } else { "" };
        let is_last = self.text[token.end..].trim().is_empty();
        let tail = if is_last { "" } else { "..." };
        SyntaxError(format!(
            "line {line}:{column} {what} ({head}{before}[{}]{between}{tail})",
            &self.text[marked.start..marked.end]
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORDS: [&str; 44] = [
        "SELECT", "*", "FROM", "t", "WHERE", "a", "=", "1", "AND", "(", ")", "IN", ",", "token",
        "INSERT", "INTO", "VALUES", "UPDATE", "SET", "DELETE", "IF", "NOT", "EXISTS", "USING",
        "TTL", "CREATE", "TABLE", "int", "PRIMARY", "KEY", "[", "]", "{", "}", ":", "?", "'x'",
        "-", "+", "BEGIN", "BATCH", "APPLY", "<", ">",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn no_words_make_the_parser_panic(
            words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..24),
            start in 0..6_usize,
        ) {
            let starts = ["SELECT * FROM t", "INSERT INTO t", "UPDATE t SET", "DELETE", "CREATE TABLE t (", ""];
            let _ = parse_statement(&format!("{} {}", starts[start], words.join(" ")));
        }
    }

    #[test]
    fn a_text_of_brackets_is_refused_and_not_followed_to_the_end() {
        for open in ["(", "[", "{", "abs(", "-", "list<"] {
            let text = format!("SELECT * FROM t WHERE a = {}", open.repeat(100_000));
            assert!(parse_statement(&text).is_err(), "{open}");
            let text = format!("SELECT {} FROM t", open.repeat(100_000));
            assert!(parse_statement(&text).is_err(), "{open}");
        }
        assert!(parse_type(&"list<".repeat(100_000)).is_err());
    }
}
