//! SaslHandshake (key 17): which mechanism a client is going to authenticate with.
//!
//! v1 what follows is framed as SaslAuthenticate (KIP-152); after v0 it comes without headers.
//! Spec: <https://kafka.apache.org/protocol#The_Messages_SaslHandshake>

use crate::ErrorCode;
use crate::message::{NEVER, api};

api! {
    SaslHandshake (SaslHandshakeRequest => SaslHandshakeResponse), versions 0..=1, flexible NEVER;

    /// The mechanism, such as `SCRAM-SHA-256`.
    SaslHandshakeRequest {
        mechanism: String,
    }

    /// Whether the broker has it, and all that it has.
    SaslHandshakeResponse {
        error_code: ErrorCode,
        mechanisms: Vec<String>,
    }
}
