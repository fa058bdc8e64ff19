//! The little that statements need of a database: text with `$n`, whole numbers and text as values,
//! rows by column name. Every statement is written once and means the same on SQLite and PostgreSQL;
//! what differs between the two is in `sqlite` and `postgres`.

use std::borrow::Cow;

use sqlx::postgres::{PgConnection, PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Decode, Row as _, Type};

use super::StoreError;
use super::availability::Availability;

/// A value of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bind {
    /// A whole number: `INTEGER` in SQLite, `BIGINT` in PostgreSQL.
    Int(Option<i64>),
    /// A text.
    Text(Option<String>),
}

impl From<i64> for Bind {
    fn from(value: i64) -> Bind {
        Bind::Int(Some(value))
    }
}

impl From<Option<i64>> for Bind {
    fn from(value: Option<i64>) -> Bind {
        Bind::Int(value)
    }
}

impl From<&str> for Bind {
    fn from(value: &str) -> Bind {
        Bind::Text(Some(value.to_owned()))
    }
}

impl From<String> for Bind {
    fn from(value: String) -> Bind {
        Bind::Text(Some(value))
    }
}

impl From<Option<&str>> for Bind {
    fn from(value: Option<&str>) -> Bind {
        Bind::Text(value.map(str::to_owned))
    }
}

/// A statement and its values. The text comes from this program, never from a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Sql {
    text: Cow<'static, str>,
    binds: Vec<Bind>,
}

impl Sql {
    pub(super) fn new(text: impl Into<Cow<'static, str>>) -> Sql {
        Sql { text: text.into(), binds: Vec::new() }
    }

    /// The value of the next `$n` that is written in the text.
    pub(super) fn bind(mut self, value: impl Into<Bind>) -> Sql {
        self.binds.push(value.into());
        self
    }

    /// More text.
    pub(super) fn push(&mut self, text: &str) -> &mut Sql {
        self.text.to_mut().push_str(text);
        self
    }

    /// Writes the next `$n`, and its value. Every value before it must have been given.
    pub(super) fn push_bind(&mut self, value: impl Into<Bind>) -> &mut Sql {
        self.binds.push(value.into());
        let place = format!("${}", self.binds.len());
        self.text.to_mut().push_str(&place);
        self
    }

    /// Writes `($n, $m, …)`.
    pub(super) fn push_list(&mut self, values: impl IntoIterator<Item = Bind>) -> &mut Sql {
        self.push("(");
        for (place, value) in values.into_iter().enumerate() {
            if place > 0 {
                self.push(", ");
            }
            self.push_bind(value);
        }
        self.push(")")
    }

    /// Runs it; how many rows it changed.
    pub(super) async fn execute(self, session: &mut Session<'_>) -> Result<u64, StoreError> {
        Ok(match session {
            Session::Sqlite(connection) => {
                self.for_sqlite().execute(&mut **connection).await?.rows_affected()
            }
            Session::Postgres(connection) => {
                self.for_postgres().execute(&mut **connection).await?.rows_affected()
            }
        })
    }

