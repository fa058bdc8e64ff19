//! JSON as Avro's Java library reads and writes it.
//!
//! What a registry stores is compared byte for byte, and its bytes come from Jackson. Three things
//! differ from what `serde_json` would print: a floating-point number is written as Java's
//! `Double.toString` does (`1.0E10`), an integer keeps all its digits whatever its size, and control
//! characters are escaped in upper-case hexadecimal. Comments are allowed where Jackson allows them.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

mod read;

pub use read::{JsonError, parse};

/// Nesting allowed in one JSON text, in levels. Jackson stops at 1000; schemas written by people
/// and by generators stay below this one, and the reader's stack stays small.
pub const DEPTH_MAX: usize = 500;

/// A JSON value with its numbers as written. Object members keep their order.
#[derive(Debug, Clone)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// The digits of an integer that does not, with its sign.
    BigInt(String),
    /// A number with a fraction or an exponent.
    Double(f64),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Members),
}

/// The members of an object in the order of their first appearance; of two with the same name the
/// later value counts, as in Jackson.
#[derive(Debug, Clone, Default)]
pub struct Members {
    entries: Vec<(String, Json)>,
    index: HashMap<String, usize>,
}

impl Members {
    /// No members.
    pub fn new() -> Members {
        Members::default()
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.index.get(name).map(|at| &self.entries[*at].1)
    }

    /// Sets a member; a new one goes last.
    pub fn insert(&mut self, name: impl Into<String>, value: Json) {
        let name = name.into();
        match self.index.get(&name) {
            Some(at) => self.entries[*at].1 = value,
            None => {
                self.index.insert(name.clone(), self.entries.len());
                self.entries.push((name, value));
            }
        }
    }

    /// Name and value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl FromIterator<(String, Json)> for Members {
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(entries: I) -> Members {
        let mut members = Members::new();
        entries.into_iter().for_each(|(name, value)| members.insert(name, value));
        members
    }
}

/// Members are equal in any order.
impl PartialEq for Members {
    fn eq(&self, other: &Members) -> bool {
        self.len() == other.len() && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::Null, Json::Null) => true,
            (Json::Bool(a), Json::Bool(b)) => a == b,
            (Json::Int(a), Json::Int(b)) => a == b,
            (Json::BigInt(a), Json::BigInt(b)) | (Json::Text(a), Json::Text(b)) => a == b,
            // As in Java: NaN is itself, and the zeros differ.
            (Json::Double(a), Json::Double(b)) => {
                a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
            }
            (Json::Array(a), Json::Array(b)) => a == b,
            (Json::Object(a), Json::Object(b)) => a == b,
            _ => false,
        }
    }
}

impl Json {
    /// The text of a string.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The members of an object.
    pub fn as_object(&self) -> Option<&Members> {
        match self {
            Json::Object(members) => Some(members),
            _ => None,
        }
    }

    /// A member of an object; none if this is no object.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.as_object()?.get(name)
    }

    /// The same value with the members of every object sorted by name.
    pub fn sorted(&self) -> Json {
        match self {
            Json::Array(items) => Json::Array(items.iter().map(Json::sorted).collect()),
            Json::Object(members) => {
                let mut entries: Vec<_> =
                    members.iter().map(|(name, value)| (name.to_owned(), value.sorted())).collect();
                entries.sort_by(|(a, _), (b, _)| java_order(a, b));
                Json::Object(entries.into_iter().collect())
            }
            other => other.clone(),
        }
    }

    /// The same value for code that works with `serde_json`. An integer beyond 64 bits becomes a
    /// floating-point number; a number that is none (NaN, infinity) becomes its name.
    pub fn to_serde(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Int(value) => Value::from(*value),
            Json::BigInt(digits) => digits.parse::<f64>().map_or(Value::Null, Value::from),
            Json::Double(value) => serde_json::Number::from_f64(*value)
                .map_or_else(|| Value::from(java_double(*value)), Value::Number),
            Json::Text(text) => Value::from(text.as_str()),
            Json::Array(items) => Value::Array(items.iter().map(Json::to_serde).collect()),
            Json::Object(members) => Value::Object(
                members.iter().map(|(name, value)| (name.to_owned(), value.to_serde())).collect(),
            ),
        }
    }
}

/// The order of Java's `String.compareTo`: by UTF-16 code unit, not by code point.
pub fn java_order(a: &str, b: &str) -> std::cmp::Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// Compact JSON, as Jackson's generator writes it.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write(&mut text, self);
        f.write_str(&text)
    }
}

/// Appends `value` as compact JSON.
pub fn write(out: &mut String, value: &Json) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Int(value) => {
            let _ = write!(out, "{value}");
        }
        Json::BigInt(digits) => out.push_str(digits),
        Json::Double(value) if value.is_finite() => out.push_str(&java_double(*value)),
        Json::Double(value) => write_text(out, &java_double(*value)),
        Json::Text(text) => write_text(out, text),
        Json::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(out, item);
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (at, (name, value)) in members.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_text(out, name);
                out.push(':');
                write(out, value);
            }
            out.push('}');
        }
    }
}

/// Appends a string with its quotes.
pub fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if u32::from(c) < 0x20 => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A number as Java's `Double.toString` writes it: decimal from 10⁻³ to 10⁷, otherwise with an
/// exponent, always with a fraction, in the fewest digits that read back.
pub fn java_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let magnitude = value.abs();
    if value == 0.0 || (1e-3..1e7).contains(&magnitude) {
        // `{:?}` is the shortest decimal that reads back, with a fraction.
        return format!("{value:?}");
    }
    let mut text = format!("{value:e}");
    if !text.contains('.') {
        // Java chooses among numbers of at least two digits: 4.9E-324, not 5.0E-324.
        text = format!("{value:.1e}");
    }
    text.replace('e', "E")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_java_writes_them() {
        for (value, text) in [
            (1e10, "1.0E10"),
            (1.5e300, "1.5E300"),
            (12_345_678.9, "1.23456789E7"),
            (9_999_999.0, "9999999.0"),
            (-0.0, "-0.0"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (5e-324, "4.9E-324"),
            (100.0, "100.0"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(java_double(value), text);
        }
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let text =
            "{\"a\":[1,-2.5,1.0E10,true,null,123456789012345678901],\"é\\n\\u001F\":\"\\\"\"}";
        let value = parse(text).unwrap();
        assert_eq!(value.to_string(), text);
        assert_eq!(parse(&value.to_string()).unwrap(), value);
    }

    #[test]
    fn of_two_members_with_one_name_the_later_value_has_the_earlier_place() {
        assert_eq!(parse(r#"{"a":1,"b":2,"a":3}"#).unwrap().to_string(), r#"{"a":3,"b":2}"#);
    }
}
