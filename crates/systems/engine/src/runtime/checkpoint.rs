//! A job's position and state of one moment, on disk.
//!
//! One file per checkpoint, `checkpoint-<epoch>.bin`, in the job's directory. Layout, numbers little
//! endian:
//!
//! ```text
//! 8 bytes  "TIDECKPT"
//! u32      version of this layout: 1
//! u32      length of the header
//! header   JSON: positions, counters, descriptions and lengths of the state parts
//! parts    the state, one part after the other
//! u32      CRC-32C of everything before
//! ```
//!
//! A file is written beside, synced, and renamed ([`Disk::replace`]), so a crash leaves the old one
//! or the new one. The newest whose checksum is right counts; the one before it is kept.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tidemill_connectors::Positions;
use tidemill_runtime::Disk;

const MAGIC: &[u8; 8] = b"TIDECKPT";
const VERSION: u32 = 1;
/// Checkpoints of one job that are kept.
const KEPT: usize = 2;
const PREFIX_BYTES: usize = 16;
const CHECKSUM_BYTES: usize = 4;

/// Everything but the state itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// Number of the checkpoint.
    pub(crate) epoch: u64,
    /// When it was taken.
    pub(crate) at_ms: i64,
    /// Per source, in the plan's order.
    pub(crate) sources: Vec<SourceState>,
    /// What each stateful operator is, in the plan's order.
    pub(crate) states: Vec<String>,
    /// Lengths of the parts of each of them.
    pub(crate) parts: Vec<Vec<u64>>,
    /// All sources have ended and everything is written.
    pub(crate) finished: bool,
    /// Counters go back with the positions, so that they stay true.
    pub(crate) records_in: u64,
    pub(crate) records_out: u64,
    pub(crate) dead_letters: u64,
    pub(crate) late: u64,
    pub(crate) skipped: u64,
    pub(crate) first_error: Option<String>,
}

/// Where a source stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SourceState {
    /// Which source it is.
    pub(crate) endpoint: String,
    pub(crate) positions: Positions,
    /// Last write timestamp given, per partition.
    pub(crate) write_clock: BTreeMap<i32, i64>,
    /// Watermark per partition, the whole as -1.
    pub(crate) watermarks: BTreeMap<i32, i64>,
    /// A bounded source has handed out its last record.
    pub(crate) ended: bool,
}

/// A checkpoint ready to be written.
pub(crate) struct Snapshot {
    pub(crate) header: Header,
    pub(crate) states: super::flow::SavedStates,
}

/// A checkpoint read back.
#[derive(Debug)]
pub(crate) struct Restored {
    pub(crate) header: Header,
    pub(crate) states: Vec<Vec<Vec<u8>>>,
    pub(crate) bytes: u64,
}

/// The checkpoints of one job.
#[derive(Clone)]
pub(crate) struct CheckpointStore {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
}

impl CheckpointStore {
    /// Makes the directory if it is absent.
    pub(crate) fn open(disk: Arc<dyn Disk>, dir: PathBuf) -> io::Result<CheckpointStore> {
        disk.create_dir_all(&dir)?;
        // Its own name, and that of the folder of all jobs, must outlive a power cut too.
        for parent in dir.ancestors().skip(1).take(2).filter(|parent| disk.exists(parent)) {
            disk.sync_dir(parent)?;
        }
        Ok(CheckpointStore { disk, dir })
    }

    /// Writes a checkpoint, and removes those that are not needed any more. Returns its length in
    /// bytes once it is durable.
    pub(crate) fn write(&self, snapshot: &Snapshot) -> io::Result<u64> {
        let bytes = encode(snapshot)?;
        self.disk.replace(&self.path(snapshot.header.epoch), &bytes)?;
        let mut epochs = self.epochs()?;
        epochs.sort_unstable_by(|one, two| two.cmp(one));
        for old in epochs.into_iter().skip(KEPT) {
            // One that stays is only space.
            if let Err(error) = self.disk.remove_file(&self.path(old)) {
                tracing::warn!(epoch = old, %error, "old checkpoint not removed");
            }
        }
        Ok(bytes.len() as u64)
    }

    /// The newest checkpoint that is whole. One that is not is passed over, with a warning.
    pub(crate) fn latest(&self) -> io::Result<Option<Restored>> {
        let mut epochs = self.epochs()?;
        epochs.sort_unstable_by(|one, two| two.cmp(one));
        for epoch in epochs {
            let bytes = self.disk.read(&self.path(epoch))?;
            match decode(&bytes) {
                Ok(restored) => return Ok(Some(restored)),
                Err(reason) => {
                    let file = self.path(epoch);
                    tracing::warn!(file = %file.display(), reason, "checkpoint passed over");
                }
            }
        }
        Ok(None)
    }

    fn epochs(&self) -> io::Result<Vec<u64>> {
        let entries = self.disk.list(&self.dir)?;
        Ok(entries.iter().filter_map(|entry| epoch_of(&entry.name)).collect())
    }

    fn path(&self, epoch: u64) -> PathBuf {
        self.dir.join(format!("checkpoint-{epoch:020}.bin"))
    }

    /// Where the checkpoints are.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }
}

