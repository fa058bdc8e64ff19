//! DescribeTransactions (key 65): what is known of transactional ids (KIP-664). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DescribeTransactions>

use crate::ErrorCode;
use crate::message::api;

api! {
    DescribeTransactions (DescribeTransactionsRequest => DescribeTransactionsResponse), versions 0..=0, flexible 0..;

    /// Which.
    DescribeTransactionsRequest {
        transactional_ids: Vec<String>,
    }

    /// One answer per id.
    DescribeTransactionsResponse {
        throttle_time_ms: i32,
        transaction_states: Vec<TransactionState>,
    }

    /// A transactional id and the transaction it is in.
    TransactionState {
        error_code: ErrorCode,
        transactional_id: String,
        transaction_state: String,
        transaction_timeout_ms: i32,
        transaction_start_time_ms: i64,
        producer_id: i64,
        producer_epoch: i16,
        topics: Vec<TopicData>,
    }

    /// Partitions it has written to.
    TopicData {
        topic: String,
        partitions: Vec<i32>,
    }
}
