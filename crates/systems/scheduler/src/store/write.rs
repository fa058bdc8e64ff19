//! Changes, as statements.

use jiff::Timestamp;
use sqlx::sqlite::{Sqlite, SqliteConnection};
use sqlx::{Connection as _, QueryBuilder, Row as _};

use super::StoreError;
use super::rows::{opt_us, us};
use crate::core::{Change, DagRow, Epoch, RunRow, RunState, TaskRow, TaskState, VersionKey};
use crate::dag::DagFile;

/// Rows one statement inserts: SQLite takes 32766 parameters, a row has 14.
const ROWS_PER_INSERT: usize = 1000;

pub(super) async fn apply(
    database: &mut SqliteConnection,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::Dag(row) => save_dag(database, row).await,
        Change::NewRun { run, tasks } => {
            insert_run(database, run).await?;
            insert_tasks(database, tasks).await
        }
        Change::Run { from, row } => update_run(database, *from, row).await,
        Change::Task { from, row } => update_task(database, *from, row).await,
        Change::Try { row } => insert_try(database, row).await,
        Change::XCom { run, task_id, key, at, value: Some(value) } => {
            sqlx::query(
                "INSERT INTO xcom (run_id, task_id, key, value, created_us) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (run_id, task_id, key) \
                 DO UPDATE SET value = excluded.value, created_us = excluded.created_us",
            )
            .bind(run.0)
            .bind(task_id.to_string())
            .bind(key.to_string())
            .bind(value.to_string())
            .bind(us(*at))
            .execute(database)
            .await?;
            Ok(())
        }
        Change::XCom { run, task_id, value: None, .. } => {
            sqlx::query("DELETE FROM xcom WHERE run_id = $1 AND task_id = $2")
                .bind(run.0)
                .bind(task_id.to_string())
                .execute(database)
                .await?;
            Ok(())
        }
    }
}

async fn save_dag(database: &mut SqliteConnection, row: &DagRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO dag (dag_id, paused, last_start_us, last_end_us) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (dag_id) DO UPDATE SET paused = excluded.paused, \
         last_start_us = excluded.last_start_us, last_end_us = excluded.last_end_us",
    )
    .bind(row.dag_id.to_string())
    .bind(row.paused)
    .bind(opt_us(row.last.map(|last| last.start)))
    .bind(opt_us(row.last.map(|last| last.end)))
    .execute(database)
    .await?;
    Ok(())
}

async fn insert_run(database: &mut SqliteConnection, run: &RunRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO dag_run (id, dag_id, run_id, version_id, run_type, state, epoch, logical_us, \
         interval_start_us, interval_end_us, run_after_us, queued_us, started_us, ended_us, conf, \
         note, triggered_by, clear_number, reason) VALUES \
         ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
    )
    .bind(run.key.0)
    .bind(run.dag_id.to_string())
    .bind(run.run_id.to_string())
    .bind(run.version.0)
    .bind(run.kind.as_str())
    .bind(run.state.as_str())
    .bind(run.epoch.0)
    .bind(opt_us(run.logical_date))
    .bind(opt_us(run.interval.map(|interval| interval.start)))
    .bind(opt_us(run.interval.map(|interval| interval.end)))
    .bind(us(run.run_after))
    .bind(us(run.queued_at))
    .bind(opt_us(run.started_at))
    .bind(opt_us(run.ended_at))
    .bind(serde_json::Value::Object((*run.conf).clone()).to_string())
    .bind(run.note.as_deref().map(str::to_owned))
    .bind(run.triggered_by.to_string())
    .bind(i64::from(run.clear_number))
    .bind(run.reason.as_deref().map(str::to_owned))
    .execute(database)
    .await?;
    Ok(())
}

async fn insert_tasks(
    database: &mut SqliteConnection,
    tasks: &[TaskRow],
) -> Result<(), StoreError> {
    for tasks in tasks.chunks(ROWS_PER_INSERT) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO task_instance (run_id, task_index, task_id, state, epoch, try_number, \
             max_tries) ",
        );
        insert.push_values(tasks, |mut row, task| {
            row.push_bind(task.run.0)
                .push_bind(task.index as i64)
                .push_bind(task.task_id.to_string())
                .push_bind(task.state.as_str())
                .push_bind(task.epoch.0)
                .push_bind(i64::from(task.try_number))
                .push_bind(i64::from(task.max_tries));
        });
        insert.build().execute(&mut *database).await?;
    }
    Ok(())
}

async fn update_run(
    database: &mut SqliteConnection,
    (state, epoch): (RunState, Epoch),
    row: &RunRow,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE dag_run SET state = $4, epoch = $5, queued_us = $6, started_us = $7, \
         ended_us = $8, note = $9, clear_number = $10, reason = $11 \
         WHERE id = $1 AND state = $2 AND epoch = $3",
    )
    .bind(row.key.0)
    .bind(state.as_str())
    .bind(epoch.0)
    .bind(row.state.as_str())
    .bind(row.epoch.0)
    .bind(us(row.queued_at))
    .bind(opt_us(row.started_at))
    .bind(opt_us(row.ended_at))
    .bind(row.note.as_deref().map(str::to_owned))
    .bind(i64::from(row.clear_number))
    .bind(row.reason.as_deref().map(str::to_owned))
    .execute(database)
    .await?;
    guarded(done.rows_affected(), || format!("run {} of {}", row.run_id, row.dag_id))
}

