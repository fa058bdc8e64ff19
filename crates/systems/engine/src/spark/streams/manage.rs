//! `query.status`, `query.stop()`, `spark.streams.active` and the like.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select_all};
use tidemill_spark_connect::{
    ManagerActive, ManagerCommand, ManagerListeners, ManagerQuery, ManagerResult,
    ManagerTermination, QueryCommand, QueryException, QueryExplained, QueryProgress, QueryResult,
    QueryStatus, QueryTermination, StreamingQueryCommand, StreamingQueryCommandResult,
    StreamingQueryInstanceId, StreamingQueryManagerCommand, StreamingQueryManagerCommandResult,
};

use super::Query;
use crate::spark::error::{Result, SparkError};
use crate::spark::service::Service;
use crate::spark::sessions::Session;

/// How long a stopped query may take for its last checkpoint.
const STOP_MAX: Duration = Duration::from_secs(30);
/// How often it is asked whether everything there is has been read.
const CAUGHT_UP_TICK: Duration = Duration::from_millis(20);

/// A command to one query.
pub(in crate::spark) async fn command(
    service: &Arc<Service>,
    asked: StreamingQueryCommand,
) -> Result<StreamingQueryCommandResult> {
    let id = asked.query_id.unwrap_or_default();
    let query = service.queries.get(&id.id, &id.run_id)?;
    let command = asked.command;
    let command =
        command.ok_or_else(|| SparkError::unsupported("a query command of unknown kind"))?;
    let result_type = match command {
        QueryCommand::Status(_) => Some(QueryResult::Status(status(&query))),
        QueryCommand::LastProgress(_) => {
            let last = query.reports(service.world.clock.now_ms()).pop();
            let recent_progress_json = last.into_iter().collect();
            Some(QueryResult::RecentProgress(QueryProgress { recent_progress_json }))
        }
        QueryCommand::RecentProgress(_) => {
            let recent_progress_json = query.reports(service.world.clock.now_ms());
            Some(QueryResult::RecentProgress(QueryProgress { recent_progress_json }))
        }
        QueryCommand::Stop(_) => {
            service.core.jobs.cancel(&query.job.identity.id);
            let _ = tokio::time::timeout(STOP_MAX, query.job.ended()).await;
            None
        }
        QueryCommand::ProcessAllAvailable(_) => {
            caught_up(&query).await?;
            None
        }
        QueryCommand::Explain(_) => {
            Some(QueryResult::Explain(QueryExplained { result: query.explained.clone() }))
        }
        QueryCommand::Exception(_) => Some(QueryResult::Exception(exception(&query))),
        QueryCommand::AwaitTermination(wait) => {
            let terminated = await_one(&query, wait.timeout_ms).await?;
            Some(QueryResult::AwaitTermination(QueryTermination { terminated }))
        }
    };
    Ok(StreamingQueryCommandResult { query_id: Some(id), result_type })
}

fn status(query: &Query) -> QueryStatus {
    let (waiting, retried, lag) = query.job.with(|progress| {
        let lag: i64 =
            progress.partitions.values().map(|(position, end)| (end - position).max(0)).sum();
        (progress.waiting.clone(), progress.failure.clone(), lag)
    });
    let is_active = query.is_active();
    let status_message = match (is_active, waiting, retried) {
        (false, _, Some(reason)) => format!("Terminated with exception: {reason}"),
        (false, ..) => "Stopped".to_owned(),
        (true, Some(waiting), _) => waiting,
        (true, _, Some(retried)) => format!("Trying again: {retried}"),
        (true, None, None) if lag > 0 => "Processing new data".to_owned(),
        (true, None, None) => "Waiting for data to arrive".to_owned(),
    };
    QueryStatus {
        status_message,
        is_data_available: is_active && lag > 0,
        is_trigger_active: is_active && lag > 0,
        is_active,
    }
}

