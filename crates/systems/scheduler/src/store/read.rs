//! Questions.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::database::{Row, Session, Sql};
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
    /// The node that ran its last try, which has its log.
    pub node: Option<String>,
}

/// A try that has ended.
#[derive(Debug, Clone)]
pub struct StoredTry {
    /// The task instance as it was then.
    pub task: TaskRow,
    /// The node that ran it, which has its log.
    pub node: Option<String>,
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
     CAST(0 AS BIGINT) AS task_epoch, t.try_number, t.max_tries, t.scheduled_us, t.queued_us AS task_queued_us, \
     t.started_us AS task_started_us, t.ended_us AS task_ended_us, CAST(NULL AS BIGINT) AS retry_us, CAST(NULL AS BIGINT) AS pid, \
     t.reason AS task_reason, \
     i.pool, i.pool_slots";

impl Reader {
    /// Runs.
    pub async fn runs(&self, filter: &RunFilter) -> Result<Page<RunRow>, StoreError> {
        let mut lent = self.pool.acquire().await?;
        let session = &mut lent.session();
        let mut count = Sql::new("SELECT count(*) AS n FROM dag_run r WHERE 1 = 1");
        where_runs(&mut count, filter);
        let total = count.fetch_count(session).await?;
        let mut list = Sql::new(format!("SELECT {RUN_COLUMNS} FROM dag_run r WHERE 1 = 1"));
        where_runs(&mut list, filter);
        push_order(&mut list, &filter.order, "r.id");
        list.push(" LIMIT ").push_bind(filter.limit).push(" OFFSET ").push_bind(filter.offset);
        let found = list.fetch(session).await?;
        let items = found.iter().map(rows::run).collect::<Result<_, _>>()?;
        Ok(Page { items, total })
    }

    /// One run.
    pub async fn run(&self, dag_id: &str, run_id: &str) -> Result<Option<RunRow>, StoreError> {
        run_row(&mut self.pool.acquire().await?.session(), dag_id, run_id).await
    }

