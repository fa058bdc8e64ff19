//! Changes, as statements. All of them run inside a transaction of the writer.

use jiff::Timestamp;

use super::StoreError;
use super::database::{Session, Sql};
use super::rows::{opt_us, us};
use crate::core::{Change, DagRow, Epoch, RunRow, RunState, TaskRow, TaskState, VersionKey};
use crate::dag::DagFile;

/// Rows one statement inserts: SQLite takes 32766 parameters, a row has 9.
const ROWS_PER_INSERT: usize = 1000;
/// Runs that are forgotten in one transaction.
const FORGOTTEN_MAX: i64 = 200;

/// What one transaction does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Job<'a> {
    /// Writes what the state machine decided.
    Changes(&'a [&'a Change]),
    /// Keeps the text of a DAG.
    Version { dag_id: &'a str, file: &'a DagFile, now: Timestamp },
    /// Removes runs that ended before an instant.
    Forget { before: Timestamp },
}

/// What it did.
#[derive(Debug)]
pub(super) enum Done {
    /// All changes.
    Written,
    /// The text has this key.
    Version(VersionKey),
    /// These runs are gone: DAG and run.
    Forgotten(Vec<(String, String)>),
}

/// Does it on behalf of a node, which is noted on the tries it starts.
pub(super) async fn run(
    session: &mut Session<'_>,
    job: Job<'_>,
    node: &str,
) -> Result<Done, StoreError> {
    match job {
        Job::Changes(changes) => {
            for change in changes {
                apply(session, change, node).await?;
            }
            Ok(Done::Written)
        }
        Job::Version { dag_id, file, now } => {
            save_version(session, dag_id, file, now).await.map(Done::Version)
        }
        Job::Forget { before } => forget_runs(session, before).await.map(Done::Forgotten),
    }
}

async fn apply(session: &mut Session<'_>, change: &Change, node: &str) -> Result<(), StoreError> {
    match change {
        Change::Dag(row) => save_dag(session, row).await,
        Change::NewRun { run, tasks } => {
            insert_run(session, run).await?;
            insert_tasks(session, tasks).await
        }
        Change::Run { from, row } => update_run(session, *from, row).await,
        Change::Task { from, row } => update_task(session, *from, row, node).await,
        Change::Try { row } => insert_try(session, row).await,
        Change::XCom { run, task_id, key, at, value: Some(value) } => {
            Sql::new(
                "INSERT INTO xcom (run_id, task_id, key, value, created_us) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (run_id, task_id, key) \
                 DO UPDATE SET value = excluded.value, created_us = excluded.created_us",
            )
            .bind(run.0)
            .bind(&**task_id)
            .bind(&**key)
            .bind(value.to_string())
            .bind(us(*at))
            .execute(session)
            .await?;
            Ok(())
        }
        Change::XCom { run, task_id, value: None, .. } => {
            Sql::new("DELETE FROM xcom WHERE run_id = $1 AND task_id = $2")
                .bind(run.0)
                .bind(&**task_id)
                .execute(session)
                .await?;
            Ok(())
        }
    }
}

async fn save_dag(session: &mut Session<'_>, row: &DagRow) -> Result<(), StoreError> {
    Sql::new(
        "INSERT INTO dag (dag_id, paused, last_start_us, last_end_us) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (dag_id) DO UPDATE SET paused = excluded.paused, \
         last_start_us = excluded.last_start_us, last_end_us = excluded.last_end_us",
    )
    .bind(&*row.dag_id)
    .bind(i64::from(row.paused))
    .bind(opt_us(row.last.map(|last| last.start)))
    .bind(opt_us(row.last.map(|last| last.end)))
    .execute(session)
    .await?;
    Ok(())
}

async fn insert_run(session: &mut Session<'_>, run: &RunRow) -> Result<(), StoreError> {
    Sql::new(
        "INSERT INTO dag_run (id, dag_id, run_id, version_id, run_type, state, epoch, logical_us, \
         interval_start_us, interval_end_us, run_after_us, queued_us, started_us, ended_us, conf, \
         note, triggered_by, clear_number, reason) VALUES \
         ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
    )
    .bind(run.key.0)
    .bind(&*run.dag_id)
    .bind(&*run.run_id)
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
    .bind(run.note.as_deref())
    .bind(&*run.triggered_by)
    .bind(i64::from(run.clear_number))
    .bind(run.reason.as_deref())
    .execute(session)
    .await?;
    Ok(())
}

async fn insert_tasks(session: &mut Session<'_>, tasks: &[TaskRow]) -> Result<(), StoreError> {
    for tasks in tasks.chunks(ROWS_PER_INSERT) {
        let mut insert = Sql::new(
            "INSERT INTO task_instance (run_id, task_index, task_id, state, epoch, try_number, \
             max_tries, pool, pool_slots) VALUES ",
        );
        for (place, task) in tasks.iter().enumerate() {
            insert.push(if place == 0 { "" } else { ", " }).push_list([
                task.run.0.into(),
                (task.index as i64).into(),
                (&*task.task_id).into(),
                task.state.as_str().into(),
                task.epoch.0.into(),
                i64::from(task.try_number).into(),
                i64::from(task.max_tries).into(),
                (&*task.pool).into(),
                i64::from(task.pool_slots).into(),
            ]);
        }
        insert.execute(session).await?;
    }
    Ok(())
}

