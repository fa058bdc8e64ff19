//! What is SQLite's own: how a database is opened, and its schema.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use super::StoreError;
use super::database::Session;
use super::write::{self, Done, Job};

/// The file in the data directory.
const FILE: &str = "scheduler.sqlite";
/// Connections that answer questions. Writing has two of its own.
const READERS_MAX: u32 = 4;
/// How long a question waits for a connection, and a change for the other writer.
const WAIT: Duration = Duration::from_secs(10);
/// A transaction that writes says so when it begins: one that finds out later may be refused.
const BEGIN: &str = "BEGIN IMMEDIATE";
/// Scripts by version: the database is at `user_version` n after script n.
const SCHEMA: [&str; 2] =
    [include_str!("schema/sqlite_1.sql"), include_str!("schema/sqlite_2.sql")];

fn options(dir: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(dir.join(FILE))
        .journal_mode(SqliteJournalMode::Wal)
        // Every commit is on disk when it returns.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(WAIT)
        .disable_statement_logging()
}

/// Opens the database for writing and brings its schema up to date.
pub(super) async fn open(dir: &Path) -> Result<SqliteConnection, StoreError> {
    let mut writer = options(dir).create_if_missing(true).connect().await?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut writer).await?;
    let known = SCHEMA.len() as i64;
    if version > known {
        return Err(StoreError::Newer { version, known });
    }
    for (number, script) in (1_i64..).zip(SCHEMA).filter(|(number, _)| *number > version) {
        let mut transaction = writer.begin_with(BEGIN).await?;
        sqlx::raw_sql(script).execute(&mut *transaction).await?;
        let stamp = format!("PRAGMA user_version = {number}");
        transaction.execute(sqlx::AssertSqlSafe(stamp)).await?;
        transaction.commit().await?;
    }
    Ok(writer)
}

/// All of it or nothing. When it returns, it is on disk.
pub(super) async fn transact(
    writer: &mut SqliteConnection,
    job: Job<'_>,
    node: &str,
) -> Result<Done, StoreError> {
    let mut transaction = writer.begin_with(BEGIN).await?;
    let done = write::run(&mut Session::Sqlite(&mut transaction), job, node).await?;
    transaction.commit().await?;
    Ok(done)
}

/// Brings what is in the log into the database's own file. What cannot be brought now stays safe
/// where it is.
pub(super) async fn tidy(writer: &mut SqliteConnection) {
    if let Err(error) = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").await {
        tracing::warn!(%error, "the scheduler's database was not tidied up");
    }
}

/// Connections that only read.
pub(super) fn readers(dir: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS_MAX)
        .acquire_timeout(WAIT)
        .connect_lazy_with(options(dir).read_only(true))
}

/// The connection of what people set.
pub(super) fn second_writer(dir: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(WAIT)
        .connect_lazy_with(options(dir))
}
