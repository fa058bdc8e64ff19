//! The members of a schema's JSON objects.

use super::super::Order;
use super::{ParseError, refuse};
use crate::json::{Json, Members};

pub(super) fn missing(what: &str, value: &Json) -> ParseError {
    ParseError::Schema(format!("{what}: {value}"))
}

pub(super) fn required_text<'a>(members: &'a Members, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Json::as_text)
}

/// A text member; anything else under the name is as good as absent.
pub(super) fn optional_text(members: &Members, name: &str) -> Option<String> {
    required_text(members, name).map(str::to_owned)
}

pub(super) fn properties(members: &Members, reserved: &[&str]) -> Members {
    members
        .iter()
        .filter(|(name, _)| !reserved.contains(name))
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
}

pub(super) fn alias_texts(value: &Json, members: &Members) -> Result<Vec<String>, ParseError> {
    let items = match members.get("aliases") {
        None => return Ok(Vec::new()),
        Some(Json::Array(items)) => items,
        Some(_) => return refuse(format!("aliases not an array: {value}")),
    };
    let mut aliases: Vec<String> = Vec::with_capacity(items.len());
    for item in items {
        match item.as_text() {
            None => return refuse(format!("alias not a string: {item}")),
            Some(alias) if aliases.iter().any(|known| known == alias) => {}
            Some(alias) => aliases.push(alias.to_owned()),
        }
    }
    Ok(aliases)
}

pub(super) fn field_order(value: &Json) -> Result<Order, ParseError> {
    match value.as_text().map(str::to_ascii_lowercase).as_deref() {
        Some("ascending") => Ok(Order::Ascending),
        Some("descending") => Ok(Order::Descending),
        Some("ignore") => Ok(Order::Ignore),
        _ => refuse(format!("Unknown field order: {value}")),
    }
}

/// A number as Java's `Double.parseDouble` reads it: spaces around it and a type letter after it
/// are allowed, and so are the names of what is no number.
pub(super) fn java_parse_double(text: &str) -> Result<f64, ParseError> {
    let bad = || ParseError::Schema(format!("For input string: \"{text}\""));
    let number = text.trim();
    match number.trim_start_matches(['+', '-']) {
        "NaN" => return Ok(f64::NAN),
        "Infinity" if number.starts_with('-') => return Ok(f64::NEG_INFINITY),
        "Infinity" => return Ok(f64::INFINITY),
        _ => {}
    }
    let number = number.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(number);
    if !number.contains(|c: char| c.is_ascii_digit()) {
        return Err(bad());
    }
    number.parse().map_err(|_| bad())
}
