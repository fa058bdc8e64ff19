//! Files as an argument.
//!
//! The port is as low as the system calls, because crashes happen between those: a test disk that
//! knows which bytes were synced can answer what a power cut leaves behind.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a file is opened. All of them read and write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// It must exist.
    Existing,
    /// It is made if absent.
    OrCreate,
    /// It must not exist.
    CreateNew,
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// The last part of the path.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Length in bytes; 0 for a directory.
    pub len: u64,
}

/// Directories: names and what they lead to. A name is durable only after [`Disk::sync_dir`].
pub trait Disk: Send + Sync + 'static {
    /// Opens a file for reading and writing.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>>;

    /// The names in a directory, in no order.
    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>>;

    /// Whether something has this name.
    fn exists(&self, path: &Path) -> bool;

    /// Makes a directory and its parents. No error if it exists.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Gives a file or directory another name, replacing a file that has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory with all that is in it.
    fn remove_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable: those that came, went or changed.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes a directory for this process alone, until the lock is dropped. The file `.lock` in it
    /// carries the lock. `WouldBlock` if another process has it.
    fn lock_dir(&self, dir: &Path) -> io::Result<DirLock>;

    /// The whole content of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open(path, OpenMode::Existing)?;
        let len = usize::try_from(file.len()?).map_err(io::Error::other)?;
        let mut bytes = vec![0; len];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    /// Replaces a small file so that after a crash it holds either the old content or the new:
    /// write beside, sync, rename, sync the directory.
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let beside = PathBuf::from(format!("{}.tmp", path.display()));
        let file = self.open(&beside, OpenMode::OrCreate)?;
        file.set_len(0)?;
        file.write_all_at(content, 0)?;
        file.sync_all()?;
        self.rename(&beside, path)?;
        match path.parent() {
            Some(dir) => self.sync_dir(dir),
            None => Ok(()),
        }
    }
}

/// An open file. Bytes are durable only after [`DiskFile::sync_data`] or [`DiskFile::sync_all`];
/// when either fails, nothing written since the last success may be trusted, and no later success
/// repairs that.
pub trait DiskFile: Send + Sync + 'static {
    /// Reads up to `bytes.len()` bytes; 0 at the end of the file.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes`. An error may leave a part written.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file holds nothing.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Cuts the file, or extends it with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Reserves space on the disk without changing the length, so that later appends need no new
    /// blocks and their sync is cheaper. A file system that cannot is no error.
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()>;

    /// Makes content and length durable.
    fn sync_data(&self) -> io::Result<()>;

    /// Makes content, length and metadata durable.
    fn sync_all(&self) -> io::Result<()>;

    /// The descriptor, for `sendfile`; none on a simulated disk.
    fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Fills `bytes` or fails with `UnexpectedEof`.
    fn read_exact_at(&self, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.read_at(bytes, offset)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => {
                    bytes = &mut bytes[n..];
                    offset += n as u64;
                }
            }
        }
        Ok(())
    }
}

/// Holds a directory for this process until dropped.
pub struct DirLock {
    _held: Box<dyn Send + Sync>,
}

impl DirLock {
    /// Wraps what releases the lock when dropped.
    pub fn new(held: impl Send + Sync + 'static) -> DirLock {
        DirLock { _held: Box::new(held) }
    }
}

impl std::fmt::Debug for DirLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DirLock")
    }
}

/// The machine's file system.
#[derive(Debug, Default)]
pub struct OsDisk;

impl OsDisk {
    /// A handle; it holds no state.
    pub fn new() -> OsDisk {
        OsDisk
    }
}

impl Disk for OsDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        match mode {
            OpenMode::Existing => {}
            OpenMode::OrCreate => {
                options.create(true);
            }
            OpenMode::CreateNew => {
                options.create_new(true);
            }
        }
        Ok(Arc::new(OsFile(options.open(path)?)))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            let metadata = match entry.metadata() {
                // It went between the listing and the question.
                Err(gone) if gone.kind() == io::ErrorKind::NotFound => continue,
                other => other?,
            };
            entries.push(DirEntry {
                name: entry.file_name().to_string_lossy().into_owned(),
                is_dir: metadata.is_dir(),
                len: if metadata.is_dir() { 0 } else { metadata.len() },
            });
        }
        Ok(entries)
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        std::fs::create_dir_all(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        std::fs::remove_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn lock_dir(&self, dir: &Path) -> io::Result<DirLock> {
        let path = dir.join(".lock");
        let file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(DirLock::new(file)),
            Err(std::fs::TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

struct OsFile(File);

impl DiskFile for OsFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(bytes, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    #[cfg(target_os = "linux")]
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        use rustix::fs::{FallocateFlags, fallocate};
        match fallocate(&self.0, FallocateFlags::KEEP_SIZE, offset, len) {
            Ok(()) | Err(rustix::io::Errno::OPNOTSUPP) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn allocate(&self, _offset: u64, _len: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_holds_the_new_content_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("meta.properties");
        let disk = OsDisk::new();
        disk.replace(&path, b"first, and longer").unwrap();
        disk.replace(&path, b"second").unwrap();
        assert_eq!(disk.read(&path).unwrap(), b"second");
        assert_eq!(disk.list(dir.path()).unwrap().len(), 1);
    }

    #[test]
    fn a_directory_is_taken_once() {
        let dir = tempfile::tempdir().unwrap();
        let disk = OsDisk::new();
        let held = disk.lock_dir(dir.path()).unwrap();
        assert_eq!(disk.lock_dir(dir.path()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(held);
        disk.lock_dir(dir.path()).unwrap();
    }

    #[test]
    fn allocated_space_does_not_change_the_length() {
        let dir = tempfile::tempdir().unwrap();
        let file = OsDisk::new().open(&dir.path().join("log"), OpenMode::CreateNew).unwrap();
        file.allocate(0, 1 << 20).unwrap();
        file.write_all_at(b"abc", 0).unwrap();
        assert_eq!(file.len().unwrap(), 3);
        assert!(file.read_exact_at(&mut [0; 4], 0).is_err());
    }
}
