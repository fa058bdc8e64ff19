//! Markers: control batches that end a transaction in a partition.
//!
//! One record: key `version i16 = 0, type i16`, value `version i16 = 0, coordinator epoch i32`.

use bytes::Bytes;

use super::{Batch, BatchBuilder, Compression, reader};

const ABORT: i16 = 0;
const COMMIT: i16 = 1;

/// What a marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// Whether the transaction's records count; otherwise readers of committed records drop them.
    pub commits: bool,
    /// Epoch of the coordinator that decided.
    pub coordinator_epoch: i32,
}

impl Marker {
    /// The marker in a control batch; `None` if there is none, as after a compaction, or none that
    /// is known.
    pub fn of(batch: &Batch) -> Option<Marker> {
        let record = reader::first_record(batch)?;
        let (key, value) = (record.key?, record.value?);
        let commits = match i16::from_be_bytes(*key.get(2..)?.first_chunk()?) {
            ABORT => false,
            COMMIT => true,
            _ => return None,
        };
        let coordinator_epoch = i32::from_be_bytes(*value.get(2..)?.first_chunk()?);
        Some(Marker { commits, coordinator_epoch })
    }

    /// The control batch for a producer.
    pub fn batch(self, producer_id: i64, producer_epoch: i16, now_ms: i64) -> Bytes {
        let kind = if self.commits { COMMIT } else { ABORT };
        let key = [[0, 0], kind.to_be_bytes()].concat();
        let value = [&[0, 0][..], &self.coordinator_epoch.to_be_bytes()].concat();
        let mut batch = BatchBuilder::new(Compression::None)
            .producer(producer_id, producer_epoch, -1)
            .transactional()
            .control();
        batch.push(now_ms, Some(&key), Some(&value), &[]);
        batch.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::batches;

    #[test]
    fn a_marker_is_read_as_it_was_written() {
        for commits in [true, false] {
            let marker = Marker { commits, coordinator_epoch: 7 };
            let bytes = marker.batch(4711, 3, 1_700_000_000_000);
            let batch = batches(&bytes).next().unwrap().unwrap();
            assert!(batch.header.is_control() && batch.header.is_transactional());
            assert_eq!((batch.header.producer_id, batch.header.producer_epoch), (4711, 3));
            assert_eq!(Marker::of(&batch), Some(marker));
            assert_eq!(bytes.len(), 78, "as Kafka's");
        }
    }
}
