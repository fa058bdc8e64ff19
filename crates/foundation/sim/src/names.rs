//! The names in one directory: what programs see, and what a power cut may leave.

use std::collections::BTreeMap;

use tidemill_runtime::Random as _;

use crate::SimRandom;
use crate::content::Mood;

/// Number of a file or directory.
pub(crate) type Inode = usize;

/// One change of a directory. Each survives whole or not at all: file systems that people keep logs
/// on journal a rename as one step.
#[derive(Debug, Clone)]
enum Change {
    Link(String, Inode),
    Unlink(String),
    Rename { from: String, to: String, inode: Inode },
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) current: BTreeMap<String, Inode>,
    durable: BTreeMap<String, Inode>,
    unsynced: Vec<Change>,
}

impl Names {
    pub(crate) fn link(&mut self, name: &str, inode: Inode) {
        self.change(Change::Link(name.to_owned(), inode));
    }

    pub(crate) fn unlink(&mut self, name: &str) {
        self.change(Change::Unlink(name.to_owned()));
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str, inode: Inode) {
        self.change(Change::Rename { from: from.to_owned(), to: to.to_owned(), inode });
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.current, &change);
        self.unsynced.push(change);
    }

    pub(crate) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            apply(&mut self.durable, &change);
        }
    }

    /// The directory as it may be found after a power cut.
    pub(crate) fn crash(&self, mood: Mood, random: &SimRandom) -> Names {
        let found = self.survivor(mood, random);
        Names { current: found.clone(), durable: found, unsynced: Vec::new() }
    }

    fn survivor(&self, mood: Mood, random: &SimRandom) -> BTreeMap<String, Inode> {
        let mut found = self.durable.clone();
        // Journals keep the order, so a prefix is the likely case; any subset is the legal one.
        let in_order = random.chance(1, 2);
        let prefix = random.below(self.unsynced.len() as u64 + 1) as usize;
        for (number, change) in self.unsynced.iter().enumerate() {
            let survives = match mood {
                Mood::Nothing => false,
                Mood::Everything => true,
                Mood::Mixed if in_order => number < prefix,
                Mood::Mixed => random.chance(1, 2),
            };
            if survives {
                apply(&mut found, change);
            }
        }
        found
    }
}

fn apply(names: &mut BTreeMap<String, Inode>, change: &Change) {
    match change {
        Change::Link(name, inode) => {
            names.insert(name.clone(), *inode);
        }
        Change::Unlink(name) => {
            names.remove(name);
        }
        Change::Rename { from, to, inode } => {
            // Only if this file still has the old name: an earlier change of it may be lost, and
            // then another file may have it.
            if names.get(from) == Some(inode) {
                names.remove(from);
            }
            names.insert(to.clone(), *inode);
        }
    }
}
