//! Reading JSON text.

use super::{DEPTH_MAX, Json, Members};

/// Why a text is no JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at line {line}, column {column}")]
pub struct JsonError {
    /// What is wrong there.
    pub reason: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// Reads one JSON value. `/* */` and `//` comments may stand before it and inside it; after it only
/// white space may follow.
pub fn parse(text: &str) -> Result<Json, JsonError> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(DEPTH_MAX)?;
    // Java's Avro looks at what is left as text, so a comment there is dangling content too.
    match text[reader.at..].trim() {
        "" => Ok(value),
        rest => {
            let shown: String = rest.chars().take(40).collect();
            Err(reader.error(format!("dangling content after the value: {shown}")))
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.skip_space()?;
        match self.peek() {
            None => Err(self.error("unexpected end of the text")),
            Some(b'{' | b'[') if depth == 0 => {
                Err(self.error(format!("nested deeper than {DEPTH_MAX} levels")))
            }
            Some(b'{') => self.object(depth - 1),
            Some(b'[') => self.array(depth - 1),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut members = Members::new();
        self.skip_space()?;
        if self.take(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_space()?;
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a member name in quotes"));
            }
            let name = self.string()?;
            self.skip_space()?;
            if !self.take(b':') {
                return Err(self.error("expected ':' after a member name"));
            }
            let value = self.value(depth)?;
            members.insert(name, value);
            self.skip_space()?;
            if self.take(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.take(b',') {
                return Err(self.error("expected ',' or '}' in an object"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space()?;
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.skip_space()?;
            if self.take(b']') {
                return Ok(Json::Array(items));
            }
            if !self.take(b',') {
                return Err(self.error("expected ',' or ']' in an array"));
            }
        }
    }

    fn word(&mut self) -> Result<Json, JsonError> {
        for (word, value) in
            [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))]
        {
            let rest = &self.text[self.at..];
            let ends = rest.as_bytes().get(word.len()).is_none_or(|b| !b.is_ascii_alphanumeric());
            if rest.starts_with(word) && ends {
                self.at += word.len();
                return Ok(value);
            }
        }
        let shown: String = self.text[self.at..].chars().take(20).collect();
        Err(self.error(format!("expected a JSON value, found {shown:?}")))
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let start = self.at;
        self.take(b'-');
        let whole = self.digits()?;
        if whole > 1 && self.text.as_bytes()[self.at - whole] == b'0' {
            return Err(self.error("a number may not start with 0"));
        }
        let mut integral = true;
        if self.take(b'.') {
            integral = false;
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            integral = false;
            if !self.take(b'-') {
                self.take(b'+');
            }
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        if !integral {
            let value = text.parse().map_err(|_| self.error("expected a number"))?;
            return Ok(Json::Double(value));
        }
        Ok(text.parse().map_or_else(|_| Json::BigInt(text.to_owned()), Json::Int))
    }

    fn digits(&mut self) -> Result<usize, JsonError> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        match self.at - start {
            0 => Err(self.error("expected a digit")),
            n => Ok(n),
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut value = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(end) = rest.find(|c: char| c == '"' || c == '\\' || u32::from(c) < 0x20)
            else {
                return Err(self.error("unexpected end of the text in a string"));
            };
            value.push_str(&rest[..end]);
            self.at += end;
            match rest.as_bytes()[end] {
                b'"' => {
                    self.at += 1;
                    return Ok(value);
                }
                b'\\' => value.push(self.escape()?),
                _ => return Err(self.error("a control character in a string must be escaped")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let escaped = self.text.as_bytes().get(self.at + 1).copied();
        let c = match escaped {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.error("unknown escape in a string")),
        };
        self.at += 2;
        Ok(c)
    }

    fn unicode(&mut self) -> Result<char, JsonError> {
        let high = self.code_unit()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high).ok_or_else(|| self.error("half of a surrogate pair"));
        }
        let low = if self.text[self.at..].starts_with("\\u") { self.code_unit()? } else { 0 };
        if !(0xdc00..0xe000).contains(&low) {
            return Err(self.error("half of a surrogate pair"));
        }
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
            .ok_or_else(|| self.error("half of a surrogate pair"))
    }

    fn code_unit(&mut self) -> Result<u32, JsonError> {
        let hex = self.text.get(self.at + 2..self.at + 6);
        let valid = hex.filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let unit = valid.and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let unit = unit.ok_or_else(|| self.error("expected four hexadecimal digits"))?;
        self.at += 6;
        Ok(unit)
    }

    fn skip_space(&mut self) -> Result<(), JsonError> {
        loop {
            while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                self.at += 1;
            }
            let rest = &self.text[self.at..];
            if rest.starts_with("//") {
                self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                match rest.find("*/") {
                    Some(end) => self.at += end + 2,
                    None => return Err(self.error("a comment does not end")),
                }
            } else {
                return Ok(());
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn error(&self, reason: impl Into<String>) -> JsonError {
        let mut end = self.at.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        JsonError {
            reason: reason.into(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_skipped_before_and_inside_a_value_but_not_after_it() {
        let text = "// one\n{/* two */\"a\" /* three */: /**/ 1 // four\n}";
        assert_eq!(parse(text).unwrap().to_string(), r#"{"a":1}"#);
        assert!(parse("1 // five").unwrap_err().reason.contains("dangling"));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for (text, line, column) in [
            ("", 1, 1),
            ("{\n \"a\" 1}", 2, 6),
            ("[1,]", 1, 4),
            ("[1 2]", 1, 4),
            ("01", 1, 3),
            ("-", 1, 2),
            ("1.", 1, 3),
            ("\"\\x\"", 1, 2),
            ("\"\\ud800\"", 1, 8),
            ("\"\\u12é4\"", 1, 2),
            ("\"a\nb\"", 1, 3),
            ("nul", 1, 1),
            ("nullx", 1, 1),
            ("NaN", 1, 1),
            ("/* open", 1, 1),
            ("{\"a\":1", 1, 7),
            ("é", 1, 1),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.line, error.column), (line, column), "{text:?}: {error}");
        }
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(parse(&nested(DEPTH_MAX)).is_ok());
        assert!(parse(&nested(DEPTH_MAX + 1)).unwrap_err().reason.contains("deeper"));
        assert!(parse(&"[".repeat(1_000_000)).is_err());
    }

    #[test]
    fn surrogate_pairs_make_one_character() {
        assert_eq!(parse("\"\\ud83d\\ude00\"").unwrap().as_text(), Some("😀"));
    }
}
