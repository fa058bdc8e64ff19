//! Who wants to be told of which node. Two such tables exist: one for nodes and their data, one for
//! their children. Watches belong to a connection and end with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tidemill_zookeeper_wire::path;

use crate::machine::ConnId;

/// Watched paths of one connection in one table; beyond, setting one more is refused.
pub(crate) const WATCHES_PER_CONNECTION_MAX: usize = 200_000;

/// How long a watch stays, and how far it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Until it was told once.
    Standard = 1,
    /// Until it is taken back.
    Persistent = 2,
    /// The same, for all that lies below.
    Recursive = 4,
}

/// The modes in which one connection watches one path: a sum of [`Mode`]s.
type Modes = u8;

/// One table.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    /// In the order of connections, so that a history can be replayed.
    by_path: HashMap<String, BTreeMap<ConnId, Modes>>,
    by_connection: BTreeMap<ConnId, BTreeSet<String>>,
    /// Recursive watches in all: without any, the nodes above need no look.
    recursive: usize,
}

impl Watches {
    /// Sets a watch; false if the connection has too many.
    pub(crate) fn add(&mut self, path: &str, connection: ConnId, mode: Mode) -> bool {
        let paths = self.by_connection.entry(connection).or_default();
        if paths.len() >= WATCHES_PER_CONNECTION_MAX && !paths.contains(path) {
            return false;
        }
        paths.insert(path.to_owned());
        let modes = self.by_path.entry(path.to_owned()).or_default().entry(connection).or_default();
        if mode == Mode::Recursive && *modes & mode as Modes == 0 {
            self.recursive += 1;
        }
        *modes |= mode as Modes;
        true
    }

    /// Whether a watch is set; without a mode, any.
    pub(crate) fn contains(&self, path: &str, connection: ConnId, mode: Option<Mode>) -> bool {
        let modes = self.by_path.get(path).and_then(|of| of.get(&connection)).copied().unwrap_or(0);
        modes & mode.map_or(Modes::MAX, |mode| mode as Modes) != 0
    }

    /// Takes a watch back; false if there was none. Without a mode, all of the path.
    pub(crate) fn remove(&mut self, path: &str, connection: ConnId, mode: Option<Mode>) -> bool {
        let Some(of) = self.by_path.get_mut(path) else { return false };
        let Some(modes) = of.get_mut(&connection) else { return false };
        let gone = *modes & mode.map_or(Modes::MAX, |mode| mode as Modes);
        *modes &= !gone;
        if gone & Mode::Recursive as Modes != 0 {
            self.recursive -= 1;
        }
        if *modes == 0 {
            of.remove(&connection);
            if of.is_empty() {
                self.by_path.remove(path);
            }
            if let Some(paths) = self.by_connection.get_mut(&connection) {
                paths.remove(path);
                if paths.is_empty() {
                    self.by_connection.remove(&connection);
                }
            }
        }
        gone != 0
    }

    /// Takes back all watches of a connection.
    pub(crate) fn forget(&mut self, connection: ConnId) {
        let paths: Vec<String> =
            self.by_connection.get(&connection).into_iter().flatten().cloned().collect();
        for path in paths {
            self.remove(&path, connection, None);
        }
    }

    /// Who must be told that something happened to this path. Watches that are told once are gone
    /// afterwards.
    pub(crate) fn trigger(&mut self, path: &str) -> BTreeSet<ConnId> {
        let mut told: BTreeSet<ConnId> = BTreeSet::new();
        if let Some(of) = self.by_path.get(path) {
            told.extend(of.keys());
        }
        for connection in told.clone() {
            self.remove(path, connection, Some(Mode::Standard));
        }
        if self.recursive > 0 {
            for above in std::iter::successors(path::parent(path), |path| path::parent(path)) {
                let Some(of) = self.by_path.get(above) else { continue };
                let recursive =
                    |(_, modes): &(&ConnId, &Modes)| **modes & Mode::Recursive as Modes != 0;
                told.extend(of.iter().filter(recursive).map(|(connection, _)| *connection));
            }
        }
        told
    }

    /// Watched paths in all, each once for each connection.
    pub(crate) fn len(&self) -> usize {
        self.by_connection.values().map(BTreeSet::len).sum()
    }

    /// Paths that are watched.
    pub(crate) fn paths(&self) -> usize {
        self.by_path.len()
    }

    /// Connections that watch something.
    pub(crate) fn connections(&self) -> impl ExactSizeIterator<Item = (ConnId, &BTreeSet<String>)> {
        self.by_connection.iter().map(|(connection, paths)| (*connection, paths))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: ConnId = ConnId(1);
    const TWO: ConnId = ConnId(2);

    #[test]
    fn a_watch_is_told_once_and_a_persistent_one_again() {
        let mut watches = Watches::default();
        watches.add("/a", ONE, Mode::Standard);
        watches.add("/a", TWO, Mode::Persistent);
        assert_eq!(watches.trigger("/a"), BTreeSet::from([ONE, TWO]));
        assert_eq!(watches.trigger("/a"), BTreeSet::from([TWO]));
        assert_eq!(watches.len(), 1);
    }

    #[test]
    fn a_recursive_watch_sees_all_below() {
        let mut watches = Watches::default();
        watches.add("/a", ONE, Mode::Recursive);
        watches.add("/a", TWO, Mode::Persistent);
        assert_eq!(watches.trigger("/a/b/c"), BTreeSet::from([ONE]));
        assert_eq!(watches.trigger("/b"), BTreeSet::new());
        assert!(watches.remove("/a", ONE, Some(Mode::Recursive)));
        assert!(!watches.remove("/a", ONE, Some(Mode::Recursive)));
        assert_eq!(watches.trigger("/a/b/c"), BTreeSet::new());
    }

    #[test]
    fn modes_of_one_path_are_told_once_and_taken_back_one_by_one() {
        let mut watches = Watches::default();
        watches.add("/a", ONE, Mode::Standard);
        watches.add("/a", ONE, Mode::Persistent);
        assert!(watches.contains("/a", ONE, None));
        assert!(watches.remove("/a", ONE, Some(Mode::Persistent)));
        assert!(watches.contains("/a", ONE, Some(Mode::Standard)));
        watches.forget(ONE);
        assert_eq!((watches.len(), watches.paths(), watches.connections().len()), (0, 0, 0));
    }
}
