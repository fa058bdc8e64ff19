//! Following a topic: what arrives from now on.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tidemill_kafka_client::{FetchFrom, OffsetSpec, TopicPartition};
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::records::decode_bounded;
use tidemill_runtime::Shutdown;
use tokio::sync::mpsc;

use super::{BATCH_BYTES_MAX, Filter, Message, fetch_of};
use crate::app::App;
use crate::error::ApiError;
use crate::watch::event;

/// How long a broker waits for the next record; also how soon a page that left is noticed.
const MAX_WAIT: Duration = Duration::from_millis(500);
/// Records shown of one answer; the rest is counted. A page cannot show more, nor anybody read it.
const SHOWN_MAX: usize = 200;
/// Pause after a failure, so that a broker that is down is not asked without end.
const PAUSE: Duration = Duration::from_secs(1);

/// What to follow.
#[derive(Debug)]
pub(crate) struct Following {
    pub(crate) topic: String,
    pub(crate) partitions: Vec<i32>,
    pub(crate) filter: Filter,
}

/// Sends events until the reader is gone or the console stops.
pub(crate) async fn follow(
    app: Arc<App>,
    following: Following,
    events: mpsc::Sender<Bytes>,
    stop: Shutdown,
) {
    let mut next: Option<Vec<FetchFrom>> = None;
    loop {
        let turn = async {
            let from = match next.take() {
                Some(from) => from,
                None => ends(&app, &following).await?,
            };
            read(&app, &following, from, &events).await
        };
        let turn = tokio::select! {
            turn = turn => turn,
            () = events.closed() => return,
            () = stop.requested() => return,
        };
        match turn {
            Ok(from) => next = Some(from),
            Err(error) => {
                if events.send(event("failed", &error.to_string())).await.is_err() {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = events.closed() => return,
                    () = stop.requested() => return,
                }
            }
        }
    }
}

async fn ends(app: &App, following: &Following) -> Result<Vec<FetchFrom>, ApiError> {
    let at: Vec<TopicPartition> = following
        .partitions
        .iter()
        .map(|partition| TopicPartition::new(following.topic.clone(), *partition))
        .collect();
    let ends = app.kafka.list_offsets(&at, OffsetSpec::Latest).await?;
    let from = |one: tidemill_kafka_client::ListedOffset| FetchFrom {
        topic: one.topic,
        partition: one.partition,
        offset: one.offset,
    };
    Ok(ends.into_iter().map(from).collect())
}

/// Reads once and sends what came; gives where to read next.
async fn read(
    app: &App,
    following: &Following,
    mut from: Vec<FetchFrom>,
    events: &mpsc::Sender<Bytes>,
) -> Result<Vec<FetchFrom>, ApiError> {
    let mut fetched = app.kafka.fetch(&fetch_of(from.clone(), MAX_WAIT)).await?;
    fetched.sort_unstable_by_key(|one| one.partition);
    let (mut shown, mut dropped) = (0, 0_u64);
    for one in fetched {
        let Some(place) = from.iter_mut().find(|place| place.partition == one.partition) else {
            continue;
        };
        let records = match one.result {
            Ok(records) => records,
            Err(ErrorCode::OffsetOutOfRange) => return ends(app, following).await,
            Err(code) => {
                let message = format!("reading {}-{}: {code}", one.topic, one.partition);
                return Err(ApiError::down(crate::error::Part::Broker, message));
            }
        };
        let begin = place.offset;
        for record in decode_bounded(&records.batches, BATCH_BYTES_MAX) {
            let record =
                record.map_err(|error| ApiError::down(crate::error::Part::Broker, error))?;
            if record.offset < begin {
                continue;
            }
            place.offset = place.offset.max(record.offset + 1);
            if !following.filter.wants(&record) {
                continue;
            }
            if shown >= SHOWN_MAX {
                dropped += 1;
                continue;
            }
            shown += 1;
            let message = Message::of(app, one.partition, record).await;
            // A page that is gone is noticed by the caller.
            let _ = events.send(event("record", &message)).await;
        }
        place.offset = place.offset.max(records.next_offset.unwrap_or(begin));
    }
    if dropped > 0 {
        let _ = events.send(event("dropped", &dropped)).await;
    }
    Ok(from)
}
