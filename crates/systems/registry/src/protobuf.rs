//! The shape of Protobuf schemas: enough to refuse what is none, not a parser of the language.
//!
//! Clients send either the text of a `.proto` file or, in base64, a serialised `FileDescriptorProto`.
//! Specs: <https://protobuf.dev/reference/protobuf/proto3-spec/>,
//! <https://protobuf.dev/programming-guides/encoding/>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a statement at the top of a file starts with.
const STATEMENTS: [&str; 10] = [
    "syntax", "edition", "package", "import", "option", "message", "enum", "service", "extend",
    "local",
];

/// What is wrong with a schema, if anything is.
pub(crate) fn check(text: &str) -> Result<(), String> {
    if is_serialized(text) {
        return Ok(());
    }
    let mut tokens = Tokens { rest: text, line: 1 };
    let mut statements = 0;
    while let Some(token) = tokens.next()? {
        match token {
            ";" => continue,
            word if STATEMENTS.contains(&word) => {}
            other => return Err(tokens.error(&format!("unexpected {other:?}"))),
        }
        statements += 1;
        skip_statement(&mut tokens)?;
    }
    if statements == 0 { Err("no Protobuf statement in it".to_owned()) } else { Ok(()) }
}

/// Reads to the end of a statement: a semicolon, or a body in braces.
fn skip_statement(tokens: &mut Tokens<'_>) -> Result<(), String> {
    let mut open = Vec::new();
    loop {
        let Some(token) = tokens.next()? else {
            return Err(tokens.error("unexpected end"));
        };
        match token {
            "{" => open.push("}"),
            "[" => open.push("]"),
            "(" => open.push(")"),
            "}" | "]" | ")" => {
                if open.pop() != Some(token) {
                    return Err(tokens.error(&format!("unexpected {token:?}")));
                }
                if open.is_empty() && token == "}" {
                    return Ok(());
                }
            }
            ";" if open.is_empty() => return Ok(()),
            _ => {}
        }
    }
}

/// Words, strings and signs; comments and white space are skipped.
struct Tokens<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Result<Option<&'a str>, String> {
        loop {
            let trimmed = self.rest.trim_start();
            self.skip(self.rest.len() - trimmed.len());
            if trimmed.starts_with("//") {
                self.skip(trimmed.find('\n').unwrap_or(trimmed.len()));
            } else if trimmed.starts_with("/*") {
                let end = trimmed.find("*/").ok_or_else(|| self.error("a comment does not end"))?;
                self.skip(end + 2);
            } else {
                break;
            }
        }
        let rest = self.rest;
        let len = match rest.chars().next() {
            None => return Ok(None),
            Some(quote @ ('"' | '\'')) => self.string(quote)?,
            Some(c) if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            Some(c) => c.len_utf8(),
        };
        let token = &rest[..len];
        self.skip(len);
        Ok(Some(token))
    }

    fn string(&self, quote: char) -> Result<usize, String> {
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                '\n' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == quote => return Ok(at + 1),
                _ => {}
            }
        }
        Err(self.error("a string does not end"))
    }

    fn skip(&mut self, len: usize) {
        self.line += self.rest[..len].matches('\n').count();
        self.rest = &self.rest[len..];
    }

    fn error(&self, what: &str) -> String {
        format!("{what} in line {}", self.line)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '+')
}

/// Whether a text is a serialised `FileDescriptorProto` in base64.
pub(crate) fn is_serialized(text: &str) -> bool {
    STANDARD.decode(text.trim()).is_ok_and(|bytes| is_file_descriptor(&bytes))
}

/// Whether bytes are fields of a `FileDescriptorProto`: well-formed, numbered as there, with the
/// file's name among them.
fn is_file_descriptor(mut bytes: &[u8]) -> bool {
    const NAME: u64 = 1;
    const FIELDS_MAX: u64 = 15;
    let mut named = false;
    while !bytes.is_empty() {
        let Some(tag) = varint(&mut bytes) else { return false };
        let (number, wire) = (tag >> 3, tag & 7);
        let content = match wire {
            0 => varint(&mut bytes).map(|_| &b""[..]),
            2 => varint(&mut bytes)
                .and_then(|len| usize::try_from(len).ok())
                .and_then(|len| bytes.split_at_checked(len))
                .map(|(content, rest)| {
                    bytes = rest;
                    content
                }),
            _ => None,
        };
        let Some(content) = content.filter(|_| (1..=FIELDS_MAX).contains(&number)) else {
            return false;
        };
        named |= number == NAME && !content.is_empty() && std::str::from_utf8(content).is_ok();
    }
    named
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_file_is_accepted() {
        for text in [
            "message A {}",
            "syntax = \"proto3\";\n/* two */ package a.b; // one\nimport public 'x.proto';\n\
             option (my).o = { a: 1 };\nmessage A { oneof x { string s = 1 [(v) = \"}\"]; } }\n\
             enum E { Z = 0; };\nservice S { rpc C (A) returns (stream A) {} }",
            "edition = \"2023\"; extend A { int32 x = 1; }",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_no_schema_is_refused_with_its_line() {
        for (text, complaint) in [
            ("", "no Protobuf statement"),
            ("// nothing", "no Protobuf statement"),
            ("{\"type\":\"string\"}", "unexpected \"{\" in line 1"),
            ("\nbogus A {}", "unexpected \"bogus\" in line 2"),
            ("message A {", "unexpected end"),
            ("message A { ] }", "unexpected \"]\""),
            ("message A {} }", "unexpected \"}\""),
            ("import \"x;\nmessage A {}", "a string does not end"),
            ("/* open", "a comment does not end"),
        ] {
            let error = check(text).unwrap_err();
            assert!(error.contains(complaint), "{text}: {error}");
        }
    }

    #[test]
    fn a_serialised_descriptor_is_told_from_other_base64() {
        for bytes in [&b"\x0a\x01a\x22\x03\x0a\x01M"[..], b"\x0a\x01a\x1a\x01b\x50\x00"] {
            let file = STANDARD.encode(bytes);
            assert!(is_serialized(&file));
            assert_eq!(check(&file), Ok(()));
        }
        for bytes in [&b""[..], b"abc", b"\x0a\x01", b"\x22\x7fM", b"\xff\xff\xff\xff\xff"] {
            assert!(!is_serialized(&STANDARD.encode(bytes)), "{bytes:?}");
        }
    }
}
