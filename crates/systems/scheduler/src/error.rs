//! Why the scheduler does not start.

use std::path::PathBuf;

use tidemill_runtime::ListenError;

use crate::store::StoreError;

/// Why the scheduler did not start. Variants differ by what the operator does next.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken or public.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Another scheduler works on this directory.
    #[error("{dir} is in use by another scheduler; stop it, or choose another data directory", dir = dir.display())]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory cannot be used.
    #[error("the scheduler's directory {dir}: {source}", dir = dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What Python tasks need cannot be unpacked.
    #[error(transparent)]
    Python(#[from] tidemill_python::PythonHomeError),
    /// HTTP with TLS cannot be spoken here.
    #[error("HTTP requests cannot be sent from here: {0}")]
    Http(String),
}
