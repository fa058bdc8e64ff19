//! Multi (op 14): writes, all or none. MultiRead (op 22): reads, each for itself.

use tidemill_zookeeper_wire::txn::Txn;
use tidemill_zookeeper_wire::{ErrorCode, OpResult, Request, Response};

use super::{Caller, done, get_children, get_data, prepare};
use crate::machine::{Answer, ConnId, Machine};

pub(super) fn write(machine: &mut Machine, id: ConnId, xid: i32, parts: &[Request]) -> Answer {
    let Some(connection) = machine.connections.get(&id) else {
        return Answer { needs: 0, outcome: Err(ErrorCode::SessionExpired) };
    };
    let (session_id, identities) = (connection.session_id, connection.identities.clone());
    let at = machine.next(session_id);
    let (mut txns, mut steps) = (Vec::new(), Vec::new());
    let (mut changes, mut results) = (Vec::new(), Vec::new());
    for part in parts {
        // Each part sees what the parts before it did.
        let caller = Caller { identities: &identities, config: &machine.config };
        match prepare(&machine.tree, &caller, part) {
            Ok(txn) => {
                steps.push(machine.try_part(at, &txn, &mut changes));
                results.push(match txn {
                    Txn::Check(_) => OpResult::Checked,
                    _ => result(done(&machine.tree, part.op(), &txn)),
                });
                txns.push(txn);
            }
            Err(error) => {
                steps.into_iter().rev().for_each(|step| machine.tree.undo(step));
                let results = failed(parts.len(), results.len(), error);
                return Answer { needs: machine.zxid(), outcome: Ok(Response::Results(results)) };
            }
        }
    }
    machine.log(at, xid, &Txn::Multi(txns));
    machine.tell(at.zxid, changes);
    Answer { needs: at.zxid, outcome: Ok(Response::Results(results)) }
}

/// What stands before the failed part would have worked, what stands behind it was not tried.
fn failed(parts: usize, failed_at: usize, error: ErrorCode) -> Vec<OpResult> {
    let code = |at: usize| match at.cmp(&failed_at) {
        std::cmp::Ordering::Less => ErrorCode::Ok,
        std::cmp::Ordering::Equal => error,
        std::cmp::Ordering::Greater => ErrorCode::RuntimeInconsistency,
    };
    (0..parts).map(|at| OpResult::Error(code(at).number())).collect()
}

pub(super) fn read(machine: &mut Machine, id: ConnId, parts: &[Request]) -> Answer {
    let mut needs = 0;
    let mut results = Vec::with_capacity(parts.len());
    for part in parts {
        let answer = match part {
            Request::GetData(ask) => get_data::handle(machine, id, ask),
            Request::GetChildren(ask) => get_children::names(machine, id, ask),
            _ => Answer { needs: 0, outcome: Err(ErrorCode::MarshallingError) },
        };
        needs = needs.max(answer.needs);
        results.push(match answer.outcome {
            Ok(response) => result(response),
            Err(error) => OpResult::Error(error.number()),
        });
    }
    Answer { needs, outcome: Ok(Response::Results(results)) }
}

fn result(response: Response) -> OpResult {
    match response {
        Response::Path(path) => OpResult::Created(path),
        Response::Created(path, stat) => OpResult::Created2(path, stat),
        Response::Stat(stat) => OpResult::Set(stat),
        Response::Data(data, stat) => OpResult::Data(data, stat),
        Response::Names(names) => OpResult::Names(names),
        _ => OpResult::Deleted,
    }
}
