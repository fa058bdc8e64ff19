//! Topic `__consumer_offsets`: where groups and offsets are kept, in Kafka's own records, so that
//! Kafka's tools can read them.

use std::sync::Arc;

use bytes::Bytes;
use tidemill_kafka_wire::group_records::{
    self, GroupMetadataKey, GroupMetadataValue, Key, OffsetCommitKey, OffsetCommitValue,
};
use tidemill_kafka_wire::records::{self, Batch, BatchBuilder, Compression, Marker, RecordError};

use super::offsets::{Committed, Place};
use crate::error::PartitionError;
use crate::partition::Partition;
use crate::transactions::Identity;

/// Bytes read at once at the start.
const READ_BYTES: usize = 4 << 20;
/// Bytes of records put in one batch.
const BATCH_BYTES: usize = 512 * 1024;

/// A record: key, and value or the mark that deletes it.
pub(crate) type KeyValue = (Bytes, Option<Bytes>);

/// What a record says.
#[derive(Debug)]
pub(crate) enum Kept {
    /// An offset; with a producer's id it counts once that one's transaction commits.
    Offset {
        group: String,
        place: Place,
        committed: Option<Committed>,
        transaction: Option<i64>,
    },
    /// A producer's transaction has ended.
    Marker {
        producer_id: i64,
        commits: bool,
    },
    Group {
        group: String,
        value: Option<Box<GroupMetadataValue>>,
    },
}

/// The partition behind the groups.
#[derive(Clone)]
pub(crate) struct Store {
    partition: Arc<Partition>,
}

impl Store {
    pub(crate) fn new(partition: Arc<Partition>) -> Store {
        Store { partition }
    }

    /// Appends records, as few batches as possible; gives the offset of the last.
    pub(crate) fn append(&self, records: &[KeyValue], now_ms: i64) -> Result<i64, PartitionError> {
        self.append_in(None, records, now_ms)
    }

    /// As [`Store::append`], within the transaction of a producer.
    pub(crate) fn append_in(
        &self,
        transaction: Option<Identity>,
        records: &[KeyValue],
        now_ms: i64,
    ) -> Result<i64, PartitionError> {
        let (mut last, mut rest) = (-1, records.iter().peekable());
        while rest.peek().is_some() {
            let mut batch = BatchBuilder::new(Compression::None);
            if let Some((id, epoch)) = transaction {
                batch = batch.producer(id, epoch, -1).transactional();
            }
            while let Some((key, value)) = rest.next_if(|_| batch.size() < BATCH_BYTES) {
                batch.push(now_ms, Some(key), value.as_deref(), &[]);
            }
            last = self.partition.append_own(&batch.build(), now_ms)?;
        }
        Ok(last)
    }

    /// Calls `done` when the record at an offset is durable, or never will be.
    pub(crate) fn when_durable(
        &self,
        offset: i64,
        done: impl FnOnce(Result<(), PartitionError>) + Send + 'static,
    ) {
        self.partition.notify_durable(offset, done);
    }

    /// Reads everything, oldest first; blocking. A record that makes no sense is left out and logged:
    /// the rest is worth having.
    pub(crate) fn load(&self, mut keep: impl FnMut(Kept)) -> Result<(), PartitionError> {
        let mut next = self.partition.start_offset()?;
        loop {
            let slice = self.partition.read(next, READ_BYTES, true)?;
            if slice.is_empty() {
                return Ok(());
            }
            let bytes = slice.bytes()?;
            for batch in records::batches(&bytes) {
                let batch = batch.map_err(unreadable)?;
                next = batch.header.last_offset() + 1;
                if batch.header.is_control() {
                    let producer_id = batch.header.producer_id;
                    if let Some(Marker { commits, .. }) = Marker::of(&batch) {
                        keep(Kept::Marker { producer_id, commits });
                    }
                    continue;
                }
                load_batch(&batch, &mut keep)?;
            }
        }
    }
}

fn load_batch(batch: &Batch, keep: &mut impl FnMut(Kept)) -> Result<(), PartitionError> {
    let header = &batch.header;
    let transaction = header.is_transactional().then_some(header.producer_id);
    for record in records::decode(&batch.bytes) {
        let record = record.map_err(unreadable)?;
        match understand(record.key.unwrap_or_default(), record.value, transaction) {
            Ok(Some(kept)) => keep(kept),
            Ok(None) => {}
            Err(error) => {
                let offset = record.offset;
                tracing::warn!(offset, %error, "record of __consumer_offsets left out");
            }
        }
    }
    Ok(())
}

fn unreadable(error: RecordError) -> PartitionError {
    PartitionError::Storage(error.to_string())
}

fn understand(
    key: Bytes,
    value: Option<Bytes>,
    transaction: Option<i64>,
) -> Result<Option<Kept>, tidemill_kafka_wire::DecodeError> {
    Ok(match Key::decode(key)? {
        Key::Offset(OffsetCommitKey { group, topic, partition }) => {
            let value = value.map(group_records::decode_value::<OffsetCommitValue>).transpose()?;
            let committed = value.map(Committed::restored);
            Some(Kept::Offset { group, place: (topic, partition), committed, transaction })
        }
        Key::Group(GroupMetadataKey { group }) => {
            let value = value.map(group_records::decode_value::<GroupMetadataValue>).transpose()?;
            Some(Kept::Group { group, value: value.map(Box::new) })
        }
        Key::Unknown(kind) => {
            tracing::debug!(kind, "record of a newer protocol left alone");
            None
        }
    })
}

/// The record of a committed offset, or the mark that deletes it. `None` if a name is longer than
/// the format can say.
pub(crate) fn offset(group: &str, place: &Place, value: Option<&Committed>) -> Option<KeyValue> {
    let (topic, partition) = place.clone();
    let key = OffsetCommitKey { group: group.to_owned(), topic, partition };
    let value = match value.map(Committed::record) {
        None => None,
        Some((value, version)) => Some(group_records::encode(&value, version).ok()?),
    };
    Some((group_records::encode(&key, 1).ok()?, value))
}

/// The record of a group, or the mark that deletes it. `None` as in [`offset`].
pub(crate) fn group(group: &str, value: Option<&GroupMetadataValue>) -> Option<KeyValue> {
    let key = GroupMetadataKey { group: group.to_owned() };
    let value = match value {
        None => None,
        Some(value) => Some(group_records::encode(value, 3).ok()?),
    };
    Some((group_records::encode(&key, 2).ok()?, value))
}
