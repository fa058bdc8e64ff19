//! What appending, flushing and reading threads share of one log.
//!
//! Locks are taken in this order: the flush turn, the writer, then any of the small ones. Callbacks
//! run without the writer's lock.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use parking_lot::{Mutex, RwLock};
use tidemill_runtime::{Disk, OpenMode};

use crate::acks::Acks;
use crate::checkpoint::{LeaderEpochs, Mark};
use crate::files::POISONED;
use crate::flusher::{Queue, Ticket};
use crate::segment::Segment;
use crate::{LogConfig, LogError};

/// Told the high watermark whenever it has moved.
pub type Observer = Arc<dyn Fn(i64) + Send + Sync>;

pub(crate) struct Shared {
    pub(crate) dir: Arc<Path>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) config: RwLock<Arc<LogConfig>>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) ticket: Ticket,
    /// Held by whoever syncs, writes checkpoints or removes segments.
    pub(crate) turn: Mutex<Turn>,
    /// Held by the one compaction that may be under way.
    pub(crate) compacting: AtomicBool,
    pub(crate) writer: Mutex<Writer>,
    /// Oldest first, never empty. Replaced as a whole, so that a reader keeps what it began with.
    pub(crate) segments: RwLock<Arc<Vec<Arc<Segment>>>>,
    pub(crate) start_offset: AtomicI64,
    pub(crate) end_offset: AtomicI64,
    /// Up to where readers see.
    pub(crate) visible: Mutex<Mark>,
    pub(crate) acks: Acks,
    pub(crate) observers: RwLock<Vec<Observer>>,
}

/// What the one at work on the disk knows.
pub(crate) struct Turn {
    /// The recovery point in the checkpoint file.
    pub(crate) recovery: Mark,
    /// Bytes that had been appended since opening, when that was written.
    pub(crate) appended_at_checkpoint: u64,
    /// In segments that begin below this offset a compaction may have made gaps. In the checkpoint
    /// file before the first such segment is.
    pub(crate) gaps_below: i64,
}

/// Where the next append goes.
pub(crate) struct Writer {
    pub(crate) active: Arc<Segment>,
    pub(crate) end_offset: i64,
    /// Reserved on the disk for the active segment, in bytes from its start.
    pub(crate) reserved: u64,
    /// Bytes appended since opening.
    pub(crate) appended: u64,
    /// Segments that are complete and not yet known to be synced with their indexes.
    pub(crate) rolled: Vec<Arc<Segment>>,
    /// Counts new names in the directory; those above `names_synced` are not durable.
    pub(crate) names: u64,
    pub(crate) names_synced: u64,
    /// Whether the directory itself is a new name.
    pub(crate) dir_is_new: bool,
    pub(crate) epochs: LeaderEpochs,
    pub(crate) closed: bool,
}

impl Writer {
    /// The end of the log.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            offset: self.end_offset,
            segment: self.active.base_offset,
            position: self.active.size(),
        }
    }
}

impl Shared {
    pub(crate) fn config(&self) -> Arc<LogConfig> {
        self.config.read().clone()
    }

    pub(crate) fn segments(&self) -> Arc<Vec<Arc<Segment>>> {
        self.segments.read().clone()
    }

    pub(crate) fn start_offset(&self) -> i64 {
        self.start_offset.load(Ordering::Acquire)
    }

    pub(crate) fn end_offset(&self) -> i64 {
        self.end_offset.load(Ordering::Acquire)
    }

    /// Lets readers see more.
    pub(crate) fn publish(&self, mark: Mark) {
        let moved = {
            let mut visible = self.visible.lock();
            let moved = mark.offset > visible.offset;
            if moved {
                *visible = mark;
            }
            moved
        };
        if moved {
            let observers = self.observers.read().clone();
            observers.iter().for_each(|observer| observer(mark.offset));
        }
    }

    /// Nothing is acknowledged any more.
    pub(crate) fn poison(&self, action: &'static str, error: &std::io::Error) -> LogError {
        tracing::error!(dir = %self.dir.display(), %error, "failed to {action}: the log takes no more records");
        let poisoned = LogError::Poisoned(format!("failed to {action}: {error}").into());
        self.acks.end(poisoned.clone());
        if let Err(error) = self.disk.open(&self.dir.join(POISONED), OpenMode::OrCreate) {
            tracing::error!(dir = %self.dir.display(), %error,
                "the failure could not be noted: reboot before the log is opened again");
        }
        poisoned
    }

    /// Fails if nothing will be acknowledged any more.
    pub(crate) fn check_alive(&self) -> Result<(), LogError> {
        self.acks.ended().map_or(Ok(()), Err)
    }
}
