//! What is kept: runs, task instances, tries, XComs, the texts of DAGs, and what people set for all
//! of them.
//!
//! One connection writes runs and tasks, in whole batches: all changes of a batch are in one
//! transaction, and each change of a row names the state and epoch it was decided on. A row that is
//! not there any more means that somebody else changes this database; then nothing of the batch is
//! written. Questions are answered by other connections and see only what is committed.
//!
//! The database is a SQLite file in the data directory, or a schema of a PostgreSQL server, which
//! several schedulers may share: `leader` says which one writes, and `postgres` keeps the others
//! out. Statements are written once ([`database`]).

mod availability;
mod cipher;
mod database;
mod leader;
mod mask;
mod postgres;
mod read;
mod rows;
mod settings;
mod sqlite;
mod write;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tidemill_runtime::World;
use tokio::sync::watch;

use crate::core::{Change, Restored, Snapshot, VersionKey};
use crate::dag::{Dag, DagFile};
use database::{Pool, Session};
use postgres::{Server, Writer};
use write::{Done, Job};

pub use availability::Availability;
pub use cipher::KeyError;
pub use leader::{Leader, LeaderTable};
pub use mask::{MASK, Masks, is_sensitive, merged, redacted};
pub use read::{
    Page, RUN_ORDERS, RunFilter, StateCount, StoredTask, StoredTry, TASK_ORDERS, TaskFilter,
    Version, XCom,
};
pub use settings::{
    CONNECTION_ORDERS, Connection, ConnectionError, Environment, ListFilter, POOL_ORDERS, PoolUse,
    Settings, SlotPool, VARIABLE_ORDERS, Variable,
};

/// Why the store did not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said no; nothing of the batch is written.
    #[error("the scheduler's database: {0}")]
    Database(#[from] sqlx::Error),
    /// The database does not answer; the writer tries to reach it.
    #[error("the scheduler's database does not answer: {0}")]
    Away(Arc<str>),
    /// A row changed under us: another process writes to this database.
    #[error("the scheduler's database was changed by another process: {what}")]
    Stale {
        /// The row.
        what: String,
    },
    /// Another scheduler leads: nothing of the batch is written, and it is not ours to write.
    #[error("another scheduler leads on this database")]
    Fenced,
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
    /// A secret cannot be read.
    #[error(
        "the secret of {what} was sealed with another key: give [scheduler] secrets_key_file the key it was sealed with"
    )]
    Sealed {
        /// Which.
        what: String,
    },
    /// A connection of the environment is written wrongly.
    #[error(transparent)]
    Environment(#[from] ConnectionError),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The configured address is none.
    #[error(
        "[scheduler] database is not of the form postgres://user:password@host:5432/database, or database_schema is no name"
    )]
    Address,
    /// The configured password cannot be read.
    #[error("[scheduler] database_password_file {path}: {source}", path = path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl StoreError {
    /// Whether it will pass by itself: the database is away, or busy with something else.
    pub fn is_passing(&self) -> bool {
        match self {
            StoreError::Away(_) => true,
            StoreError::Database(error) => postgres::is_passing(error),
            _ => false,
        }
    }
}

/// Where the store is.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// The scheduler's own directory, which this process has locked.
    pub data: &'a Path,
    /// `postgres://…`; none is SQLite in the directory.
    pub database: Option<&'a str>,
    /// The schema in PostgreSQL.
    pub schema: &'a str,
    /// A file with the password of the database.
    pub password_file: Option<&'a Path>,
    /// A file with the key of secrets; none is one in the directory, made if it is not there.
    pub key_file: Option<&'a Path>,
    /// This scheduler's name among others.
    pub node: &'a str,
    /// Where its REST API listens.
    pub address: &'a str,
}

/// All handles on an open store.
#[derive(Debug)]
pub struct Opened {
    /// The writing side.
    pub store: Store,
    /// The asking side.
    pub reader: Reader,
    /// Variables, connections, pools.
    pub settings: Settings,
    /// Who leads; none where nobody else can.
    pub leaders: Option<LeaderTable>,
    /// Whether the database answers.
    pub availability: Availability,
    /// Set to true, it ends attempts to reach a database that somebody else may lead on by now.
    pub deposed: watch::Sender<bool>,
}

