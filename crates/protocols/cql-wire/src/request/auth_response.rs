//! AUTH_RESPONSE: a SASL token.

use bytes::Bytes;

use crate::{Reader, WireError};

/// The client's next token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthResponse {
    /// What it means depends on the authenticator.
    pub token: Option<Bytes>,
}

impl AuthResponse {
    pub(super) fn decode(reader: &mut Reader) -> Result<AuthResponse, WireError> {
        Ok(AuthResponse { token: reader.bytes()? })
    }
}
