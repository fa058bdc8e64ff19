//! SetWatches (op 101) and SetWatches2 (op 105): a client that comes back sets the watches of its
//! earlier connection. What has happened since is told at once.

use tidemill_zookeeper_wire::request::{SetWatches, SetWatches2};
use tidemill_zookeeper_wire::session::{EventType, event_frame};
use tidemill_zookeeper_wire::{ErrorCode, Response};

use crate::machine::{Answer, ConnId, Machine, Output};
use crate::watches::Mode;

/// The number in events that are told late: which transaction it was is not known any more.
const NO_ZXID: i64 = -1;

pub(super) fn handle(machine: &mut Machine, id: ConnId, watches: SetWatches) -> Answer {
    let SetWatches { relative_zxid, data, exist, child } = watches;
    handle2(machine, id, SetWatches2 { relative_zxid, data, exist, child, ..Default::default() })
}

pub(super) fn handle2(machine: &mut Machine, id: ConnId, watches: SetWatches2) -> Answer {
    let since = watches.relative_zxid;
    let mut fits = true;
    for path in &watches.data {
        match machine.tree.get(path).map(|node| node.stat.mzxid) {
            None => tell(machine, id, EventType::Deleted, path),
            Some(mzxid) if mzxid > since => tell(machine, id, EventType::DataChanged, path),
            Some(_) => fits &= machine.data_watches.add(path, id, Mode::Standard),
        }
    }
    for path in &watches.exist {
        match machine.tree.get(path) {
            Some(_) => tell(machine, id, EventType::Created, path),
            None => fits &= machine.data_watches.add(path, id, Mode::Standard),
        }
    }
    for path in &watches.child {
        match machine.tree.get(path).map(|node| node.stat.pzxid) {
            None => tell(machine, id, EventType::Deleted, path),
            Some(pzxid) if pzxid > since => tell(machine, id, EventType::ChildrenChanged, path),
            Some(_) => fits &= machine.child_watches.add(path, id, Mode::Standard),
        }
    }
    for path in &watches.persistent {
        fits &= machine.child_watches.add(path, id, Mode::Persistent);
        fits &= machine.data_watches.add(path, id, Mode::Persistent);
    }
    for path in &watches.persistent_recursive {
        fits &= machine.data_watches.add(path, id, Mode::Recursive);
    }
    let outcome = if fits { Ok(Response::Empty) } else { Err(ErrorCode::ThrottledOp) };
    Answer { needs: 0, outcome }
}

fn tell(machine: &mut Machine, id: ConnId, kind: EventType, path: &str) {
    let needs = machine.tree.touched(path);
    machine.send(id, needs, Output::Event(event_frame(kind, path, NO_ZXID)));
}
