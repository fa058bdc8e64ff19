//! A topic as source.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tidemill_kafka_client::{
    ClientError, CommitOffset, ErrorCode, Fetch, FetchFrom, FetchedPartition, FetchedRecords,
    KafkaClient, OffsetSpec, TopicMetadata, TopicPartition,
};
use tidemill_kafka_wire::records;
use tidemill_runtime::Clock;
use uuid::Uuid;

use crate::{Fetched, Header, Polled, Positions, Record, Source, SourceError};

/// How long a broker waits for the first record.
const MAX_WAIT: Duration = Duration::from_millis(500);
/// Bytes of one answer, and of one partition in it, before decompression.
const FETCH_BYTES_MAX: i32 = 4 << 20;
const PARTITION_BYTES_MAX: i32 = 1 << 20;
/// Records of one poll at most, so that one compressed batch after the other does not fill memory;
/// the rest is fetched again.
const POLL_RECORDS_MAX: usize = 65_536;
/// How often new partitions and a new topic of the same name are looked for.
const METADATA_AGE_MAX: Duration = Duration::from_secs(5);

/// Where reading starts without a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Startup {
    /// At the first record there is.
    Earliest,
    /// At the first record that is still to come.
    Latest,
    /// At the first record with this timestamp in milliseconds, or a later one.
    At(i64),
    /// Where this group stands; else at the first record.
    Group(String),
}

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaSourceConfig {
    /// The topic.
    pub topic: String,
    /// Where reading starts.
    pub startup: Startup,
    /// Reading ends at the offsets that are last when it starts.
    pub bounded: bool,
    /// The group that is told how far reading is; none to tell nobody.
    pub group: Option<String>,
}

/// Reads all partitions of a topic.
pub struct KafkaSource {
    client: KafkaClient,
    config: KafkaSourceConfig,
    clock: Arc<dyn Clock>,
    at: Positions,
    /// Where a bounded reader ends.
    stops: Option<BTreeMap<i32, i64>>,
    /// The topic was not there when first asked for: all its records are new.
    waited: bool,
    metadata_at: Duration,
    notice: Option<String>,
}

impl KafkaSource {
    /// Nothing is asked of the broker yet.
    pub fn new(
        client: KafkaClient,
        config: KafkaSourceConfig,
        clock: Arc<dyn Clock>,
    ) -> KafkaSource {
        KafkaSource {
            client,
            config,
            clock,
            at: Positions::default(),
            stops: None,
            waited: false,
            metadata_at: Duration::ZERO,
            notice: None,
        }
    }

    async fn topic(&mut self) -> Result<TopicMetadata, SourceError> {
        let found = self.client.topic(&self.config.topic).await.map_err(|error| failure(&error))?;
        self.metadata_at = self.clock.monotonic();
        found.ok_or_else(|| {
            self.waited = true;
            SourceError::NotThere(format!("topic {} does not exist yet", self.config.topic))
        })
    }

    async fn offsets(
        &self,
        partitions: &[i32],
        at: OffsetSpec,
    ) -> Result<BTreeMap<i32, i64>, SourceError> {
        let partitions: Vec<TopicPartition> = partitions
            .iter()
            .map(|partition| TopicPartition::new(self.config.topic.clone(), *partition))
            .collect();
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let listed =
            self.client.list_offsets(&partitions, at).await.map_err(|error| failure(&error))?;
        Ok(listed.into_iter().map(|one| (one.partition, one.offset)).collect())
    }

    /// Where reading starts without a checkpoint.
    async fn start(&self, partitions: &[i32]) -> Result<BTreeMap<i32, i64>, SourceError> {
        let mut next = match &self.config.startup {
            Startup::Latest if !self.waited => self.offsets(partitions, OffsetSpec::Latest).await?,
            Startup::Earliest | Startup::Latest => {
                self.offsets(partitions, OffsetSpec::Earliest).await?
            }
            Startup::At(ms) => {
                let mut found = self.offsets(partitions, OffsetSpec::At(*ms)).await?;
                // No record is that late: the first one that is still to come.
                let ends = self.offsets(partitions, OffsetSpec::Latest).await?;
                for (partition, offset) in &mut found {
                    if *offset < 0 {
                        *offset = ends.get(partition).copied().unwrap_or(0);
                    }
                }
                found
            }
            Startup::Group(group) => {
                let committed = self.client.committed_offsets(group).await;
                let committed = committed.map_err(|error| failure(&error))?;
                let mut next = self.offsets(partitions, OffsetSpec::Earliest).await?;
                let own = committed.iter().filter(|one| one.topic == self.config.topic);
                next.extend(own.map(|one| (one.partition, one.offset)));
                next
            }
        };
        next.retain(|partition, _| partitions.contains(partition));
        Ok(next)
    }

