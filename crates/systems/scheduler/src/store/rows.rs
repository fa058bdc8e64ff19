//! Rows of the database and rows of the state machine.

use std::sync::Arc;

use jiff::Timestamp;

use super::StoreError;
use super::database::Row;
use crate::core::{Epoch, RunKey, RunRow, TaskRow, VersionKey};
use crate::timetable::DataInterval;

pub(super) const RUN_COLUMNS: &str = "r.id, r.dag_id, r.run_id, r.version_id, r.run_type, r.state, \
     r.epoch, r.logical_us, r.interval_start_us, r.interval_end_us, r.run_after_us, r.queued_us, \
     r.started_us, r.ended_us, r.conf, r.note, r.triggered_by, r.clear_number, r.reason";

pub(super) const TASK_COLUMNS: &str = "t.run_id AS run_key, t.task_index, t.task_id, \
     t.state AS task_state, t.epoch AS task_epoch, t.try_number, t.max_tries, t.scheduled_us, \
     t.queued_us AS task_queued_us, t.started_us AS task_started_us, \
     t.ended_us AS task_ended_us, t.retry_us, t.pid, t.reason AS task_reason, t.pool, t.pool_slots";

pub(super) fn us(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(super) fn opt_us(at: Option<Timestamp>) -> Option<i64> {
    at.map(us)
}

pub(super) fn corrupt(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

pub(super) fn instant(row: &Row, column: &str) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(row.get(column)?).map_err(corrupt)
}

pub(super) fn opt_instant(row: &Row, column: &str) -> Result<Option<Timestamp>, StoreError> {
    let us: Option<i64> = row.get(column)?;
    us.map(Timestamp::from_microsecond).transpose().map_err(corrupt)
}

pub(super) fn interval(
    row: &Row,
    start: &str,
    end: &str,
) -> Result<Option<DataInterval>, StoreError> {
    let (start, end) = (opt_instant(row, start)?, opt_instant(row, end)?);
    Ok(start.zip(end).map(|(start, end)| DataInterval { start, end }))
}

pub(super) fn text(row: &Row, column: &str) -> Result<Arc<str>, StoreError> {
    Ok(row.get::<String>(column)?.into())
}

pub(super) fn opt_text(row: &Row, column: &str) -> Result<Option<Arc<str>>, StoreError> {
    Ok(row.get::<Option<String>>(column)?.map(Into::into))
}

fn named<T: std::str::FromStr<Err = String>>(row: &Row, column: &str) -> Result<T, StoreError> {
    row.get::<String>(column)?.parse().map_err(corrupt)
}

pub(super) fn small(row: &Row, column: &str) -> Result<u32, StoreError> {
    u32::try_from(row.get::<i64>(column)?).map_err(corrupt)
}

pub(super) fn run(row: &Row) -> Result<RunRow, StoreError> {
    let conf: String = row.get("conf")?;
    Ok(RunRow {
        key: RunKey(row.get("id")?),
        dag_id: text(row, "dag_id")?,
        run_id: text(row, "run_id")?,
        version: VersionKey(row.get("version_id")?),
        kind: named(row, "run_type")?,
        state: named(row, "state")?,
        epoch: Epoch(row.get("epoch")?),
        logical_date: opt_instant(row, "logical_us")?,
        interval: interval(row, "interval_start_us", "interval_end_us")?,
        run_after: instant(row, "run_after_us")?,
        queued_at: instant(row, "queued_us")?,
        started_at: opt_instant(row, "started_us")?,
        ended_at: opt_instant(row, "ended_us")?,
        conf: Arc::new(serde_json::from_str(&conf).map_err(corrupt)?),
        note: opt_text(row, "note")?,
        triggered_by: text(row, "triggered_by")?,
        clear_number: small(row, "clear_number")?,
        reason: opt_text(row, "reason")?,
    })
}

pub(super) fn task(row: &Row) -> Result<TaskRow, StoreError> {
    let pid: Option<i64> = row.get("pid")?;
    Ok(TaskRow {
        run: RunKey(row.get("run_key")?),
        index: usize::try_from(row.get::<i64>("task_index")?).map_err(corrupt)?,
        task_id: text(row, "task_id")?,
        state: named(row, "task_state")?,
        pool: text(row, "pool")?,
        pool_slots: small(row, "pool_slots")?,
        epoch: Epoch(row.get("task_epoch")?),
        try_number: small(row, "try_number")?,
        max_tries: small(row, "max_tries")?,
        scheduled_at: opt_instant(row, "scheduled_us")?,
        queued_at: opt_instant(row, "task_queued_us")?,
        started_at: opt_instant(row, "task_started_us")?,
        ended_at: opt_instant(row, "task_ended_us")?,
        retry_at: opt_instant(row, "retry_us")?,
        pid: pid.and_then(|pid| u32::try_from(pid).ok()),
        reason: opt_text(row, "task_reason")?,
    })
}
