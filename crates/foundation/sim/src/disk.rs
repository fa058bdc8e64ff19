//! The simulated disk behind the ports of `tidemill-runtime`.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tidemill_runtime::{DirEntry, DirLock, Disk, DiskFile, OpenMode, Random as _};

use crate::faults::{Fault, Kind, Verdict, eio, enospc, no_power};
use crate::names::Inode;
use crate::tree::Tree;

/// A file system in memory. Handles made by cloning see the same files.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<Tree>>);

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimDisk").field("calls", &self.calls()).finish_non_exhaustive()
    }
}

impl SimDisk {
    /// An empty disk. The seed decides what failed syncs and cut writes leave.
    pub fn new(seed: u64) -> SimDisk {
        SimDisk(Arc::new(Mutex::new(Tree::new(seed))))
    }

    /// What a power cut may leave of this disk: of every sector that was not synced the old bytes,
    /// the new ones, some in between, or a torn mix; of names and lengths likewise. This disk goes
    /// on as it is, so that one history can be crashed many times.
    pub fn crash(&self, seed: u64) -> SimDisk {
        SimDisk(Arc::new(Mutex::new(self.0.lock().crash(seed))))
    }

    /// Calls so far. The first call is number 1.
    pub fn calls(&self) -> u64 {
        self.0.lock().faults.calls
    }

    /// Calls so far that were no mere looks: each one is a place where a power cut differs.
    pub fn changes(&self) -> u64 {
        self.0.lock().faults.changes
    }

    /// Calls so far that were made to fail.
    pub fn faults_hit(&self) -> u64 {
        self.0.lock().faults.hits
    }

    /// Makes the calls with these numbers fail.
    pub fn fail_calls(&self, calls: Range<u64>, fault: Fault) {
        self.0.lock().faults.fail(calls, fault);
    }

    /// Cuts the power during the change with this number: that call may or may not have had its
    /// effect, it and all later ones give an error.
    pub fn cut_power_at(&self, change: u64) {
        self.0.lock().faults.cut_power_at(change);
    }

    /// Forgets all planned faults. Unsynced bytes stay unsynced.
    pub fn clear_faults(&self) {
        self.0.lock().faults.clear();
    }

    /// Flips bits of one byte of a file behind everybody's back, on the disk and in the cache.
    pub fn rot(&self, path: &Path, offset: u64, xor: u8) -> io::Result<()> {
        let mut tree = self.0.lock();
        let inode = tree.find(path)?;
        tree.content_mut(inode)?.rot(offset as usize, xor);
        Ok(())
    }

    /// A call without an effect that could be cut in half.
    fn look<T>(&self, work: impl FnOnce(&Tree) -> io::Result<T>) -> io::Result<T> {
        let mut tree = self.0.lock();
        match tree.faults.next(Kind::Look) {
            Verdict::Works => work(&tree),
            Verdict::Fails(_) => Err(eio()),
            Verdict::PowerCut | Verdict::Dead => Err(no_power()),
        }
    }

    /// A call that changes names or lengths.
    fn change<T>(
        &self,
        kind: Kind,
        work: impl FnOnce(&mut Tree) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut tree = self.0.lock();
        match tree.faults.next(kind) {
            Verdict::Works => work(&mut tree),
            Verdict::Fails(Fault::Io) => Err(eio()),
            Verdict::Fails(Fault::NoSpace | Fault::ShortWrite) => Err(enospc()),
            Verdict::PowerCut => {
                if tree.random.chance(1, 2) {
                    work(&mut tree)?;
                }
                Err(no_power())
            }
            Verdict::Dead => Err(no_power()),
        }
    }

