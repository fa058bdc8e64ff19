//! The same world simulated and seeded: a clock that is set, a disk that loses what was not synced.
//!
//! - [`SimClock`] stands still until a test moves it.
//! - [`SimRandom`] repeats itself for the same seed, in every release.
//! - [`SimDisk`] is a file system in memory that knows which bytes and which names were synced.
//!   [`SimDisk::crash`] gives what a power cut may have left of it; [`SimDisk::fail_calls`] and
//!   [`SimDisk::cut_power_at`] make any one of its calls go wrong.
//!
//! A failed test prints the seed; the same seed is the same history.

#![forbid(unsafe_code)]

mod clock;
mod content;
mod disk;
mod faults;
mod names;
mod random;
#[cfg(test)]
mod tests;
mod tree;

pub use clock::SimClock;
pub use disk::SimDisk;
pub use faults::Fault;
pub use random::SimRandom;

use std::sync::Arc;

use tidemill_runtime::World;

/// A simulated [`World`] whose parts a test can reach. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SimWorld {
    /// Stands at 2026-01-01T00:00:00Z until moved.
    pub clock: Arc<SimClock>,
    /// Seeded.
    pub random: Arc<SimRandom>,
    /// Empty.
    pub disk: Arc<SimDisk>,
}

impl SimWorld {
    /// The world of this seed.
    pub fn new(seed: u64) -> SimWorld {
        SimWorld {
            clock: Arc::new(SimClock::default()),
            random: Arc::new(SimRandom::new(seed)),
            disk: Arc::new(SimDisk::new(seed)),
        }
    }

    /// The ports, to hand to what is tested.
    pub fn ports(&self) -> World {
        World { clock: self.clock.clone(), random: self.random.clone(), disk: self.disk.clone() }
    }

    /// The world after a power cut: time and chance go on, the disk holds what survived.
    pub fn crash(&self, seed: u64) -> SimWorld {
        SimWorld { disk: Arc::new(self.disk.crash(seed)), ..self.clone() }
    }
}

/// The seed for a test: `TIDEMILL_SIM_SEED` if it is set, to replay one failure, else `default`.
pub fn seed_or(default: u64) -> u64 {
    replayed_seed().unwrap_or(default)
}

/// The seed that `TIDEMILL_SIM_SEED` asks to replay.
pub fn replayed_seed() -> Option<u64> {
    std::env::var("TIDEMILL_SIM_SEED").ok()?.parse().ok()
}
