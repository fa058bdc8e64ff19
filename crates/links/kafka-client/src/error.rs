//! Why a call failed.

use std::time::Duration;

use tidemill_kafka_wire::{DecodeError, EncodeError, ErrorCode};

/// Why a call failed. Variants differ by what the caller can do next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// No broker could be reached; the same call may succeed later.
    #[error("no broker answers at {address}: {reason}")]
    Unreachable {
        /// Who was asked.
        address: String,
        /// What the system or the broker said.
        reason: String,
    },
    /// The other side is not who it should be, or could not be asked: its certificate, its proof,
    /// or TLS on one side only. Somebody has to change something.
    #[error("the broker at {address} is not trusted: {reason}")]
    Untrusted {
        /// Who was asked.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// It took too long; whether the broker did what was asked is not known.
    #[error("{what} got no answer within {after:?}")]
    TimedOut {
        /// The call.
        what: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The broker said no.
    #[error("{what}: {code}{}", detail(.message))]
    Refused {
        /// What was asked, with the name of its subject.
        what: String,
        /// Kafka's error.
        code: ErrorCode,
        /// The broker's own words, if it had any.
        message: Option<String>,
    },
    /// The two sides share no version of an API.
    #[error("the broker at {address} serves no version of {api} that this client speaks")]
    Unsupported {
        /// Who was asked.
        address: String,
        /// The API's name.
        api: &'static str,
    },
    /// The answer could not be read.
    #[error("the broker at {address} sent what is not Kafka's protocol: {reason}")]
    Malformed {
        /// Who answered.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The request cannot be written: a string or a record is too long.
    #[error("a request that cannot be sent: {0}")]
    Unsendable(#[from] EncodeError),
    /// A record is larger than a batch can be.
    #[error("a record of {bytes} bytes is larger than the {max} allowed")]
    RecordTooLarge {
        /// Its size.
        bytes: usize,
        /// What is allowed.
        max: usize,
    },
}

impl ClientError {
    /// Kafka's error, if the broker gave one.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            ClientError::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_retriable(&self) -> bool {
        match self {
            ClientError::Unreachable { .. } | ClientError::TimedOut { .. } => true,
            ClientError::Refused { code, .. } => code.is_retriable(),
            ClientError::Untrusted { .. }
            | ClientError::Unsupported { .. }
            | ClientError::Malformed { .. }
            | ClientError::Unsendable(_)
            | ClientError::RecordTooLarge { .. } => false,
        }
    }

    pub(crate) fn unreachable(address: &str, reason: impl std::fmt::Display) -> ClientError {
        ClientError::Unreachable { address: address.to_owned(), reason: reason.to_string() }
    }

    pub(crate) fn malformed(address: &str, error: &DecodeError) -> ClientError {
        ClientError::Malformed { address: address.to_owned(), reason: error.to_string() }
    }
}

/// Makes an error of everything but success.
pub(crate) fn accepted(
    code: ErrorCode,
    message: Option<&str>,
    what: impl FnOnce() -> String,
) -> Result<(), ClientError> {
    match code {
        ErrorCode::None => Ok(()),
        code => {
            let message = message.filter(|text| !text.is_empty()).map(str::to_owned);
            Err(ClientError::Refused { what: what(), code, message })
        }
    }
}

fn detail(message: &Option<String>) -> String {
    message.as_deref().map(|text| format!(" ({text})")).unwrap_or_default()
}
