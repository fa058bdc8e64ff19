//! GetChildren (op 8) and GetChildren2 (op 12). Names come in order; ZooKeeper's come in none.

use tidemill_zookeeper_wire::data::perms;
use tidemill_zookeeper_wire::request::PathWatch;
use tidemill_zookeeper_wire::{ErrorCode, Response};

use crate::machine::{Answer, ConnId, Machine};
use crate::tree::Node;
use crate::watches::Mode;

pub(super) fn names(machine: &mut Machine, id: ConnId, ask: &PathWatch) -> Answer {
    answer(machine, id, ask, |node| Response::Names(node.children.iter().cloned().collect()))
}

pub(super) fn names_and_stat(machine: &mut Machine, id: ConnId, ask: &PathWatch) -> Answer {
    answer(machine, id, ask, |node| {
        Response::Children(node.children.iter().cloned().collect(), node.stat())
    })
}

fn answer(
    machine: &mut Machine,
    id: ConnId,
    ask: &PathWatch,
    show: impl FnOnce(&Node) -> Response,
) -> Answer {
    let needs = machine.tree.touched(&ask.path);
    let outcome = machine.look(id, &ask.path, perms::READ, show);
    if ask.watch && outcome.is_ok() && !machine.child_watches.add(&ask.path, id, Mode::Standard) {
        return Answer { needs, outcome: Err(ErrorCode::ThrottledOp) };
    }
    Answer { needs, outcome }
}
