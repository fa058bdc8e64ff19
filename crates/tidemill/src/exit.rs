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

/// Whether a box could not start because another program has its port. The boxes hand the error on
/// as their own, so that each has to be asked.
fn is_taken(cause: &(dyn std::error::Error + 'static)) -> bool {
    macro_rules! listens {
        ($($box:ident),*) => {
            $(if let Some($box::StartError::Listen(error)) = cause.downcast_ref() {
                return matches!(error, ListenError::Taken { .. });
            })*
        };
    }
    listens!(
        tidemill_broker,
        tidemill_console,
        tidemill_engine,
        tidemill_registry,
        tidemill_scheduler,
        tidemill_store
    );
    false
}

/// 1 failed · 2 usage or configuration · 3 not ready · 4 check failed · 5 conflict.
pub(crate) fn code_of(error: &anyhow::Error) -> ExitCode {
    let code = error.chain().find_map(|cause| {
        if cause.is::<Conflict>() || is_taken(cause) {
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
