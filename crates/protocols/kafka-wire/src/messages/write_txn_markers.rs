//! WriteTxnMarkers (key 27): ends transactions in partitions. Sent between brokers, and by the tool
//! that ends a transaction nobody will.
//!
//! v2 names the protocol of the transaction (KIP-1228). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_WriteTxnMarkers>

use crate::ErrorCode;
use crate::message::api;

api! {
    WriteTxnMarkers (WriteTxnMarkersRequest => WriteTxnMarkersResponse), versions 1..=2, flexible 1..;

    /// The markers to write.
    WriteTxnMarkersRequest {
        markers: Vec<WritableTxnMarker>,
    }

    /// One marker and where it goes; `transaction_result` is true for a commit.
    WritableTxnMarker {
        producer_id: i64,
        producer_epoch: i16,
        transaction_result: bool,
        topics: Vec<WritableTxnMarkerTopic>,
        coordinator_epoch: i32,
        transaction_version: i8 [2..],
    }

    /// Partitions of one topic.
    WritableTxnMarkerTopic {
        name: String,
        partition_indexes: Vec<i32>,
    }

    /// What was written.
    WriteTxnMarkersResponse {
        markers: Vec<WritableTxnMarkerResult>,
    }

    /// Answers for one producer's marker.
    WritableTxnMarkerResult {
        producer_id: i64,
        topics: Vec<WritableTxnMarkerTopicResult>,
    }

    /// Answers for one topic.
    WritableTxnMarkerTopicResult {
        name: String,
        partitions: Vec<WritableTxnMarkerPartitionResult>,
    }

    /// The answer for one partition.
    WritableTxnMarkerPartitionResult {
        partition_index: i32,
        error_code: ErrorCode,
    }
}
