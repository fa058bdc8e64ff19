//! How a connection is protected, in Kafka's words: `security.protocol` and what belongs to it.

mod authenticate;
mod scram;

use std::fmt;
use std::str::FromStr;

use tidemill_access::{Credentials, Tls};

pub(crate) use authenticate::authenticate;

/// How connections to brokers are protected: not at all, unless it is said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Security {
    /// `SSL` and `SASL_SSL`: how brokers are checked and what they are shown.
    pub tls: Option<Tls>,
    /// `SASL_PLAINTEXT` and `SASL_SSL`: who asks.
    pub sasl: Option<Sasl>,
}

impl Security {
    /// `security.protocol`.
    pub fn protocol(&self) -> &'static str {
        match (&self.tls, &self.sasl) {
            (None, None) => "PLAINTEXT",
            (Some(_), None) => "SSL",
            (None, Some(_)) => "SASL_PLAINTEXT",
            (Some(_), Some(_)) => "SASL_SSL",
        }
    }
}

/// Who asks, and how that is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sasl {
    /// `sasl.mechanism`.
    pub mechanism: SaslMechanism,
    /// User and password.
    pub credentials: Credentials,
}

/// How a client proves that it knows its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaslMechanism {
    /// It sends it (RFC 4616).
    Plain,
    /// It proves it, and so does the broker (RFC 5802, RFC 7677).
    ScramSha256,
    /// The same with SHA-512.
    ScramSha512,
}

impl SaslMechanism {
    /// All of them.
    pub const ALL: [SaslMechanism; 3] =
        [SaslMechanism::Plain, SaslMechanism::ScramSha256, SaslMechanism::ScramSha512];

    /// Its registered name.
    pub const fn name(self) -> &'static str {
        match self {
            SaslMechanism::Plain => "PLAIN",
            SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
            SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl fmt::Display for SaslMechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No such mechanism here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no SASL mechanism known here; known are PLAIN, SCRAM-SHA-256, SCRAM-SHA-512")]
pub struct UnknownMechanism(String);

impl FromStr for SaslMechanism {
    type Err = UnknownMechanism;

    fn from_str(text: &str) -> Result<SaslMechanism, UnknownMechanism> {
        let named = |one: &SaslMechanism| one.name().eq_ignore_ascii_case(text);
        SaslMechanism::ALL.into_iter().find(named).ok_or_else(|| UnknownMechanism(text.to_owned()))
    }
}
