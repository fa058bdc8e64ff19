//! Reading a log, also while it is written.

use std::io;

use serde_json::{Value, json};
use tidemill_runtime::OpenMode;
use tokio::sync::watch;

use super::{LogKey, Logs, Progress};

/// Bytes one look takes.
const READ_BYTES_MAX: u64 = 4 << 20;

/// Lines of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// Each an object with `timestamp`, `level`, `event`, `logger`.
    pub lines: Vec<Value>,
    /// Where to go on.
    pub next: u64,
    /// Whether the log is finished and read to its end.
    pub is_complete: bool,
}

/// A log that is followed: lines as they are written.
pub struct Follow {
    logs: Logs,
    key: LogKey,
    progress: Option<watch::Receiver<Progress>>,
    next: u64,
}

impl std::fmt::Debug for Follow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follow").field("key", &self.key).field("next", &self.next).finish()
    }
}

impl Logs {
    /// Lines from a place on. None: there is no such log.
    pub fn read(&self, key: &LogKey, from: u64) -> io::Result<Option<Chunk>> {
        // Asked before reading: what is finished now cannot grow while we read.
        let is_open = self.open.lock().contains_key(key);
        let file = match self.world.disk.open(&self.path(key), OpenMode::Existing) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let len = file.len()?;
        let take = len.saturating_sub(from).min(READ_BYTES_MAX);
        let mut bytes = vec![0; usize::try_from(take).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, from)?;
        // A line that is not whole yet is left for the next look.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let next = from + whole as u64;
        let lines = bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let lines = lines.map(line).collect();
        Ok(Some(Chunk { lines, next, is_complete: !is_open && next >= len }))
    }

    /// Follows a log from a place on.
    pub fn follow(&self, key: LogKey, from: u64) -> Follow {
        let progress = self.open.lock().get(&key).map(|open| open.progress.subscribe());
        Follow { logs: self.clone(), key, progress, next: from }
    }
}

/// A line as it was written; one torn by a crash is shown as it is.
fn line(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| json!({ "event": String::from_utf8_lossy(bytes) }))
}

impl Follow {
    /// The next lines, waiting for them; none when the log is finished.
    pub async fn next(&mut self) -> io::Result<Option<Vec<Value>>> {
        loop {
            // Marked as seen before reading: what is written meanwhile wakes us again.
            let is_finished = match &mut self.progress {
                Some(progress) => progress.borrow_and_update().is_finished,
                None => true,
            };
            let chunk = self.logs.read(&self.key, self.next)?;
            if let Some(chunk) = chunk
                && !chunk.lines.is_empty()
            {
                self.next = chunk.next;
                return Ok(Some(chunk.lines));
            }
            if is_finished {
                return Ok(None);
            }
            if let Some(progress) = &mut self.progress
                && progress.changed().await.is_err()
            {
                self.progress = None;
            }
        }
    }
}
