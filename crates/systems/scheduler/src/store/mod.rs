//! What is kept: runs, task instances, tries, XComs, and the texts of DAGs.
//!
//! One connection writes, in whole batches: all changes of a batch are in one transaction, and each
//! change of a row names the state and epoch it was decided on. A row that is not there any more
//! means that somebody else changes this database; then nothing of the batch is written. Questions
//! are answered by other connections and see only what is committed.

mod read;
mod rows;
mod sqlite;
mod write;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use crate::core::{Change, Restored, Snapshot, VersionKey};
use crate::dag::{Dag, DagFile};

pub use read::{
    Page, RUN_ORDERS, RunFilter, StateCount, StoredTask, TASK_ORDERS, TaskFilter, Version, XCom,
};

/// Why the store did not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said no; nothing of the batch is written.
    #[error("the scheduler's database: {0}")]
    Database(#[from] sqlx::Error),
    /// A row changed under us: another process writes to this database.
    #[error("the scheduler's database was changed by another process: {what}")]
    Stale {
        /// The row.
        what: String,
    },
    /// The database was written by a newer version of this program.
    #[error(
        "the scheduler's database has version {version}, this program knows {known}: use the newer one"
    )]
    Newer {
        /// What the file says.
        version: i64,
        /// What this program can read.
        known: i64,
    },
    /// A row cannot be read.
    #[error("the scheduler's database holds what cannot be read: {0}")]
    Corrupt(String),
}

/// The writing side. It has one owner.
#[derive(Debug)]
pub struct Store {
    writer: SqliteConnection,
}

/// The asking side. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: SqlitePool,
}

impl Store {
    /// Opens or creates the database in a directory that this process has locked.
    pub async fn open(dir: &Path) -> Result<(Store, Reader), StoreError> {
        let writer = sqlite::open(dir).await?;
        Ok((Store { writer }, Reader { pool: sqlite::readers(dir) }))
    }

    /// Writes all of it or nothing. When it returns, it is on disk.
    pub async fn commit(&mut self, changes: &[&Change]) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut transaction = self.writer.begin().await?;
        for change in changes {
            write::apply(&mut transaction, change).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The key of a DAG's text; a text that differs from the last one becomes a new version.
    pub async fn save_version(
        &mut self,
        dag_id: &str,
        file: &DagFile,
        now: Timestamp,
    ) -> Result<VersionKey, StoreError> {
        write::save_version(&mut self.writer, dag_id, file, now).await
    }

    /// What is not finished, for a process that takes over. Versions are read by `parse`.
    pub async fn restore(
        &mut self,
        parse: impl Fn(&DagFile) -> Option<Arc<Dag>>,
    ) -> Result<Restored, StoreError> {
        let open = read::open_runs(&mut self.writer).await?;
        let mut versions: BTreeMap<VersionKey, Option<Arc<Dag>>> = BTreeMap::new();
        let mut runs = Vec::with_capacity(open.len());
        for run in open {
            let dag = match versions.entry(run.version) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(unknown) => {
                    let file = read::version_file(&mut self.writer, run.version).await?;
                    unknown.insert(file.as_ref().and_then(&parse)).clone()
                }
            };
            let tasks = read::tasks_of(&mut self.writer, run.key).await?;
            runs.push(Snapshot { run, dag, tasks });
        }
        Ok(Restored {
            dags: read::dags(&mut self.writer).await?,
            runs,
            taken: read::taken_dates(&mut self.writer).await?,
            last_run: read::last_run(&mut self.writer).await?,
        })
    }

    /// One run as it is now, to be taken into memory again.
    pub async fn snapshot(
        &mut self,
        dag_id: &str,
        run_id: &str,
        parse: impl Fn(&DagFile) -> Option<Arc<Dag>>,
    ) -> Result<Option<Snapshot>, StoreError> {
        let Some(run) = read::run_row(&mut self.writer, dag_id, run_id).await? else {
            return Ok(None);
        };
        let file = read::version_file(&mut self.writer, run.version).await?;
        let tasks = read::tasks_of(&mut self.writer, run.key).await?;
        Ok(Some(Snapshot { run, dag: file.as_ref().and_then(parse), tasks }))
    }

    /// Whether a run of this name or logical date exists.
    pub async fn has_run(
        &mut self,
        dag_id: &str,
        run_id: &str,
        logical_date: Option<Timestamp>,
    ) -> Result<Option<String>, StoreError> {
        read::existing_run(&mut self.writer, dag_id, run_id, logical_date).await
    }

    /// The latest text of every DAG.
    pub async fn latest_versions(&mut self) -> Result<Vec<(VersionKey, DagFile)>, StoreError> {
        read::latest_versions(&mut self.writer).await
    }

    /// Forgets runs that ended before an instant, with all that belongs to them, some at a time.
    /// Which: DAG and run.
    pub async fn forget_runs(
        &mut self,
        before: Timestamp,
    ) -> Result<Vec<(String, String)>, StoreError> {
        write::forget_runs(&mut self.writer, before).await
    }

    /// Closes the database in good order.
    pub async fn close(mut self) -> Result<(), StoreError> {
        sqlite::tidy(&mut self.writer).await;
        Ok(self.writer.close().await?)
    }
}

#[cfg(test)]
mod tests;
