//! AUTH_RESPONSE: nobody was asked who they are.

use tidemill_cql_wire::request::AuthResponse;

use crate::error::CqlError;

/// Cassandra's answer to one out of turn.
pub(crate) fn handle(_response: &AuthResponse) -> CqlError {
    CqlError::protocol("Unexpected AUTH_RESPONSE message: the server did not ask for credentials")
}
