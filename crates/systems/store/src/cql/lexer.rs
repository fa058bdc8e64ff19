//! Text to tokens, each with its place.

/// What a constant looks like; what it means depends on the type it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConstantKind {
    /// `'…'` or `$$…$$`.
    String,
    /// `42`.
    Integer,
    /// `4.2`, `4e2`, `NaN`, `Infinity`.
    Float,
    /// `true`, `false`.
    Boolean,
    /// `123e4567-e89b-12d3-a456-426614174000`.
    Uuid,
    /// `0xcafe`.
    Hex,
    /// `1h30m`, `P1Y`.
    Duration,
}

impl ConstantKind {
    /// As Cassandra's errors name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ConstantKind::String => "STRING",
            ConstantKind::Integer => "INTEGER",
            ConstantKind::Float => "FLOAT",
            ConstantKind::Boolean => "BOOLEAN",
            ConstantKind::Uuid => "UUID",
            ConstantKind::Hex => "HEX",
            ConstantKind::Duration => "DURATION",
        }
    }
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A word: keyword or name; the text is lower case.
    Word(String),
    /// A quoted name, unquoted.
    Quoted(String),
    /// A constant, without quotes.
    Constant(ConstantKind, String),
    /// `?`.
    Marker,
    /// Operators and brackets.
    Symbol(&'static str),
    /// The end of the text.
    End,
}

/// A token and where it stands: bytes of the text.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Where the text stops being tokens, in Cassandra's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LexError(pub(super) String);

const SYMBOLS: [&str; 27] = [
    "<=", ">=", "!=", "+=", "-=", "(", ")", "[", "]", "{", "}", ",", ";", ":", ".", "=", "<", ">",
    "+", "-", "*", "/", "%", "@", "!", "|", "&",
];

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

/// Line, from 1, and column, from 0, of a byte of a text. Only errors ask.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count())
}

