//! Making durable: syncs, checkpoints, closing.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::MutexGuard;

use crate::LogError;
use crate::checkpoint::{Checkpoint, Mark};
use crate::files::{self, ReplaceError};
use crate::flusher::{FlushTarget, Ticket};
use crate::segment::Segment;
use crate::shared::{Shared, Turn};

/// What has to be synced before the records below `end` are durable.
struct Unsynced {
    end: Mark,
    rolled: Vec<Arc<Segment>>,
    active: Arc<Segment>,
    names: Option<u64>,
    dir_is_new: bool,
    appended: u64,
}

impl FlushTarget for Shared {
    fn flush_now(&self) {
        let mut turn = self.turn.lock();
        // Who waits has been told by the poison; there is nobody else to tell.
        if let Err(error) = self.flush(&mut turn) {
            tracing::debug!(dir = %self.dir.display(), %error, "flush did nothing");
        }
    }

    fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    fn interval(&self) -> Duration {
        self.config().flush_interval
    }
}

impl Shared {
    /// Syncs what was appended before this call, tells who waits, and moves the recovery point on
    /// if it is time.
    pub(crate) fn flush(&self, turn: &mut MutexGuard<'_, Turn>) -> Result<(), LogError> {
        let unsynced = self.sync(turn)?;
        let since = unsynced.appended - turn.appended_at_checkpoint;
        if unsynced.rolled.is_empty() && since < self.config().checkpoint_bytes {
            return Ok(());
        }
        self.checkpoint(turn, &unsynced, self.start_offset())
    }

    /// As [`Shared::flush`], and moves the recovery point to the end in any case, together with the
    /// start of the log.
    pub(crate) fn flush_and_checkpoint(
        &self,
        turn: &mut MutexGuard<'_, Turn>,
        start_offset: i64,
    ) -> Result<(), LogError> {
        let unsynced = self.sync(turn)?;
        self.checkpoint(turn, &unsynced, start_offset)
    }

    fn sync(&self, _turn: &mut MutexGuard<'_, Turn>) -> Result<Unsynced, LogError> {
        self.check_alive()?;
        let unsynced = {
            let writer = self.writer.lock();
            Unsynced {
                end: writer.mark(),
                rolled: writer.rolled.clone(),
                active: writer.active.clone(),
                names: (writer.names > writer.names_synced).then_some(writer.names),
                dir_is_new: writer.dir_is_new,
                appended: writer.appended,
            }
        };
        self.sync_to_disk(&unsynced).map_err(|error| self.poison("sync", &error))?;
        {
            let mut writer = self.writer.lock();
            writer.names_synced = unsynced.names.unwrap_or(writer.names_synced);
            writer.dir_is_new = false;
        }
        // Only now may anybody be told.
        self.publish(unsynced.end);
        self.acks.advance(unsynced.end.offset);
        Ok(unsynced)
    }

    fn sync_to_disk(&self, unsynced: &Unsynced) -> io::Result<()> {
        for segment in &unsynced.rolled {
            segment.sync()?;
        }
        if unsynced.dir_is_new
            && let Some(parent) = self.dir.parent()
        {
            self.disk.sync_dir(parent)?;
        }
        if unsynced.names.is_some() {
            self.disk.sync_dir(&self.dir)?;
        }
        unsynced.active.sync()
    }

    /// Writes down that everything before `synced.end` is synced: first the indexes of it, then the
    /// recovery point.
    fn checkpoint(
        &self,
        turn: &mut MutexGuard<'_, Turn>,
        synced: &Unsynced,
        start_offset: i64,
    ) -> Result<(), LogError> {
        // Callbacks have run since the sync, and may have ended the log.
        self.check_alive()?;
        let epochs = {
            let mut writer = self.writer.lock();
            std::mem::take(&mut writer.epochs.changed).then(|| writer.epochs.clone())
        };
        let mut beside = Vec::new();
        for segment in synced.rolled.iter().chain([&synced.active]) {
            beside.extend(segment.index_files(synced.end));
        }
        beside.extend(epochs.as_ref().map(|epochs| epochs.file(&self.dir)));
        let gaps_below = turn.gaps_below;
        let checkpoint = Checkpoint { recovery: synced.end, start_offset, gaps_below };

        let written = files::replace(&*self.disk, &self.dir, &beside)
            .and_then(|()| files::replace(&*self.disk, &self.dir, &[checkpoint.file(&self.dir)]));
        if let Err(error) = written {
            self.writer.lock().epochs.changed |= epochs.is_some();
            return Err(match error {
                ReplaceError::Full => {
                    tracing::warn!(dir = %self.dir.display(), "no space left for a checkpoint, trying again later");
                    LogError::NoSpace
                }
                ReplaceError::Failed(error) => self.poison("write a checkpoint", &error),
            });
        }
        turn.recovery = synced.end;
        turn.appended_at_checkpoint = synced.appended;
        for segment in &synced.rolled {
            segment.forget_indexes();
            segment.release_space();
        }
        let finished =
            |segment: &Arc<Segment>| synced.rolled.iter().any(|done| Arc::ptr_eq(done, segment));
        self.writer.lock().rolled.retain(|segment| !finished(segment));
        Ok(())
    }

    /// Takes no more appends, makes everything durable and the next start a mere opening.
    pub(crate) fn close(&self) -> Result<(), LogError> {
        {
            let mut writer = self.writer.lock();
            if writer.closed {
                return Ok(());
            }
            writer.closed = true;
            let active = writer.active.clone();
            active.with_indexes(|indexes| indexes.note_newest(active.base_offset));
        }
        let mut turn = self.turn.lock();
        let result = self.flush_and_checkpoint(&mut turn, self.start_offset());
        self.writer.lock().active.release_space();
        self.acks.end(LogError::Closed);
        result
    }

    /// Takes no more appends and leaves the directory as it is.
    pub(crate) fn abandon(&self) {
        self.end();
        // Whoever is at work on the disk finishes; later ones find nothing to do.
        drop(self.turn.lock());
    }

    /// Takes no more appends and acknowledges none.
    pub(crate) fn end(&self) {
        self.writer.lock().closed = true;
        self.acks.end(LogError::Closed);
    }
}
