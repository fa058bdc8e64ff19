//! Why a call failed.

use tidemill_zookeeper_wire::ErrorCode;

/// Why a call failed. Variants differ by what the caller can do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The connection went, or no server answered in time. Whether the call was served is not
    /// known: look before trying again.
    #[error("no answer from ZooKeeper; whether the request was served is not known")]
    ConnectionLoss,
    /// The session has ended, and with it all its ephemeral nodes and watches. Another session
    /// follows.
    #[error("the ZooKeeper session has expired")]
    SessionExpired,
    /// The server said no.
    #[error("{path}: {code}")]
    Refused {
        /// The node.
        path: String,
        /// ZooKeeper's error.
        code: ErrorCode,
    },
    /// The credentials are wrong; nothing will be answered.
    #[error("ZooKeeper does not accept the credentials")]
    AuthFailed,
    /// This client was closed.
    #[error("the ZooKeeper client is closed")]
    Closed,
}

impl ClientError {
    /// The server's error, if it gave one.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            ClientError::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }
}
