//! JSON's grammar (RFC 8259): where a value begins and ends.

use std::fmt;

/// Objects and arrays inside each other at most.
const DEPTH_MAX: u32 = 128;

/// What is wrong with a document, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) what: String,
    pub(super) at: usize,
    /// The document is sound, a value has the wrong type.
    pub(super) is_type: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_type {
            f.write_str(&self.what)
        } else {
            write!(f, "Failed to deserialize JSON: {} at byte {}", self.what, self.at)
        }
    }
}

/// A value as it stands in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// Without the quotes; whether it has escapes.
    Text(&'a [u8], bool),
    Number(&'a str),
    True,
    False,
    Null,
    /// Its whole text.
    Object(&'a str),
    Array(&'a str),
}

/// Moves over a document that is valid UTF-8.
pub(super) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, bytes: text.as_bytes(), at: 0 }
    }

    #[cold]
    pub(super) fn problem(&self, what: impl Into<String>) -> Problem {
        Problem { what: what.into(), at: self.at, is_type: false }
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(super) fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// The byte, after white space.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Problem> {
        self.skip_space();
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.unexpected(&format!("'{}'", char::from(byte))))
    }

    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[cold]
    pub(super) fn unexpected(&self, expected: &str) -> Problem {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => self.problem(format!("expected {expected}, found '{found}'")),
            None => self.problem(format!("expected {expected}, found the end")),
        }
    }

    /// A string without its quotes, and whether it has escapes. The cursor stands at the quote.
    #[inline]
    pub(super) fn string(&mut self) -> Result<(&'a [u8], bool), Problem> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at = plain_run(self.bytes, self.at);
            match self.peek() {
                Some(b'"') => {
                    let raw = &self.bytes[start..self.at];
                    self.at += 1;
                    return Ok((raw, escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.problem("a control character in a string")),
                None => return Err(self.problem("a string without its end")),
            }
        }
    }

    /// Checks an escape; the cursor stands at the backslash.
    fn escape(&mut self) -> Result<(), Problem> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 2..self.at + 6);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.problem("\\u without four hexadecimal digits"));
                }
                self.at += 6;
            }
            _ => return Err(self.problem("an unknown escape in a string")),
        }
        Ok(())
    }

    /// The value that begins here, checked to its end.
    #[inline]
    pub(super) fn value(&mut self) -> Result<Value<'a>, Problem> {
        self.skip_space();
        match self.peek() {
            Some(b'"') => {
                let (raw, escaped) = self.string()?;
                Ok(Value::Text(raw, escaped))
            }
            Some(b'-' | b'0'..=b'9') => Ok(Value::Number(self.number()?)),
            Some(b'{') => {
                let start = self.at;
                self.skip_nested()?;
                Ok(Value::Object(&self.text[start..self.at]))
            }
            Some(b'[') => {
                let start = self.at;
                self.skip_nested()?;
                Ok(Value::Array(&self.text[start..self.at]))
            }
            Some(b't') => self.word("true", Value::True),
            Some(b'f') => self.word("false", Value::False),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Problem> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(value);
        }
        Err(self.unexpected("a value"))
    }

    #[inline]
    fn number(&mut self) -> Result<&'a str, Problem> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.unexpected("a digit")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn some_digits(&mut self) -> Result<(), Problem> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected("a digit"));
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    /// Checks an object or array to its end, without recursion.
    fn skip_nested(&mut self) -> Result<(), Problem> {
        // One bit per level: whether it is an object.
        let (mut levels, mut depth) = (0_u128, 0_u32);
        loop {
            // Here a value begins.
            self.skip_space();
            let opened = match self.peek() {
                Some(b'{') => Some(1),
                Some(b'[') => Some(0),
                _ => None,
            };
            if let Some(is_object) = opened {
                if depth == DEPTH_MAX {
                    return Err(self.problem(format!("nested deeper than {DEPTH_MAX}")));
                }
                self.at += 1;
                depth += 1;
                levels = levels << 1 | is_object;
                let end = if is_object == 1 { b'}' } else { b']' };
                if !self.take(end) {
                    if is_object == 1 {
                        self.key()?;
                    }
                    continue;
                }
                depth -= 1;
                levels >>= 1;
            } else {
                self.value()?;
            }
            // Here a value has ended.
            loop {
                if depth == 0 {
                    return Ok(());
                }
                let is_object = levels & 1 == 1;
                if self.take(b',') {
                    if is_object {
                        self.key()?;
                    }
                    break;
                }
                self.expect(if is_object { b'}' } else { b']' })?;
                depth -= 1;
                levels >>= 1;
            }
        }
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<(), Problem> {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a field name in quotes"));
        }
        self.string()?;
        self.expect(b':')
    }
}

/// The next quote, backslash or control character at or after `at`: eight bytes at a time.
#[inline]
fn plain_run(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    while let Some(chunk) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
        let quote = zero(word ^ (ONES * u64::from(b'"')));
        let backslash = zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let found = quote | backslash | control;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..=0x1f) {
            return at;
        }
        at += 1;
    }
    at
}

/// Writes a string without its escapes.
pub(super) fn unescape(raw: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    let mut rest = raw;
    while let Some(place) = rest.iter().position(|byte| *byte == b'\\') {
        out.extend_from_slice(&rest[..place]);
        let (letter, mut after) = (rest[place + 1], &rest[place + 2..]);
        match letter {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let mut code = u32::from(hex(after));
                after = &after[4..];
                if (0xd800..0xdc00).contains(&code) {
                    if !after.starts_with(b"\\u") {
                        return Err("half of a surrogate pair in a string");
                    }
                    let low = u32::from(hex(&after[2..]));
                    after = &after[6..];
                    if !(0xdc00..0xe000).contains(&low) {
                        return Err("half of a surrogate pair in a string");
                    }
                    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                }
                let letter = char::from_u32(code).ok_or("half of a surrogate pair in a string")?;
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => out.push(other),
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// Four hexadecimal digits, which the scanner has checked.
fn hex(digits: &[u8]) -> u16 {
    digits[..4].iter().fold(0, |code, digit| {
        code << 4 | u16::from(char::from(*digit).to_digit(16).unwrap_or(0) as u8)
    })
}

/// The text of an object or array without white space between its parts.
pub(super) fn compact(text: &str, out: &mut Vec<u8>) {
    let (mut inside, mut escaped) = (false, false);
    for byte in text.bytes() {
        if inside {
            (inside, escaped) = match byte {
                b'"' if !escaped => (false, false),
                b'\\' => (true, !escaped),
                _ => (true, false),
            };
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            inside = byte == b'"';
        }
        out.push(byte);
    }
}
