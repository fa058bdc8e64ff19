//! Answers as text: JSON as the original's `JSON.stringify` writes it, CSV as its converter does.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::request::{Format, PeopleRequest};

/// The body and its content type. `seed` is the one that made the people, drawn or given.
pub(super) fn answer(
    request: &PeopleRequest,
    seed: &str,
    people: Vec<Value>,
) -> (&'static str, String) {
    if request.format == Format::Csv {
        return ("text/csv; charset=utf-8", csv(&people));
    }
    let info = json!({
        "seed": info_seed(request, seed),
        "results": people.len(),
        "page": request.page,
        "version": "1.4",
    });
    let mut document = json!({ "results": people });
    if request.with_info {
        document["info"] = info;
    }
    let text = match request.format {
        Format::Pretty => format!("{document:#}"),
        Format::Json | Format::Csv => document.to_string(),
    };
    ("application/json; charset=utf-8", text)
}

/// A seed of 18 characters names a nationality, and the original then adds that a second time.
fn info_seed(request: &PeopleRequest, seed: &str) -> String {
    match seed.get(16..) {
        Some(suffix) if seed.len() == 18 && request.nationalities.len() == 1 => {
            format!("{seed}{}", suffix.to_lowercase())
        }
        _ => seed.to_owned(),
    }
}

/// A line of paths (`name.first`), then a line for each person; no line end after the last.
fn csv(people: &[Value]) -> String {
    let mut text = String::new();
    if let Some(first) = people.first() {
        let mut columns = Vec::new();
        paths(first, "", &mut columns);
        text.push_str(&columns.join(","));
    }
    for person in people {
        let mut cells = Vec::new();
        leaves(person, &mut cells);
        text.push('\n');
        text.push_str(&cells.join(","));
    }
    text
}

fn paths(value: &Value, path: &str, columns: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let mut below = path.to_owned();
                if !path.is_empty() {
                    below.push('.');
                }
                // Formatting into a string cannot fail.
                let _ = write!(below, "{name}");
                paths(field, &below, columns);
            }
        }
        _ => columns.push(path.to_owned()),
    }
}

fn leaves(value: &Value, cells: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.values().for_each(|field| leaves(field, cells)),
        Value::String(text) => cells.push(quoted(text)),
        // Numbers, and `null` as that word.
        other => cells.push(other.to_string()),
    }
}

/// A cell, in quotes if it holds a comma, a quote or a line end (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected text is what the original's converter (json-2-csv 3.5.6) writes.
    #[test]
    fn cells_are_quoted_only_where_they_must_be() {
        let row = json!({
            "a": "x,y", "b": "q\"uo", "c": null, "d": "", "e": "two\nlines", "f": " sp ",
            "g": { "h": "O'B", "i": { "j": 5 } },
        });
        let expected = "a,b,c,d,e,f,g.h,g.i.j\n\"x,y\",\"q\"\"uo\",null,,\"two\nlines\", sp ,O'B,5";
        assert_eq!(csv(&[row]), expected);
        assert_eq!(csv(&[json!({}), json!({})]), "\n\n");
        assert_eq!(csv(&[]), "");
    }
}
