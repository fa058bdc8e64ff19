//! DescribeGroups (key 15), v0–v6. Spec:
//! <https://kafka.apache.org/protocol#The_Messages_DescribeGroups>
//!
//! v3 permitted operations · v4 static members · v6 GROUP_ID_NOT_FOUND for what is not there, which
//! before was a group in state `Dead` (KIP-1043).

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::describe_groups::{DescribedGroup, DescribedGroupMember};
use tidemill_kafka_wire::messages::{DescribeGroupsRequest, DescribeGroupsResponse};

use super::{Context, permitted};
use crate::group::classic::{Group, State};

const DEAD: &str = "Dead";

pub(super) fn handle(context: &Context, request: DescribeGroupsRequest) -> DescribeGroupsResponse {
    let groups = context.core.existing_groups();
    let with_operations = request.include_authorized_operations;
    let describe = |group_id: String| {
        let described = groups.with_group(&group_id, |group, _| describe(group));
        let mut described = described.unwrap_or_else(|| unknown(context.version, group_id));
        if with_operations && described.error_code.is_none() {
            described.authorized_operations = permitted::ON_GROUP;
        }
        described
    };
    let groups = request.groups.into_iter().map(describe).collect();
    DescribeGroupsResponse { groups, ..Default::default() }
}

fn unknown(version: i16, group_id: String) -> DescribedGroup {
    let (error_code, error_message) = match version {
        6.. => (ErrorCode::GroupIdNotFound, Some(format!("there is no group '{group_id}'"))),
        _ => (ErrorCode::None, None),
    };
    let group_state = DEAD.to_owned();
    DescribedGroup { error_code, error_message, group_id, group_state, ..Default::default() }
}

fn describe(group: &Group) -> DescribedGroup {
    // What members said and were given belongs together only when the group is stable.
    let is_stable = group.state() == State::Stable;
    let protocol = group.protocol.clone().filter(|_| is_stable).unwrap_or_default();
    let members = group.members().map(|member| DescribedGroupMember {
        member_id: member.id.clone(),
        group_instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        member_metadata: if is_stable { member.metadata(&protocol) } else { Default::default() },
        member_assignment: if is_stable { member.assignment.clone() } else { Default::default() },
    });
    DescribedGroup {
        group_id: group.id.clone(),
        group_state: group.state().name().to_owned(),
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        members: members.collect(),
        protocol_data: protocol,
        ..Default::default()
    }
}
