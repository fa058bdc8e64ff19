//! GetAllChildrenNumber (op 104): how many nodes lie below.

use tidemill_zookeeper_wire::Response;
use tidemill_zookeeper_wire::data::perms;

use crate::machine::{Answer, ConnId, Machine};

pub(super) fn handle(machine: &mut Machine, id: ConnId, path: &str) -> Answer {
    let outcome = machine.look(id, path, perms::READ, |_| {
        let below = machine.tree.count_below(path);
        Response::Number(i32::try_from(below).unwrap_or(i32::MAX))
    });
    // Any node below may have changed last.
    Answer { needs: machine.zxid(), outcome }
}
