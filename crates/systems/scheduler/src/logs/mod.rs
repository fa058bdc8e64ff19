//! Logs of tries: one file of JSON lines each, written as it happens, read while it is written.
//!
//! `logs/dag_id=…/run_id=…/task_id=…/attempt=n.log`. A log is bounded, and an error that repeats is
//! written a few times and then counted, so that a loop that fails for a minute leaves a page, not a
//! gigabyte. Logs tell what happened; they are not what is promised: no fsync waits for them.

mod fold;
mod read;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tidemill_runtime::{ByteSize, DiskFile, OpenMode, World};
use tokio::sync::watch;

use crate::store::Masks;
use fold::{Folds, Repeats};
pub use read::{Chunk, Follow};

/// Longest text of one line, in bytes; the rest is cut.
const EVENT_BYTES_MAX: usize = 16 << 10;

/// Which log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LogKey {
    /// Its DAG.
    pub dag_id: Arc<str>,
    /// Its run.
    pub run_id: Arc<str>,
    /// Its task.
    pub task_id: Arc<str>,
    /// Its try, from 1.
    pub try_number: u32,
}

/// How serious a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It went as meant.
    Info,
    /// It recovered.
    Warning,
    /// It did not do what it should.
    Error,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// All logs of a scheduler. Cheap to clone.
#[derive(Clone)]
pub struct Logs {
    world: World,
    root: PathBuf,
    /// Most bytes of one log.
    size_max: ByteSize,
    /// What is not written.
    masks: Masks,
    open: Arc<Mutex<HashMap<LogKey, Arc<Open>>>>,
}

impl std::fmt::Debug for Logs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logs").field("root", &self.root).finish_non_exhaustive()
    }
}

/// A log that is being written.
struct Open {
    state: Mutex<State>,
    progress: watch::Sender<Progress>,
}

/// How far a log is.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// Bytes written: a change of it wakes who follows.
    len: u64,
    /// Whether no more will come.
    is_finished: bool,
}

struct State {
    file: Option<Arc<dyn DiskFile>>,
    len: u64,
    folds: Folds,
    repeats: Repeats,
    is_full: bool,
}

/// The pen of one try. Clones write to the same log.
#[derive(Clone)]
pub struct TaskLog {
    logs: Logs,
    key: LogKey,
    open: Arc<Open>,
}

impl std::fmt::Debug for TaskLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskLog").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Logs {
    /// Logs under `root`.
    pub fn new(world: World, root: PathBuf, size_max: ByteSize) -> Logs {
        Logs { world, root, size_max, masks: Masks::default(), open: Arc::default() }
    }

    /// Secrets that are masked in what is written from now on.
    #[must_use]
    pub fn masking(self, masks: Masks) -> Logs {
        Logs { masks, ..self }
    }

    /// A text without the secrets in it; none if there are none.
    pub(crate) fn masked(&self, text: &str) -> Option<String> {
        self.masks.apply(text)
    }

    /// Begins a log. One that cannot be written is reported and swallowed: a full disk must not
    /// fail work that does not need it.
    pub fn create(&self, key: LogKey) -> TaskLog {
        let (file, len) = match self.open_file(&key) {
            Ok(file) => {
                let len = file.len().unwrap_or(0);
                (Some(file), len)
            }
            Err(error) => {
                tracing::warn!(%error, task = &*key.task_id, "a task's log cannot be written");
                (None, 0)
            }
        };
        let state = State {
            file,
            len,
            folds: Folds::default(),
            repeats: Repeats::default(),
            is_full: false,
        };
        let (progress, _) = watch::channel(Progress { len, is_finished: false });
        let open = Arc::new(Open { state: Mutex::new(state), progress });
        self.open.lock().insert(key.clone(), open.clone());
        TaskLog { logs: self.clone(), key, open }
    }

    /// Removes the logs of a run that is forgotten.
    pub fn forget_run(&self, dag_id: &str, run_id: &str) {
        let dir = self.root.join(component("dag_id", dag_id)).join(component("run_id", run_id));
        match self.world.disk.remove_dir_all(&dir) {
            Ok(()) => {}
            // A run of empty tasks has none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, dag_id, run_id, "the logs of a run stay"),
        }
    }

    fn open_file(&self, key: &LogKey) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.path(key);
        if let Some(dir) = path.parent() {
            self.world.disk.create_dir_all(dir)?;
        }
        self.world.disk.open(&path, OpenMode::OrCreate)
    }

    fn path(&self, key: &LogKey) -> PathBuf {
        self.root
            .join(component("dag_id", &key.dag_id))
            .join(component("run_id", &key.run_id))
            .join(component("task_id", &key.task_id))
            .join(format!("attempt={}.log", key.try_number))
    }

    /// Where logs lie.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// `name=value` as one part of a path, whatever the value holds.
