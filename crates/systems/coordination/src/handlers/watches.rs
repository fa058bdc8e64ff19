//! AddWatch (op 106), CheckWatches (op 17), RemoveWatches (op 18).

use tidemill_zookeeper_wire::request::{AddWatchRequest, WatchOf};
use tidemill_zookeeper_wire::{ErrorCode, Response};

use crate::machine::{Answer, ConnId, Machine};
use crate::watches::{Mode, Watches};

/// `AddWatchMode`.
const PERSISTENT: i32 = 0;
const PERSISTENT_RECURSIVE: i32 = 1;

pub(super) fn add(machine: &mut Machine, id: ConnId, watch: &AddWatchRequest) -> Answer {
    let path = &watch.path;
    let fits = match watch.mode {
        PERSISTENT => {
            machine.data_watches.add(path, id, Mode::Persistent)
                && machine.child_watches.add(path, id, Mode::Persistent)
        }
        PERSISTENT_RECURSIVE => machine.data_watches.add(path, id, Mode::Recursive),
        _ => return Answer { needs: 0, outcome: Err(ErrorCode::MarshallingError) },
    };
    let outcome = if fits { Ok(Response::Number(0)) } else { Err(ErrorCode::ThrottledOp) };
    // A change that is under way now is not told: it must be visible when the watch is confirmed.
    Answer { needs: machine.zxid(), outcome }
}

pub(super) fn check(machine: &mut Machine, id: ConnId, watch: &WatchOf) -> Answer {
    on_tables(machine, watch.kind, |table, mode| table.contains(&watch.path, id, mode))
}

pub(super) fn remove(machine: &mut Machine, id: ConnId, watch: &WatchOf) -> Answer {
    on_tables(machine, watch.kind, |table, mode| table.remove(&watch.path, id, mode))
}

/// Does something in the tables where watches of this kind (`WatcherType`) are.
fn on_tables(
    machine: &mut Machine,
    kind: i32,
    mut found: impl FnMut(&mut Watches, Option<Mode>) -> bool,
) -> Answer {
    let (data, child) = (&mut machine.data_watches, &mut machine.child_watches);
    let found = match kind {
        1 => found(child, Some(Mode::Standard)),
        2 => found(data, Some(Mode::Standard)),
        // In both: no short cut.
        3 => found(child, None) | found(data, None),
        4 => found(child, Some(Mode::Persistent)) | found(data, Some(Mode::Persistent)),
        5 => found(data, Some(Mode::Recursive)),
        _ => return Answer { needs: 0, outcome: Err(ErrorCode::MarshallingError) },
    };
    let outcome = if found { Ok(Response::Empty) } else { Err(ErrorCode::NoWatcher) };
    Answer { needs: 0, outcome }
}
