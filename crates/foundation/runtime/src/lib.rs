//! What the world gives a box, as arguments.
//!
//! A box never asks the operating system for the time, for chance or for a file: it is handed a
//! [`World`]. In production that is the real one; in `tidemill-sim` the same ports are simulated
//! and seeded, so that a crash at any moment can be replayed from one number.
//!
//! - [`Clock`]: wall time for records and schedules, monotonic time for deadlines.
//! - [`Random`]: bytes; identifiers are made from it.
//! - [`Disk`] and [`DiskFile`]: what the log writes through.
//! - [`Tasks`]: every task has an owner that stops it and waits for it.
//! - [`System`]: what the node needs to know of a box.
//! - [`ByteSize`], [`Span`]: configuration values with their units.
//! - [`listen`]: opens a port, or says which program holds it.

mod clock;
mod disk;
mod host;
mod listen;
mod random;
mod system;
mod tasks;
mod units;

pub use clock::{Clock, SystemClock};
pub use disk::{DirEntry, DirLock, Disk, DiskFile, OpenMode, OsDisk};
pub use host::is_loopback_host;
pub use listen::{ListenError, listen};
pub use random::{Random, SystemRandom};
pub use system::{BoxFuture, System};
pub use tasks::{Failure, Shutdown, Tasks};
pub use units::{ByteSize, Span, UnitError};

use std::sync::Arc;

/// The ports through which a box sees the world. Cheap to clone.
#[derive(Clone)]
pub struct World {
    /// Wall and monotonic time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// Files.
    pub disk: Arc<dyn Disk>,
}

impl World {
    /// The real world: the system's clock, its random source and its file system.
    pub fn real() -> World {
        World {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom::new()),
            disk: Arc::new(OsDisk::new()),
        }
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("now_ms", &self.clock.now_ms()).finish_non_exhaustive()
    }
}
