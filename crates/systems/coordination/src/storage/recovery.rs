//! Opening: the newest snapshot that can be read, then the logs behind it, up to the first record
//! that is not whole. What was acknowledged is always whole: it was synced.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tidemill_runtime::{Disk, OpenMode};
use tidemill_zookeeper_wire::Reader;
use tidemill_zookeeper_wire::txn::{Txn, TxnHeader};

use super::adler::adler;
use super::journal::{END_OF_RECORD, HEADER, Journal};
use super::{snapshot, zxid_of};
use crate::error::StartError;
use crate::tree::{At, Tree};

/// Bytes before a record's body: checksum and length.
const RECORD_HEAD_BYTES: usize = 12;

/// What the disk holds.
pub(crate) struct Recovered {
    pub(crate) tree: Tree,
    /// Sessions with their timeouts in milliseconds.
    pub(crate) sessions: BTreeMap<i64, i32>,
    /// The last transaction.
    pub(crate) zxid: i64,
    pub(crate) since_snapshot: SinceSnapshot,
    pub(crate) journal: Journal,
}

/// Transactions that are in no snapshot: how many, and their bytes in the log.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SinceSnapshot {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

/// Opens the folder, which is made if absent. A tail that was never acknowledged is cut off.
pub(crate) fn open(disk: &Arc<dyn Disk>, dir: &Path) -> Result<Recovered, StartError> {
    make_dir(disk.as_ref(), dir)?;
    let names = disk.list(dir).map_err(|error| StartError::disk(dir, "list", error))?;
    let numbers = |prefix: &str| {
        let mut zxids: Vec<i64> =
            names.iter().filter_map(|entry| zxid_of(&entry.name, prefix)).collect();
        zxids.sort_unstable();
        zxids
    };
    let (snapshots, logs) = (numbers("snapshot"), numbers("log"));
    let (base, base_zxid) = newest_snapshot(disk.as_ref(), dir, &snapshots, &logs)?;
    let journal = Journal::new(disk.clone(), dir);
    let mut recovered = Recovered {
        tree: base.tree,
        sessions: base.sessions,
        zxid: base_zxid,
        since_snapshot: SinceSnapshot::default(),
        journal,
    };
    let first = logs.iter().rposition(|zxid| *zxid <= base_zxid + 1).unwrap_or(0);
    let needed = &logs[first.min(logs.len())..];
    for (at, zxid) in needed.iter().enumerate() {
        recovered.replay(disk.as_ref(), dir, *zxid, needed.get(at + 1).copied())?;
    }
    Ok(recovered)
}

/// Makes a folder with what is missing above it, so that it outlives a power cut.
pub(crate) fn make_dir(disk: &dyn Disk, dir: &Path) -> Result<(), StartError> {
    let missing = dir.ancestors().take_while(|above| !disk.exists(above)).count();
    disk.create_dir_all(dir).map_err(|error| StartError::disk(dir, "make", error))?;
    // The folder's own name in any case: an earlier start may have ended before it came so far.
    for (made, above) in dir.ancestors().skip(1).take(missing.max(1)).enumerate() {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        match disk.sync_dir(above) {
            // Who made the folder for us may keep what is above to himself, and has synced it.
            Err(error) if made >= missing && error.kind() == io::ErrorKind::PermissionDenied => {}
            done => done.map_err(|error| StartError::disk(above, "sync", error))?,
        }
    }
    Ok(())
}

fn newest_snapshot(
    disk: &dyn Disk,
    dir: &Path,
    snapshots: &[i64],
    logs: &[i64],
) -> Result<(snapshot::Read, i64), StartError> {
    let mut reason = None;
    for zxid in snapshots.iter().rev() {
        let path = dir.join(format!("snapshot.{zxid:x}"));
        let bytes = disk.read(&path).map_err(|error| StartError::disk(&path, "read", error))?;
        match snapshot::read(Bytes::from(bytes)) {
            Ok(read) => return Ok((read, *zxid)),
            Err(why) => {
                tracing::warn!(path = %path.display(), why, "snapshot skipped");
                reason.get_or_insert((path, why));
            }
        }
    }
    match (reason, logs.first()) {
        (Some((path, reason)), _) => Err(StartError::Unreadable { path, reason }),
        (None, Some(first)) if *first != 1 => Err(StartError::Unreadable {
            path: dir.to_owned(),
            reason: "it has logs but no snapshot to begin with".to_owned(),
        }),
        (None, _) => Ok((fresh(disk, dir)?, 0)),
    }
}

/// The first snapshot: ZooKeeper does not take logs without one.
fn fresh(disk: &dyn Disk, dir: &Path) -> Result<snapshot::Read, StartError> {
    let read = snapshot::Read { tree: Tree::new(), sessions: BTreeMap::new() };
    let bytes = snapshot::serialize(&read.tree, std::iter::empty::<(i64, i32)>());
    snapshot::write(disk, dir, 0, &bytes, usize::MAX)
        .map_err(|error| StartError::disk(dir, "write the first snapshot to", error))?;
    Ok(read)
}

