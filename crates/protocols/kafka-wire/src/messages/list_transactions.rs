//! ListTransactions (key 66): which transactional ids there are (KIP-664).
//!
//! v1 only those that are open for long (KIP-994). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_ListTransactions>

use crate::ErrorCode;
use crate::message::api;

api! {
    ListTransactions (ListTransactionsRequest => ListTransactionsResponse), versions 0..=1, flexible 0..;

    /// What to leave out; nothing said, nothing left out.
    ListTransactionsRequest {
        state_filters: Vec<String>,
        producer_id_filters: Vec<i64>,
        duration_filter: i64 [1..] = -1,
    }

    /// All that fit.
    ListTransactionsResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode,
        unknown_state_filters: Vec<String>,
        transaction_states: Vec<ListedTransaction>,
    }

    /// A transactional id.
    ListedTransaction {
        transactional_id: String,
        producer_id: i64,
        transaction_state: String,
    }
}
