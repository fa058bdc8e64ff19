//! Where in an answer the records are: `results[*]`, `$`, `data.items[0].rows`.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

/// Steps from the answer's root. The value at the end is one record; with `[*]` each element is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    Index(usize),
    Each,
}

/// Longest path, in bytes.
const PATH_BYTES_MAX: usize = 1024;

impl FromStr for RecordPath {
    type Err = String;

    fn from_str(text: &str) -> Result<RecordPath, String> {
        let bad = || format!("{text:?} is not a path; examples: results[*], data.items[0], $");
        if text.len() > PATH_BYTES_MAX {
            return Err(bad());
        }
        let mut rest = text.trim();
        rest = rest.strip_prefix('$').unwrap_or(rest);
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let (index, after) = inside.split_once(']').ok_or_else(bad)?;
                steps.push(match index.trim() {
                    "*" => Step::Each,
                    digits => Step::Index(digits.parse().map_err(|_| bad())?),
                });
                rest = after;
            } else {
                let name = rest.strip_prefix('.').unwrap_or(rest);
                let end = name.find(['.', '[']).unwrap_or(name.len());
                if end == 0 {
                    return Err(bad());
                }
                steps.push(Step::Field(name[..end].to_owned()));
                rest = &name[end..];
            }
        }
        Ok(RecordPath { text: text.to_owned(), steps })
    }
}

impl fmt::Display for RecordPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl RecordPath {
    /// The records in an answer; the error says which step led nowhere.
    pub fn find(&self, answer: &Value) -> Result<Vec<Value>, String> {
        let mut found = vec![answer];
        for step in &self.steps {
            let mut next = Vec::with_capacity(found.len());
            for value in found {
                self.follow(step, value, &mut next)?;
            }
            found = next;
        }
        Ok(found.into_iter().cloned().collect())
    }

    fn follow<'a>(
        &self,
        step: &Step,
        value: &'a Value,
        next: &mut Vec<&'a Value>,
    ) -> Result<(), String> {
        let wrong = |what: String| format!("path {} leads nowhere: {what}", self.text);
        match step {
            Step::Field(name) => next.push(
                value
                    .get(name)
                    .ok_or_else(|| wrong(format!("no field {name} in {}", kind(value))))?,
            ),
            Step::Index(index) => next.push(
                value
                    .get(index)
                    .ok_or_else(|| wrong(format!("no [{index}] in {}", kind(value))))?,
            ),
            Step::Each => match value.as_array() {
                Some(items) => next.extend(items),
                None => return Err(wrong(format!("[*] needs an array, found {}", kind(value)))),
            },
        }
        Ok(())
    }
}

/// A value's kind, with its keys or length, for an error.
fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(map) => {
            let keys: Vec<&str> = map.keys().take(10).map(String::as_str).collect();
            format!("an object with {}", keys.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_to_records_or_says_where_it_ends() {
        let answer = json!({"results": [{"id": 1}, {"id": 2}], "data": {"items": [[3, 4]]}});
        for (path, found) in [
            ("results[*]", vec![json!({"id": 1}), json!({"id": 2})]),
            ("$.results[*].id", vec![json!(1), json!(2)]),
            ("data.items[0][1]", vec![json!(4)]),
            ("results", vec![json!([{"id": 1}, {"id": 2}])]),
            ("$", vec![answer.clone()]),
        ] {
            assert_eq!(path.parse::<RecordPath>().unwrap().find(&answer), Ok(found), "{path}");
        }
        for (path, part) in [
            ("result[*]", "no field result in an object with results, data"),
            ("data[*]", "[*] needs an array, found an object with items"),
            ("results[7]", "no [7] in an array of 2"),
        ] {
            let error = path.parse::<RecordPath>().unwrap().find(&answer).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_path_that_cannot_be_read_is_refused() {
        for path in ["results[", "results[x]", "a..b", ".", "[-1]"] {
            assert!(path.parse::<RecordPath>().is_err(), "{path}");
        }
    }
}
