//! The registry's compatibility levels.
//!
//! A level says who has to understand whom: with `BACKWARD` the new schema reads what the old one
//! wrote, with `FORWARD` the old one reads what the new one will write, with `FULL` both; alone
//! against the latest version, `_TRANSITIVE` against all. The messages are those of Confluent's
//! `verbose=true`, because people and tools search for them.

use std::fmt;
use std::str::FromStr;

use crate::avro::{
    CompatibilityError, Incompatibility, IncompatibilityKind, Schema, check_reader_writer,
};

/// Characters of an old schema that a message shows, at most.
const SHOWN_SCHEMA_CHARS_MAX: usize = 10 * 1024;

/// Who has to understand whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Level {
    /// Nobody.
    None,
    /// The new schema reads data of the latest version.
    #[default]
    Backward,
    /// The new schema reads data of every version.
    BackwardTransitive,
    /// The latest version reads data of the new schema.
    Forward,
    /// Every version reads data of the new schema.
    ForwardTransitive,
    /// Both, with the latest version.
    Full,
    /// Both, with every version.
    FullTransitive,
}

impl Level {
    /// All levels.
    pub const ALL: [Level; 7] = [
        Level::None,
        Level::Backward,
        Level::BackwardTransitive,
        Level::Forward,
        Level::ForwardTransitive,
        Level::Full,
        Level::FullTransitive,
    ];

    /// Its name in the registry's configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::None => "NONE",
            Level::Backward => "BACKWARD",
            Level::BackwardTransitive => "BACKWARD_TRANSITIVE",
            Level::Forward => "FORWARD",
            Level::ForwardTransitive => "FORWARD_TRANSITIVE",
            Level::Full => "FULL",
            Level::FullTransitive => "FULL_TRANSITIVE",
        }
    }

    fn is_transitive(self) -> bool {
        matches!(self, Level::BackwardTransitive | Level::ForwardTransitive | Level::FullTransitive)
    }

    fn reads_backward(self) -> bool {
        matches!(
            self,
            Level::Backward | Level::BackwardTransitive | Level::Full | Level::FullTransitive
        )
    }

    fn reads_forward(self) -> bool {
        matches!(
            self,
            Level::Forward | Level::ForwardTransitive | Level::Full | Level::FullTransitive
        )
    }

    /// Which of the versions, oldest first, a new schema is compared with: newest first.
    pub fn compared<T>(self, versions: &[T]) -> impl Iterator<Item = &T> {
        let count = match self {
            Level::None => 0,
            level if level.is_transitive() => versions.len(),
            _ => 1,
        };
        versions.iter().rev().take(count)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "Invalid compatibility level. Valid values are none, backward, forward, full, \
     backward_transitive, forward_transitive, and full_transitive"
)]
pub struct UnknownLevel;

/// Upper or lower case.
impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Level, UnknownLevel> {
        let named = |level: &Level| level.as_str().eq_ignore_ascii_case(text);
        Level::ALL.into_iter().find(named).ok_or(UnknownLevel)
    }
}

/// A schema registered before.
#[derive(Debug, Clone, Copy)]
pub struct Previous<'a> {
    /// Its version in the subject.
    pub version: i32,
    /// What it says.
    pub schema: &'a Schema,
    /// Its text as it is shown.
    pub text: &'a str,
}

