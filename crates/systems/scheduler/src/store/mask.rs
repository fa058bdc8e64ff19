//! What must not be shown: Airflow's rules for names that are sensitive and values that are masked.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::RwLock;
use serde_json::{Map, Value};

/// What stands for a secret.
pub const MASK: &str = "***";
/// A shorter secret, in characters, is not masked in logs: it would make every text unreadable.
const LENGTH_MIN: usize = 5;
/// Secrets one scheduler masks at most; more are told once and left out.
const SECRETS_MAX: usize = 10_000;
/// A name that contains one of these is that of a secret.
const SENSITIVE: [&str; 22] = [
    "access_key",
    "access_token",
    "api_key",
    "apikey",
    "auth_header",
    "authorization",
    "bearer",
    "connection_string",
    "dsn",
    "keyfile_dict",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "proxies",
    "proxy",
    "proxy_password",
    "secret",
    "service_account",
    "service_key",
    "token",
    "webhook_url",
];

/// Whether a variable or field of this name holds a secret.
pub fn is_sensitive(name: &str) -> bool {
    let mut normal = String::with_capacity(name.len());
    for character in name.trim().to_lowercase().chars() {
        if character.is_alphanumeric() || character == '_' {
            normal.push(character);
        } else if !normal.ends_with('\u{0}') {
            // A run of other characters counts as one underscore.
            normal.push('\u{0}');
        }
    }
    let normal = normal.replace('\u{0}', "_");
    SENSITIVE.iter().any(|part| normal.contains(part))
}

/// The value with every text under a sensitive name masked.
pub fn redacted(value: &Value, name: Option<&str>) -> Value {
    if name.is_some_and(is_sensitive) {
        return masked(value);
    }
    match value {
        Value::Object(fields) => {
            let shown =
                fields.iter().map(|(name, value)| (name.clone(), redacted(value, Some(name))));
            Value::Object(shown.collect())
        }
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| redacted(item, None)).collect())
        }
        other => other.clone(),
    }
}

fn masked(value: &Value) -> Value {
    match value {
        Value::String(_) => Value::String(MASK.to_owned()),
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(name, value)| (name.clone(), masked(value))).collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(masked).collect()),
        other => other.clone(),
    }
}

/// A value that somebody edited with its secrets masked: what is still masked keeps its old value.
pub fn merged(new: Value, old: &Value, name: Option<&str>) -> Value {
    let is_secret = name.is_some_and(is_sensitive);
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            let field = |(name, value): (String, Value)| {
                let value = match old.get(&name) {
                    Some(old) => {
                        let of = if is_secret { "secret" } else { name.as_str() };
                        merged(value, old, Some(of))
                    }
                    None => value,
                };
                (name, value)
            };
            Value::Object(new.into_iter().map(field).collect::<Map<_, _>>())
        }
        (Value::String(new), old) if is_secret && new == MASK => old.clone(),
        (new, _) => new,
    }
}

/// Secrets that have been handed out: they are masked in every log from then on. Cheap to clone.
#[derive(Clone, Default)]
pub struct Masks(Arc<RwLock<BTreeSet<String>>>);

impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Masks").field(&self.0.read().len()).finish()
    }
}

impl Masks {
    /// Masks a text from now on, unless it is too short or too common.
    pub fn add(&self, secret: &str) {
        let is_common = secret.eq_ignore_ascii_case("airflow");
        if secret.chars().count() < LENGTH_MIN || is_common || self.0.read().contains(secret) {
            return;
        }
        let mut secrets = self.0.write();
        if secrets.len() < SECRETS_MAX {
            secrets.insert(secret.to_owned());
        } else {
            tracing::warn!(SECRETS_MAX, "so many secrets are masked that this one is not");
        }
    }

    /// Masks every text in a value that stands under a sensitive name.
    pub fn add_value(&self, value: &Value, name: Option<&str>) {
        match value {
            Value::String(text) if name.is_some_and(is_sensitive) => self.add(text),
            Value::Object(fields) => {
                let of = |field: &str| {
                    name.filter(|name| is_sensitive(name)).unwrap_or(field).to_owned()
                };
                fields.iter().for_each(|(field, value)| self.add_value(value, Some(&of(field))));
            }
            Value::Array(items) => items.iter().for_each(|item| self.add_value(item, name)),
            _ => {}
        }
    }

    /// The text without the secrets; none if there was nothing to mask.
    pub fn apply(&self, text: &str) -> Option<String> {
        let secrets = self.0.read();
        let found: Vec<&String> = secrets.iter().filter(|secret| text.contains(*secret)).collect();
        if found.is_empty() {
            return None;
        }
        // The longest first: a secret may contain another one.
        let mut found = found;
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Some(found.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret, MASK)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_sensitive_as_in_airflow() {
        for name in ["password", " My-API Key", "x_TOKEN_y", "aws.secret", "dsn", "keyfile_dict"] {
            assert!(is_sensitive(name), "{name}");
        }
        for name in ["key", "user", "pass word", "host", ""] {
            assert!(!is_sensitive(name), "{name}");
        }
    }

    #[test]
    fn only_texts_under_sensitive_names_are_masked() {
        let value = json!({"user": "u", "password": "p", "n": {"token": ["t", 5]}, "list": [{"secret": "s"}]});
        let shown = json!({"user": "u", "password": "***", "n": {"token": ["***", 5]}, "list": [{"secret": "***"}]});
        assert_eq!(redacted(&value, None), shown);
        assert_eq!(redacted(&json!("v"), Some("my_secret")), json!("***"));
        assert_eq!(redacted(&json!(5), Some("my_secret")), json!(5));
        // What comes back masked is what it was; what comes back changed is new.
        assert_eq!(merged(shown.clone(), &value, None)["password"], "p");
        let changed = json!({"password": "new", "user": "***"});
        assert_eq!(merged(changed.clone(), &value, None), changed);
    }

    #[test]
    fn secrets_that_were_handed_out_are_masked_in_texts() {
        let masks = Masks::default();
        masks.add("hunter22");
        masks.add("hunter22longer");
        masks.add("abc");
        masks.add_value(&json!({"token": "tok-1234", "user": "visible"}), None);
        assert_eq!(masks.apply("nothing here, abc"), None);
        assert_eq!(masks.apply("a hunter22longer b tok-1234").as_deref(), Some("a *** b ***"));
    }
}