    /// Task instances.
    pub async fn tasks(&self, filter: &TaskFilter) -> Result<Page<StoredTask>, StoreError> {
        let mut lent = self.pool.acquire().await?;
        let session = &mut lent.session();
        let from = "FROM task_instance t JOIN dag_run r ON r.id = t.run_id WHERE 1 = 1";
        // Nothing asked of a task is nothing asked of its run: the count needs no join.
        let counted = match (&filter.dag_id, &filter.run_id) {
            (None, None) => "FROM task_instance t WHERE 1 = 1",
            _ => from,
        };
        let mut count = Sql::new(format!("SELECT count(*) AS n {counted}"));
        where_tasks(&mut count, filter);
        let total = count.fetch_count(session).await?;
        let mut list = Sql::new(format!("SELECT {RUN_COLUMNS}, {TASK_COLUMNS}, t.node {from}"));
        where_tasks(&mut list, filter);
        push_order(&mut list, &filter.order, "t.run_id, t.task_index");
        list.push(" LIMIT ").push_bind(filter.limit).push(" OFFSET ").push_bind(filter.offset);
        let found = list.fetch(session).await?;
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
    pub async fn tries(&self, run: RunKey, task_id: &str) -> Result<Vec<StoredTry>, StoreError> {
        let found = Sql::new(format!(
            "SELECT {TRY_COLUMNS}, t.node FROM task_try t JOIN task_instance i \
             ON i.run_id = t.run_id AND i.task_index = t.task_index \
             WHERE t.run_id = $1 AND t.task_id = $2 ORDER BY t.try_number"
        ))
        .bind(run.0)
        .bind(task_id)
        .fetch(&mut self.pool.acquire().await?.session())
        .await?;
        let one = |row: &Row| Ok(StoredTry { task: rows::task(row)?, node: row.get("node")? });
        found.iter().map(one).collect()
    }

    /// Values the tasks of a run left.
    pub async fn xcoms(&self, run: RunKey) -> Result<Vec<XCom>, StoreError> {
        let found = Sql::new(
            "SELECT task_id, key, value, created_us FROM xcom WHERE run_id = $1 \
             ORDER BY task_id, key",
        );
        let session = &mut self.pool.acquire().await?;
        found.bind(run.0).fetch(&mut session.session()).await?.iter().map(xcom).collect()
    }

    /// Runs per DAG and state.
    pub async fn state_counts(&self) -> Result<Vec<StateCount>, StoreError> {
        let found =
            Sql::new("SELECT dag_id, state, count(*) AS n FROM dag_run GROUP BY dag_id, state");
        let count = |row: &Row| -> Result<StateCount, StoreError> {
            let state: String = row.get("state")?;
            Ok(StateCount {
                dag_id: row.get("dag_id")?,
                state: state.parse().map_err(StoreError::Corrupt)?,
                count: row.get("n")?,
            })
        };
        found.fetch(&mut self.pool.acquire().await?.session()).await?.iter().map(count).collect()
    }

    /// Versions of a DAG's text, newest first; one of them if a number is given.
    pub async fn versions(
        &self,
        dag_id: &str,
        number: Option<i64>,
    ) -> Result<Vec<Version>, StoreError> {
        let mut list = Sql::new(
            "SELECT id, number, file, source, created_us FROM dag_version WHERE dag_id = $1",
        )
        .bind(dag_id);
        if let Some(number) = number {
            list.push(" AND number = ").push_bind(number);
        }
        list.push(" ORDER BY number DESC LIMIT 100");
        list.fetch(&mut self.pool.acquire().await?.session()).await?.iter().map(version).collect()
    }

    /// One version of a DAG's text.
    pub async fn version(&self, key: VersionKey) -> Result<Option<Version>, StoreError> {
        let found =
            Sql::new("SELECT id, number, file, source, created_us FROM dag_version WHERE id = $1");
        let mut lent = self.pool.acquire().await?;
        let found = found.bind(key.0).fetch_first(&mut lent.session()).await?;
        found.as_ref().map(version).transpose()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut lent = self.pool.acquire().await?;
        Sql::new("SELECT 1").execute(&mut lent.session()).await?;
        Ok(())
    }

    /// Closes the connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn where_runs(query: &mut Sql, filter: &RunFilter) {
    if let Some(dag_id) = &filter.dag_id {
        query.push(" AND r.dag_id = ").push_bind(&**dag_id);
    }
    push_in(query, "r.state", filter.states.iter().map(|state| state.as_str().to_owned()));
    push_in(query, "r.run_type", filter.run_types.iter().cloned());
    for (column, at, is_lower) in &filter.bounds {
        let operator = if *is_lower { ">=" } else { "<=" };
        query.push(&format!(" AND {column} {operator} ")).push_bind(us(*at));
    }
}

fn where_tasks(query: &mut Sql, filter: &TaskFilter) {
    let texts = [
        ("r.dag_id", &filter.dag_id),
        ("r.run_id", &filter.run_id),
        ("t.task_id", &filter.task_id),
    ];
    for (column, text) in texts {
        if let Some(text) = text {
            query.push(&format!(" AND {column} = ")).push_bind(&**text);
        }
    }
    push_in(query, "t.state", filter.states.iter().map(|state| state.as_str().to_owned()));
}

fn push_in(query: &mut Sql, column: &str, values: impl ExactSizeIterator<Item = String>) {
    if values.len() == 0 {
        return;
    }
    query.push(&format!(" AND {column} IN ")).push_list(values.map(Into::into));
}

/// The columns come from our own tables, never from a request.
fn push_order(query: &mut Sql, order: &[(&'static str, bool)], last: &str) {
    query.push(" ORDER BY ");
    for (column, descending) in order {
        query.push(&format!("{column}{}, ", if *descending { " DESC" } else { "" }));
    }
    query.push(last);
}

fn stored_task(row: &Row) -> Result<StoredTask, StoreError> {
    Ok(StoredTask { task: rows::task(row)?, run: rows::run(row)?, node: row.get("node")? })
}

fn xcom(row: &Row) -> Result<XCom, StoreError> {
    let value: String = row.get("value")?;
    Ok(XCom {
        task_id: row.get("task_id")?,
        key: row.get("key")?,
        value: serde_json::from_str(&value)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?,
        created: instant(row, "created_us")?,
    })
}

fn version(row: &Row) -> Result<Version, StoreError> {
    Ok(Version {
        key: VersionKey(row.get("id")?),
        number: row.get("number")?,
        file: dag_file(row)?,
        created: instant(row, "created_us")?,
    })
}

fn dag_file(row: &Row) -> Result<DagFile, StoreError> {
    Ok(DagFile {
        name: row.get::<String>("file")?.into(),
        source: row.get::<String>("source")?.into(),
    })
}

pub(super) async fn run_row(
    session: &mut Session<'_>,
    dag_id: &str,
    run_id: &str,
) -> Result<Option<RunRow>, StoreError> {
    let found = Sql::new(format!(
        "SELECT {RUN_COLUMNS} FROM dag_run r WHERE r.dag_id = $1 AND r.run_id = $2"
    ));
    let found = found.bind(dag_id).bind(run_id).fetch_first(session).await?;
    found.as_ref().map(rows::run).transpose()
}

pub(super) async fn open_runs(session: &mut Session<'_>) -> Result<Vec<RunRow>, StoreError> {
    let found = Sql::new(format!(
        "SELECT {RUN_COLUMNS} FROM dag_run r WHERE r.state IN ('queued', 'running') ORDER BY r.id"
    ));
    found.fetch(session).await?.iter().map(rows::run).collect()
}

pub(super) async fn tasks_of(
    session: &mut Session<'_>,
    run: RunKey,
) -> Result<Vec<TaskRow>, StoreError> {
    let found = Sql::new(format!(
        "SELECT {TASK_COLUMNS} FROM task_instance t WHERE t.run_id = $1 ORDER BY t.task_index"
    ));
    found.bind(run.0).fetch(session).await?.iter().map(rows::task).collect()
}

pub(super) async fn version_file(
    session: &mut Session<'_>,
    key: VersionKey,
) -> Result<Option<DagFile>, StoreError> {
    let found = Sql::new("SELECT file, source FROM dag_version WHERE id = $1").bind(key.0);
    found.fetch_first(session).await?.as_ref().map(dag_file).transpose()
}

pub(super) async fn latest_versions(
    session: &mut Session<'_>,
) -> Result<Vec<(VersionKey, DagFile)>, StoreError> {
    let found = Sql::new(
        "SELECT v.id, v.file, v.source FROM dag_version v WHERE v.number = \
         (SELECT max(number) FROM dag_version w WHERE w.dag_id = v.dag_id)",
    );
    let found = found.fetch(session).await?;
    found.iter().map(|row| Ok((VersionKey(row.get("id")?), dag_file(row)?))).collect()
}

pub(super) async fn dags(session: &mut Session<'_>) -> Result<Vec<DagRow>, StoreError> {
    let found = Sql::new("SELECT dag_id, paused, last_start_us, last_end_us FROM dag");
    let dag = |row: &Row| -> Result<DagRow, StoreError> {
        Ok(DagRow {
            dag_id: rows::text(row, "dag_id")?,
            paused: row.flag("paused")?,
            last: interval(row, "last_start_us", "last_end_us")?,
        })
    };
    found.fetch(session).await?.iter().map(dag).collect()
}

/// Logical dates of manual runs that the schedule of their DAG has yet to reach.
pub(super) async fn taken_dates(
    session: &mut Session<'_>,
) -> Result<BTreeMap<Arc<str>, Vec<Timestamp>>, StoreError> {
    let found = Sql::new(
        "SELECT r.dag_id, r.logical_us FROM dag_run r LEFT JOIN dag d ON d.dag_id = r.dag_id \
         WHERE r.run_type = 'manual' AND r.logical_us IS NOT NULL \
         AND (d.last_start_us IS NULL OR r.logical_us > d.last_start_us)",
    );
    let mut taken: BTreeMap<Arc<str>, Vec<Timestamp>> = BTreeMap::new();
    for row in found.fetch(session).await? {
        taken.entry(rows::text(&row, "dag_id")?).or_default().push(instant(&row, "logical_us")?);
    }
    Ok(taken)
}

pub(super) async fn last_run(session: &mut Session<'_>) -> Result<i64, StoreError> {
    Sql::new("SELECT coalesce(max(id), 0) AS n FROM dag_run").fetch_count(session).await
}

pub(super) async fn existing_run(
    session: &mut Session<'_>,
    dag_id: &str,
    run_id: &str,
    logical_date: Option<Timestamp>,
) -> Result<Option<String>, StoreError> {
    let found = Sql::new(
        "SELECT run_id, logical_us FROM dag_run \
         WHERE dag_id = $1 AND (run_id = $2 OR logical_us = $3) LIMIT 1",
    );
    let found = found.bind(dag_id).bind(run_id).bind(rows::opt_us(logical_date));
    let Some(row) = found.fetch_first(session).await? else { return Ok(None) };
    let twin: String = row.get("run_id")?;
    Ok(Some(if twin == run_id {
        format!("run_id: `{run_id}`")
    } else {
        format!("this logical_date (run_id: `{twin}`)")
    }))
}
