//! Passwords, kept from every screen and log.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

/// A text that is never printed: `Debug` shows three dots, and there is no `Display`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("...")
    }
}

/// From text. A number is one that an environment variable was taken for. What is neither is not
/// repeated in the error, as the ordinary one would.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        struct Text;

        impl de::Visitor<'_> for Text {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret::new(text))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Secret, E> {
                Ok(Secret(number.to_string()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Secret, E> {
                Ok(Secret(number.to_string()))
            }

            fn visit_bool<E: de::Error>(self, is: bool) -> Result<Secret, E> {
                Ok(Secret(is.to_string()))
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Secret, E> {
                Err(E::custom("a password is a text: write it in quotes"))
            }
        }

        deserializer.deserialize_any(Text)
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    /// The user's password.
    pub password: Secret,
}

impl Credentials {
    /// A user and a password.
    pub fn new(username: impl Into<String>, password: Secret) -> Credentials {
        Credentials { username: username.into(), password }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown_by_debug_nor_by_an_error() {
        let credentials = Credentials::new("ada", Secret::new("hunter2"));
        let shown = format!("{credentials:?}");
        assert!(shown.contains("ada") && !shown.contains("hunter2"), "{shown}");
        let error = serde_json::from_str::<Secret>("1.25").unwrap_err().to_string();
        assert!(!error.contains("1.25"), "{error}");
    }

    #[test]
    fn a_password_of_digits_stays_what_it_was() {
        assert_eq!(serde_json::from_str::<Secret>("12345").unwrap(), Secret::new("12345"));
        assert_eq!(serde_json::from_str::<Secret>(r#""007""#).unwrap(), Secret::new("007"));
    }
}
