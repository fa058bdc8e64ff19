//! GetData (op 4) and Exists (op 3).

use tidemill_zookeeper_wire::data::perms;
use tidemill_zookeeper_wire::request::PathWatch;
use tidemill_zookeeper_wire::{ErrorCode, Response};

use crate::acl;
use crate::machine::{Answer, ConnId, Machine};
use crate::tree::Node;
use crate::watches::Mode;

pub(super) fn handle(machine: &mut Machine, id: ConnId, ask: &PathWatch) -> Answer {
    let shows = |node: &Node| Response::Data(node.data.clone(), node.stat());
    let outcome = machine.look(id, &ask.path, perms::READ, shows);
    let watched = ask.watch && outcome.is_ok();
    machine.with_watch(id, &ask.path, watched, outcome)
}

/// Also watches what does not exist yet.
pub(super) fn exists(machine: &mut Machine, id: ConnId, ask: &PathWatch) -> Answer {
    if ask.path.contains('\0') {
        return Answer { needs: 0, outcome: Err(ErrorCode::BadArguments) };
    }
    let outcome = machine.look(id, &ask.path, perms::READ, |node| Response::Stat(node.stat()));
    let watched = ask.watch && !matches!(outcome, Err(ErrorCode::NoAuth));
    machine.with_watch(id, &ask.path, watched, outcome)
}

impl Machine {
    /// Shows a node to a connection, if it may see it.
    pub(super) fn look<T>(
        &self,
        id: ConnId,
        path: &str,
        permission: i32,
        show: impl FnOnce(&Node) -> T,
    ) -> Result<T, ErrorCode> {
        let connection = self.connections.get(&id).ok_or(ErrorCode::SessionExpired)?;
        let node = self.tree.get(path).ok_or(ErrorCode::NoNode)?;
        acl::require(&node.acl, permission, &connection.identities)?;
        Ok(show(node))
    }

    fn with_watch(
        &mut self,
        id: ConnId,
        path: &str,
        watched: bool,
        outcome: Result<Response, ErrorCode>,
    ) -> Answer {
        let needs = self.tree.touched(path);
        if watched && !self.data_watches.add(path, id, Mode::Standard) {
            return Answer { needs, outcome: Err(ErrorCode::ThrottledOp) };
        }
        Answer { needs, outcome }
    }
}
