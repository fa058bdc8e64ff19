//! What is SQLite's own: how a database is opened, and its schema. Another database is another file
//! like this one.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use super::StoreError;

/// The file in the data directory.
const FILE: &str = "scheduler.sqlite";
/// Connections that answer questions. Writing has one of its own.
const READERS_MAX: u32 = 4;
/// How long a question waits for a connection.
const READER_WAIT: Duration = Duration::from_secs(10);
/// Scripts by version: the database is at `user_version` n after script n.
const SCHEMA: [&str; 1] = [include_str!("schema_1.sql")];

fn options(dir: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(dir.join(FILE))
        .journal_mode(SqliteJournalMode::Wal)
        // Every commit is on disk when it returns.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(READER_WAIT)
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
        let mut transaction = writer.begin().await?;
        transaction.execute(script).await?;
        let stamp = format!("PRAGMA user_version = {number}");
        transaction.execute(sqlx::AssertSqlSafe(stamp)).await?;
        transaction.commit().await?;
    }
    Ok(writer)
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
        .acquire_timeout(READER_WAIT)
        .connect_lazy_with(options(dir).read_only(true))
}