    /// A call that makes changes durable.
    fn sync(
        &self,
        works: impl FnOnce(&mut Tree) -> io::Result<()>,
        fails: impl FnOnce(&mut Tree) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut tree = self.0.lock();
        match tree.faults.next(Kind::Sync) {
            Verdict::Works => works(&mut tree),
            Verdict::Fails(_) => {
                fails(&mut tree)?;
                Err(eio())
            }
            Verdict::PowerCut => {
                if tree.random.chance(1, 2) {
                    works(&mut tree)?;
                }
                Err(no_power())
            }
            Verdict::Dead => Err(no_power()),
        }
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let known = self.0.lock().find(path).ok();
        let inode = match (known, mode) {
            (Some(_), OpenMode::CreateNew) => {
                self.look(|_| Err(io::ErrorKind::AlreadyExists.into()))?
            }
            (Some(inode), _) => self.look(|tree| tree.content(inode).map(|_| inode))?,
            (None, OpenMode::Existing) => self.look(|_| Err(io::ErrorKind::NotFound.into()))?,
            (None, _) => self.change(Kind::Grow, |tree| tree.create_file(path))?,
        };
        Ok(Arc::new(SimFile { disk: self.clone(), inode }))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        self.look(|tree| tree.list(dir))
    }

    fn exists(&self, path: &Path) -> bool {
        self.look(|tree| tree.find(path)).is_ok()
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        if self.0.lock().find(dir).is_ok() {
            return self.look(|_| Ok(()));
        }
        self.change(Kind::Grow, |tree| tree.create_dir_all(dir))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(Kind::Change, |tree| tree.rename(from, to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.change(Kind::Change, |tree| tree.remove_file(path))
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.change(Kind::Change, |tree| tree.remove_dir_all(dir))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let inode = self.0.lock().find(dir)?;
        self.sync(
            |tree| {
                tree.names_mut(inode)?.sync();
                Ok(())
            },
            // Names are journaled: a file system either keeps them to try again, or stops.
            |_| Ok(()),
        )
    }

    fn lock_dir(&self, dir: &Path) -> io::Result<DirLock> {
        self.open(&dir.join(".lock"), OpenMode::OrCreate)?;
        let path = dir.to_owned();
        if !self.0.lock().locked.insert(path.clone()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(DirLock::new(Held { disk: self.clone(), path }))
    }
}

struct Held {
    disk: SimDisk,
    path: PathBuf,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.disk.0.lock().locked.remove(&self.path);
    }
}

struct SimFile {
    disk: SimDisk,
    inode: Inode,
}

impl DiskFile for SimFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.disk.look(|tree| Ok(tree.content(self.inode)?.read(bytes, position(offset)?)))
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let offset = position(offset)?;
        let mut tree = self.disk.0.lock();
        let verdict = tree.faults.next(Kind::Write);
        let (written, result) = match verdict {
            Verdict::Works => (bytes.len(), Ok(())),
            Verdict::Fails(Fault::Io) => (0, Err(eio())),
            Verdict::Fails(Fault::NoSpace) => (0, Err(enospc())),
            Verdict::Fails(Fault::ShortWrite) => {
                (tree.random.below(bytes.len() as u64) as usize, Err(enospc()))
            }
            Verdict::PowerCut => {
                (tree.random.below(bytes.len() as u64 + 1) as usize, Err(no_power()))
            }
            Verdict::Dead => (0, Err(no_power())),
        };
        tree.content_mut(self.inode)?.write(&bytes[..written], offset);
        result
    }

    fn len(&self) -> io::Result<u64> {
        self.disk.look(|tree| Ok(tree.content(self.inode)?.len() as u64))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = position(len)?;
        self.disk.change(Kind::Change, |tree| {
            tree.content_mut(self.inode)?.set_len(len);
            Ok(())
        })
    }

    fn allocate(&self, _offset: u64, _len: u64) -> io::Result<()> {
        self.disk.change(Kind::Grow, |_| Ok(()))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.sync(
            |tree| {
                tree.content_mut(self.inode)?.sync();
                Ok(())
            },
            |tree| {
                let random = tree.random.fork();
                tree.content_mut(self.inode)?.fail_sync(&random);
                Ok(())
            },
        )
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// A position in a file that memory can hold.
fn position(offset: u64) -> io::Result<usize> {
    const FILE_BYTES_MAX: u64 = 1 << 32;
    if offset > FILE_BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    usize::try_from(offset).map_err(io::Error::other)
}
