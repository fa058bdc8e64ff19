//! Protocol versions.

use std::fmt;

/// A version this crate speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Cassandra 2.1.
    V3 = 3,
    /// Cassandra 2.2 and 3: unset values, warnings, custom payload.
    V4 = 4,
    /// Cassandra 4: segments with checksums, keyspace per request, metadata ids.
    V5 = 5,
}

impl Version {
    /// What a server answers with when the client's own version cannot be used.
    pub const HIGHEST: Version = Version::V5;

    /// The version of the low seven bits of a frame's first byte.
    pub fn from_number(number: u8) -> Option<Version> {
        match number {
            3 => Some(Version::V3),
            4 => Some(Version::V4),
            5 => Some(Version::V5),
            _ => None,
        }
    }

    /// The number on the wire.
    pub fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{0}/v{0}", self.number())
    }
}

/// The text with which Cassandra refuses a version. Drivers start at versions of other products
/// (66, 65) and step down when they read it, so its wording is part of the protocol.
pub fn unsupported_version_text(version: u8) -> String {
    format!(
        "Invalid or unsupported protocol version ({version}); \
         supported versions are (3/v3, 4/v4, 5/v5)"
    )
}