/// What the level has against a new Avro schema beside the versions registered before, oldest
/// first; nothing if it is compatible. With a transitive level the newest version that breaks it
/// speaks alone.
pub fn check(level: Level, new: &Schema, previous: &[Previous<'_>]) -> Vec<String> {
    for old in level.compared(previous) {
        let messages = check_one(level, new, old);
        if !messages.is_empty() {
            return messages;
        }
    }
    Vec::new()
}

fn check_one(level: Level, new: &Schema, old: &Previous<'_>) -> Vec<String> {
    let mut messages = Vec::new();
    if level.reads_forward() {
        messages = differences(old.schema, new, ("old", "new"));
        // With FULL the old schema is shown after the backward check only.
        if !level.reads_backward() && !messages.is_empty() {
            show_old(old, &mut messages);
        }
    }
    if level.reads_backward() {
        let mut backward = differences(new, old.schema, ("new", "old"));
        if !backward.is_empty() {
            show_old(old, &mut backward);
        }
        messages.append(&mut backward);
    }
    messages
}

fn differences(reader: &Schema, writer: &Schema, names: (&str, &str)) -> Vec<String> {
    match check_reader_writer(reader, writer) {
        Ok(found) => found.iter().map(|one| describe(one, names)).collect(),
        Err(
            error @ (CompatibilityError::Ambiguous { .. } | CompatibilityError::TooLarge { .. }),
        ) => {
            vec![format!("Unexpected exception during compatibility check: {error}")]
        }
    }
}

fn show_old(old: &Previous<'_>, messages: &mut Vec<String>) {
    messages.push(format!("{{oldSchemaVersion: {}}}", old.version));
    let text = old.text;
    messages.push(match text.char_indices().nth(SHOWN_SCHEMA_CHARS_MAX) {
        None => format!("{{oldSchema: '{text}'}}"),
        Some((end, _)) => format!("{{oldSchema: <truncated> '{}...'}}", &text[..end]),
    });
}

/// One difference as Confluent's registry words it.
fn describe(found: &Incompatibility, (reader, writer): (&str, &str)) -> String {
    let Incompatibility { kind, location, message } = found;
    let description = match kind {
        IncompatibilityKind::FixedSizeMismatch => format!(
            "The size of FIXED type field at path '{location}' in the {reader} schema does not \
             match with the {writer} schema"
        ),
        IncompatibilityKind::TypeMismatch => format!(
            "The type (path '{location}') of a field in the {reader} schema does not match with \
             the {writer} schema"
        ),
        IncompatibilityKind::NameMismatch => {
            format!("The name of the schema has changed (path '{location}')")
        }
        IncompatibilityKind::MissingEnumSymbols => format!(
            "The {reader} schema is missing enum symbols '{message}' at path '{location}' in the \
             {writer} schema"
        ),
        IncompatibilityKind::MissingUnionBranch => format!(
            "The {reader} schema is missing a type inside a union field at path '{location}' in \
             the {writer} schema"
        ),
        IncompatibilityKind::ReaderFieldMissingDefaultValue => format!(
            "The field '{message}' at path '{location}' in the {reader} schema has no default \
             value and is missing in the {writer} schema"
        ),
    };
    format!("{{errorType:'{kind}', description:'{description}', additionalInfo:'{message}'}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(fields: &str) -> Schema {
        let text = format!(r#"{{"type":"record","name":"User","fields":[{fields}]}}"#);
        Schema::parse(&text).expect("a valid schema")
    }

    fn verdict(level: Level, new: &Schema, old: &[&Schema]) -> Vec<String> {
        let texts: Vec<String> = old.iter().map(|schema| schema.text()).collect();
        let previous: Vec<Previous<'_>> = (1..)
            .zip(old.iter().zip(&texts))
            .map(|(version, (schema, text))| Previous { version, schema, text })
            .collect();
        check(level, new, &previous)
    }

    #[test]
    fn a_new_schema_is_judged_by_its_compatibility_level() {
        let id = r#"{"name":"id","type":"string"}"#;
        let v1 = record(id);
        let age = record(&format!(r#"{id},{{"name":"age","type":"int"}}"#));
        let age_0 = record(&format!(r#"{id},{{"name":"age","type":"int","default":0}}"#));
        for (level, old, new, accepted) in [
            (Level::Backward, &[&v1][..], &age_0, true),
            (Level::Backward, &[&v1], &age, false), // a new reader finds no age in old records
            (Level::Forward, &[&v1], &age, true),
            (Level::Forward, &[&age], &v1, false),
            (Level::Full, &[&v1], &age_0, true),
            (Level::Full, &[&v1], &age, false),
            (Level::None, &[&v1], &age, true),
            (Level::Backward, &[&v1, &age_0], &age, true), // the latest version alone
            (Level::BackwardTransitive, &[&v1, &age_0], &age, false),
            (Level::ForwardTransitive, &[&age, &age_0], &v1, false),
            (Level::FullTransitive, &[&v1, &age_0], &age_0, true),
            (Level::Backward, &[], &age, true),
        ] {
            let messages = verdict(level, new, old);
            assert_eq!(messages.is_empty(), accepted, "{level}: {messages:?}");
        }
    }

    #[test]
    fn the_reasons_are_worded_as_people_know_them() {
        let v1 = record(r#"{"name":"id","type":"string"}"#);
        let v2 = record(r#"{"name":"key","type":"string"}"#);
        let backward = "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field \
            'key' at path '/fields/0' in the new schema has no default value and is missing in the \
            old schema', additionalInfo:'key'}";
        let forward = "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field \
            'id' at path '/fields/0' in the old schema has no default value and is missing in the \
            new schema', additionalInfo:'id'}";
        let version = "{oldSchemaVersion: 1}";
        let old = format!("{{oldSchema: '{v1}'}}");
        for (level, messages) in [
            (Level::Backward, vec![backward, version, &old]),
            (Level::Forward, vec![forward, version, &old]),
            (Level::Full, vec![forward, backward, version, &old]),
        ] {
            assert_eq!(verdict(level, &v2, &[&v1]), messages);
        }
    }

    #[test]
    fn a_long_schema_is_shown_in_part() {
        let doc = "é".repeat(SHOWN_SCHEMA_CHARS_MAX);
        let old = record(&format!(r#"{{"name":"id","type":"string","doc":"{doc}"}}"#));
        let new = record(r#"{"name":"id","type":"int"}"#);
        let messages = verdict(Level::Backward, &new, &[&old]);
        assert!(messages[2].starts_with("{oldSchema: <truncated> '{"), "{}", messages[2]);
        assert!(messages[2].ends_with("é...'}"));
    }

    #[test]
    fn a_level_is_named_in_any_case() {
        for level in Level::ALL {
            assert_eq!(level.as_str().to_lowercase().parse(), Ok(level));
        }
        assert_eq!("".parse::<Level>(), Err(UnknownLevel));
    }
}
