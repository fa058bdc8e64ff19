//! The small text files beside the segments.
//!
//! - `recovery-checkpoint`, ours: up to where everything is known to be synced, and where the log
//!   starts, and up to where compaction may have made gaps. A few lines and a checksum; replaced as
//!   a whole.
//! - `leader-epoch-checkpoint`, Kafka's: at which offset each leader epoch began.
//! - `partition.metadata`, Kafka's: the id of the topic.

use std::io;
use std::path::{Path, PathBuf};

use tidemill_runtime::Disk;

/// Name of our own file. Kafka ignores it.
pub(crate) const RECOVERY: &str = "recovery-checkpoint";
const LEADER_EPOCHS: &str = "leader-epoch-checkpoint";
/// Name of Kafka's file with the topic id.
pub(crate) const PARTITION_METADATA: &str = "partition.metadata";

/// A place between two batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    /// The offset after the batch before it.
    pub(crate) offset: i64,
    /// Base offset of the segment.
    pub(crate) segment: i64,
    /// Byte position in the segment.
    pub(crate) position: u64,
}

/// What a start of the log needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// Everything before this is synced, and so are the indexes of it. If the log ends here, it was
    /// closed in order or has not been written to since: nothing needs to be checked.
    pub(crate) recovery: Mark,
    /// First offset that may be read. Segments wholly before it are left-overs.
    pub(crate) start_offset: i64,
    /// In segments that begin below this offset, offsets may be missing.
    pub(crate) gaps_below: i64,
}

impl Checkpoint {
    /// The file and its content.
    pub(crate) fn file(&self, dir: &Path) -> (PathBuf, Vec<u8>) {
        let body = self.body();
        let crc = crc32c::crc32c(body.as_bytes());
        (dir.join(RECOVERY), format!("{body}crc32c {crc:08x}\n").into_bytes())
    }

    fn body(&self) -> String {
        format!(
            "version 2\nrecovery_offset {}\nrecovery_segment {}\nrecovery_position {}\nstart_offset {}\ngaps_below {}\n",
            self.recovery.offset,
            self.recovery.segment,
            self.recovery.position,
            self.start_offset,
            self.gaps_below,
        )
    }

    /// Reads the file. `None` if there is none, or none that is whole.
    pub(crate) fn load(disk: &dyn Disk, dir: &Path) -> io::Result<Option<Checkpoint>> {
        let Some(text) = read_text(disk, &dir.join(RECOVERY))? else { return Ok(None) };
        let parsed = Checkpoint::parse(&text);
        if parsed.is_none() {
            tracing::warn!(dir = %dir.display(), "recovery checkpoint is damaged, checking the whole log");
        }
        Ok(parsed)
    }

    fn parse(text: &str) -> Option<Checkpoint> {
        let (body, crc) = text.rsplit_once("crc32c ")?;
        let crc = u32::from_str_radix(crc.strip_suffix('\n')?, 16).ok()?;
        if crc != crc32c::crc32c(body.as_bytes()) {
            return None;
        }
        let mut lines = body.lines();
        let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let version = value("version")?;
        if !["1", "2"].contains(&version) {
            return None;
        }
        let checkpoint = Checkpoint {
            recovery: Mark {
                offset: value("recovery_offset")?.parse().ok()?,
                segment: value("recovery_segment")?.parse().ok()?,
                position: value("recovery_position")?.parse().ok()?,
            },
            start_offset: value("start_offset")?.parse().ok()?,
            // Before version 2 there was no compaction.
            gaps_below: if version == "1" { 0 } else { value("gaps_below")?.parse().ok()? },
        };
        Some(checkpoint)
    }
}

/// At which offset each leader epoch began, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LeaderEpochs {
    entries: Vec<(i32, i64)>,
    /// Whether the file lags behind.
    pub(crate) changed: bool,
}

impl LeaderEpochs {
    /// Notes that a batch of this epoch was appended at this offset.
    pub(crate) fn note(&mut self, epoch: i32, offset: i64) {
        if epoch >= 0 && self.entries.last().is_none_or(|(last, _)| epoch > *last) {
            self.entries.push((epoch, offset));
            self.changed = true;
        }
    }

    /// Forgets epochs that began at or after the end of the log.
    pub(crate) fn cut(&mut self, end_offset: i64) {
        let before = self.entries.len();
        self.entries.retain(|(_, start)| *start < end_offset);
        self.changed |= self.entries.len() != before;
    }

    pub(crate) fn entries(&self) -> &[(i32, i64)] {
        &self.entries
    }

    /// The file and its content: version 0, the number of entries, one `epoch offset` per line.
    pub(crate) fn file(&self, dir: &Path) -> (PathBuf, Vec<u8>) {
        let mut text = format!("0\n{}\n", self.entries.len());
        for (epoch, offset) in &self.entries {
            text.push_str(&format!("{epoch} {offset}\n"));
        }
        (dir.join(LEADER_EPOCHS), text.into_bytes())
    }

