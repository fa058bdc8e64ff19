//! Fetch (key 1), v4–v18. Spec: <https://kafka.apache.org/protocol#The_Messages_Fetch>
//!
//! v4 isolation level: readers of committed records see nothing above the last stable offset, and are
//! told which transactions were aborted · v7 sessions (KIP-227) · v13 topic ids. The answer comes when `min_bytes` are there, when
//! `max_wait_ms` have passed, or at once if a partition has an error. The first batch is always
//! whole, however large; an offset inside a batch gives the whole batch.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::fetch::{
    AbortedTransaction, FetchPartition, FetchTopic, FetchableTopicResponse, PartitionData,
};
use tidemill_kafka_wire::messages::{FetchRequest, FetchResponse};
use tidemill_kafka_wire::records::batches;
use tidemill_log::LogSlice;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::Context;
use crate::core::Core;
use crate::error::PartitionError;
use crate::partition::Partition;
use crate::topics::Topic;

/// Isolation level of readers that see committed records only.
const READ_COMMITTED: i8 = 1;
/// From this version on topics come by id.
const IDS_FROM: i16 = 13;
/// More bytes than this are read on a thread that may block: they may have to come from the disk.
const INLINE_READ_BYTES: usize = 256 * 1024;

pub(super) fn handle(
    context: &Context,
    request: FetchRequest,
) -> impl Future<Output = FetchResponse> + Send + use<> {
    let mut fetch =
        Fetch { core: context.core.clone(), by_id: context.version >= IDS_FROM, request };
    async move {
        let (core, by_id) = (fetch.core.clone(), fetch.by_id);
        let now = core.world.clock.monotonic();
        let plan = match core.fetch_sessions.begin(&mut fetch.request, by_id, now) {
            Ok(plan) => plan,
            Err(error_code) => return FetchResponse { error_code, ..Default::default() },
        };
        let fetch = Arc::new(fetch);
        let mut response = fetch.clone().answer().await;
        core.fetch_sessions.finish(plan, &fetch.request, by_id, now, &mut response);
        response
    }
}

struct Fetch {
    core: Arc<Core>,
    by_id: bool,
    request: FetchRequest,
}

/// What there is to read at one moment: per topic and partition, in the order asked for.
struct Look {
    partitions: Vec<Vec<Result<View, PartitionError>>>,
    bytes: usize,
    has_error: bool,
}

/// What one partition has to read.
struct View {
    partition: Arc<Partition>,
    slice: LogSlice,
    high_watermark: i64,
    last_stable_offset: i64,
    start_offset: i64,
}

impl Fetch {
    async fn answer(self: Arc<Self>) -> FetchResponse {
        let look = self.wait_for_enough().await;
        if look.bytes <= INLINE_READ_BYTES {
            return self.read(look);
        }
        let tasks = self.core.tasks.clone();
        let reading = tasks.spawn_blocking(move || self.read(look));
        reading.await.unwrap_or_else(|_| FetchResponse {
            error_code: ErrorCode::KafkaStorageError,
            ..Default::default()
        })
    }

    async fn wait_for_enough(&self) -> Look {
        let wait_ms = u64::try_from(self.request.max_wait_ms).unwrap_or(0);
        let enough = usize::try_from(self.request.min_bytes).unwrap_or(0);
        let look = self.look();
        if look.is_enough(enough) || wait_ms == 0 {
            return look;
        }
        let deadline = Instant::now() + Duration::from_millis(wait_ms);
        let shutdown = self.core.tasks.shutdown();
        let waiter = Arc::new(Notify::new());
        loop {
            // Before looking, so that what comes in between is not missed.
            self.wake_on_change(&waiter);
            let look = self.look();
            if look.is_enough(enough) {
                return look;
            }
            tokio::select! {
                () = waiter.notified() => {}
                () = sleep_until(deadline) => return self.look(),
                () = shutdown.requested() => return look,
            }
        }
    }

    fn wake_on_change(&self, waiter: &Arc<Notify>) {
        for topic in &self.request.topics {
            let Ok(found) = self.topic(topic) else { continue };
            for asked in &topic.partitions {
                if let Ok(partition) = found.partition(asked.partition) {
                    partition.wake_on_change(waiter);
                }
            }
        }
    }

