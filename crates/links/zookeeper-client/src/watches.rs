//! One-shot watches: who is told of which node.

use std::collections::{BTreeSet, HashMap};

use tidemill_zookeeper_wire::request::SetWatches;
use tidemill_zookeeper_wire::session::EventType;
use tokio::sync::oneshot;

/// Something happened to a watched node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub kind: EventType,
    /// To which node.
    pub path: String,
}

/// Told once of the next change of what was read.
#[derive(Debug)]
pub struct Watch(pub(crate) oneshot::Receiver<Event>);

impl Watch {
    /// Completes when something has happened; `None` if the session has ended, and nobody knows.
    pub async fn changed(self) -> Option<Event> {
        self.0.await.ok()
    }
}

/// What a watch is set on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A node's data.
    Data,
    /// A node that does not exist.
    Exist,
    /// A node's children.
    Child,
}

/// All watches of a session, by the server's paths.
#[derive(Debug, Default)]
pub(crate) struct Watches(HashMap<(Kind, String), Vec<oneshot::Sender<Event>>>);

impl Watches {
    pub(crate) fn add(&mut self, kind: Kind, path: String, told: oneshot::Sender<Event>) {
        self.0.entry((kind, path)).or_default().push(told);
    }

    /// Tells those who wait for this. `shown` is the path as they know it.
    pub(crate) fn fire(&mut self, kind: EventType, path: &str, shown: String) {
        let kinds: &[Kind] = match kind {
            EventType::Created | EventType::DataChanged => &[Kind::Data, Kind::Exist],
            EventType::Deleted => &[Kind::Data, Kind::Exist, Kind::Child],
            EventType::ChildrenChanged => &[Kind::Child],
        };
        for of in kinds {
            for told in self.0.remove(&(*of, path.to_owned())).unwrap_or_default() {
                // Who no longer waits needs not be told.
                let _ = told.send(Event { kind, path: shown.clone() });
            }
        }
    }

    /// What must be set again over a new connection of the same session.
    pub(crate) fn again(&mut self, relative_zxid: i64) -> Option<SetWatches> {
        self.0.retain(|_, told| {
            told.retain(|sender| !sender.is_closed());
            !told.is_empty()
        });
        let of = |kind: Kind| {
            let paths: BTreeSet<&String> =
                self.0.keys().filter(|(of, _)| *of == kind).map(|(_, path)| path).collect();
            paths.into_iter().cloned().collect()
        };
        (!self.0.is_empty()).then(|| SetWatches {
            relative_zxid,
            data: of(Kind::Data),
            exist: of(Kind::Exist),
            child: of(Kind::Child),
        })
    }
}
