//! What a batch must be before it is appended, and what the topic's settings make of it.
//!
//! A batch is stored as it came. Only where the topic asks for the broker's time or for another
//! codec, or is compacted, is anything but its header looked at. Kafka's `LogValidator` is the model.

use bytes::Bytes;
use tidemill_kafka_wire::records::{self, BatchBuilder, Compression, Record};
use tidemill_log::{BatchError, BatchHeader};

use crate::error::AppendError;
use crate::topics::settings::TopicSettings;

const ATTRIBUTES_AT: usize = 21;
const MAX_TIMESTAMP_AT: usize = 35;
const CHECKSUM_AT: usize = 17;
const LOG_APPEND_TIME_BIT: u8 = 0x08;

/// Checks that `records` is exactly one good batch from a client.
pub(crate) fn batch(
    records: &Bytes,
    settings: &TopicSettings,
    now_ms: i64,
) -> Result<BatchHeader, AppendError> {
    let parsed = BatchHeader::parse(records).map_err(from_client)?;
    if parsed.size_bytes() < records.len() {
        return Err(AppendError::InvalidRecord("a partition takes one batch per request"));
    }
    if records.len() > settings.max_message_bytes {
        let (size, max) = (records.len(), settings.max_message_bytes);
        return Err(AppendError::TooLarge { size, max });
    }
    let header = BatchHeader::check(records).map_err(from_client)?;
    if header.base_offset != 0 {
        return Err(AppendError::InvalidRecord("the base offset of a batch must be 0"));
    }
    if header.is_control() {
        return Err(AppendError::InvalidRecord("control batches are the broker's alone"));
    }
    if header.is_transactional() && header.producer_id < 0 {
        return Err(AppendError::InvalidRecord("a transaction needs a producer id"));
    }
    if header.producer_id >= 0 && (header.base_sequence < 0 || header.producer_epoch < 0) {
        return Err(AppendError::InvalidRecord("a producer id needs an epoch and a sequence"));
    }
    if matches!(header.compression(), tidemill_log::Compression::Unknown(_)) {
        return Err(AppendError::InvalidRecord("the compression codec is not known"));
    }
    check_time(&header, settings, now_ms)?;
    if settings.is_compacted {
        check_keys(records)?;
    }
    Ok(header)
}

fn from_client(error: BatchError) -> AppendError {
    tidemill_log::LogError::Batch(error).into()
}

fn check_time(
    header: &BatchHeader,
    settings: &TopicSettings,
    now_ms: i64,
) -> Result<(), AppendError> {
    if settings.log_append_time {
        return Ok(());
    }
    let latest = now_ms.saturating_add(settings.timestamp_after_max_ms);
    let earliest = now_ms.saturating_sub(settings.timestamp_before_max_ms);
    // -1: the producer gave no time.
    for timestamp in [header.base_timestamp, header.max_timestamp] {
        if timestamp != -1 && (timestamp > latest || timestamp < earliest) {
            return Err(AppendError::Timestamp { timestamp });
        }
    }
    Ok(())
}

fn check_keys(batch: &Bytes) -> Result<(), AppendError> {
    for (record, index) in records::decode(batch).zip(0..) {
        if readable(record)?.key.is_none() {
            return Err(AppendError::NoKey { index });
        }
    }
    Ok(())
}

fn readable(record: Result<Record, records::RecordError>) -> Result<Record, AppendError> {
    record.map_err(|_| AppendError::InvalidRecord("the records of the batch cannot be read"))
}

/// The bytes to append: as they came, unless the topic's settings ask for something else.
pub(crate) fn as_configured(
    records: &Bytes,
    header: &BatchHeader,
    settings: &TopicSettings,
    now_ms: i64,
) -> Result<Vec<u8>, AppendError> {
    let mut batch = match settings.compression {
        Some(codec) if !is(codec, header) => recompressed(records, header, codec)?.to_vec(),
        _ => records.to_vec(),
    };
    if settings.log_append_time {
        batch[ATTRIBUTES_AT + 1] |= LOG_APPEND_TIME_BIT;
        batch[MAX_TIMESTAMP_AT..MAX_TIMESTAMP_AT + 8].copy_from_slice(&now_ms.to_be_bytes());
        let checksum = crc32c::crc32c(&batch[ATTRIBUTES_AT..]);
        batch[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&checksum.to_be_bytes());
    }
    Ok(batch)
}

fn is(codec: Compression, header: &BatchHeader) -> bool {
    i16::from(codec.number()) == header.attributes & 0x07
}

fn recompressed(
    batch: &Bytes,
    header: &BatchHeader,
    codec: Compression,
) -> Result<Bytes, AppendError> {
    let mut builder = BatchBuilder::new(codec).producer(
        header.producer_id,
        header.producer_epoch,
        header.base_sequence,
    );
    if header.is_transactional() {
        builder = builder.transactional();
    }
    for record in records::decode(batch) {
        let record = readable(record)?;
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        builder.push(record.timestamp, key, value, &record.headers);
    }
    Ok(builder.build())
}
