//! DescribeTransactions (key 65), v0. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DescribeTransactions>

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::describe_transactions::{TopicData, TransactionState};
use tidemill_kafka_wire::messages::{DescribeTransactionsRequest, DescribeTransactionsResponse};

use super::Context;
use crate::transactions::Transaction;

pub(super) fn handle(
    context: &Context,
    request: DescribeTransactionsRequest,
) -> DescribeTransactionsResponse {
    let describe = |id: String| {
        let found = context.core.transactions.with(&id, state);
        let unknown = || TransactionState {
            error_code: match id.is_empty() {
                true => ErrorCode::InvalidRequest,
                false => ErrorCode::TransactionalIdNotFound,
            },
            ..Default::default()
        };
        TransactionState { transactional_id: id.clone(), ..found.unwrap_or_else(unknown) }
    };
    let transaction_states = request.transactional_ids.into_iter().map(describe).collect();
    DescribeTransactionsResponse { transaction_states, ..Default::default() }
}

fn state(found: &Transaction) -> TransactionState {
    let mut topics: Vec<TopicData> = Vec::new();
    // By topic, then partition.
    for (topic, partition) in &found.partitions {
        match topics.last_mut().filter(|last| last.topic == *topic) {
            Some(last) => last.partitions.push(*partition),
            None => {
                topics.push(TopicData { topic: topic.clone(), partitions: vec![*partition] });
            }
        }
    }
    TransactionState {
        transaction_state: found.state.name().to_owned(),
        transaction_timeout_ms: found.timeout_ms,
        transaction_start_time_ms: found.started_ms,
        producer_id: found.producer_id,
        producer_epoch: found.epoch,
        topics,
        ..Default::default()
    }
}
