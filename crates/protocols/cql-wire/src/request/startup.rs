//! STARTUP: starts the connection. Option `CQL_VERSION` must be there.

use crate::{Reader, WireError};

/// Options, in the order sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Startup {
    /// `CQL_VERSION`, `COMPRESSION`, `DRIVER_NAME`, …
    pub options: Vec<(String, String)>,
}

impl Startup {
    pub(super) fn decode(reader: &mut Reader) -> Result<Startup, WireError> {
        Ok(Startup { options: reader.string_map()? })
    }

    /// The value of an option; its name is compared without case, as Cassandra does.
    pub fn option(&self, name: &str) -> Option<&str> {
        let found = self.options.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}
