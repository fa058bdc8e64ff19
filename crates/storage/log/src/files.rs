//! The names in a partition's directory, and how a small file is replaced.

use std::io;
use std::path::{Path, PathBuf};

use tidemill_runtime::{Disk, OpenMode};

use crate::error::is_full;

/// Record batches.
pub(crate) const LOG: &str = "log";
/// Offsets to positions.
pub(crate) const OFFSET_INDEX: &str = "index";
/// Timestamps to offsets.
pub(crate) const TIME_INDEX: &str = "timeindex";
/// Aborted transactions.
pub(crate) const TXN_INDEX: &str = "txnindex";
/// What Kafka knows of producers; not written here.
pub(crate) const SNAPSHOT: &str = "snapshot";
/// Behind the name of a file that a compaction is writing.
pub(crate) const CLEANED: &str = ".cleaned";
/// Behind the name of a compacted segment that is to take the place of those it came from.
pub(crate) const SWAP: &str = ".swap";
/// An empty file that says: a sync or write failed, so what the kernel shows of the unsynced bytes
/// may not be what the disk holds. It needs no sync itself: a reboot forgets both.
pub(crate) const POISONED: &str = "poisoned";
/// A file that was about to replace another one.
pub(crate) const BESIDE: &str = ".tmp";

/// What may lie beside a segment and goes with it.
pub(crate) const OF_A_SEGMENT: [&str; 5] = [LOG, OFFSET_INDEX, TIME_INDEX, TXN_INDEX, SNAPSHOT];

/// Digits in a segment's name, as in Kafka.
const NAME_DIGITS: usize = 20;

/// `<dir>/<base offset, 20 digits>.<suffix>`
pub(crate) fn segment_path(dir: &Path, base_offset: i64, suffix: &str) -> PathBuf {
    dir.join(format!("{base_offset:0NAME_DIGITS$}.{suffix}"))
}

/// The base offset in the name of a segment's file with this suffix.
pub(crate) fn base_offset_of(name: &str, suffix: &str) -> Option<i64> {
    let digits = name.strip_suffix(suffix)?.strip_suffix('.')?;
    let all_digits = digits.len() == NAME_DIGITS && digits.bytes().all(|c| c.is_ascii_digit());
    if all_digits { digits.parse().ok() } else { None }
}

/// Why small files were not replaced.
#[derive(Debug)]
pub(crate) enum ReplaceError {
    /// The disk is full: everything is as before, a later attempt may succeed.
    Full,
    /// Anything else. What the disk holds is unknown.
    Failed(io::Error),
}

/// Replaces small files, so that after a crash each has either its old content or the new one. All
/// are durable when it returns.
pub(crate) fn replace(
    disk: &dyn Disk,
    dir: &Path,
    files: &[(PathBuf, Vec<u8>)],
) -> Result<(), ReplaceError> {
    let beside = |path: &Path| PathBuf::from(format!("{}{BESIDE}", path.display()));
    for (path, content) in files {
        let write = || {
            let file = disk.open(&beside(path), OpenMode::OrCreate)?;
            file.set_len(0)?;
            file.write_all_at(content, 0)?;
            Ok(file)
        };
        let file = write().map_err(|error: io::Error| {
            if is_full(&error) { ReplaceError::Full } else { ReplaceError::Failed(error) }
        })?;
        file.sync_all().map_err(ReplaceError::Failed)?;
    }
    for (path, _) in files {
        disk.rename(&beside(path), path).map_err(ReplaceError::Failed)?;
    }
    disk.sync_dir(dir).map_err(ReplaceError::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_named_by_their_base_offset() {
        let path = segment_path(Path::new("/d/t-0"), 1234, LOG);
        assert_eq!(path, Path::new("/d/t-0/00000000000000001234.log"));
        for (name, base) in [
            ("00000000000000001234.log", Some(1234)),
            ("09223372036854775807.log", Some(i64::MAX)),
            ("99999999999999999999.log", None),
            ("1234.log", None),
            ("+0000000000000001234.log", None),
            ("00000000000000001234.index", None),
            ("00000000000000001234log", None),
        ] {
            assert_eq!(base_offset_of(name, LOG), base, "{name}");
        }
    }
}
