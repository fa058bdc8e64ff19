//! ListTransactions (key 66), v0–v1. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_ListTransactions>
//!
//! v1 only those open for a time (KIP-994).
//! Differs from Kafka: no patterns (v2).

use tidemill_kafka_wire::messages::list_transactions::ListedTransaction;
use tidemill_kafka_wire::messages::{ListTransactionsRequest, ListTransactionsResponse};
use tidemill_kafka_wire::transaction_records::STATE_NAMES;

use super::Context;
use crate::transactions::Transaction;

pub(super) fn handle(
    context: &Context,
    request: ListTransactionsRequest,
) -> ListTransactionsResponse {
    let now_ms = context.core.world.clock.now_ms();
    let mut transaction_states = Vec::new();
    context.core.transactions.for_each(|id, found| {
        if is_wanted(&request, found, now_ms) {
            transaction_states.push(ListedTransaction {
                transactional_id: id.to_owned(),
                producer_id: found.producer_id,
                transaction_state: found.state.name().to_owned(),
            });
        }
    });
    let unknown = |name: &&String| !STATE_NAMES.contains(&name.as_str());
    let unknown_state_filters = request.state_filters.iter().filter(unknown).cloned().collect();
    ListTransactionsResponse { unknown_state_filters, transaction_states, ..Default::default() }
}

fn is_wanted(request: &ListTransactionsRequest, found: &Transaction, now_ms: i64) -> bool {
    let ListTransactionsRequest { state_filters, producer_id_filters, duration_filter, .. } =
        request;
    let in_state =
        state_filters.is_empty() || state_filters.iter().any(|name| name == found.state.name());
    let of_producer =
        producer_id_filters.is_empty() || producer_id_filters.contains(&found.producer_id);
    let is_long = *duration_filter < 0
        || (found.started_ms >= 0 && now_ms.saturating_sub(found.started_ms) > *duration_filter);
    in_state && of_producer && is_long
}
