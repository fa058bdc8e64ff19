//! Options taken one by one, so that what is left over is unknown.

use std::collections::BTreeMap;

use crate::sql::{Location, SqlError};

/// The options of one table while they are read.
pub(super) struct Options<'a> {
    connector: String,
    left: BTreeMap<&'a str, (&'a str, Location)>,
    /// Every key that was asked for.
    known: Vec<String>,
    pub(super) at: Location,
}

impl<'a> Options<'a> {
    /// Takes the connector's name out.
    pub(super) fn new(
        all: &'a [(String, String, Location)],
        at: Location,
    ) -> Result<Options<'a>, SqlError> {
        let mut left: BTreeMap<_, _> =
            all.iter().map(|(key, value, at)| (key.as_str(), (value.as_str(), *at))).collect();
        let Some((connector, connector_at)) = left.remove("connector") else {
            return Err(SqlError::invalid(
                at,
                "Table options do not contain an option key 'connector' for discovering a \
                 connector.",
            ));
        };
        Ok(Options {
            connector: connector.to_owned(),
            left,
            known: vec!["connector".to_owned()],
            at: connector_at,
        })
    }

    pub(super) fn connector(&self) -> &str {
        &self.connector
    }

    pub(super) fn take(&mut self, key: &str) -> Option<(&'a str, Location)> {
        self.known.push(key.to_owned());
        self.left.remove(key)
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.take(key).map(|(value, _)| value.to_owned())
    }

    pub(super) fn required(&mut self, key: &str) -> Result<String, SqlError> {
        self.text(key).filter(|value| !value.is_empty()).ok_or_else(|| {
            SqlError::invalid(
                self.at,
                format!(
                    "One or more required options are missing.\n\nMissing required options \
                     are:\n\n{key}"
                ),
            )
        })
    }

    pub(super) fn bool(&mut self, key: &str, default: bool) -> Result<bool, SqlError> {
        match self.take(key) {
            None => Ok(default),
            Some((value, _)) if value.eq_ignore_ascii_case("true") => Ok(true),
            Some((value, _)) if value.eq_ignore_ascii_case("false") => Ok(false),
            Some((value, at)) => Err(invalid(key, value, at, "Expected 'true' or 'false'.")),
        }
    }

    pub(super) fn number<T: std::str::FromStr>(
        &mut self,
        key: &str,
    ) -> Result<Option<T>, SqlError> {
        match self.take(key) {
            None => Ok(None),
            Some((value, at)) => match value.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(invalid(key, value, at, "Expected a whole number.")),
            },
        }
    }

    /// One of the words.
    pub(super) fn choice(
        &mut self,
        key: &str,
        choices: &[&'static str],
    ) -> Result<Option<&'static str>, SqlError> {
        let Some((value, at)) = self.take(key) else { return Ok(None) };
        match choices.iter().find(|choice| choice.eq_ignore_ascii_case(value)) {
            Some(choice) => Ok(Some(choice)),
            None => {
                let expected = format!("Expected one of: [{}].", choices.join(", "));
                Err(invalid(key, value, at, &expected))
            }
        }
    }

    /// All options whose key begins so, without the beginning.
    pub(super) fn with_prefix(&mut self, prefix: &str) -> Vec<(String, String, Location)> {
        self.known.push(format!("{prefix}*"));
        let keys: Vec<&str> =
            self.left.keys().filter(|key| key.starts_with(prefix)).copied().collect();
        keys.into_iter()
            .filter_map(|key| {
                let (value, at) = self.left.remove(key)?;
                Some((key[prefix.len()..].to_owned(), value.to_owned(), at))
            })
            .collect()
    }

    /// Nothing may be left.
    pub(super) fn finish(mut self) -> Result<(), SqlError> {
        let Some((_, (_, at))) = self.left.first_key_value() else { return Ok(()) };
        let at = *at;
        self.known.sort();
        self.known.dedup();
        let unknown: Vec<&str> = self.left.keys().copied().collect();
        let message = format!(
            "Unsupported options found for '{}'.\n\nUnsupported options:\n\n{}\n\nSupported \
             options:\n\n{}",
            self.connector,
            unknown.join("\n"),
            self.known.join("\n")
        );
        Err(SqlError::invalid(at, message))
    }
}

/// A value that an option cannot have.
pub(super) fn invalid(key: &str, value: &str, at: Location, expected: &str) -> SqlError {
    SqlError::invalid(at, format!("Invalid value '{value}' for option '{key}'. {expected}"))
}