/// All tokens, the last one [`TokenKind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, LexError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_space()?;
        let start = lexer.at;
        let kind = lexer.next_kind()?;
        let is_end = kind == TokenKind::End;
        tokens.push(Token { kind, start, end: lexer.at });
        if is_end {
            return Ok(tokens);
        }
    }
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Moves over `length` bytes.
    fn advance(&mut self, length: usize) {
        self.at += length;
    }

    fn skip_space(&mut self) -> Result<(), LexError> {
        loop {
            let rest = self.rest();
            let length = if rest.starts_with(char::is_whitespace) {
                rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len())
            } else if rest.starts_with("--") || rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                match rest.find("*/") {
                    Some(end) => end + 2,
                    None => return Err(self.unclosed("'*'")),
                }
            } else {
                return Ok(());
            };
            self.advance(length);
        }
    }

    fn unclosed(&mut self, expected: &str) -> LexError {
        self.advance(self.rest().len());
        let (line, column) = place(self.text, self.at);
        LexError(format!("line {line}:{column} mismatched character '<EOF>' expecting {expected}"))
    }

    fn next_kind(&mut self) -> Result<TokenKind, LexError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(TokenKind::End) };
        match first {
            '\'' => {
                self.quoted('\'', "'''").map(|text| TokenKind::Constant(ConstantKind::String, text))
            }
            '"' => self.quoted('"', "'\"'").map(TokenKind::Quoted),
            '?' => {
                self.advance(1);
                Ok(TokenKind::Marker)
            }
            '$' if rest.starts_with("$$") => match rest[2..].find("$$") {
                Some(length) => {
                    let text = rest[2..2 + length].to_owned();
                    self.advance(length + 4);
                    Ok(TokenKind::Constant(ConstantKind::String, text))
                }
                None => Err(self.unclosed("'$'")),
            },
            c if c.is_ascii_alphanumeric() => Ok(self.word_or_number()),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => Ok(self.number()),
            other => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                Some(symbol) => {
                    self.advance(symbol.len());
                    Ok(TokenKind::Symbol(symbol))
                }
                None => {
                    let (line, column) = place(self.text, self.at);
                    Err(LexError(format!(
                        "line {line}:{column} no viable alternative at character '{other}'"
                    )))
                }
            },
        }
    }

    /// Text in quotes; a doubled quote stands for one.
    fn quoted(&mut self, quote: char, expected: &str) -> Result<String, LexError> {
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            if c != quote {
                text.push(c);
                continue;
            }
            match chars.peek() {
                Some((_, next)) if *next == quote => {
                    text.push(quote);
                    chars.next();
                }
                _ => {
                    self.advance(at + 1);
                    return Ok(text);
                }
            }
        }
        Err(self.unclosed(expected))
    }

    fn word_or_number(&mut self) -> TokenKind {
        let rest = self.rest();
        if let Some(uuid) = rest.get(..36)
            && is_uuid(uuid)
            && !rest[36..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        {
            let text = uuid.to_owned();
            self.advance(36);
            return TokenKind::Constant(ConstantKind::Uuid, text);
        }
        if rest.starts_with(|c: char| c.is_ascii_digit()) {
            return self.number();
        }
        let length =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let word = rest[..length].to_owned();
        self.advance(length);
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "true" | "false" => TokenKind::Constant(ConstantKind::Boolean, lower),
            "nan" | "infinity" => TokenKind::Constant(ConstantKind::Float, word),
            _ if is_iso_duration(&word) => TokenKind::Constant(ConstantKind::Duration, word),
            _ => TokenKind::Word(lower),
        }
    }

    fn number(&mut self) -> TokenKind {
        let rest = self.rest();
        if rest.starts_with("0x") || rest.starts_with("0X") {
            let end = rest[2..].find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len() - 2);
            let text = rest[2..2 + end].to_owned();
            self.advance(end + 2);
            return TokenKind::Constant(ConstantKind::Hex, text);
        }
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let mut length = digits(rest);
        let mut kind = ConstantKind::Integer;
        if rest[length..].starts_with('.')
            && rest[length + 1..].starts_with(|c: char| c.is_ascii_digit())
        {
            kind = ConstantKind::Float;
            length += 1 + digits(&rest[length + 1..]);
        } else if rest[length..].starts_with('.') && !rest[length + 1..].starts_with('.') {
            kind = ConstantKind::Float;
            length += 1;
        }
        let exponent = &rest[length..];
        if exponent.starts_with(['e', 'E']) {
            let sign = usize::from(exponent[1..].starts_with(['+', '-']));
            let count = digits(&exponent[1 + sign..]);
            if count > 0 {
                kind = ConstantKind::Float;
                length += 1 + sign + count;
            }
        }
        // What letters follow directly makes it a duration: 1h30m.
        let unit =
            rest[length..].find(|c: char| !(c.is_alphanumeric())).unwrap_or(rest.len() - length);
        if unit > 0 && kind == ConstantKind::Integer {
            kind = ConstantKind::Duration;
            length += unit;
        }
        let text = rest[..length].to_owned();
        self.advance(length);
        TokenKind::Constant(kind, text)
    }
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// `P1Y2M3DT4H`, and not a name that starts with a P.
fn is_iso_duration(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('P') else { return false };
    let parts = rest.strip_prefix('T').unwrap_or(rest);
    parts.starts_with(|c: char| c.is_ascii_digit())
        && rest.chars().all(|c| c.is_ascii_digit() || "YMWDTHS".contains(c))
        && !rest.ends_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        let mut kinds: Vec<_> = tokens(text).unwrap().into_iter().map(|token| token.kind).collect();
        assert_eq!(kinds.pop(), Some(TokenKind::End));
        kinds
    }

    #[test]
    fn constants_are_told_apart_by_their_looks() {
        for (text, kind, content) in [
            ("'it''s'", ConstantKind::String, "it's"),
            ("$$it's$$", ConstantKind::String, "it's"),
            ("42", ConstantKind::Integer, "42"),
            ("4.5e-3", ConstantKind::Float, "4.5e-3"),
            ("1e5", ConstantKind::Float, "1e5"),
            ("NaN", ConstantKind::Float, "NaN"),
            ("TRUE", ConstantKind::Boolean, "true"),
            ("0xCafe", ConstantKind::Hex, "Cafe"),
            ("1h30m", ConstantKind::Duration, "1h30m"),
            ("P1Y2M", ConstantKind::Duration, "P1Y2M"),
            (
                "123e4567-e89b-12d3-a456-426614174000",
                ConstantKind::Uuid,
                "123e4567-e89b-12d3-a456-426614174000",
            ),
        ] {
            assert_eq!(kinds(text), [TokenKind::Constant(kind, content.to_owned())], "{text}");
        }
    }

    #[test]
    fn comments_are_space_and_lines_are_counted() {
        let text = "SELECT -- a\n /* b\n */ \"X\" // c\n;";
        let found = tokens(text).unwrap();
        let places: Vec<_> = found.iter().map(|token| place(text, token.start)).collect();
        assert_eq!(places, [(1, 0), (3, 4), (4, 0), (4, 1)]);
        assert_eq!(found[1].kind, TokenKind::Quoted("X".into()));
    }

    #[test]
    fn an_unclosed_string_is_named_by_its_end() {
        let error = tokens("SELECT * FROM system.local WHERE key = 'a").unwrap_err();
        assert_eq!(error.0, "line 1:41 mismatched character '<EOF>' expecting '''");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_lexer_panic(text in "\\PC{0,60}") {
            let _ = tokens(&text);
        }
    }
}
