//! What is known of the DAGs, for whoever asks: a copy that the scheduler keeps up to date.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::RwLock;

use crate::core::{DagRow, VersionKey};
use crate::dag::{Dag, ImportError};
use crate::timetable::DataInterval;

/// The DAGs in force and the files that are not. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory(Arc<RwLock<Known>>);

#[derive(Debug, Default)]
struct Known {
    rows: BTreeMap<Arc<str>, DagRow>,
    loaded: BTreeMap<Arc<str>, Loaded>,
    errors: Vec<(ImportError, Timestamp)>,
    heartbeat: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct Loaded {
    dag: Arc<Dag>,
    version: VersionKey,
    parsed: Timestamp,
}

/// One DAG, as it is in force.
#[derive(Debug, Clone)]
pub(crate) struct DagInfo {
    /// The DAG.
    pub(crate) dag: Arc<Dag>,
    /// The version of its text.
    pub(crate) version: VersionKey,
    /// When it was read.
    pub(crate) parsed: Timestamp,
    /// Whether nothing of it is started.
    pub(crate) paused: bool,
    /// The interval of the last run its schedule made.
    pub(crate) last: Option<DataInterval>,
    /// Whether its file is broken now.
    pub(crate) has_import_errors: bool,
}

impl Directory {
    /// All DAGs in force, by name.
    pub(crate) fn all(&self) -> Vec<DagInfo> {
        let known = self.0.read();
        known.loaded.keys().filter_map(|dag_id| known.info(dag_id)).collect()
    }

    /// One DAG in force.
    pub(crate) fn get(&self, dag_id: &str) -> Option<DagInfo> {
        self.0.read().info(dag_id)
    }

    /// Files that could not be taken, and since when.
    pub(crate) fn errors(&self) -> Vec<(ImportError, Timestamp)> {
        self.0.read().errors.clone()
    }

    /// When the scheduler last did something.
    pub(crate) fn heartbeat(&self) -> Option<Timestamp> {
        self.0.read().heartbeat
    }

    pub(crate) fn set_row(&self, row: DagRow) {
        self.0.write().rows.insert(row.dag_id.clone(), row);
    }

    pub(crate) fn set_loaded(&self, dag: Arc<Dag>, version: VersionKey, parsed: Timestamp) {
        let loaded = Loaded { dag: dag.clone(), version, parsed };
        self.0.write().loaded.insert(dag.dag_id.clone(), loaded);
    }

    pub(crate) fn set_gone(&self, dag_id: &str) {
        self.0.write().loaded.remove(dag_id);
    }

    pub(crate) fn set_errors(&self, errors: Vec<(ImportError, Timestamp)>) {
        self.0.write().errors = errors;
    }

    pub(crate) fn beat(&self, now: Timestamp) {
        self.0.write().heartbeat = Some(now);
    }
}

impl Known {
    fn info(&self, dag_id: &str) -> Option<DagInfo> {
        let loaded = self.loaded.get(dag_id)?.clone();
        let row = self.rows.get(dag_id);
        let file = &loaded.dag.file.name;
        Some(DagInfo {
            paused: row.is_some_and(|row| row.paused),
            last: row.and_then(|row| row.last),
            has_import_errors: self.errors.iter().any(|(error, _)| *error.file == **file),
            dag: loaded.dag,
            version: loaded.version,
            parsed: loaded.parsed,
        })
    }
}
