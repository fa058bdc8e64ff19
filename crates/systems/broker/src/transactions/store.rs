//! Topic `__transaction_state`: where transactional ids are kept, in Kafka's own records, so that
//! Kafka's tools can read it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use tidemill_kafka_wire::group_records;
use tidemill_kafka_wire::records::{self, BatchBuilder, Compression};
use tidemill_kafka_wire::transaction_records::{self, TransactionLogKey, TransactionLogValue};

use super::state::Transaction;
use crate::error::PartitionError;
use crate::partition::Partition;

/// Bytes read at once at the start.
const READ_BYTES: usize = 4 << 20;
/// The version with what the newer protocol needs.
const VALUE_VERSION: i16 = 1;

/// The partition behind the transactions.
#[derive(Clone)]
pub(super) struct Store {
    partition: Arc<Partition>,
}

impl Store {
    pub(super) fn new(partition: Arc<Partition>) -> Store {
        Store { partition }
    }

    /// Appends what is now known of an id, or that nothing is; gives the record's offset.
    pub(super) fn append(
        &self,
        id: &str,
        transaction: Option<&Transaction>,
        now_ms: i64,
    ) -> Result<i64, PartitionError> {
        let unwritable = |error| PartitionError::Storage(format!("{id} cannot be kept: {error}"));
        let key = TransactionLogKey { transactional_id: id.to_owned() };
        let key = group_records::encode(&key, 0).map_err(unwritable)?;
        let value = transaction
            .map(|transaction| group_records::encode(&transaction.record(), VALUE_VERSION))
            .transpose()
            .map_err(unwritable)?;
        let mut batch = BatchBuilder::new(Compression::None);
        batch.push(now_ms, Some(&key), value.as_deref(), &[]);
        self.partition.append_own(&batch.build(), now_ms)
    }

    /// Waits until a record is durable, or never will be.
    pub(super) fn wait(&self, offset: i64) -> Result<(), PartitionError> {
        self.partition.wait_durable(offset)
    }

    /// Completes when a record is durable, or never will be.
    pub(super) fn when_durable(
        &self,
        offset: i64,
    ) -> impl Future<Output = Result<(), PartitionError>> + Send + use<> {
        self.partition.when_durable(offset)
    }

    /// Reads everything; blocking. A record that makes no sense is left out and logged.
    pub(super) fn load(&self) -> Result<BTreeMap<String, Transaction>, PartitionError> {
        let mut found = BTreeMap::new();
        let mut next = self.partition.start_offset()?;
        loop {
            let slice = self.partition.read(next, READ_BYTES, true)?;
            if slice.is_empty() {
                return Ok(found);
            }
            let bytes = slice.bytes()?;
            for batch in records::batches(&bytes).filter_map(Result::ok) {
                next = batch.header.last_offset() + 1;
            }
            for record in records::decode(&bytes) {
                let record = record.map_err(|error| PartitionError::Storage(error.to_string()))?;
                match understand(record.key.unwrap_or_default(), record.value) {
                    Some((id, Some(transaction))) => drop(found.insert(id, transaction)),
                    Some((id, None)) => drop(found.remove(&id)),
                    None => {
                        let offset = record.offset;
                        tracing::warn!(offset, "record of __transaction_state left out");
                    }
                }
            }
        }
    }
}

fn understand(key: Bytes, value: Option<Bytes>) -> Option<(String, Option<Transaction>)> {
    let id = transaction_records::decode_key(key).ok()??.transactional_id;
    let Some(value) = value else { return Some((id, None)) };
    let value: TransactionLogValue = group_records::decode_value(value).ok()?;
    Some((id, Some(Transaction::restored(value)?)))
}
