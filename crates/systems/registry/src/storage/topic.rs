//! The topic: one partition, compacted, of our broker or of any Kafka.

use std::time::Duration;

use bytes::Bytes;
use futures::future::try_join_all;
use tidemill_kafka_client::{
    ClientError, ErrorCode, Fetch, FetchFrom, FetchedRecords, KafkaClient, NewTopic, OffsetSpec,
    Producer, ProducerConfig, ProducerRecord, TopicPartition,
};
use tidemill_kafka_wire::records::{self, Batch, RecordError};
use tidemill_runtime::BoxFuture;
use tokio::sync::OnceCell;

use super::{Chunk, Entry, Storage, StorageError, StoredEntry};

/// The one partition of the topic.
const PARTITION: i32 = 0;
/// How long a read waits for a record that is not there yet.
const READ_WAIT: Duration = Duration::from_secs(5);
/// Bytes that one read asks for.
const READ_BYTES_MAX: i32 = 8 << 20;

/// The topic `_schemas`.
#[derive(Debug)]
pub struct TopicStorage {
    kafka: KafkaClient,
    producer: Producer,
    topic: String,
    cluster: OnceCell<Option<String>>,
}

impl TopicStorage {
    /// A topic that may not exist yet. A write is given up after `write_timeout`.
    pub fn new(kafka: KafkaClient, topic: &str, write_timeout: Duration) -> TopicStorage {
        let config =
            ProducerConfig { delivery_timeout: write_timeout, ..ProducerConfig::default() };
        let producer = kafka.producer(config);
        TopicStorage { kafka, producer, topic: topic.to_owned(), cluster: OnceCell::new() }
    }

    async fn open_topic(&self) -> Result<(), StorageError> {
        let config = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let topic = NewTopic {
            name: self.topic.clone(),
            partitions: 1,
            configs: vec![config("cleanup.policy", "compact")],
        };
        if self.kafka.create_topic(topic).await.map_err(failed)? {
            tracing::info!(topic = self.topic, "topic made");
            return Ok(());
        }
        self.check_partitions().await?;
        self.check_compaction().await
    }

    async fn check_partitions(&self) -> Result<(), StorageError> {
        let known = self.kafka.topic(&self.topic).await.map_err(failed)?;
        let count = known.map_or(0, |topic| topic.partitions.len());
        if count == 1 {
            return Ok(());
        }
        let topic = &self.topic;
        Err(StorageError::Lost(format!(
            "topic {topic} has {count} partitions; the order of schemas needs exactly 1"
        )))
    }

    /// A topic that forgets old records by age forgets schemas.
    async fn check_compaction(&self) -> Result<(), StorageError> {
        let configs = self.kafka.describe_topic_configs(&self.topic).await.map_err(failed)?;
        let policy = configs.into_iter().find(|entry| entry.name == "cleanup.policy");
        match policy.and_then(|entry| entry.value) {
            Some(policy) if policy != "compact" => Err(StorageError::Lost(format!(
                "topic {topic} has cleanup.policy={policy} and would lose schemas; set it to compact",
                topic = self.topic
            ))),
            _ => Ok(()),
        }
    }

    async fn append_records(&self, entries: Vec<Entry>) -> Result<i64, StorageError> {
        // Sent in one go: they wait in the order of this list and leave in one batch.
        let sent = entries.into_iter().map(|Entry { key, value }| {
            self.producer.send(ProducerRecord {
                topic: self.topic.clone(),
                partition: Some(PARTITION),
                key: Some(key),
                value,
                ..ProducerRecord::default()
            })
        });
        let written = try_join_all(sent).await.map_err(failed)?;
        match written.last().map(|last| last.offset) {
            Some(offset) if offset >= 0 => Ok(offset + 1),
            // A repeated batch whose offset the broker no longer tells.
            _ => self.end_offset().await,
        }
    }

    async fn end_offset(&self) -> Result<i64, StorageError> {
        let at = [TopicPartition::new(self.topic.clone(), PARTITION)];
        let listed = self.kafka.list_offsets(&at, OffsetSpec::Latest).await.map_err(failed)?;
        let end = listed.first().map(|listed| listed.offset).filter(|offset| *offset >= 0);
        end.ok_or_else(|| StorageError::Unavailable(format!("no end offset of {}", self.topic)))
    }

