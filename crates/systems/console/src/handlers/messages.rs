//! Reading topics: a bounded scan, and following.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use futures::StreamExt;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::{received, streamed, too_many_streams};
use crate::app::App;
use crate::browse::{Filter, Following, Question, Seek, follow, scan};
use crate::error::{ApiError, Part};

/// Records one answer gives.
const LIMIT_MAX: usize = 2000;
const LIMIT: usize = 100;
/// Lines or events that wait for a slow reader; then the scan waits.
const WAITING_MAX: usize = 64;

/// `?from=latest|earliest|offset:n|timestamp:ms&partition=&limit=&filter=`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Params {
    from: String,
    partition: Option<i32>,
    limit: Option<usize>,
    filter: String,
}

/// `GET /api/v1/topics/{topic}/messages`: one JSON value a line; the last one says why it ended.
pub(super) async fn browse(
    State(app): State<Arc<App>>,
    Path(topic): Path<String>,
    Query(params): Query<Params>,
) -> Result<Response, ApiError> {
    let seek = Seek::parse(&params.from).ok_or_else(|| {
        ApiError::bad(format!("from={}: latest, earliest, offset:N or timestamp:MS", params.from))
    })?;
    let partitions = partitions(&app, &topic, params.partition).await?;
    let limit = params.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let filter = Filter::parse(&params.filter);
    let question = Question { topic, partitions, seek, limit, filter };
    let (lines, receiver) = mpsc::channel(WAITING_MAX);
    app.tasks.spawn("scan", scan(Arc::clone(&app), question, lines));
    Ok(streamed("application/x-ndjson", received(receiver)))
}

/// `GET /api/v1/topics/{topic}/tail`: events `record`, `dropped` (a number) and `failed` (a text).
pub(super) async fn tail(
    State(app): State<Arc<App>>,
    Path(topic): Path<String>,
    Query(params): Query<Params>,
) -> Result<Response, ApiError> {
    let looking = app.watch.look(app.config.streams_max).map_err(|_| too_many_streams())?;
    let partitions = partitions(&app, &topic, params.partition).await?;
    let following = Following { topic, partitions, filter: Filter::parse(&params.filter) };
    let (events, receiver) = mpsc::channel(WAITING_MAX);
    let stop = app.tasks.shutdown();
    app.tasks.spawn("tail", follow(Arc::clone(&app), following, events, stop));
    // An event at once, so that the page knows it is connected.
    let hello = futures::stream::once(async { Ok(bytes::Bytes::from_static(b": following\n\n")) });
    let events = received(receiver).map(move |event| {
        let _ = &looking;
        event
    });
    Ok(streamed("text/event-stream", hello.chain(events)))
}

async fn partitions(app: &App, topic: &str, only: Option<i32>) -> Result<Vec<i32>, ApiError> {
    let Some(known) = app.kafka.topic(topic).await? else {
        return Err(ApiError::missing(Part::Broker, format!("topic {topic} does not exist")));
    };
    let mut partitions: Vec<i32> = known.partitions.iter().map(|p| p.partition).collect();
    partitions.sort_unstable();
    match only {
        None => Ok(partitions),
        Some(one) if partitions.contains(&one) => Ok(vec![one]),
        Some(one) => {
            Err(ApiError::missing(Part::Broker, format!("topic {topic} has no partition {one}")))
        }
    }
}
