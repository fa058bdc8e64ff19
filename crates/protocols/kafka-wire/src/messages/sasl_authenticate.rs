//! SaslAuthenticate (key 36): one step of the mechanism's own exchange.
//!
//! v1 how long the session lasts before the client has to authenticate again (KIP-368).
//! Spec: <https://kafka.apache.org/protocol#The_Messages_SaslAuthenticate>

use bytes::Bytes;

use crate::ErrorCode;
use crate::message::api;

api! {
    SaslAuthenticate (SaslAuthenticateRequest => SaslAuthenticateResponse), versions 0..=2, flexible 2..;

    /// What the mechanism says, as it says it.
    SaslAuthenticateRequest {
        auth_bytes: Bytes,
    }

    /// What the mechanism answers.
    SaslAuthenticateResponse {
        error_code: ErrorCode,
        error_message: Option<String>,
        auth_bytes: Bytes,
        session_lifetime_ms: i64 [1..],
    }
}
