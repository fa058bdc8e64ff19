//! Reading by assignment: the caller says where to read.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures::future::try_join_all;
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::FetchRequest;
use tidemill_kafka_wire::messages::fetch::{FetchPartition, FetchTopic, PartitionData};

use crate::committed::{committed, next_offset};
use crate::{ClientError, KafkaClient, TopicPartition};

/// The last version that names topics; later ones give their ids.
const VERSION_MAX: i16 = 12;

/// What to read and how long to wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Where to read.
    pub partitions: Vec<FetchFrom>,
    /// How long a broker waits for `min_bytes`.
    pub max_wait: Duration,
    /// Bytes that are worth an answer.
    pub min_bytes: i32,
    /// Bytes of one answer; a larger first batch comes all the same.
    pub max_bytes: i32,
    /// Bytes of one partition in it.
    pub partition_max_bytes: i32,
    /// Whether records of open and aborted transactions stay hidden.
    pub read_committed: bool,
}

/// Where to read in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchFrom {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The first offset wanted. The batch that holds it comes whole: records before it may come
    /// with it.
    pub offset: i64,
}

/// What one partition gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPartition {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Its records, or why there are none, such as `OFFSET_OUT_OF_RANGE`.
    pub result: Result<FetchedRecords, ErrorCode>,
}

/// Raw batches and the bounds of their partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedRecords {
    /// Raw batches, for `tidemill_kafka_wire::records`; the last one may be cut off.
    pub batches: Bytes,
    /// The offset after the last whole batch, of what was left out too (markers of transactions are
    /// no records, nor is what a compaction removed): reading goes on here. `None` if none came.
    pub next_offset: Option<i64>,
    /// The offset after the last record that is durable.
    pub high_watermark: i64,
    /// The offset after the last record that belongs to no open transaction.
    pub last_stable_offset: i64,
    /// The offset of the first record.
    pub log_start_offset: i64,
}

impl KafkaClient {
    /// Reads once. A partition that moved is an error of that partition; the next call asks its new
    /// leader.
    pub async fn fetch(&self, request: &Fetch) -> Result<Vec<FetchedPartition>, ClientError> {
        let mut by_leader: BTreeMap<String, Vec<&FetchFrom>> = BTreeMap::new();
        for from in &request.partitions {
            let at = TopicPartition::new(from.topic.clone(), from.partition);
            by_leader.entry(self.leader(&at).await?).or_default().push(from);
        }
        let reads = by_leader
            .into_iter()
            .map(|(address, partitions)| self.fetch_at(address, partitions, request));
        let fetched: Vec<FetchedPartition> =
            try_join_all(reads).await?.into_iter().flatten().collect();
        self.forget_moved(&fetched).await;
        Ok(fetched)
    }

    async fn fetch_at(
        &self,
        address: String,
        partitions: Vec<&FetchFrom>,
        request: &Fetch,
    ) -> Result<Vec<FetchedPartition>, ClientError> {
        let wire = FetchRequest {
            max_wait_ms: i32::try_from(request.max_wait.as_millis()).unwrap_or(i32::MAX),
            min_bytes: request.min_bytes,
            max_bytes: request.max_bytes,
            isolation_level: i8::from(request.read_committed),
            topics: topics(&partitions, request.partition_max_bytes),
            ..Default::default()
        };
        let patience = self.inner.config.request_timeout + request.max_wait;
        let response = self.ask_at(&address, &wire, VERSION_MAX, patience).await?;
        self.throttle(&address, response.throttle_time_ms);
        if response.error_code != ErrorCode::None {
            return Err(ClientError::Refused {
                what: format!("fetching from {address}"),
                code: response.error_code,
                message: None,
            });
        }
        let mut fetched = Vec::new();
        for topic in response.responses {
            let name = topic.topic;
            let read = |data| of_partition(&name, data, request.read_committed);
            fetched.extend(topic.partitions.into_iter().map(read));
        }
        Ok(fetched)
    }

    /// What moved or went is asked for anew; that it cannot be asked now shows at the next fetch.
    async fn forget_moved(&self, fetched: &[FetchedPartition]) {
        let moved = |one: &&FetchedPartition| {
            matches!(
                one.result,
                Err(ErrorCode::NotLeaderOrFollower
                    | ErrorCode::UnknownTopicOrPartition
                    | ErrorCode::LeaderNotAvailable)
            )
        };
        let topics: Vec<String> =
            fetched.iter().filter(moved).map(|one| one.topic.clone()).collect();
        if !topics.is_empty()
            && let Err(error) = self.metadata(Some(topics), false).await
        {
            tracing::debug!(%error, "metadata not refreshed");
        }
    }
}

fn topics(partitions: &[&FetchFrom], bytes_max: i32) -> Vec<FetchTopic> {
    let mut by_topic: BTreeMap<&str, Vec<FetchPartition>> = BTreeMap::new();
    for from in partitions {
        by_topic.entry(&from.topic).or_default().push(FetchPartition {
            partition: from.partition,
            fetch_offset: from.offset,
            partition_max_bytes: bytes_max,
            ..Default::default()
        });
    }
    let topic = |(name, partitions): (&str, _)| FetchTopic {
        topic: name.to_owned(),
        partitions,
        ..Default::default()
    };
    by_topic.into_iter().map(topic).collect()
}

fn of_partition(topic: &str, data: PartitionData, read_committed: bool) -> FetchedPartition {
    let result = match data.error_code {
        ErrorCode::None => {
            let batches = data.records.unwrap_or_default();
            let next_offset = next_offset(&batches);
            // Who reads everything is told of no aborted transaction.
            let aborted = data.aborted_transactions.filter(|_| read_committed);
            Ok(FetchedRecords {
                batches: committed(batches, aborted.unwrap_or_default()),
                next_offset,
                high_watermark: data.high_watermark,
                last_stable_offset: data.last_stable_offset,
                log_start_offset: data.log_start_offset,
            })
        }
        code => Err(code),
    };
    FetchedPartition { topic: topic.to_owned(), partition: data.partition_index, result }
}