fn component(name: &str, value: &str) -> String {
    /// File names have 255 bytes.
    const BYTES_MAX: usize = 200;
    let mut text = format!("{name}=");
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b':' | b'+' => {
                text.push(char::from(byte));
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    if text.len() > BYTES_MAX {
        let hash = value.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        text.truncate(BYTES_MAX);
        text.push_str(&format!("~{hash:016x}"));
    }
    text
}

impl TaskLog {
    /// Something went as meant.
    pub fn info(&self, event: impl AsRef<str>) {
        self.write(Level::Info, "task", event.as_ref());
    }

    /// Something recovered. Repetitions are counted, not written.
    pub fn warning(&self, event: impl AsRef<str>) {
        self.fold(Level::Warning, event.as_ref());
    }

    /// Something did not do what it should. Repetitions are counted, not written.
    pub fn error(&self, event: impl AsRef<str>) {
        self.fold(Level::Error, event.as_ref());
    }

    /// A line of a child process. One that comes again and again is told by its count.
    pub fn line(&self, logger: &str, line: &str) {
        let level = if logger == "stderr" { Level::Warning } else { Level::Info };
        self.repeated(level, logger, line);
    }

    /// A log record of a child process. One that comes again and again is told by its count.
    pub fn record(&self, level: Level, logger: &str, event: &str) {
        self.repeated(level, logger, event);
    }

    fn repeated(&self, level: Level, logger: &str, event: &str) {
        let written = self.open.state.lock().repeats.count(logger, event);
        if let Some(text) = written {
            self.write(level, logger, &text);
        }
    }

    fn fold(&self, level: Level, event: &str) {
        let written = self.open.state.lock().folds.count(level, event);
        if let Some(text) = written {
            self.write(level, "task", &text);
        }
    }

    fn write(&self, level: Level, logger: &str, event: &str) {
        let now_us = self.logs.world.clock.now_us();
        let timestamp = Timestamp::from_microsecond(now_us).unwrap_or_default();
        let masked = self.logs.masked(event);
        let event = masked.as_deref().unwrap_or(event);
        let line = json!({
            "timestamp": crate::text::json_instant(timestamp),
            "level": level.as_str(),
            "event": cut(event),
            "logger": logger,
        });
        self.append(&line);
    }

    fn append(&self, line: &Value) {
        let mut state = self.open.state.lock();
        let mut bytes = format!("{line}\n").into_bytes();
        if state.len + bytes.len() as u64 > self.logs.size_max.0 {
            if std::mem::replace(&mut state.is_full, true) {
                return;
            }
            let last = json!({
                "timestamp": line["timestamp"], "level": "warning", "logger": "task",
                "event": format!("the log has reached {}: nothing more is written", self.logs.size_max),
            });
            bytes = format!("{last}\n").into_bytes();
        }
        let Some(file) = &state.file else { return };
        if let Err(error) = file.write_all_at(&bytes, state.len) {
            tracing::warn!(%error, task = &*self.key.task_id, "a task's log is no longer written");
            state.file = None;
            return;
        }
        state.len += bytes.len() as u64;
        self.open.progress.send_modify(|progress| progress.len = state.len);
    }

    /// Ends the log: what was folded is told in numbers, and who follows it is told.
    pub fn finish(&self) {
        let totals = self.open.state.lock().folds.take_totals();
        for (level, text) in totals {
            self.write(level, "task", &text);
        }
        self.logs.open.lock().remove(&self.key);
        self.open.progress.send_modify(|progress| progress.is_finished = true);
    }
}

fn cut(event: &str) -> String {
    if event.len() <= EVENT_BYTES_MAX {
        return event.to_owned();
    }
    let end = event.floor_char_boundary(EVENT_BYTES_MAX);
    format!("{}… ({} bytes)", &event[..end], event.len())
}

#[cfg(test)]
mod tests;