    /// New partitions, or a new topic under the old name.
    async fn refresh(&mut self) -> Result<(), SourceError> {
        let topic = self.topic().await?;
        let id = topic_id(&topic);
        if id.is_some() && self.at.topic_id.is_some() && id != self.at.topic_id {
            return self.recreated(&topic).await;
        }
        let known = |partition: &i32| self.at.next.contains_key(partition);
        let new: Vec<i32> = partitions(&topic).into_iter().filter(|one| !known(one)).collect();
        if !new.is_empty() && self.stops.is_none() {
            let first = self.offsets(&new, OffsetSpec::Earliest).await?;
            self.at.next.extend(first);
        }
        Ok(())
    }

    async fn recreated(&mut self, topic: &TopicMetadata) -> Result<(), SourceError> {
        let first = self.offsets(&partitions(topic), OffsetSpec::Earliest).await?;
        let notice = format!(
            "topic {} was deleted and created again (id {} is now {}): its offsets belong to other \
             records, so the new topic is read from its beginning",
            self.config.topic,
            self.at.topic_id.unwrap_or_default(),
            topic.id
        );
        self.notice = Some(notice);
        self.at = Positions { topic_id: topic_id(topic), next: first };
        Ok(())
    }

    fn request(&self) -> Fetch {
        let is_wanted = |partition: &i32, next: i64| {
            let stop = self.stops.as_ref().and_then(|stops| stops.get(partition));
            stop.is_none_or(|stop| next < *stop)
        };
        let partitions = self
            .at
            .next
            .iter()
            .filter(|(partition, next)| is_wanted(partition, **next))
            .map(|(partition, next)| FetchFrom {
                topic: self.config.topic.clone(),
                partition: *partition,
                offset: *next,
            })
            .collect();
        Fetch {
            partitions,
            max_wait: MAX_WAIT,
            min_bytes: 1,
            max_bytes: FETCH_BYTES_MAX,
            partition_max_bytes: PARTITION_BYTES_MAX,
            read_committed: false,
        }
    }

    async fn take(
        &mut self,
        answer: FetchedPartition,
        fetched: &mut Fetched,
    ) -> Result<(), SourceError> {
        let partition = answer.partition;
        match answer.result {
            Ok(records) => {
                fetched.ends.insert(partition, records.high_watermark);
                self.take_records(partition, &records, fetched)
            }
            Err(ErrorCode::OffsetOutOfRange) => self.out_of_range(partition).await,
            Err(ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId) => {
                Err(SourceError::NotThere(format!(
                    "topic {} does not exist any more",
                    self.config.topic
                )))
            }
            Err(code) => Err(SourceError::Unavailable(format!(
                "reading {}-{partition}: {code}",
                self.config.topic
            ))),
        }
    }

    fn take_records(
        &self,
        partition: i32,
        answer: &FetchedRecords,
        fetched: &mut Fetched,
    ) -> Result<(), SourceError> {
        let from = self.at.next.get(&partition).copied().unwrap_or(0);
        let stop = self.stops.as_ref().and_then(|stops| stops.get(&partition)).copied();
        let stop = stop.unwrap_or(i64::MAX);
        let damaged = |error: records::RecordError| {
            SourceError::Unavailable(format!("{}-{partition}: {error}", self.config.topic))
        };
        let mut next = from;
        for batch in records::batches(&answer.batches) {
            if fetched.records.len() >= POLL_RECORDS_MAX {
                break;
            }
            let batch = batch.map_err(damaged)?;
            if batch.header.last_offset() < from {
                continue;
            }
            for record in records::decode(&batch.bytes) {
                let record = record.map_err(damaged)?;
                if record.offset >= from && record.offset < stop {
                    fetched.records.push(own_record(partition, record));
                }
            }
            // Also past markers and what compaction took away.
            next = batch.header.last_offset().saturating_add(1).min(stop);
        }
        if next != from {
            fetched.next.insert(partition, next);
        }
        Ok(())
    }

