//! AddPartitionsToTxn (key 24): partitions a transaction is about to write to.
//!
//! Up to v3 clients ask, for one transaction; from v4 brokers ask each other, for many (KIP-890). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_AddPartitionsToTxn>

use crate::ErrorCode;
use crate::message::api;

api! {
    AddPartitionsToTxn (AddPartitionsToTxnRequest => AddPartitionsToTxnResponse), versions 0..=5, flexible 3..;

    /// One transaction up to v3, many from v4.
    AddPartitionsToTxnRequest {
        transactions: Vec<AddPartitionsToTxnTransaction>      [4..],
        v3_and_below_transactional_id: String                 [..=3],
        v3_and_below_producer_id: i64                         [..=3],
        v3_and_below_producer_epoch: i16                      [..=3],
        v3_and_below_topics: Vec<AddPartitionsToTxnTopic>     [..=3],
    }

    /// A transaction; `verify_only` asks whether the partitions are in it, and adds none.
    AddPartitionsToTxnTransaction {
        transactional_id: String             [4..],
        producer_id: i64                     [4..],
        producer_epoch: i16                  [4..],
        verify_only: bool                    [4..],
        topics: Vec<AddPartitionsToTxnTopic> [4..],
    }

    /// Partitions of one topic.
    AddPartitionsToTxnTopic {
        name: String,
        partitions: Vec<i32>,
    }

    /// What was added.
    AddPartitionsToTxnResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode                                             [4..],
        results_by_transaction: Vec<AddPartitionsToTxnResult>             [4..],
        results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult> [..=3],
    }

    /// Answers for one transaction.
    AddPartitionsToTxnResult {
        transactional_id: String                          [4..],
        topic_results: Vec<AddPartitionsToTxnTopicResult> [4..],
    }

    /// Answers for one topic.
    AddPartitionsToTxnTopicResult {
        name: String,
        results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
    }

    /// The answer for one partition.
    AddPartitionsToTxnPartitionResult {
        partition_index: i32,
        partition_error_code: ErrorCode,
    }
}