async fn update_task(
    database: &mut SqliteConnection,
    (state, epoch): (TaskState, Epoch),
    row: &TaskRow,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE task_instance SET state = $5, epoch = $6, try_number = $7, max_tries = $8, \
         scheduled_us = $9, queued_us = $10, started_us = $11, ended_us = $12, retry_us = $13, \
         pid = $14, reason = $15 \
         WHERE run_id = $1 AND task_index = $2 AND state = $3 AND epoch = $4",
    )
    .bind(row.run.0)
    .bind(row.index as i64)
    .bind(state.as_str())
    .bind(epoch.0)
    .bind(row.state.as_str())
    .bind(row.epoch.0)
    .bind(i64::from(row.try_number))
    .bind(i64::from(row.max_tries))
    .bind(opt_us(row.scheduled_at))
    .bind(opt_us(row.queued_at))
    .bind(opt_us(row.started_at))
    .bind(opt_us(row.ended_at))
    .bind(opt_us(row.retry_at))
    .bind(row.pid.map(i64::from))
    .bind(row.reason.as_deref().map(str::to_owned))
    .execute(database)
    .await?;
    guarded(done.rows_affected(), || format!("task {} of run {}", row.task_id, row.run.0))
}

fn guarded(rows: u64, what: impl FnOnce() -> String) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Stale { what: what() }) }
}

async fn insert_try(database: &mut SqliteConnection, row: &TaskRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR REPLACE INTO task_try (run_id, task_index, try_number, task_id, state, \
         max_tries, scheduled_us, queued_us, started_us, ended_us, reason) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(row.run.0)
    .bind(row.index as i64)
    .bind(i64::from(row.try_number))
    .bind(row.task_id.to_string())
    .bind(row.state.as_str())
    .bind(i64::from(row.max_tries))
    .bind(opt_us(row.scheduled_at))
    .bind(opt_us(row.queued_at))
    .bind(opt_us(row.started_at))
    .bind(opt_us(row.ended_at))
    .bind(row.reason.as_deref().map(str::to_owned))
    .execute(database)
    .await?;
    Ok(())
}

/// Runs that are forgotten in one transaction.
const FORGOTTEN_MAX: i64 = 200;

pub(super) async fn forget_runs(
    database: &mut SqliteConnection,
    before: Timestamp,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut transaction = database.begin().await?;
    let found = sqlx::query(
        "SELECT id, dag_id, run_id FROM dag_run WHERE ended_us IS NOT NULL AND ended_us < $1 \
         AND state IN ('success', 'failed') ORDER BY ended_us LIMIT $2",
    );
    let found = found.bind(us(before)).bind(FORGOTTEN_MAX).fetch_all(&mut *transaction).await?;
    let mut forgotten = Vec::with_capacity(found.len());
    for row in found {
        let id: i64 = row.try_get("id")?;
        for statement in [
            "DELETE FROM xcom WHERE run_id = $1",
            "DELETE FROM task_try WHERE run_id = $1",
            "DELETE FROM task_instance WHERE run_id = $1",
            "DELETE FROM dag_run WHERE id = $1",
        ] {
            sqlx::query(statement).bind(id).execute(&mut *transaction).await?;
        }
        forgotten.push((row.try_get("dag_id")?, row.try_get("run_id")?));
    }
    transaction.commit().await?;
    Ok(forgotten)
}

pub(super) async fn save_version(
    database: &mut SqliteConnection,
    dag_id: &str,
    file: &DagFile,
    now: Timestamp,
) -> Result<VersionKey, StoreError> {
    let mut transaction = database.begin().await?;
    let last = sqlx::query(
        "SELECT id, number, file, source FROM dag_version WHERE dag_id = $1 \
         ORDER BY number DESC LIMIT 1",
    )
    .bind(dag_id)
    .fetch_optional(&mut *transaction)
    .await?;
    let mut number = 1_i64;
    if let Some(last) = last {
        let same = last.try_get::<String, _>("source")? == *file.source
            && last.try_get::<String, _>("file")? == *file.name;
        if same {
            return Ok(VersionKey(last.try_get("id")?));
        }
        number = last.try_get::<i64, _>("number")? + 1;
    }
    let done = sqlx::query(
        "INSERT INTO dag_version (dag_id, number, file, source, created_us) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(dag_id)
    .bind(number)
    .bind(file.name.to_string())
    .bind(file.source.to_string())
    .bind(us(now))
    .execute(&mut *transaction)
    .await?;
    let key = VersionKey(done.last_insert_rowid());
    transaction.commit().await?;
    Ok(key)
}