impl Recovered {
    /// Applies one log file; `next` is the first transaction of the file after it, if there is one.
    fn replay(
        &mut self,
        disk: &dyn Disk,
        dir: &Path,
        name: i64,
        next: Option<i64>,
    ) -> Result<(), StartError> {
        let path = dir.join(format!("log.{name:x}"));
        let bytes = disk.read(&path).map_err(|error| StartError::disk(&path, "read", error))?;
        let bytes = Bytes::from(bytes);
        let mut end = HEADER.len();
        let mut records = 0;
        if bytes.starts_with(&HEADER[..8]) {
            while let Some((header, txn, length)) = next_record(&bytes, end) {
                self.apply(&header, &txn, length as u64);
                end += length;
                records += 1;
            }
        }
        match next {
            // A file is begun when the one before it is durable, so nothing of this one is missing.
            // ZooKeeper's numbers go on at 1 in the low half when another server leads.
            Some(next) if next == self.zxid + 1 || next & 0xffff_ffff == 1 => Ok(()),
            Some(next) => Err(StartError::Unreadable {
                path,
                reason: format!(
                    "it ends at transaction 0x{:x}, and the next file begins at 0x{next:x}",
                    self.zxid
                ),
            }),
            None => cut(disk, dir, &path, &bytes, end, records),
        }
    }

    fn apply(&mut self, header: &TxnHeader, txn: &Txn, bytes: u64) {
        if header.zxid <= self.zxid {
            return;
        }
        let at = At { zxid: header.zxid, time_ms: header.time_ms, session_id: header.session_id };
        match txn {
            Txn::CreateSession(timeout_ms) => {
                self.sessions.insert(header.session_id, *timeout_ms);
            }
            Txn::CloseSession(_) => {
                self.sessions.remove(&header.session_id);
            }
            _ => {}
        }
        // ZooKeeper logs a multi that failed with errors as its parts; then none of it happened.
        let failed =
            matches!(txn, Txn::Multi(parts) if parts.iter().any(|p| matches!(p, Txn::Error(_))));
        if !failed {
            self.tree.apply(at, txn, &mut Vec::new());
        }
        self.zxid = header.zxid;
        self.since_snapshot.count += 1;
        self.since_snapshot.bytes += bytes;
    }
}

/// The record at this position with its length in bytes; none if it is not whole.
fn next_record(bytes: &Bytes, at: usize) -> Option<(TxnHeader, Txn, usize)> {
    let head = bytes.get(at..at + RECORD_HEAD_BYTES)?;
    let checksum = i64::from_be_bytes(head[..8].try_into().ok()?);
    let length = usize::try_from(i32::from_be_bytes(head[8..].try_into().ok()?)).ok()?;
    let begin = at + RECORD_HEAD_BYTES;
    let body = bytes.get(begin..begin.checked_add(length)?)?;
    // Space that was taken but not written is zeros.
    if length == 0 || adler(body) != checksum || bytes.get(begin + length) != Some(&END_OF_RECORD) {
        return None;
    }
    // Copied, or one small node would keep the whole file in memory.
    let mut reader = Reader::new(Bytes::copy_from_slice(body));
    let header: TxnHeader = reader.take().ok()?;
    let txn = Txn::read(header.op, &mut reader).ok()?;
    Some((header, txn, RECORD_HEAD_BYTES + length + 1))
}

/// The transactions of log records, for tests that keep books of their own.
#[cfg(test)]
pub(crate) fn records(bytes: &[u8]) -> Vec<(TxnHeader, Txn)> {
    let (bytes, mut at, mut found) = (Bytes::copy_from_slice(bytes), 0, Vec::new());
    while let Some((header, txn, length)) = next_record(&bytes, at) {
        found.push((header, txn));
        at += length;
    }
    found
}

/// Takes away what stands behind the last whole record of the last file: it was never acknowledged.
/// What is taken away is kept beside, because a disk that has lost what it had confirmed leaves the
/// same traces, and then somebody will want to look.
fn cut(
    disk: &dyn Disk,
    dir: &Path,
    path: &Path,
    bytes: &Bytes,
    end: usize,
    records: usize,
) -> Result<(), StartError> {
    let tail = bytes.get(end..).unwrap_or_default();
    let done = keep_tail(disk, dir, path, tail).and_then(|()| {
        if records == 0 {
            // The file that comes next has the same name.
            disk.remove_file(path)
        } else {
            // Read, but perhaps not yet on the disk: what follows must not be durable before it.
            let file = disk.open(path, OpenMode::Existing)?;
            if !tail.is_empty() {
                file.set_len(end as u64)?;
            }
            file.sync_data()
        }
    });
    let done = done.and_then(|()| disk.sync_dir(dir));
    done.map_err(|error| StartError::disk(path, "cut the torn tail of", error))
}

fn keep_tail(disk: &dyn Disk, dir: &Path, path: &Path, tail: &[u8]) -> io::Result<()> {
    // Space that was taken and not written is zeros.
    if tail.iter().all(|byte| *byte == 0) {
        return Ok(());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let kept = dir.join(format!("torn.{name}"));
    tracing::warn!(path = %path.display(), bytes = tail.len(), kept = %kept.display(), "torn tail cut off");
    disk.replace(&kept, tail)
}
