//! DeleteGroups (key 42), v0–v2 (KIP-229). Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DeleteGroups>
//!
//! Answered when the deletion is durable.

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::delete_groups::DeletableGroupResult;
use tidemill_kafka_wire::messages::{DeleteGroupsRequest, DeleteGroupsResponse};

use super::Context;

pub(super) fn handle(
    context: &Context,
    request: DeleteGroupsRequest,
) -> impl Future<Output = DeleteGroupsResponse> + Send + use<> {
    let groups = context.core.existing_groups();
    let deleted: Vec<_> = request
        .groups_names
        .into_iter()
        .map(|group_id| {
            let fate = match group_id.is_empty() {
                true => Err(ErrorCode::InvalidGroupId),
                false => groups.delete(&group_id),
            };
            (group_id, fate)
        })
        .collect();
    async move {
        let mut results = Vec::with_capacity(deleted.len());
        for (group_id, fate) in deleted {
            let outcome = match fate {
                Ok(fate) => fate.await.unwrap_or(Err(ErrorCode::NotCoordinator)),
                Err(error) => Err(error),
            };
            let error_code = outcome.err().unwrap_or_default();
            results.push(DeletableGroupResult { group_id, error_code });
        }
        DeleteGroupsResponse { results, ..Default::default() }
    }
}