/// The writing side. It has one owner.
#[derive(Debug)]
pub struct Store {
    writer: Backend,
    node: Arc<str>,
}

#[derive(Debug)]
enum Backend {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<Writer>),
}

/// The asking side. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: Pool,
}

/// The answer to a question: asked until the database answers, or until somebody else leads.
macro_rules! asked {
    ($store:ident, $session:ident => $question:expr) => {{
        let mut attempt = 0;
        loop {
            let answer: Result<_, StoreError> = match $store.session().await {
                Ok(mut lent) => {
                    let $session = &mut lent;
                    $question.await
                }
                Err(error) => Err(error),
            };
            match answer {
                Ok(answer) => {
                    $store.recovered();
                    break answer;
                }
                Err(error) => $store.recover(error, &mut attempt).await?,
            }
        }
    }};
}

impl Store {
    /// Opens or creates the database, and brings its schema up to date.
    pub async fn open(world: &World, place: Place<'_>) -> Result<Opened, StoreError> {
        let cipher = cipher::Cipher::open(world, place.data, place.key_file)?;
        let availability = Availability::default();
        let (deposed, is_deposed) = watch::channel(false);
        let (writer, readers, settings, leaders) = match place.database {
            None => {
                let writer = sqlite::open(place.data).await?;
                let settings = Pool::Sqlite(sqlite::second_writer(place.data));
                let readers = Pool::Sqlite(sqlite::readers(place.data));
                (Backend::Sqlite(Box::new(writer)), readers, settings, None)
            }
            Some(url) => {
                let password = place.password_file.map(password).transpose()?;
                let server = Server::parse(url, password.as_deref(), place.schema, place.node)?;
                let pool = server.pool();
                // Who leads is asked by those who do not write, and know nothing of the writer.
                let always = Pool::Postgres(pool.clone(), Availability::default());
                let leaders = LeaderTable::new(always, place.node, place.address);
                let pool = Pool::Postgres(pool, availability.clone());
                let writer = Writer::open(server, availability.clone(), is_deposed).await?;
                (Backend::Postgres(Box::new(writer)), pool.clone(), pool, Some(leaders))
            }
        };
        Ok(Opened {
            store: Store { writer, node: place.node.into() },
            reader: Reader { pool: readers },
            settings: Settings::new(settings, cipher, Environment::of_process()),
            leaders,
            availability,
            deposed,
        })
    }

    /// What is written from now on is written in this term. Without it PostgreSQL takes nothing.
    pub fn lead(&mut self, term: i64) {
        if let Backend::Postgres(writer) = &mut self.writer {
            writer.lead(term);
        }
    }