    async fn skip_to_start(&self) -> Result<Chunk, StorageError> {
        let at = [TopicPartition::new(self.topic.clone(), PARTITION)];
        let listed = self.kafka.list_offsets(&at, OffsetSpec::Earliest).await.map_err(failed)?;
        match listed.first() {
            Some(listed) if listed.offset > 0 => {
                Ok(Chunk { entries: Vec::new(), next: listed.offset })
            }
            _ => Err(self.lost(0, ErrorCode::OffsetOutOfRange)),
        }
    }

    async fn read_records(&self, from: i64) -> Result<Chunk, StorageError> {
        let place = FetchFrom { topic: self.topic.clone(), partition: PARTITION, offset: from };
        let fetch = Fetch {
            partitions: vec![place],
            max_wait: READ_WAIT,
            min_bytes: 1,
            max_bytes: READ_BYTES_MAX,
            partition_max_bytes: READ_BYTES_MAX,
            read_committed: true,
        };
        let fetched = self.kafka.fetch(&fetch).await.map_err(failed)?;
        match fetched.into_iter().next().map(|partition| partition.result) {
            Some(Ok(records)) => self.chunk(from, &records),
            // Records were removed before this registry read anything: it begins at what is left.
            Some(Err(ErrorCode::OffsetOutOfRange)) if from == 0 => self.skip_to_start().await,
            Some(Err(code @ (ErrorCode::OffsetOutOfRange | ErrorCode::UnknownTopicId))) => {
                Err(self.lost(from, code))
            }
            Some(Err(ErrorCode::UnknownTopicOrPartition)) => {
                // For a moment after its creation, or after a change of leader, this is no loss.
                match self.kafka.topic(&self.topic).await.map_err(failed)? {
                    Some(_) => Err(StorageError::Unavailable(format!("{} moves", self.topic))),
                    None => Err(self.lost(from, ErrorCode::UnknownTopicOrPartition)),
                }
            }
            Some(Err(code)) => Err(StorageError::Unavailable(format!("{}: {code}", self.topic))),
            None => Err(StorageError::Unavailable(format!("nothing said of {}", self.topic))),
        }
    }

    fn chunk(&self, from: i64, fetched: &FetchedRecords) -> Result<Chunk, StorageError> {
        let mut chunk = chunk_of(&fetched.batches, from).map_err(|error| {
            let topic = &self.topic;
            StorageError::Lost(format!("{topic} cannot be read at offset {from}: {error}"))
        })?;
        if fetched.batches.is_empty() {
            // All that came was of aborted transactions.
            chunk.next = chunk.next.max(fetched.next_offset.unwrap_or(from));
        }
        Ok(chunk)
    }

    fn lost(&self, from: i64, code: ErrorCode) -> StorageError {
        let topic = &self.topic;
        StorageError::Lost(format!("{topic} was deleted or cut: offset {from} is gone ({code})"))
    }
}

/// The records from an offset on, and where to read next.
fn chunk_of(bytes: &Bytes, from: i64) -> Result<Chunk, RecordError> {
    let mut chunk = Chunk { entries: Vec::new(), next: from };
    for batch in records::batches(bytes) {
        match batch.and_then(|batch| entries_of(&batch, from)) {
            Ok((entries, next)) => {
                chunk.entries.extend(entries);
                chunk.next = chunk.next.max(next);
            }
            // What came before it counts; the next read starts with it.
            Err(_) if chunk.next > from => break,
            Err(error) => return Err(error),
        }
    }
    Ok(chunk)
}

/// The records of a batch from an offset on, and the offset after it: compaction and transactions
/// leave offsets without records, so the last record does not tell.
fn entries_of(batch: &Batch, from: i64) -> Result<(Vec<StoredEntry>, i64), RecordError> {
    let mut entries = Vec::new();
    for record in records::decode(&batch.bytes) {
        let records::Record { offset, timestamp, key, value, .. } = record?;
        if offset >= from {
            entries.push(StoredEntry { offset, timestamp, key, value });
        }
    }
    Ok((entries, batch.header.last_offset().saturating_add(1)))
}

