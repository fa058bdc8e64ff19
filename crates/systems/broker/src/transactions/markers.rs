//! How a transaction ends in a partition.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::records::{self, Marker};
use tidemill_log::{BatchHeader, Log, LogError};

use super::state::Identity;
use crate::error::{AppendError, PartitionError};
use crate::partition::{LEADER_EPOCH, Partition};
use crate::producers::Producers;

/// This broker coordinates all transactions, so there is one epoch of coordination.
pub(crate) const COORDINATOR_EPOCH: i32 = 0;
/// More than a marker takes.
const MARKER_BYTES_MAX: usize = 4096;

impl Partition {
    /// Appends the marker that ends a producer's transaction; gives its offset. A marker of a
    /// transaction that is not open here changes nothing a reader sees.
    pub(crate) fn append_marker(
        &self,
        producer: Identity,
        marker: Marker,
        now_ms: i64,
    ) -> Result<i64, AppendError> {
        let log = self.log()?;
        let (id, received) = producer;
        let mut producers = self.producers.lock();
        let known = producers.get(id);
        if let Some(current) = known.map(|known| known.epoch).filter(|epoch| received < *epoch) {
            return Err(AppendError::OldEpoch { received, current });
        }
        if known.is_some_and(|known| marker.coordinator_epoch < known.coordinator_epoch) {
            return Err(AppendError::Transaction(ErrorCode::TransactionCoordinatorFenced));
        }
        let open_since = known.and_then(|known| known.open_since);
        let mut batch = marker.batch(id, received, now_ms).to_vec();
        let appended = match open_since {
            Some(first_offset) if !marker.commits => {
                let listed = |offset| producers.aborted_at(id, first_offset, offset);
                log.append_abort(&mut batch, LEADER_EPOCH, listed)?
            }
            _ => log.append(&mut batch, LEADER_EPOCH)?,
        };
        producers.end(producer, appended.base_offset, marker.coordinator_epoch, now_ms);
        Ok(appended.base_offset)
    }

    /// Whether a producer has an open transaction here.
    pub(crate) fn has_open_transaction(&self, (id, epoch): Identity) -> bool {
        let producers = self.producers.lock();
        producers.get(id).is_some_and(|known| known.epoch == epoch && known.open_since.is_some())
    }

    /// The producers with an open transaction here.
    pub(crate) fn open_transactions(&self) -> Vec<Identity> {
        self.producers.lock().open()
    }

    /// Waits until the record at `offset` is durable, or never will be.
    pub(crate) fn wait_durable(&self, offset: i64) -> Result<(), PartitionError> {
        let (done, fate) = std::sync::mpsc::sync_channel(1);
        self.notify_durable(offset, move |result| drop(done.send(result)));
        fate.recv().unwrap_or_else(|_| Err(PartitionError::Storage("the log was closed".into())))
    }
}

/// Takes note of a marker that a start finds in the log.
pub(crate) fn replay_marker(
    log: &Log,
    producers: &mut Producers,
    header: &BatchHeader,
    now_ms: i64,
) -> Result<(), LogError> {
    let bytes = log.read(header.base_offset, MARKER_BYTES_MAX, true)?.bytes()?;
    let batch = records::batches(&bytes).next().and_then(Result::ok);
    // Of a marker that only its header is left of, nothing was open.
    let Some(marker) = batch.as_ref().and_then(Marker::of) else { return Ok(()) };
    let producer = (header.producer_id, header.producer_epoch);
    let ended = producers.end(producer, header.base_offset, marker.coordinator_epoch, now_ms);
    if let Some(aborted) = ended.filter(|_| !marker.commits) {
        log.note_aborted(aborted);
    }
    Ok(())
}
