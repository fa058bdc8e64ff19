//! Questions.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use sqlx::sqlite::{Sqlite, SqliteConnection};
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _};

use super::rows::{self, RUN_COLUMNS, TASK_COLUMNS, instant, interval, us};
use super::{Reader, StoreError};
use crate::core::{DagRow, RunKey, RunRow, RunState, TaskRow, TaskState, VersionKey};
use crate::dag::DagFile;

/// A part of a list, and how long the whole is.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The part.
    pub items: Vec<T>,
    /// The whole.
    pub total: i64,
}

/// Which runs, in which order.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Of one DAG.
    pub dag_id: Option<String>,
    /// In one of these states; empty: any.
    pub states: Vec<RunState>,
    /// Of one of these types; empty: any.
    pub run_types: Vec<String>,
    /// Column, bound, and whether the bound is the lower one. Columns are of [`RUN_ORDERS`].
    pub bounds: Vec<(&'static str, Timestamp, bool)>,
    /// Columns of [`RUN_ORDERS`], and whether descending.
    pub order: Vec<(&'static str, bool)>,
    /// At most so many.
    pub limit: i64,
    /// After so many.
    pub offset: i64,
}

/// What runs can be ordered by: the API's name, the column.
pub const RUN_ORDERS: &[(&str, &str)] = &[
    ("id", "r.id"),
    ("dag_id", "r.dag_id"),
    ("run_id", "r.run_id"),
    ("dag_run_id", "r.run_id"),
    ("state", "r.state"),
    ("run_type", "r.run_type"),
    ("logical_date", "r.logical_us"),
    ("run_after", "r.run_after_us"),
    ("start_date", "r.started_us"),
    ("end_date", "r.ended_us"),
    ("queued_at", "r.queued_us"),
    ("duration", "r.ended_us - r.started_us"),
];

/// Which task instances, in which order.
#[derive(Debug, Clone, Default)]
pub struct TaskFilter {
    /// Of one DAG.
    pub dag_id: Option<String>,
    /// Of one run.
    pub run_id: Option<String>,
    /// Of one task.
    pub task_id: Option<String>,
    /// In one of these states; empty: any.
    pub states: Vec<TaskState>,
    /// Columns of [`TASK_ORDERS`], and whether descending.
    pub order: Vec<(&'static str, bool)>,
    /// At most so many.
    pub limit: i64,
    /// After so many.
    pub offset: i64,
}

/// What task instances can be ordered by: the API's name, the column.
pub const TASK_ORDERS: &[(&str, &str)] = &[
    ("id", "t.run_id, t.task_index"),
    ("task_id", "t.task_id"),
    ("dag_id", "r.dag_id"),
    ("run_id", "r.run_id"),
    ("state", "t.state"),
    ("start_date", "t.started_us"),
    ("end_date", "t.ended_us"),
    ("duration", "t.ended_us - t.started_us"),
    ("logical_date", "r.logical_us"),
    ("run_after", "r.run_after_us"),
    ("map_index", "t.task_index"),
    ("try_number", "t.try_number"),
];

/// A task instance with its run.
#[derive(Debug, Clone)]
pub struct StoredTask {
    /// The task instance.
    pub task: TaskRow,
    /// Its run.
    pub run: RunRow,
}

/// A version of a DAG's text.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its key.
    pub key: VersionKey,
    /// From 1, per DAG.
    pub number: i64,
    /// The text.
    pub file: DagFile,
    /// When it was first seen.
    pub created: Timestamp,
}

/// A value a task left.
#[derive(Debug, Clone)]
pub struct XCom {
    /// Its task.
    pub task_id: String,
    /// `return_value`.
    pub key: String,
    /// The value.
    pub value: Value,
    /// When it was left.
    pub created: Timestamp,
}

/// How many runs of a DAG are in a state.
#[derive(Debug, Clone)]
pub struct StateCount {
    /// The DAG.
    pub dag_id: String,
    /// The state.
    pub state: RunState,
    /// How many.
    pub count: i64,
}

const TRY_COLUMNS: &str = "t.run_id AS run_key, t.task_index, t.task_id, t.state AS task_state, \
     0 AS task_epoch, t.try_number, t.max_tries, t.scheduled_us, t.queued_us AS task_queued_us, \
     t.started_us AS task_started_us, t.ended_us AS task_ended_us, NULL AS retry_us, NULL AS pid, \
     t.reason AS task_reason";

impl Reader {
    /// Runs.
    pub async fn runs(&self, filter: &RunFilter) -> Result<Page<RunRow>, StoreError> {
        let mut count = QueryBuilder::new("SELECT count(*) FROM dag_run r WHERE 1 = 1");
        where_runs(&mut count, filter);
        let total = count.build_query_scalar().fetch_one(&self.pool).await?;
        let mut list =
            QueryBuilder::new(format!("SELECT {RUN_COLUMNS} FROM dag_run r WHERE 1 = 1"));
        where_runs(&mut list, filter);
        push_order(&mut list, &filter.order, "r.id");
        list.push(" LIMIT ").push_bind(filter.limit).push(" OFFSET ").push_bind(filter.offset);
        let found = list.build().fetch_all(&self.pool).await?;
        let items = found.iter().map(rows::run).collect::<Result<_, _>>()?;
        Ok(Page { items, total })
    }

    /// One run.
    pub async fn run(&self, dag_id: &str, run_id: &str) -> Result<Option<RunRow>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        run_row(&mut connection, dag_id, run_id).await
    }

    /// Task instances.
    pub async fn tasks(&self, filter: &TaskFilter) -> Result<Page<StoredTask>, StoreError> {
        let from = "FROM task_instance t JOIN dag_run r ON r.id = t.run_id WHERE 1 = 1";
        let mut count = QueryBuilder::new(format!("SELECT count(*) {from}"));
        where_tasks(&mut count, filter);
        let total = count.build_query_scalar().fetch_one(&self.pool).await?;
        let mut list = QueryBuilder::new(format!("SELECT {RUN_COLUMNS}, {TASK_COLUMNS} {from}"));
        where_tasks(&mut list, filter);
        push_order(&mut list, &filter.order, "t.run_id, t.task_index");
        list.push(" LIMIT ").push_bind(filter.limit).push(" OFFSET ").push_bind(filter.offset);
        let found = list.build().fetch_all(&self.pool).await?;
        let items = found.iter().map(stored_task).collect::<Result<_, _>>()?;
        Ok(Page { items, total })
    }

    /// One task instance.
    pub async fn task(
        &self,
        dag_id: &str,
        run_id: &str,
        task_id: &str,
    ) -> Result<Option<StoredTask>, StoreError> {
        let filter = TaskFilter {
            dag_id: Some(dag_id.to_owned()),
            run_id: Some(run_id.to_owned()),
            task_id: Some(task_id.to_owned()),
            limit: 1,
            ..TaskFilter::default()
        };
        Ok(self.tasks(&filter).await?.items.pop())
    }

    /// Ended tries of a task instance, first to last.
    pub async fn tries(&self, run: RunKey, task_id: &str) -> Result<Vec<TaskRow>, StoreError> {
        let sql = format!(
            "SELECT {TRY_COLUMNS} FROM task_try t WHERE t.run_id = $1 AND t.task_id = $2 \
             ORDER BY t.try_number"
        );
        let found = sqlx::query(AssertSqlSafe(sql)).bind(run.0).bind(task_id);
        found.fetch_all(&self.pool).await?.iter().map(rows::task).collect()
    }

    /// Values the tasks of a run left.
    pub async fn xcoms(&self, run: RunKey) -> Result<Vec<XCom>, StoreError> {
        let found = sqlx::query(
            "SELECT task_id, key, value, created_us FROM xcom WHERE run_id = $1 \
             ORDER BY task_id, key",
        );
        found.bind(run.0).fetch_all(&self.pool).await?.iter().map(xcom).collect()
    }

    /// Runs per DAG and state.
    pub async fn state_counts(&self) -> Result<Vec<StateCount>, StoreError> {
        let found = sqlx::query(
            "SELECT dag_id, state, count(*) AS count FROM dag_run GROUP BY dag_id, state",
        );
        let count = |row: &sqlx::sqlite::SqliteRow| -> Result<StateCount, StoreError> {
            let state: String = row.try_get("state")?;
            Ok(StateCount {
                dag_id: row.try_get("dag_id")?,
                state: state.parse().map_err(StoreError::Corrupt)?,
                count: row.try_get("count")?,
            })
        };
        found.fetch_all(&self.pool).await?.iter().map(count).collect()
    }

    /// Versions of a DAG's text, newest first; one of them if a number is given.
    pub async fn versions(
        &self,
        dag_id: &str,
        number: Option<i64>,
    ) -> Result<Vec<Version>, StoreError> {
        let found = sqlx::query(
            "SELECT id, number, file, source, created_us FROM dag_version \
             WHERE dag_id = $1 AND ($2 IS NULL OR number = $2) ORDER BY number DESC LIMIT 100",
        );
        let found = found.bind(dag_id).bind(number).fetch_all(&self.pool).await?;
        found.iter().map(version).collect()
    }

    /// One version of a DAG's text.
    pub async fn version(&self, key: VersionKey) -> Result<Option<Version>, StoreError> {
        let found = sqlx::query(
            "SELECT id, number, file, source, created_us FROM dag_version WHERE id = $1",
        );
        let found = found.bind(key.0).fetch_optional(&self.pool).await?;
        found.as_ref().map(version).transpose()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Closes the connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn where_runs(query: &mut QueryBuilder<Sqlite>, filter: &RunFilter) {
    if let Some(dag_id) = &filter.dag_id {
        query.push(" AND r.dag_id = ").push_bind(dag_id.clone());
    }
    push_in(query, "r.state", filter.states.iter().map(|state| state.as_str().to_owned()));
    push_in(query, "r.run_type", filter.run_types.iter().cloned());
    for (column, at, is_lower) in &filter.bounds {
        let operator = if *is_lower { ">=" } else { "<=" };
        query.push(format_args!(" AND {column} {operator} ")).push_bind(us(*at));
    }
}

fn where_tasks(query: &mut QueryBuilder<Sqlite>, filter: &TaskFilter) {
    let texts = [
        ("r.dag_id", &filter.dag_id),
        ("r.run_id", &filter.run_id),
        ("t.task_id", &filter.task_id),
    ];
    for (column, text) in texts {
        if let Some(text) = text {
            query.push(format_args!(" AND {column} = ")).push_bind(text.clone());
        }
    }
    push_in(query, "t.state", filter.states.iter().map(|state| state.as_str().to_owned()));
}

fn push_in(
    query: &mut QueryBuilder<Sqlite>,
    column: &str,
    values: impl ExactSizeIterator<Item = String>,
) {
    if values.len() == 0 {
        return;
    }
    query.push(format_args!(" AND {column} IN ("));
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    query.push(")");
}

/// The columns come from our own tables, never from a request.
fn push_order(query: &mut QueryBuilder<Sqlite>, order: &[(&'static str, bool)], last: &str) {
    query.push(" ORDER BY ");
    for (column, descending) in order {
        query.push(format_args!("{column}{}, ", if *descending { " DESC" } else { "" }));
    }
    query.push(last);
}

fn stored_task(row: &sqlx::sqlite::SqliteRow) -> Result<StoredTask, StoreError> {
    Ok(StoredTask { task: rows::task(row)?, run: rows::run(row)? })
}

fn xcom(row: &sqlx::sqlite::SqliteRow) -> Result<XCom, StoreError> {
    let value: String = row.try_get("value")?;
    Ok(XCom {
        task_id: row.try_get("task_id")?,
        key: row.try_get("key")?,
        value: serde_json::from_str(&value)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?,
        created: instant(row, "created_us")?,
    })
}

fn version(row: &sqlx::sqlite::SqliteRow) -> Result<Version, StoreError> {
    Ok(Version {
        key: VersionKey(row.try_get("id")?),
        number: row.try_get("number")?,
        file: dag_file(row)?,
        created: instant(row, "created_us")?,
    })
}

fn dag_file(row: &sqlx::sqlite::SqliteRow) -> Result<DagFile, StoreError> {
    Ok(DagFile {
        name: row.try_get::<String, _>("file")?.into(),
        source: row.try_get::<String, _>("source")?.into(),
    })
}

pub(super) async fn run_row(
    database: &mut SqliteConnection,
    dag_id: &str,
    run_id: &str,
) -> Result<Option<RunRow>, StoreError> {
    let sql = format!("SELECT {RUN_COLUMNS} FROM dag_run r WHERE r.dag_id = $1 AND r.run_id = $2");
    let found = sqlx::query(AssertSqlSafe(sql)).bind(dag_id).bind(run_id);
    found.fetch_optional(database).await?.as_ref().map(rows::run).transpose()
}

pub(super) async fn open_runs(database: &mut SqliteConnection) -> Result<Vec<RunRow>, StoreError> {
    let sql = format!(
        "SELECT {RUN_COLUMNS} FROM dag_run r WHERE r.state IN ('queued', 'running') ORDER BY r.id"
    );
    let found = sqlx::query(AssertSqlSafe(sql)).fetch_all(database).await?;
    found.iter().map(rows::run).collect()
}

pub(super) async fn tasks_of(
    database: &mut SqliteConnection,
    run: RunKey,
) -> Result<Vec<TaskRow>, StoreError> {
    let sql = format!(
        "SELECT {TASK_COLUMNS} FROM task_instance t WHERE t.run_id = $1 ORDER BY t.task_index"
    );
    let found = sqlx::query(AssertSqlSafe(sql)).bind(run.0).fetch_all(database).await?;
    found.iter().map(rows::task).collect()
}

pub(super) async fn version_file(
    database: &mut SqliteConnection,
    key: VersionKey,
) -> Result<Option<DagFile>, StoreError> {
    let found = sqlx::query("SELECT file, source FROM dag_version WHERE id = $1").bind(key.0);
    found.fetch_optional(database).await?.as_ref().map(dag_file).transpose()
}

pub(super) async fn latest_versions(
    database: &mut SqliteConnection,
) -> Result<Vec<(VersionKey, DagFile)>, StoreError> {
    let found = sqlx::query(
        "SELECT v.id, v.file, v.source FROM dag_version v WHERE v.number = \
         (SELECT max(number) FROM dag_version w WHERE w.dag_id = v.dag_id)",
    );
    let found = found.fetch_all(database).await?;
    found.iter().map(|row| Ok((VersionKey(row.try_get("id")?), dag_file(row)?))).collect()
}

pub(super) async fn dags(database: &mut SqliteConnection) -> Result<Vec<DagRow>, StoreError> {
    let found = sqlx::query("SELECT dag_id, paused, last_start_us, last_end_us FROM dag");
    let found = found.fetch_all(database).await?;
    let dag = |row: &sqlx::sqlite::SqliteRow| -> Result<DagRow, StoreError> {
        Ok(DagRow {
            dag_id: row.try_get::<String, _>("dag_id")?.into(),
            paused: row.try_get("paused")?,
            last: interval(row, "last_start_us", "last_end_us")?,
        })
    };
    found.iter().map(dag).collect()
}

/// Logical dates of manual runs that the schedule of their DAG has yet to reach.
pub(super) async fn taken_dates(
    database: &mut SqliteConnection,
) -> Result<BTreeMap<Arc<str>, Vec<Timestamp>>, StoreError> {
    let found = sqlx::query(
        "SELECT r.dag_id, r.logical_us FROM dag_run r LEFT JOIN dag d ON d.dag_id = r.dag_id \
         WHERE r.run_type = 'manual' AND r.logical_us IS NOT NULL \
         AND (d.last_start_us IS NULL OR r.logical_us > d.last_start_us)",
    );
    let mut taken: BTreeMap<Arc<str>, Vec<Timestamp>> = BTreeMap::new();
    for row in found.fetch_all(database).await? {
        let dag_id: String = row.try_get("dag_id")?;
        taken.entry(dag_id.into()).or_default().push(instant(&row, "logical_us")?);
    }
    Ok(taken)
}

pub(super) async fn last_run(database: &mut SqliteConnection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM dag_run").fetch_one(database).await?)
}

pub(super) async fn existing_run(
    database: &mut SqliteConnection,
    dag_id: &str,
    run_id: &str,
    logical_date: Option<Timestamp>,
) -> Result<Option<String>, StoreError> {
    let found = sqlx::query(
        "SELECT run_id, logical_us FROM dag_run \
         WHERE dag_id = $1 AND (run_id = $2 OR logical_us = $3) LIMIT 1",
    );
    let found = found.bind(dag_id).bind(run_id).bind(rows::opt_us(logical_date));
    let Some(row) = found.fetch_optional(database).await? else { return Ok(None) };
    let twin: String = row.try_get("run_id")?;
    Ok(Some(if twin == run_id {
        format!("run_id: `{run_id}`")
    } else {
        format!("this logical_date (run_id: `{twin}`)")
    }))
}