fn failed(error: ClientError) -> StorageError {
    match error {
        ClientError::TimedOut { .. } => StorageError::TimedOut(error.to_string()),
        ClientError::RecordTooLarge { .. } => StorageError::TooLarge(error.to_string()),
        ClientError::Refused {
            code: ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge,
            ..
        } => StorageError::TooLarge(error.to_string()),
        error => StorageError::Unavailable(error.to_string()),
    }
}

impl Storage for TopicStorage {
    fn open(&self) -> BoxFuture<'_, Result<(), StorageError>> {
        Box::pin(self.open_topic())
    }

    fn append(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<i64, StorageError>> {
        Box::pin(self.append_records(entries))
    }

    fn end(&self) -> BoxFuture<'_, Result<i64, StorageError>> {
        Box::pin(self.end_offset())
    }

    fn read(&self, from: i64) -> BoxFuture<'_, Result<Chunk, StorageError>> {
        Box::pin(self.read_records(from))
    }

    fn cluster_id(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async {
            let ask = || async { self.kafka.cluster().await.map(|cluster| cluster.id) };
            self.cluster.get_or_try_init(ask).await.ok().cloned().flatten()
        })
    }
}

#[cfg(test)]
mod tests {
    use tidemill_kafka_wire::records::{BatchBuilder, Compression};

    use super::*;

    fn batch(base_offset: i64, values: &[&str]) -> Vec<u8> {
        let mut batch = BatchBuilder::new(Compression::None).base_offset(base_offset);
        values.iter().for_each(|value| batch.push(7, Some(b"k"), Some(value.as_bytes()), &[]));
        batch.build().to_vec()
    }

    fn values(chunk: &Chunk) -> Vec<&[u8]> {
        chunk.entries.iter().filter_map(|entry| entry.value.as_deref()).collect()
    }

    #[test]
    fn records_before_the_offset_asked_for_are_left_out() {
        let bytes = Bytes::from([batch(0, &["a", "b"]), batch(2, &["c"])].concat());
        let chunk = chunk_of(&bytes, 1).unwrap();
        assert_eq!((values(&chunk), chunk.next), (vec![&b"b"[..], b"c"], 3));
        assert_eq!((chunk.entries[0].offset, chunk.entries[0].timestamp), (1, 7));
    }

    #[test]
    fn offsets_that_compaction_left_empty_are_passed_over() {
        let mut end = BatchBuilder::new(Compression::None).base_offset(5).transactional().control();
        end.push(0, Some(b"\0\0\0\x01"), Some(b"\0\0\0\0\0\0"), &[]);
        let bytes = Bytes::from([batch(3, &["a"]), end.build().to_vec()].concat());
        let chunk = chunk_of(&bytes, 0).unwrap();
        assert_eq!((values(&chunk), chunk.next), (vec![&b"a"[..]], 6), "a marker is no record");
        assert_eq!(chunk_of(&Bytes::new(), 9).unwrap(), Chunk { entries: Vec::new(), next: 9 });
    }

    #[test]
    fn a_damaged_batch_is_an_error_once_it_is_the_first() {
        let mut damaged = batch(1, &["b"]);
        *damaged.last_mut().unwrap() ^= 1;
        let bytes = Bytes::from([batch(0, &["a"]), damaged.clone()].concat());
        let chunk = chunk_of(&bytes, 0).unwrap();
        assert_eq!((values(&chunk), chunk.next), (vec![&b"a"[..]], 1));
        assert!(chunk_of(&Bytes::from(damaged), 1).is_err());
    }

    #[test]
    fn a_batch_that_is_cut_off_is_read_again() {
        let whole = batch(1, &["b"]);
        let bytes = Bytes::from([batch(0, &["a"]), whole[..whole.len() - 3].to_vec()].concat());
        assert_eq!(chunk_of(&bytes, 0).unwrap().next, 1);
    }
}
