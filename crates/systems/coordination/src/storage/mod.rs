//! What is on the disk: ZooKeeper's own transaction logs and snapshots, in `version-2` of the data
//! directory. ZooKeeper's `TxnLogToolkit` and `SnapshotFormatter` read them, and a ZooKeeper server
//! goes on from them. `docs/formats/coordination.md` describes them.

mod adler;
mod journal;
mod recovery;
mod snapshot;

pub(crate) use journal::{Journal, record};
#[cfg(test)]
pub(crate) use recovery::records;
pub(crate) use recovery::{Recovered, SinceSnapshot, make_dir, open};
pub(crate) use snapshot::{serialize, write as write_snapshot};

/// The folder in the data directory, named after the format.
pub(crate) const FOLDER: &str = "version-2";

/// A file name's transaction: `log.1a` is about transaction 0x1a.
fn zxid_of(name: &str, prefix: &str) -> Option<i64> {
    let digits = name.strip_prefix(prefix)?.strip_prefix('.')?;
    i64::from_str_radix(digits, 16).ok()
}
