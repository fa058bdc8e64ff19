//! Why the engine did not start.

use std::io;
use std::path::PathBuf;

use tidemill_runtime::ListenError;

/// Why the engine did not start. A bad pipeline is no reason: it fails alone.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another address, or an end to who has it.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Another process runs on the same data.
    #[error("{} is in use by another engine", dir.display())]
    InUse {
        /// The engine's data.
        dir: PathBuf,
    },
    /// The disk does not do what it has to.
    #[error("cannot use {}", path.display())]
    Disk {
        /// What was opened.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