    /// Writes all of it or nothing. When it returns, it is on disk.
    pub async fn commit(&mut self, changes: &[&Change]) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.transact(Job::Changes(changes)).await?;
        Ok(())
    }

    /// The key of a DAG's text; a text that differs from the last one becomes a new version.
    pub async fn save_version(
        &mut self,
        dag_id: &str,
        file: &DagFile,
        now: Timestamp,
    ) -> Result<VersionKey, StoreError> {
        match self.transact(Job::Version { dag_id, file, now }).await? {
            Done::Version(key) => Ok(key),
            other => Err(StoreError::Corrupt(format!("a version was kept as {other:?}"))),
        }
    }

    /// Forgets runs that ended before an instant, with all that belongs to them, some at a time.
    /// Which: DAG and run.
    pub async fn forget_runs(
        &mut self,
        before: Timestamp,
    ) -> Result<Vec<(String, String)>, StoreError> {
        match self.transact(Job::Forget { before }).await? {
            Done::Forgotten(runs) => Ok(runs),
            other => Err(StoreError::Corrupt(format!("runs were forgotten as {other:?}"))),
        }
    }

    async fn transact(&mut self, job: Job<'_>) -> Result<Done, StoreError> {
        match &mut self.writer {
            Backend::Sqlite(writer) => sqlite::transact(writer, job, &self.node).await,
            Backend::Postgres(writer) => writer.transact(job, &self.node).await,
        }
    }

    async fn session(&mut self) -> Result<Session<'_>, StoreError> {
        match &mut self.writer {
            Backend::Sqlite(writer) => Ok(Session::Sqlite(writer)),
            Backend::Postgres(writer) => writer.session().await,
        }
    }

    async fn recover(&mut self, error: StoreError, attempt: &mut u32) -> Result<(), StoreError> {
        match &mut self.writer {
            Backend::Sqlite(_) => Err(error),
            Backend::Postgres(writer) => writer.recover(error, attempt).await,
        }
    }

    fn recovered(&self) {
        if let Backend::Postgres(writer) = &self.writer {
            writer.recovered();
        }
    }

    /// What is not finished, for a process that takes over. Versions are read by `parse`.
    pub async fn restore(
        &mut self,
        parse: impl Fn(&DagFile) -> Option<Arc<Dag>>,
    ) -> Result<Restored, StoreError> {
        let open = asked!(self, session => read::open_runs(session));
        let mut versions: BTreeMap<VersionKey, Option<Arc<Dag>>> = BTreeMap::new();
        let mut runs = Vec::with_capacity(open.len());
        for run in open {
            let dag = match versions.entry(run.version) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(unknown) => {
                    let file = asked!(self, session => read::version_file(session, run.version));
                    unknown.insert(file.as_ref().and_then(&parse)).clone()
                }
            };
            let tasks = asked!(self, session => read::tasks_of(session, run.key));
            runs.push(Snapshot { run, dag, tasks });
        }
        Ok(Restored {
            dags: asked!(self, session => read::dags(session)),
            runs,
            taken: asked!(self, session => read::taken_dates(session)),
            pools: self.pool_slots().await?,
            last_run: asked!(self, session => read::last_run(session)),
        })
    }

    /// The slots of every pool.
    pub async fn pool_slots(&mut self) -> Result<BTreeMap<Arc<str>, i64>, StoreError> {
        Ok(asked!(self, session => settings::slots(session)))
    }

    /// One run as it is now, to be taken into memory again.
    pub async fn snapshot(
        &mut self,
        dag_id: &str,
        run_id: &str,
        parse: impl Fn(&DagFile) -> Option<Arc<Dag>>,
    ) -> Result<Option<Snapshot>, StoreError> {
        let run = asked!(self, session => read::run_row(session, dag_id, run_id));
        let Some(run) = run else { return Ok(None) };
        let file = asked!(self, session => read::version_file(session, run.version));
        let tasks = asked!(self, session => read::tasks_of(session, run.key));
        Ok(Some(Snapshot { run, dag: file.as_ref().and_then(parse), tasks }))
    }

    /// Whether a run of this name or logical date exists.
    pub async fn has_run(
        &mut self,
        dag_id: &str,
        run_id: &str,
        logical_date: Option<Timestamp>,
    ) -> Result<Option<String>, StoreError> {
        Ok(asked!(self, session => read::existing_run(session, dag_id, run_id, logical_date)))
    }

    /// The latest text of every DAG.
    pub async fn latest_versions(&mut self) -> Result<Vec<(VersionKey, DagFile)>, StoreError> {
        Ok(asked!(self, session => read::latest_versions(session)))
    }

    /// Closes the database in good order.
    pub async fn close(self) -> Result<(), StoreError> {
        match self.writer {
            Backend::Sqlite(mut writer) => {
                sqlite::tidy(&mut writer).await;
                Ok(writer.close().await?)
            }
            Backend::Postgres(writer) => writer.close().await,
        }
    }
}

fn password(path: &Path) -> Result<String, StoreError> {
    let failed = |source| StoreError::PasswordFile { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
pub(crate) mod tests;