    /// Finds what there is, without reading it.
    fn look(&self) -> Look {
        let max = usize::try_from(self.request.max_bytes).unwrap_or(0);
        let mut room = max.min(self.core.config.fetch_max_bytes.as_usize());
        let mut look = Look { partitions: Vec::new(), bytes: 0, has_error: false };
        for topic in &self.request.topics {
            let found = self.topic(topic);
            let mut views = Vec::with_capacity(topic.partitions.len());
            for asked in &topic.partitions {
                // The first batch of the answer is given even if it alone exceeds every limit.
                let view = found
                    .clone()
                    .and_then(|topic| topic.partition(asked.partition))
                    .and_then(|partition| {
                        let isolation = self.request.isolation_level;
                        view(partition, asked, isolation, room, look.bytes == 0)
                    });
                match &view {
                    Ok(view) => {
                        look.bytes += view.slice.len();
                        room = room.saturating_sub(view.slice.len());
                    }
                    Err(_) => look.has_error = true,
                }
                views.push(view);
            }
            look.partitions.push(views);
        }
        look
    }

    fn topic(&self, topic: &FetchTopic) -> Result<Arc<Topic>, PartitionError> {
        let topics = &self.core.topics;
        match self.by_id {
            true => topics.with_id(topic.topic_id).ok_or(PartitionError::UnknownId),
            false => topics.named(&topic.topic).ok_or(PartitionError::Unknown),
        }
    }

    fn read(&self, look: Look) -> FetchResponse {
        let read_committed = self.request.isolation_level == READ_COMMITTED;
        let answer = |(topic, views): (&FetchTopic, Vec<Result<View, PartitionError>>)| {
            let asked = topic.partitions.iter().zip(views);
            let partitions = asked
                .map(|(asked, view)| match view.and_then(|view| view.read(read_committed)) {
                    Ok(data) => PartitionData { partition_index: asked.partition, ..data },
                    Err(error) => failed(asked.partition, &error),
                })
                .collect();
            let (topic, topic_id) = (topic.topic.clone(), topic.topic_id);
            FetchableTopicResponse { topic, topic_id, partitions }
        };
        let responses = self.request.topics.iter().zip(look.partitions).map(answer).collect();
        FetchResponse { responses, ..Default::default() }
    }
}

fn view(
    partition: Arc<Partition>,
    asked: &FetchPartition,
    isolation_level: i8,
    room: usize,
    is_first: bool,
) -> Result<View, PartitionError> {
    partition.check_epoch(asked.current_leader_epoch)?;
    let max = usize::try_from(asked.partition_max_bytes).unwrap_or(0).min(room);
    let last_stable_offset = partition.last_stable_offset()?;
    let limit = if isolation_level == READ_COMMITTED { last_stable_offset } else { i64::MAX };
    Ok(View {
        slice: partition.read_below(asked.fetch_offset, limit, max, is_first)?,
        high_watermark: partition.high_watermark()?,
        last_stable_offset,
        start_offset: partition.start_offset()?,
        partition,
    })
}

impl Look {
    fn is_enough(&self, bytes: usize) -> bool {
        self.has_error || self.bytes >= bytes || self.partitions.is_empty()
    }
}

impl View {
    fn read(self, read_committed: bool) -> Result<PartitionData, PartitionError> {
        let records = if self.slice.is_empty() { Bytes::new() } else { self.slice.bytes()? };
        let aborted_transactions = match read_committed {
            true => Some(self.aborted(&records)?),
            false => None,
        };
        Ok(PartitionData {
            high_watermark: self.high_watermark,
            last_stable_offset: self.last_stable_offset,
            log_start_offset: self.start_offset,
            aborted_transactions,
            records: Some(records),
            ..Default::default()
        })
    }
}

impl View {
    /// The aborted transactions with records among those that are given.
    fn aborted(&self, records: &Bytes) -> Result<Vec<AbortedTransaction>, PartitionError> {
        let headers = batches(records).filter_map(Result::ok).map(|batch| batch.header);
        let ends = headers.map(|header| (header.base_offset, header.last_offset() + 1));
        let Some((from, to)) = ends.reduce(|(from, _), (_, to)| (from, to)) else {
            return Ok(Vec::new());
        };
        let aborted = self.partition.log()?.aborted_transactions(from, to)?;
        let each = |found: tidemill_log::AbortedTransaction| AbortedTransaction {
            producer_id: found.producer_id,
            first_offset: found.first_offset,
        };
        Ok(aborted.into_iter().map(each).collect())
    }
}

fn failed(partition_index: i32, error: &PartitionError) -> PartitionData {
    if let PartitionError::Storage(reason) = error {
        tracing::error!(partition = partition_index, reason, "records not read");
    }
    PartitionData {
        partition_index,
        error_code: error.code(),
        high_watermark: -1,
        records: Some(Bytes::new()),
        ..Default::default()
    }
}
