//! What a statement's author is told: Cassandra's code and Cassandra's words.

use tidemill_cql_wire::response::{ErrorCode, ErrorDetail, ErrorResponse};

use crate::cql::SyntaxError;
use crate::storage::engine::EngineError;
use crate::storage::partition::ReadError;
use crate::storage::row_codec::CorruptRow;

/// Why the store did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port.
    #[error(transparent)]
    Listen(#[from] tidemill_runtime::ListenError),
    /// Another process has the directory.
    #[error("{dir} is in use by another process")]
    InUse {
        /// The data directory.
        dir: std::path::PathBuf,
    },
    /// The directory cannot be used.
    #[error("cannot use {dir}")]
    Dir {
        /// The data directory.
        dir: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is in the directory cannot be read. Nothing was changed.
    #[error("cannot read {dir}: {reason}")]
    Data {
        /// The data directory.
        dir: std::path::PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The system gives no more threads.
    #[error("cannot start a thread")]
    Thread(#[from] std::io::Error),
}

/// Why a statement was not run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum CqlError {
    /// For the client, as it is.
    #[error("{}", .0.message)]
    Response(Box<ErrorResponse>),
    /// The table was dropped, truncated or changed on the way: plan again with the schema of now.
    #[error("the table changed while the statement ran")]
    Stale,
}

impl CqlError {
    fn of(code: ErrorCode, message: impl Into<String>) -> CqlError {
        CqlError::Response(Box::new(ErrorResponse::new(code, message)))
    }

    /// The statement is well formed and wrong.
    pub(crate) fn invalid(message: impl Into<String>) -> CqlError {
        CqlError::of(ErrorCode::Invalid, message)
    }

    /// The statement cannot be parsed, or a property of it cannot.
    pub(crate) fn syntax(message: impl Into<String>) -> CqlError {
        CqlError::of(ErrorCode::SyntaxError, message)
    }

    /// Well formed and wrong for this server.
    pub(crate) fn config(message: impl Into<String>) -> CqlError {
        CqlError::of(ErrorCode::ConfigError, message)
    }

    /// Nobody may do that.
    pub(crate) fn unauthorized(message: impl Into<String>) -> CqlError {
        CqlError::of(ErrorCode::Unauthorized, message)
    }

    /// Not a message of the protocol, or not at this moment.
    pub(crate) fn protocol(message: impl Into<String>) -> CqlError {
        CqlError::of(ErrorCode::ProtocolError, message)
    }

    /// A fault of ours.
    pub(crate) fn server(message: impl Into<String>) -> CqlError {
        CqlError::of(ErrorCode::ServerError, message)
    }

    /// Too much to do.
    pub(crate) fn overloaded(message: impl Into<String>) -> CqlError {
        CqlError::of(ErrorCode::Overloaded, message)
    }

    /// The keyspace is there already; `table` is empty for a keyspace.
    pub(crate) fn already_exists(keyspace: &str, table: &str) -> CqlError {
        let message = if table.is_empty() {
            format!("Cannot add existing keyspace \"{keyspace}\"")
        } else {
            format!("Cannot add already existing table \"{table}\" to keyspace \"{keyspace}\"")
        };
        let detail = ErrorDetail::AlreadyExists { keyspace: keyspace.into(), table: table.into() };
        let code = ErrorCode::AlreadyExists;
        CqlError::Response(Box::new(ErrorResponse { code, message, detail }))
    }

    /// The id is not known.
    pub(crate) fn unprepared(id: bytes::Bytes) -> CqlError {
        use std::fmt::Write as _;
        let hex = id.iter().fold(String::new(), |mut out, byte| {
            // A String takes everything.
            let _ = write!(out, "{byte:02x}");
            out
        });
        let message = format!(
            "Prepared query with ID {hex} not found (either the query was not prepared on this \
             host (maybe the host has been restarted?) or you have prepared too many queries and \
             it has been evicted from the internal cache)"
        );
        let detail = ErrorDetail::Unprepared(id);
        let code = ErrorCode::Unprepared;
        CqlError::Response(Box::new(ErrorResponse { code, message, detail }))
    }

    /// What goes to the client.
    pub(crate) fn into_response(self) -> ErrorResponse {
        match self {
            CqlError::Response(response) => *response,
            CqlError::Stale => ErrorResponse::new(ErrorCode::ServerError, self.to_string()),
        }
    }
}

impl From<SyntaxError> for CqlError {
    fn from(error: SyntaxError) -> CqlError {
        CqlError::syntax(error.0)
    }
}

impl From<EngineError> for CqlError {
    fn from(error: EngineError) -> CqlError {
        match error {
            EngineError::NoSpace(_) => CqlError::Stale,
            EngineError::Storage(reason) => CqlError::server(reason),
        }
    }
}

impl From<CorruptRow> for CqlError {
    fn from(error: CorruptRow) -> CqlError {
        CqlError::server(error.to_string())
    }
}

impl From<ReadError> for CqlError {
    fn from(error: ReadError) -> CqlError {
        match error {
            ReadError::Engine(error) => error.into(),
            ReadError::Corrupt(error) => error.into(),
        }
    }
}

impl From<crate::storage::committer::Poisoned> for CqlError {
    fn from(error: crate::storage::committer::Poisoned) -> CqlError {
        CqlError::server(error.to_string())
    }
}
