//! WriteTxnMarkers (key 27), v1–v2. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_WriteTxnMarkers>
//!
//! Here only a tool sends it, for a transaction that nobody else ends (`kafka-transactions.sh
//! abort`); the broker writes its own markers without a request.

use std::collections::BTreeMap;

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::write_txn_markers::{
    WritableTxnMarker, WritableTxnMarkerPartitionResult, WritableTxnMarkerResult,
    WritableTxnMarkerTopic, WritableTxnMarkerTopicResult,
};
use tidemill_kafka_wire::messages::{WriteTxnMarkersRequest, WriteTxnMarkersResponse};
use tidemill_kafka_wire::records::Marker;

use super::Context;
use crate::transactions::Place;

pub(super) fn handle(
    context: &Context,
    request: WriteTxnMarkersRequest,
) -> WriteTxnMarkersResponse {
    let markers = request.markers.iter().map(|asked| write(context, asked)).collect();
    WriteTxnMarkersResponse { markers }
}

fn write(context: &Context, asked: &WritableTxnMarker) -> WritableTxnMarkerResult {
    let core = &context.core;
    let marker =
        Marker { commits: asked.transaction_result, coordinator_epoch: asked.coordinator_epoch };
    let exists = |(name, index): &Place| {
        core.topics.named(name).is_some_and(|topic| topic.partition(*index).is_ok())
    };
    let places: Vec<Place> = asked
        .topics
        .iter()
        .flat_map(|topic| topic.partition_indexes.iter().map(|p| (topic.name.clone(), *p)))
        .filter(exists)
        .collect();
    let producer = (asked.producer_id, asked.producer_epoch);
    let fates: BTreeMap<&Place, ErrorCode> = core
        .write_markers(producer, marker, &places.iter().collect::<Vec<_>>())
        .into_iter()
        .map(|(place, fate)| (place, fate.err().map_or(ErrorCode::None, |error| error.code())))
        .collect();
    let topic = |topic: &WritableTxnMarkerTopic| {
        let partition = |index: &i32| WritableTxnMarkerPartitionResult {
            partition_index: *index,
            error_code: fates
                .get(&(topic.name.clone(), *index))
                .copied()
                .unwrap_or(ErrorCode::UnknownTopicOrPartition),
        };
        WritableTxnMarkerTopicResult {
            name: topic.name.clone(),
            partitions: topic.partition_indexes.iter().map(partition).collect(),
        }
    };
    WritableTxnMarkerResult {
        producer_id: asked.producer_id,
        topics: asked.topics.iter().map(topic).collect(),
    }
}