async fn update_run(
    session: &mut Session<'_>,
    (state, epoch): (RunState, Epoch),
    row: &RunRow,
) -> Result<(), StoreError> {
    let changed = Sql::new(
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
    .bind(row.note.as_deref())
    .bind(i64::from(row.clear_number))
    .bind(row.reason.as_deref())
    .execute(session)
    .await?;
    guarded(changed, || format!("run {} of {}", row.run_id, row.dag_id))
}

/// A task that is handed to the executor is run by this node, whose files its log will be.
async fn update_task(
    session: &mut Session<'_>,
    (state, epoch): (TaskState, Epoch),
    row: &TaskRow,
    node: &str,
) -> Result<(), StoreError> {
    let changed = Sql::new(
        "UPDATE task_instance SET state = $5, epoch = $6, try_number = $7, max_tries = $8, \
         scheduled_us = $9, queued_us = $10, started_us = $11, ended_us = $12, retry_us = $13, \
         pid = $14, reason = $15, node = CASE WHEN $5 = 'queued' THEN $16 ELSE node END \
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
    .bind(row.reason.as_deref())
    .bind(node)
    .execute(session)
    .await?;
    guarded(changed, || format!("task {} of run {}", row.task_id, row.run.0))
}

fn guarded(rows: u64, what: impl FnOnce() -> String) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Stale { what: what() }) }
}

/// The node is the one that ran the try, which need not be the one that writes this.
async fn insert_try(session: &mut Session<'_>, row: &TaskRow) -> Result<(), StoreError> {
    Sql::new(
        "INSERT INTO task_try (run_id, task_index, try_number, task_id, state, max_tries, \
         scheduled_us, queued_us, started_us, ended_us, reason, node) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
         (SELECT node FROM task_instance WHERE run_id = $1 AND task_index = $2)) \
         ON CONFLICT (run_id, task_index, try_number) DO UPDATE SET state = excluded.state, \
         max_tries = excluded.max_tries, scheduled_us = excluded.scheduled_us, \
         queued_us = excluded.queued_us, started_us = excluded.started_us, \
         ended_us = excluded.ended_us, reason = excluded.reason, node = excluded.node",
    )
    .bind(row.run.0)
    .bind(row.index as i64)
    .bind(i64::from(row.try_number))
    .bind(&*row.task_id)
    .bind(row.state.as_str())
    .bind(i64::from(row.max_tries))
    .bind(opt_us(row.scheduled_at))
    .bind(opt_us(row.queued_at))
    .bind(opt_us(row.started_at))
    .bind(opt_us(row.ended_at))
    .bind(row.reason.as_deref())
    .execute(session)
    .await?;
    Ok(())
}

async fn forget_runs(
    session: &mut Session<'_>,
    before: Timestamp,
) -> Result<Vec<(String, String)>, StoreError> {
    let found = Sql::new(
        "SELECT id, dag_id, run_id FROM dag_run WHERE ended_us IS NOT NULL AND ended_us < $1 \
         AND state IN ('success', 'failed') ORDER BY ended_us LIMIT $2",
    )
    .bind(us(before))
    .bind(FORGOTTEN_MAX)
    .fetch(session)
    .await?;
    let mut forgotten = Vec::with_capacity(found.len());
    for row in found {
        let id: i64 = row.get("id")?;
        for statement in [
            "DELETE FROM xcom WHERE run_id = $1",
            "DELETE FROM task_try WHERE run_id = $1",
            "DELETE FROM task_instance WHERE run_id = $1",
            "DELETE FROM dag_run WHERE id = $1",
        ] {
            Sql::new(statement).bind(id).execute(session).await?;
        }
        forgotten.push((row.get("dag_id")?, row.get("run_id")?));
    }
    Ok(forgotten)
}

/// The same text again is the same version.
async fn save_version(
    session: &mut Session<'_>,
    dag_id: &str,
    file: &DagFile,
    now: Timestamp,
) -> Result<VersionKey, StoreError> {
    let last = Sql::new(
        "SELECT id, number, file, source FROM dag_version WHERE dag_id = $1 \
         ORDER BY number DESC LIMIT 1",
    )
    .bind(dag_id)
    .fetch_first(session)
    .await?;
    let mut number = 1_i64;
    if let Some(last) = last {
        let same = last.get::<String>("source")? == *file.source
            && last.get::<String>("file")? == *file.name;
        if same {
            return Ok(VersionKey(last.get("id")?));
        }
        number = last.get::<i64>("number")? + 1;
    }
    let made = Sql::new(
        "INSERT INTO dag_version (dag_id, number, file, source, created_us) \
         VALUES ($1, $2, $3, $4, $5) RETURNING id",
    )
    .bind(dag_id)
    .bind(number)
    .bind(&*file.name)
    .bind(&*file.source)
    .bind(us(now))
    .fetch_first(session)
    .await?;
    match made {
        Some(row) => Ok(VersionKey(row.get("id")?)),
        None => Err(StoreError::Corrupt("a new version has no key".to_owned())),
    }
}
