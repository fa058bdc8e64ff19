//! The bytes of one file: what programs see, and what a power cut may leave.

use std::collections::BTreeMap;

use tidemill_runtime::Random as _;

use crate::SimRandom;

/// A disk writes a sector whole or tears it; two sectors are written in any order.
pub(crate) const SECTOR: usize = 512;

/// At most so many unsynced contents of a sector are remembered; older ones are forgotten.
const VERSIONS_MAX: usize = 8;

type Sector = [u8; SECTOR];

#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    /// What programs read.
    current: Vec<u8>,
    /// What is certainly on the disk.
    durable: Vec<u8>,
    /// The contents each sector had since it was last synced, oldest first.
    unsynced: BTreeMap<usize, Vec<Sector>>,
    /// The lengths the file had since then.
    unsynced_lens: Vec<usize>,
}

/// How much of what was not synced survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Nothing: no write-back had happened.
    Nothing,
    /// All of it: as if only the process had died.
    Everything,
    /// Some of it, sector by sector.
    Mixed,
}

impl Mood {
    pub(crate) fn choose(random: &SimRandom) -> Mood {
        match random.below(4) {
            0 => Mood::Nothing,
            1 => Mood::Everything,
            _ => Mood::Mixed,
        }
    }
}

impl Content {
    pub(crate) fn len(&self) -> usize {
        self.current.len()
    }

    pub(crate) fn read(&self, bytes: &mut [u8], offset: usize) -> usize {
        let rest = self.current.get(offset..).unwrap_or_default();
        let n = rest.len().min(bytes.len());
        bytes[..n].copy_from_slice(&rest[..n]);
        n
    }

    pub(crate) fn write(&mut self, bytes: &[u8], offset: usize) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        if end > self.current.len() {
            self.current.resize(end, 0);
            self.unsynced_lens.push(end);
        }
        self.current[offset..end].copy_from_slice(bytes);
        self.touch(offset / SECTOR, (end - 1) / SECTOR);
    }

    pub(crate) fn set_len(&mut self, len: usize) {
        let old = self.current.len();
        if len == old {
            return;
        }
        self.current.resize(len, 0);
        self.unsynced_lens.push(len);
        // What was cut reads as zeros should the file grow again.
        self.touch(len.min(old) / SECTOR, len.max(old).saturating_sub(1) / SECTOR);
    }

    /// Notes the present content of these sectors as one that may be found after a crash.
    fn touch(&mut self, first: usize, last: usize) {
        for number in first..=last {
            let versions = self.unsynced.entry(number).or_default();
            if versions.len() == VERSIONS_MAX {
                versions.remove(0);
            }
            versions.push(sector_of(&self.current, number));
        }
    }

    pub(crate) fn sync(&mut self) {
        self.durable.resize(self.current.len(), 0);
        for number in std::mem::take(&mut self.unsynced).into_keys() {
            let start = (number * SECTOR).min(self.current.len());
            let end = (start + SECTOR).min(self.current.len());
            self.durable[start..end].copy_from_slice(&self.current[start..end]);
        }
        self.unsynced_lens.clear();
    }

    /// A sync that failed: each unsynced sector is on the disk or is not, and none is tried again.
    pub(crate) fn fail_sync(&mut self, random: &SimRandom) {
        self.durable = self.survivor(Mood::Mixed, random);
        self.unsynced.clear();
        self.unsynced_lens.clear();
    }

    /// The file as it may be found after a power cut.
    pub(crate) fn crash(&self, mood: Mood, random: &SimRandom) -> Content {
        let found = self.survivor(mood, random);
        Content { current: found.clone(), durable: found, ..Content::default() }
    }

    fn survivor(&self, mood: Mood, random: &SimRandom) -> Vec<u8> {
        let len = match mood {
            Mood::Nothing => self.durable.len(),
            Mood::Everything => self.current.len(),
            Mood::Mixed => {
                let choice = random.below(self.unsynced_lens.len() as u64 + 2) as usize;
                let other = self.unsynced_lens.get(choice).copied();
                other.unwrap_or(if random.chance(1, 2) { self.len() } else { self.durable.len() })
            }
        };
        let mut found = self.durable.clone();
        found.resize(len.max(self.durable.len()), 0);
        for (number, versions) in &self.unsynced {
            let start = number * SECTOR;
            if start >= found.len() {
                break;
            }
            let old = sector_of(&self.durable, *number);
            let sector = surviving_sector(&old, versions, mood, random);
            let end = (start + SECTOR).min(found.len());
            found[start..end].copy_from_slice(&sector[..end - start]);
        }
        found.truncate(len);
        found
    }

    /// Changes a byte behind everybody's back.
    pub(crate) fn rot(&mut self, offset: usize, xor: u8) {
        for bytes in [&mut self.current, &mut self.durable] {
            if let Some(byte) = bytes.get_mut(offset) {
                *byte ^= xor;
            }
        }
    }
}

/// Old, new, something between, or torn.
fn surviving_sector(old: &Sector, versions: &[Sector], mood: Mood, random: &SimRandom) -> Sector {
    let newest = versions.last().unwrap_or(old);
    if mood != Mood::Mixed {
        return if mood == Mood::Nothing { *old } else { *newest };
    }
    match random.below(8) {
        0..3 => *old,
        3..6 => *newest,
        6 => versions[random.below(versions.len() as u64) as usize],
        _ => {
            let (mut torn, cut) = (*newest, random.below(SECTOR as u64) as usize);
            let (from, rest) = if random.chance(1, 2) { (cut, SECTOR) } else { (0, cut) };
            torn[from..rest].copy_from_slice(&old[from..rest]);
            torn
        }
    }
}

/// A sector's content; zeros beyond the end of the file.
fn sector_of(bytes: &[u8], number: usize) -> Sector {
    let mut sector = [0; SECTOR];
    let rest = bytes.get(number * SECTOR..).unwrap_or_default();
    let n = rest.len().min(SECTOR);
    sector[..n].copy_from_slice(&rest[..n]);
    sector
}