fn exception(query: &Query) -> QueryException {
    match query.failure() {
        None => QueryException::default(),
        Some(error) => QueryException {
            exception_message: Some(format!(
                "org.apache.spark.sql.streaming.StreamingQueryException: {}",
                error.message
            )),
            error_class: Some(error.class),
            stack_trace: None,
        },
    }
}

/// True once the query is over; its failure is the caller's too.
async fn await_one(query: &Query, timeout_ms: Option<i64>) -> Result<bool> {
    let ended = match timeout(timeout_ms) {
        None => {
            query.job.ended().await;
            true
        }
        Some(timeout) => tokio::time::timeout(timeout, query.job.ended()).await.is_ok(),
    };
    match query.failure() {
        Some(failure) if ended => Err(failure),
        _ => Ok(ended),
    }
}

fn timeout(timeout_ms: Option<i64>) -> Option<Duration> {
    timeout_ms.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
}

/// Waits until everything that is there now has been read, written and checkpointed.
async fn caught_up(query: &Query) -> Result<()> {
    let mut tick = tokio::time::interval(CAUGHT_UP_TICK);
    loop {
        if let Some(failure) = query.failure() {
            return Err(failure);
        }
        let done = query.job.with(|progress| {
            let read = progress.partitions.values().all(|(position, end)| position >= end);
            let known = !progress.partitions.is_empty();
            read && known && progress.waiting.is_none() && progress.failure.is_none()
        });
        if done || !query.is_active() {
            return Ok(());
        }
        tick.tick().await;
    }
}

/// A command to the queries of a session.
pub(in crate::spark) async fn manage(
    service: &Arc<Service>,
    session: &Arc<Session>,
    asked: StreamingQueryManagerCommand,
) -> Result<StreamingQueryManagerCommandResult> {
    let command = asked.command;
    let command = command.ok_or_else(|| SparkError::unsupported("a command of unknown kind"))?;
    let queries = service.queries.of(&session.id);
    let result_type = match command {
        ManagerCommand::Active(_) => {
            let active = queries.iter().filter(|query| query.is_active());
            let active_queries = active.map(|query| instance(query)).collect();
            Some(ManagerResult::Active(ManagerActive { active_queries }))
        }
        ManagerCommand::GetQuery(id) => {
            let found = queries.iter().rev().find(|query| query.id == id && query.is_active());
            found.map(|query| ManagerResult::Query(instance(query)))
        }
        ManagerCommand::AwaitAnyTermination(wait) => {
            let terminated = await_any(&queries, wait.timeout_ms).await?;
            Some(ManagerResult::AwaitAnyTermination(ManagerTermination { terminated }))
        }
        ManagerCommand::ResetTerminated(_) => Some(ManagerResult::ResetTerminated(true)),
        ManagerCommand::ListListeners(_) => {
            Some(ManagerResult::ListListeners(ManagerListeners::default()))
        }
        ManagerCommand::AddListener(_) | ManagerCommand::RemoveListener(_) => {
            return Err(SparkError::unsupported("a streaming query listener in Python"));
        }
    };
    Ok(StreamingQueryManagerCommandResult { result_type })
}

fn instance(query: &Query) -> ManagerQuery {
    let id = StreamingQueryInstanceId { id: query.id.clone(), run_id: query.run_id.clone() };
    ManagerQuery { id: Some(id), name: query.name.clone() }
}

async fn await_any(queries: &[Arc<Query>], timeout_ms: Option<i64>) -> Result<bool> {
    let all = match queries.is_empty() {
        true => Either::Left(std::future::pending()),
        false => {
            let ends = queries.iter().map(|query| Box::pin(query.job.ended()));
            Either::Right(async { drop(select_all(ends).await) })
        }
    };
    let ended = match timeout(timeout_ms) {
        None => {
            all.await;
            true
        }
        Some(timeout) => tokio::time::timeout(timeout, all).await.is_ok(),
    };
    match queries.iter().find_map(|query| query.failure()) {
        Some(failure) if ended => Err(failure),
        _ => Ok(ended),
    }
}