    /// Its rows.
    pub(super) async fn fetch(self, session: &mut Session<'_>) -> Result<Vec<Row>, StoreError> {
        Ok(match session {
            Session::Sqlite(connection) => {
                let rows = self.for_sqlite().fetch_all(&mut **connection).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Session::Postgres(connection) => {
                let rows = self.for_postgres().fetch_all(&mut **connection).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Its first row, if it has one.
    pub(super) async fn fetch_first(
        self,
        session: &mut Session<'_>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(match session {
            Session::Sqlite(connection) => {
                self.for_sqlite().fetch_optional(&mut **connection).await?.map(Row::Sqlite)
            }
            Session::Postgres(connection) => {
                self.for_postgres().fetch_optional(&mut **connection).await?.map(Row::Postgres)
            }
        })
    }

    /// The column `n` of its only row.
    pub(super) async fn fetch_count(self, session: &mut Session<'_>) -> Result<i64, StoreError> {
        match self.fetch_first(session).await? {
            Some(row) => row.get("n"),
            None => Err(StoreError::Corrupt("a count has no row".to_owned())),
        }
    }

    fn for_sqlite(self) -> sqlx::query::Query<'static, Sqlite, sqlx::sqlite::SqliteArguments> {
        let query = sqlx::query::<Sqlite>(AssertSqlSafe(self.text));
        self.binds.into_iter().fold(query, |query, bind| match bind {
            Bind::Int(value) => query.bind(value),
            Bind::Text(value) => query.bind(value),
        })
    }

    fn for_postgres(self) -> sqlx::query::Query<'static, Postgres, sqlx::postgres::PgArguments> {
        let query = sqlx::query::<Postgres>(AssertSqlSafe(self.text));
        self.binds.into_iter().fold(query, |query, bind| match bind {
            Bind::Int(value) => query.bind(value),
            Bind::Text(value) => query.bind(value),
        })
    }
}

/// A connection that is lent for some statements.
pub(super) enum Session<'c> {
    /// To the file in the data directory.
    Sqlite(&'c mut SqliteConnection),
    /// To a server.
    Postgres(&'c mut PgConnection),
}

/// A row of an answer.
pub(super) enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    Postgres(PgRow),
}

impl Row {
    /// A column: `i64`, `String`, or an option of one of these.
    pub(super) fn get<T>(&self, column: &str) -> Result<T, StoreError>
    where
        T: for<'r> Decode<'r, Sqlite>
            + Type<Sqlite>
            + for<'r> Decode<'r, Postgres>
            + Type<Postgres>,
    {
        Ok(match self {
            Row::Sqlite(row) => row.try_get(column)?,
            Row::Postgres(row) => row.try_get(column)?,
        })
    }

    /// A column that holds 0 or 1.
    pub(super) fn flag(&self, column: &str) -> Result<bool, StoreError> {
        Ok(self.get::<i64>(column)? != 0)
    }
}

/// Connections that are lent one at a time. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) enum Pool {
    /// To the file in the data directory.
    Sqlite(sqlx::sqlite::SqlitePool),
    /// To a server, unless the writer knows that it does not answer.
    Postgres(sqlx::postgres::PgPool, Availability),
}

/// A connection from a [`Pool`].
pub(super) enum Lent {
    /// To the file in the data directory.
    Sqlite(sqlx::pool::PoolConnection<Sqlite>),
    /// To a server.
    Postgres(sqlx::pool::PoolConnection<Postgres>),
}

impl Pool {
    pub(super) async fn acquire(&self) -> Result<Lent, StoreError> {
        Ok(match self {
            Pool::Sqlite(pool) => Lent::Sqlite(pool.acquire().await?),
            Pool::Postgres(pool, availability) => match availability.reason() {
                Some(reason) => return Err(StoreError::Away(reason)),
                None => Lent::Postgres(pool.acquire().await?),
            },
        })
    }

    pub(super) async fn close(&self) {
        match self {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool, _) => pool.close().await,
        }
    }
}

impl Lent {
    pub(super) fn session(&mut self) -> Session<'_> {
        match self {
            Lent::Sqlite(connection) => Session::Sqlite(connection),
            Lent::Postgres(connection) => Session::Postgres(connection),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbered_in_the_order_they_are_written() {
        let mut sql = Sql::new("SELECT 1 FROM t WHERE a = $1").bind(7);
        sql.push(" AND b IN ").push_list(["x".into(), "y".into()]).push(" LIMIT ").push_bind(3);
        assert_eq!(sql.text, "SELECT 1 FROM t WHERE a = $1 AND b IN ($2, $3) LIMIT $4");
        assert_eq!(sql.binds[0], Bind::Int(Some(7)));
        assert_eq!(sql.binds.len(), 4);
    }
}
