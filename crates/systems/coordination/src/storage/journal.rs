//! The transaction log being written: `log.<first zxid>`, records one after the other.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidemill_runtime::{Disk, DiskFile, OpenMode};
use tidemill_zookeeper_wire::Jute;
use tidemill_zookeeper_wire::txn::{Txn, TxnHeader};

use super::adler::adler;

/// "ZKLG", version 2, database 0.
pub(super) const HEADER: [u8; 16] = [b'Z', b'K', b'L', b'G', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0];
/// Behind each record.
pub(super) const END_OF_RECORD: u8 = b'B';
/// Space is taken from the disk in such steps, so that most appends need no new blocks.
const ALLOCATE_BYTES: u64 = 4 << 20;

/// A transaction as it stands in the log: checksum, length, header, transaction, end mark.
pub(crate) fn record(header: &TxnHeader, txn: &Txn, to: &mut Vec<u8>) {
    let begin = to.len();
    to.extend([0; 12]);
    header.write(to);
    txn.write(to);
    let body = begin + 12;
    let length = i32::try_from(to.len() - body).expect("a transaction is about as long as a frame");
    let checksum = adler(&to[body..]);
    to[begin..begin + 8].copy_from_slice(&checksum.to_be_bytes());
    to[begin + 8..body].copy_from_slice(&length.to_be_bytes());
    to.push(END_OF_RECORD);
}

/// Appends to the newest log file. After an error it must not be used any more: the disk does not
/// vouch for what it holds.
pub(crate) struct Journal {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    file: Option<Open>,
}

struct Open {
    file: Arc<dyn DiskFile>,
    len: u64,
    allocated: u64,
    /// Its name is not durable yet.
    is_new: bool,
}

impl Journal {
    /// Will begin a new file in this directory.
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: &Path) -> Journal {
        Journal { disk, dir: dir.to_owned(), file: None }
    }

    /// Appends records, the first of which has this number.
    pub(crate) fn append(&mut self, first_zxid: i64, records: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            let path = self.dir.join(format!("log.{first_zxid:x}"));
            let file = self.disk.open(&path, OpenMode::CreateNew)?;
            file.write_all_at(&HEADER, 0)?;
            let len = HEADER.len() as u64;
            self.file = Some(Open { file, len, allocated: 0, is_new: true });
        }
        let open = self.file.as_mut().expect("it was opened above");
        let end = open.len + records.len() as u64;
        if end > open.allocated {
            let more = records.len() as u64 + ALLOCATE_BYTES;
            open.file.allocate(open.len, more)?;
            open.allocated = open.len + more;
        }
        open.file.write_all_at(records, open.len)?;
        open.len = end;
        Ok(())
    }

    /// Makes durable all that was appended.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        let Some(open) = &mut self.file else { return Ok(()) };
        open.file.sync_data()?;
        if open.is_new {
            self.disk.sync_dir(&self.dir)?;
            open.is_new = false;
        }
        Ok(())
    }

    /// Ends the file: what comes next goes into another one. What it holds must be durable.
    pub(crate) fn roll(&mut self) {
        self.file = None;
    }
}
