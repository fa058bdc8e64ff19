//! A Schema Registry.

use crate::{Credentials, Tls};

/// A Schema Registry behind Confluent's REST interface: ours, or any other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistryAccess {
    /// URL under which `/subjects` lies; empty for none.
    pub url: String,
    /// For basic authentication.
    pub credentials: Option<Credentials>,
    /// How an `https` URL is checked; the system's roots if there is none.
    pub tls: Option<Tls>,
}

impl RegistryAccess {
    /// A registry that asks for nothing.
    pub fn open(url: impl Into<String>) -> RegistryAccess {
        RegistryAccess { url: url.into(), ..RegistryAccess::default() }
    }
}
