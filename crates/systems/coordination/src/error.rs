//! Why coordination did not start.

use std::io;
use std::path::PathBuf;

use tidemill_runtime::ListenError;

/// Why coordination did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be had; choose another.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Another process works in the directory; stop it, or choose another directory.
    #[error("{dir} is in use by another process")]
    InUse {
        /// The data directory.
        dir: PathBuf,
    },
    /// The directory cannot be used.
    #[error("failed to {action} {path}")]
    Disk {
        /// File or directory.
        path: PathBuf,
        /// What was attempted.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// What is on the disk is not what was written there, or of a later release. Nothing of it is
    /// touched: put back a backup, or move the file away to go on without it.
    #[error("{path} cannot be read: {reason}")]
    Unreadable {
        /// File or directory.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
}

impl StartError {
    /// Wraps what the system said of a path.
    pub(crate) fn disk(path: &std::path::Path, action: &'static str, source: io::Error) -> Self {
        StartError::Disk { path: path.to_owned(), action, source }
    }
}
