//! LeaveGroup (key 13), v0–v5. Spec: <https://kafka.apache.org/protocol#The_Messages_LeaveGroup>
//!
//! v3 many members at once, static ones by their instance id (KIP-345) · v5 reasons (KIP-800).

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::leave_group::MemberResponse;
use tidemill_kafka_wire::messages::{LeaveGroupRequest, LeaveGroupResponse};

use super::Context;

pub(super) fn handle(context: &Context, request: LeaveGroupRequest) -> LeaveGroupResponse {
    if request.group_id.is_empty() {
        let error_code = ErrorCode::InvalidGroupId;
        return LeaveGroupResponse { error_code, ..Default::default() };
    }
    let asked: Vec<(String, Option<String>)> = if context.version < 3 {
        vec![(request.member_id, None)]
    } else {
        request.members.into_iter().map(|m| (m.member_id, m.group_instance_id)).collect()
    };
    let left = context.core.existing_groups().leave(&request.group_id, &asked);
    // Without the group, nobody is a member of it.
    let left = left.unwrap_or_else(|| vec![Err(ErrorCode::UnknownMemberId); asked.len()]);
    let members: Vec<MemberResponse> = asked
        .into_iter()
        .zip(left)
        .map(|((member_id, group_instance_id), left)| MemberResponse {
            member_id,
            group_instance_id,
            error_code: left.err().unwrap_or_default(),
        })
        .collect();
    if context.version < 3 {
        let error_code = members[0].error_code;
        return LeaveGroupResponse { error_code, ..Default::default() };
    }
    LeaveGroupResponse { members, ..Default::default() }
}
