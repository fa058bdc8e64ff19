//! TxnOffsetCommit (key 28), v0–v5. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_TxnOffsetCommit>
//!
//! v3 says as which member (KIP-447) · v5 takes the group into the transaction by itself (KIP-890).
//! Answered when the offsets are durable; they count once the transaction commits.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::txn_offset_commit::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use tidemill_kafka_wire::messages::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};

use tidemill_runtime::BoxFuture;

use super::{Context, fenced, offset_commit};
use crate::group::offsets::{Committed, Place};
use crate::group::{Committer, Fate};
use crate::topics::name::OFFSETS_TOPIC;
use crate::transactions::state::VERSION_2;

/// From this version on the group need not be in the transaction before.
const ADDS_FROM: i16 = 5;

pub(super) fn handle(
    context: &Context,
    request: TxnOffsetCommitRequest,
) -> impl Future<Output = TxnOffsetCommitResponse> + Send + use<> {
    let now_ms = context.core.world.clock.now_ms();
    let version = context.version;
    let mut offsets: Vec<(Place, Committed)> = Vec::new();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let judge = |partition: &TxnOffsetCommitRequestPartition| {
            let metadata = partition.committed_metadata.clone().unwrap_or_default();
            let index = partition.partition_index;
            let judged = offset_commit::judge(context, &topic.name, index, &metadata);
            if judged.is_ok() {
                let committed = Committed {
                    offset: partition.committed_offset,
                    leader_epoch: partition.committed_leader_epoch,
                    metadata,
                    committed_ms: now_ms,
                    expires_ms: None,
                };
                offsets.push(((topic.name.clone(), index), committed));
            }
            let error_code = judged.err().unwrap_or_default();
            TxnOffsetCommitResponsePartition { partition_index: index, error_code }
        };
        let partitions = topic.partitions.iter().map(judge).collect();
        topics.push(TxnOffsetCommitResponseTopic { name: topic.name.clone(), partitions });
    }
    let begun = commit(context, &request, offsets);
    async move {
        let outcome = match begun {
            Ok((stored, noted)) => match noted.await {
                Ok(()) => stored.await.unwrap_or(Err(ErrorCode::NotCoordinator)),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            // Partitions that had an error of their own keep it.
            let all = topics.iter_mut().flat_map(|topic| &mut topic.partitions);
            let error = fenced(error, version, i16::MAX);
            all.filter(|p| p.error_code.is_none()).for_each(|p| p.error_code = error);
        }
        TxnOffsetCommitResponse { topics, ..Default::default() }
    }
}

/// When the offsets are durable, and when it is durable that their transaction has the group.
type Begun = (Fate, BoxFuture<'static, Result<(), ErrorCode>>);

/// Takes the offsets.
fn commit(
    context: &Context,
    request: &TxnOffsetCommitRequest,
    offsets: Vec<(Place, Committed)>,
) -> Result<Begun, ErrorCode> {
    let core = &context.core;
    if request.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    let groups = core.groups()?;
    let transactions = core.transactions()?;
    let producer = (request.producer_id, request.producer_epoch);
    let (id, place) = (&request.transactional_id, (OFFSETS_TOPIC.to_owned(), 0));
    let noted = match context.version >= ADDS_FROM {
        true => transactions.add(id, producer, &[place], VERSION_2)?,
        false => transactions.verify(id, producer, &place).map(|()| None)?,
    };
    let committer = Committer {
        group_id: &request.group_id,
        member_id: &request.member_id,
        instance_id: request.group_instance_id.as_deref(),
        generation: request.generation_id,
        of_no_group: ErrorCode::IllegalGeneration,
        transaction: Some(producer),
    };
    let stored = groups.commit(&committer, offsets)?;
    Ok((
        stored,
        match noted {
            Some(offset) => Box::pin(transactions.when_durable(offset)),
            None => Box::pin(std::future::ready(Ok(()))),
        },
    ))
}