    /// The record wanted is gone, or was never there.
    async fn out_of_range(&mut self, partition: i32) -> Result<(), SourceError> {
        let first = self.offsets(&[partition], OffsetSpec::Earliest).await?;
        let first = first.get(&partition).copied().unwrap_or(0);
        let wanted = self.at.next.insert(partition, first).unwrap_or(0);
        let topic = &self.config.topic;
        self.notice = Some(if wanted < first {
            format!(
                "{} records of {topic}-{partition} expired before they were read (offsets {wanted} \
                 to {}): see the topic's retention",
                first - wanted,
                first - 1
            )
        } else {
            format!(
                "{topic}-{partition} ends before offset {wanted}: the log was cut, so it is read \
                 again from offset {first}"
            )
        });
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.stops.as_ref().is_some_and(|stops| {
            let next = |partition| self.at.next.get(partition).copied().unwrap_or(0);
            stops.iter().all(|(partition, stop)| next(partition) >= *stop)
        })
    }
}

#[async_trait]
impl Source for KafkaSource {
    async fn open(&mut self, from: Option<&Positions>) -> Result<Positions, SourceError> {
        let topic = self.topic().await?;
        let all = partitions(&topic);
        match from {
            None => {
                let next = self.start(&all).await?;
                self.at = Positions { topic_id: topic_id(&topic), next };
            }
            Some(from) => {
                self.at = from.clone();
                if self.at.topic_id.is_none() {
                    self.at.topic_id = topic_id(&topic);
                }
                self.refresh().await?;
            }
        }
        if self.config.bounded && self.stops.is_none() {
            self.stops = Some(self.offsets(&all, OffsetSpec::Latest).await?);
        }
        Ok(self.at.clone())
    }

    async fn poll(&mut self) -> Result<Polled, SourceError> {
        if self.is_done() {
            return Ok(Polled::End);
        }
        if self.clock.monotonic().saturating_sub(self.metadata_at) >= METADATA_AGE_MAX {
            self.refresh().await?;
        }
        let answers = self.client.fetch(&self.request()).await.map_err(|error| failure(&error))?;
        let mut fetched = Fetched::default();
        for answer in answers {
            self.take(answer, &mut fetched).await?;
        }
        self.at.next.extend(&fetched.next);
        fetched.topic_id = self.at.topic_id;
        fetched.notice = self.notice.take();
        Ok(Polled::Fetched(fetched))
    }

    async fn commit(&mut self, positions: &Positions) -> Result<(), SourceError> {
        let Some(group) = &self.config.group else { return Ok(()) };
        let offsets: Vec<CommitOffset> = positions
            .next
            .iter()
            .map(|(partition, offset)| CommitOffset {
                topic: self.config.topic.clone(),
                partition: *partition,
                offset: *offset,
                metadata: String::new(),
            })
            .collect();
        self.client.commit_offsets(group, &offsets).await.map_err(|error| failure(&error))
    }
}

fn partitions(topic: &TopicMetadata) -> Vec<i32> {
    topic.partitions.iter().map(|partition| partition.partition).collect()
}

/// None from brokers that know no ids.
fn topic_id(topic: &TopicMetadata) -> Option<Uuid> {
    (!topic.id.is_nil()).then_some(topic.id)
}

fn own_record(partition: i32, record: records::Record) -> Record {
    Record {
        partition,
        offset: record.offset,
        timestamp_ms: record.timestamp,
        key: record.key,
        value: record.value,
        headers: record
            .headers
            .into_iter()
            .map(|header| Header { key: header.key, value: header.value })
            .collect(),
    }
}

fn failure(error: &ClientError) -> SourceError {
    match error {
        ClientError::Refused { code: ErrorCode::UnknownTopicOrPartition, .. } => {
            SourceError::NotThere(error.to_string())
        }
        ClientError::Unsupported { .. } => SourceError::Failed(error.to_string()),
        _ => SourceError::Unavailable(error.to_string()),
    }
}
