//! Exit codes, and the errors that choose them.

use std::process::ExitCode;

use tidemill_runtime::ListenError;

/// Something else has what was asked for: a port, a data directory.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Conflict(pub(crate) String);

/// Nothing answered in time.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotReady(pub(crate) String);

/// A check that the user asked for did not hold.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct CheckFailed(pub(crate) String);

/// 1 failed · 2 usage or configuration · 3 not ready · 4 check failed · 5 conflict.
pub(crate) fn code_of(error: &anyhow::Error) -> ExitCode {
    let code = error.chain().find_map(|cause| {
        if cause.is::<Conflict>() || matches!(cause.downcast_ref(), Some(ListenError::Taken { .. }))
        {
            Some(5)
        } else if cause.is::<CheckFailed>() {
            Some(4)
        } else if cause.is::<NotReady>() {
            Some(3)
        } else if cause.is::<crate::config::ConfigError>() {
            Some(2)
        } else {
            None
        }
    });
    ExitCode::from(code.unwrap_or(1))
}
