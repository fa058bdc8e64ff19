//! Group commit for all logs of a node.

use std::io;

use tidemill_runtime::World;

/// The threads that sync the logs of a node.
#[derive(Debug)]
pub struct Flusher;

impl Flusher {
    /// Starts the threads.
    pub fn start(_world: &World) -> io::Result<Flusher> {
        Ok(Flusher)
    }

    /// No threads: work is done by [`Flusher::run_until_idle`], so that a test decides when.
    pub fn manual(_world: &World) -> Flusher {
        Flusher
    }

    /// Does all work that is due, on this thread. Returns how many syncs of a log that were.
    pub fn run_until_idle(&self) -> usize {
        0
    }

    /// Finishes all work and ends the threads. Logs may still be closed afterwards.
    pub fn stop(&self) {}
}