    /// Reads the file; what cannot be read is no entry.
    pub(crate) fn load(disk: &dyn Disk, dir: &Path) -> io::Result<LeaderEpochs> {
        let text = read_text(disk, &dir.join(LEADER_EPOCHS))?.unwrap_or_default();
        let mut epochs = LeaderEpochs::default();
        for line in text.lines().skip(2) {
            let entry =
                line.split_once(' ').and_then(|(e, o)| Some((e.parse().ok()?, o.parse().ok()?)));
            if let Some((epoch, offset)) = entry {
                epochs.note(epoch, offset);
            }
        }
        epochs.changed = false;
        Ok(epochs)
    }
}

/// The content of `partition.metadata`, with the id as Kafka writes it: base64 for URLs.
pub(crate) fn partition_metadata(topic_id: [u8; 16]) -> String {
    format!("version: 0\ntopic_id: {}", base64_url(topic_id))
}

/// The topic id in `partition.metadata`.
pub(crate) fn load_topic_id(disk: &dyn Disk, dir: &Path) -> io::Result<Option<[u8; 16]>> {
    let text = read_text(disk, &dir.join(PARTITION_METADATA))?.unwrap_or_default();
    let id = text.lines().find_map(|line| line.strip_prefix("topic_id: "));
    Ok(id.and_then(|id| from_base64_url(id.trim())))
}

const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// 16 bytes are 22 digits of six bits; the last four bits are zero.
const TOPIC_ID_DIGITS: u32 = 22;

fn base64_url(id: [u8; 16]) -> String {
    let number = u128::from_be_bytes(id);
    let digit = |i: u32| match 122_u32.checked_sub(6 * i) {
        Some(shift) => (number >> shift) & 63,
        None => (number << 4) & 63,
    };
    (0..TOPIC_ID_DIGITS).map(|i| char::from(BASE64_URL[digit(i) as usize])).collect()
}

fn from_base64_url(text: &str) -> Option<[u8; 16]> {
    if text.len() != TOPIC_ID_DIGITS as usize {
        return None;
    }
    let mut number = 0_u128;
    for (i, c) in text.bytes().enumerate() {
        let digit = BASE64_URL.iter().position(|known| *known == c)? as u128;
        number = if i < 21 { number << 6 | digit } else { number << 2 | digit >> 4 };
    }
    Some(number.to_be_bytes())
}

/// A small file as text; `None` if it does not exist or is no text.
fn read_text(disk: &dyn Disk, path: &Path) -> io::Result<Option<String>> {
    match disk.read(path) {
        Ok(bytes) => Ok(String::from_utf8(bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_reads_back_and_a_damaged_one_does_not() {
        let checkpoint = Checkpoint {
            recovery: Mark { offset: 70, segment: 50, position: 1234 },
            start_offset: 12,
            gaps_below: 50,
        };
        let (path, bytes) = checkpoint.file(Path::new("/t-0"));
        assert_eq!(path, Path::new("/t-0/recovery-checkpoint"));
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(Checkpoint::parse(&text), Some(checkpoint));
        assert_eq!(Checkpoint::parse(&text.replace("1234", "1235")), None);
        assert_eq!(Checkpoint::parse(&text[..text.len() - 3]), None);
    }

    #[test]
    fn a_checkpoint_of_the_release_before_compaction_is_read() {
        let body = "version 1\nrecovery_offset 46\nrecovery_segment 41\nrecovery_position 542\nstart_offset 7\n";
        let text = format!("{body}crc32c {:08x}\n", crc32c::crc32c(body.as_bytes()));
        let recovery = Mark { offset: 46, segment: 41, position: 542 };
        let expected = Checkpoint { recovery, start_offset: 7, gaps_below: 0 };
        assert_eq!(Checkpoint::parse(&text), Some(expected));
    }

    #[test]
    fn leader_epochs_are_written_as_kafka_does() {
        let mut epochs = LeaderEpochs::default();
        for (epoch, offset) in [(-1, 0), (0, 0), (0, 7), (2, 9), (1, 11)] {
            epochs.note(epoch, offset);
        }
        let (_, bytes) = epochs.file(Path::new("/t-0"));
        assert_eq!(bytes, b"0\n2\n0 0\n2 9\n");
        epochs.cut(9);
        assert_eq!(epochs.entries(), [(0, 0)]);
    }

    #[test]
    fn a_topic_id_is_written_as_kafka_writes_uuids() {
        // org.apache.kafka.common.Uuid.fromString("MkU3OEVBNTcwNTJENDM2Qg")
        let id = *b"2E78EA57052D436B";
        assert_eq!(base64_url(id), "MkU3OEVBNTcwNTJENDM2Qg");
        for id in [id, [0; 16], [255; 16]] {
            assert_eq!(from_base64_url(&base64_url(id)), Some(id));
        }
        assert_eq!(from_base64_url("short"), None);
        assert_eq!(from_base64_url("MkU3OEVBNTcwNTJENDM2Q+"), None);
    }
}
