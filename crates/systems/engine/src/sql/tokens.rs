//! Tokens with their places, and a cursor over them.

use datafusion::sql::sqlparser::dialect::Dialect;
use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan, Tokenizer};

use super::error::{Location, SqlError, SqlErrorKind};

/// Statement text at most; a project's file is a few kilobytes.
pub(super) const TEXT_BYTES_MAX: usize = 1 << 20;

/// Flink's lexical rules: identifiers in backticks, strings in single quotes, no other quotes.
#[derive(Debug, Default)]
pub struct FlinkDialect;

impl Dialect for FlinkDialect {
    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_' || ch == '$'
    }

    fn require_interval_qualifier(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }
}

/// The tokens of a text without white space and comments; the last one is the end.
pub(super) fn tokenize(text: &str) -> Result<Vec<TokenWithSpan>, SqlError> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the text has more than {TEXT_BYTES_MAX} bytes");
        return Err(SqlError {
            kind: SqlErrorKind::Parse,
            at: Location { line: 1, column: 1 },
            message,
        });
    }
    let tokens = Tokenizer::new(&FlinkDialect, text).tokenize_with_location().map_err(|error| {
        let at = Location::from(error.location);
        let message = format!("Lexical error at {at}. {}", error.message);
        SqlError { kind: SqlErrorKind::Parse, at, message }
    })?;
    let mut kept = Vec::with_capacity(tokens.len());
    for token in tokens {
        match &token.token {
            Token::Whitespace(_) | Token::EOF => {}
            Token::DoubleQuotedString(text) => {
                let at = token.span.start.into();
                let message = format!(
                    "Lexical error at {at}. Encountered: \"\\\"\" before {text:?}; identifiers are \
                     quoted with backticks, strings with single quotes"
                );
                return Err(SqlError { kind: SqlErrorKind::Parse, at, message });
            }
            _ => kept.push(token),
        }
    }
    let end = kept.last().map_or_else(Span::empty, |last| last.span);
    let mut eof = TokenWithSpan::wrap(Token::EOF);
    eof.span.start = end.end;
    eof.span.end = end.end;
    kept.push(eof);
    Ok(kept)
}

/// Reads tokens one after the other.
pub(super) struct Cursor<'a> {
    tokens: &'a [TokenWithSpan],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// `tokens` ends with `EOF`.
    pub(super) fn new(tokens: &'a [TokenWithSpan]) -> Cursor<'a> {
        Cursor { tokens, at: 0 }
    }

    pub(super) fn peek(&self) -> &'a Token {
        &self.tokens[self.at].token
    }

    pub(super) fn peek_after(&self, distance: usize) -> &'a Token {
        &self.tokens[(self.at + distance).min(self.tokens.len() - 1)].token
    }

    /// Where the next token begins.
    pub(super) fn location(&self) -> Location {
        let at: Location = self.tokens[self.at].span.start.into();
        Location { line: at.line.max(1), column: at.column.max(1) }
    }

    /// Where the token before ends.
    pub(super) fn end_of_last(&self) -> Location {
        self.tokens[self.at.saturating_sub(1)].span.end.into()
    }

    pub(super) fn is_end(&self) -> bool {
        matches!(self.peek(), Token::EOF)
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn since(&self, start: usize) -> &'a [TokenWithSpan] {
        &self.tokens[start..self.at]
    }

    pub(super) fn advance(&mut self) -> &'a Token {
        let token = &self.tokens[self.at].token;
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    /// Whether the next token is this unquoted word.
    pub(super) fn is_word(&self, word: &str) -> bool {
        is_word(self.peek(), word)
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.advance();
        }
        found
    }

    /// Takes all words or none.
    pub(super) fn take_words(&mut self, words: &[&str]) -> bool {
        let found =
            words.iter().enumerate().all(|(index, word)| is_word(self.peek_after(index), word));
        if found {
            self.at += words.len();
        }
        found
    }

    pub(super) fn take(&mut self, token: &Token) -> bool {
        let found = self.peek() == token;
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn expect_words(&mut self, words: &[&str]) -> Result<(), SqlError> {
        words.iter().try_for_each(|word| {
            if self.take_word(word) { Ok(()) } else { Err(self.unexpected(&format!("\"{word}\""))) }
        })
    }

    pub(super) fn expect(&mut self, token: &Token) -> Result<(), SqlError> {
        if self.take(token) { Ok(()) } else { Err(self.unexpected(&format!("\"{token}\""))) }
    }

    /// A name, quoted or not.
    pub(super) fn identifier(&mut self) -> Result<String, SqlError> {
        match self.peek() {
            Token::Word(word) => {
                self.advance();
                Ok(word.value.clone())
            }
            _ => Err(self.unexpected("<IDENTIFIER>")),
        }
    }

    /// `a`, `db.a` or `catalog.db.a`: the last part; the others must be the defaults.
    pub(super) fn object_name(&mut self) -> Result<String, SqlError> {
        let at = self.location();
        let mut parts = vec![self.identifier()?];
        while self.take(&Token::Period) {
            parts.push(self.identifier()?);
        }
        local_name(&parts).ok_or_else(|| {
            SqlError::invalid(
                at,
                format!(
                    "Object '{}' not found: there is one catalog, default_catalog, with one \
                     database, default_database",
                    parts.join(".")
                ),
            )
        })
    }

    /// The text of a `'string'`.
    pub(super) fn string(&mut self) -> Result<String, SqlError> {
        match self.peek() {
            Token::SingleQuotedString(text) => {
                self.advance();
                Ok(text.clone())
            }
            _ => Err(self.unexpected("<QUOTED_STRING>")),
        }
    }

    /// An unsigned whole number that fits.
    pub(super) fn number<T: std::str::FromStr>(&mut self) -> Result<T, SqlError> {
        match self.peek() {
            Token::Number(text, _) if text.parse::<T>().is_ok() => {
                self.advance();
                text.parse().map_err(|_| self.unexpected("<UNSIGNED_INTEGER_LITERAL>"))
            }
            _ => Err(self.unexpected("<UNSIGNED_INTEGER_LITERAL>")),
        }
    }

    /// Takes tokens until one of `ends` outside of parentheses, which stays.
    pub(super) fn take_until(&mut self, ends: &[Token]) -> &'a [TokenWithSpan] {
        let (start, mut depth) = (self.at, 0_u32);
        loop {
            match self.peek() {
                Token::EOF => break,
                token if depth == 0 && ends.contains(token) => break,
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.advance();
        }
        &self.tokens[start..self.at]
    }

    pub(super) fn unexpected(&self, expected: &str) -> SqlError {
        SqlError::unexpected(&shown(self.peek()), self.location(), expected)
    }
}

/// A token as an error message shows it.
pub(super) fn shown(token: &Token) -> String {
    match token {
        Token::EOF => "<EOF>".to_owned(),
        other => other.to_string(),
    }
}

pub(super) fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found)
        if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}

/// The table's own name, if the parts before it are the defaults.
pub(super) fn local_name(parts: &[String]) -> Option<String> {
    match parts {
        [name] => Some(name.clone()),
        [database, name] if database == "default_database" => Some(name.clone()),
        [catalog, database, name]
            if catalog == "default_catalog" && database == "default_database" =>
        {
            Some(name.clone())
        }
        _ => None,
    }
}
