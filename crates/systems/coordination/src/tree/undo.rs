//! Taking a transaction back: of a multi all parts are applied or none.

use bytes::Bytes;
use tidemill_zookeeper_wire::data::StatPersisted;
use tidemill_zookeeper_wire::path;

use super::{Node, Tree, length};

/// How one step is taken back. Steps are taken back in the opposite order.
#[derive(Debug)]
pub(crate) enum Undo {
    /// It changed nothing.
    Nothing,
    /// It is no part of a multi.
    Never,
    Created {
        path: String,
        parent: Parent,
    },
    Deleted {
        path: String,
        node: Box<Node>,
        parent: Parent,
    },
    DataSet {
        path: String,
        data: Option<Bytes>,
        stat: StatPersisted,
        touched: i64,
    },
}

/// What the coming or going of a child changes in a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parent {
    cversion: i32,
    pzxid: i64,
    touched: i64,
}

impl Parent {
    pub(super) fn of(node: &Node) -> Parent {
        Parent { cversion: node.stat.cversion, pzxid: node.stat.pzxid, touched: node.touched }
    }

    fn restore(self, node: &mut Node) {
        node.stat.cversion = self.cversion;
        node.stat.pzxid = self.pzxid;
        node.touched = self.touched;
    }
}

impl Tree {
    /// Takes the last step back.
    pub(crate) fn undo(&mut self, step: Undo) {
        match step {
            Undo::Nothing => {}
            Undo::Never => debug_assert!(false, "no part of a multi"),
            Undo::Created { path, parent } => {
                if let Some(node) = self.take(&path) {
                    self.count_deleted(&path, length(node.data.as_ref()).into());
                }
                self.restore_parent(&path, parent);
            }
            Undo::Deleted { path, node, parent } => {
                let bytes = length(node.data.as_ref()).into();
                self.insert(path.clone(), *node);
                self.count_created(&path, bytes);
                self.restore_parent(&path, parent);
            }
            Undo::DataSet { path, data, stat, touched } => {
                let Some(node) = self.nodes.get_mut(&path) else { return };
                let (after, before) = (length(node.data.as_ref()), length(data.as_ref()));
                node.data = data;
                node.stat = stat;
                node.touched = touched;
                self.resize(&path, i64::from(after), i64::from(before));
            }
        }
    }

    fn restore_parent(&mut self, path: &str, parent: Parent) {
        if let Some(node) = path::parent(path).and_then(|above| self.nodes.get_mut(above)) {
            parent.restore(node);
        }
    }
}