fn epoch_of(name: &str) -> Option<u64> {
    name.strip_prefix("checkpoint-")?.strip_suffix(".bin")?.parse().ok()
}

fn encode(snapshot: &Snapshot) -> io::Result<Vec<u8>> {
    let mut header = snapshot.header.clone();
    header.parts = snapshot
        .states
        .iter()
        .map(|parts| parts.iter().map(|part| part.len() as u64).collect())
        .collect();
    let json = serde_json::to_vec(&header)?;
    let mut bytes = Vec::with_capacity(PREFIX_BYTES + json.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    let length = u32::try_from(json.len()).map_err(io::Error::other)?;
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&json);
    for part in snapshot.states.iter().flatten() {
        bytes.extend_from_slice(part);
    }
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<Restored, &'static str> {
    let end = bytes.len().checked_sub(CHECKSUM_BYTES).ok_or("too short")?;
    let (body, checksum) = bytes.split_at(end);
    if body.get(..8) != Some(MAGIC) {
        return Err("no checkpoint");
    }
    if crc32c::crc32c(body).to_le_bytes() != checksum {
        return Err("wrong checksum");
    }
    let number = |at: usize| {
        let four = body.get(at..at + 4)?;
        Some(u32::from_le_bytes(four.try_into().ok()?))
    };
    if number(8) != Some(VERSION) {
        return Err("written by another version");
    }
    let length = number(12).ok_or("too short")? as usize;
    let json = body.get(PREFIX_BYTES..PREFIX_BYTES + length).ok_or("too short")?;
    let header: Header = serde_json::from_slice(json).map_err(|_| "unreadable header")?;
    let mut at = PREFIX_BYTES + length;
    let mut states = Vec::with_capacity(header.parts.len());
    for lengths in &header.parts {
        let mut parts = Vec::with_capacity(lengths.len());
        for length in lengths {
            let until = usize::try_from(*length).ok().and_then(|length| at.checked_add(length));
            let until = until.ok_or("a part without end")?;
            parts.push(body.get(at..until).ok_or("a part is missing")?.to_vec());
            at = until;
        }
        states.push(parts);
    }
    Ok(Restored { header, states, bytes: bytes.len() as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidemill_runtime::OsDisk;

    fn snapshot(epoch: u64) -> Snapshot {
        let next = BTreeMap::from([(0, 17), (1, 4)]);
        let source = SourceState {
            endpoint: "kafka:users".into(),
            positions: Positions { topic_id: None, next },
            ..SourceState::default()
        };
        Snapshot {
            header: Header {
                epoch,
                sources: vec![source],
                states: vec!["TUMBLE".into()],
                ..Header::default()
            },
            states: vec![vec![Arc::new(vec![1, 2, 3]), Arc::new(Vec::new())]],
        }
    }

    fn store() -> (tempfile::TempDir, CheckpointStore) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("job");
        let store = CheckpointStore::open(Arc::new(OsDisk::new()), path).unwrap();
        (dir, store)
    }

    #[test]
    fn the_newest_checkpoint_counts_and_two_are_kept() {
        let (_dir, store) = store();
        assert!(store.latest().unwrap().is_none());
        for epoch in 1..=4 {
            store.write(&snapshot(epoch)).unwrap();
        }
        let restored = store.latest().unwrap().unwrap();
        assert_eq!(restored.header.epoch, 4);
        assert_eq!(restored.header.sources[0].positions.next[&0], 17);
        assert_eq!(restored.states, [vec![vec![1, 2, 3], vec![]]]);
        assert_eq!(store.epochs().unwrap().len(), KEPT);
    }

    #[test]
    fn a_damaged_checkpoint_is_passed_over_whatever_the_damage() {
        let (_dir, store) = store();
        store.write(&snapshot(1)).unwrap();
        store.write(&snapshot(2)).unwrap();
        let whole = std::fs::read(store.path(2)).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            std::fs::write(store.path(2), &flipped).unwrap();
            assert_eq!(store.latest().unwrap().unwrap().header.epoch, 1, "byte {at}");
            std::fs::write(store.path(2), &whole[..at]).unwrap();
            assert_eq!(store.latest().unwrap().unwrap().header.epoch, 1, "cut at {at}");
        }
    }

    /// Version 1 as it was first written: later versions must still read it.
    #[test]
    fn the_layout_of_version_1_does_not_change() {
        let bytes = encode(&snapshot(9)).unwrap();
        assert_eq!(&bytes[..12], b"TIDECKPT\x01\x00\x00\x00");
        let length = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
        assert_eq!(&bytes[16 + length..bytes.len() - 4], [1, 2, 3]);
        insta::assert_snapshot!(std::str::from_utf8(&bytes[16..16 + length]).unwrap(), @r#"{"epoch":9,"at_ms":0,"sources":[{"endpoint":"kafka:users","positions":{"topic_id":null,"next":{"0":17,"1":4}},"write_clock":{},"watermarks":{},"ended":false}],"states":["TUMBLE"],"parts":[[3,0]],"finished":false,"records_in":0,"records_out":0,"dead_letters":0,"late":0,"skipped":0,"first_error":null}"#);
    }
}
