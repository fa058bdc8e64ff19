//! ListGroups (key 16), v0–v5. Spec: <https://kafka.apache.org/protocol#The_Messages_ListGroups>
//!
//! v4 filter by state (KIP-518) · v5 filter by type (KIP-848): all groups here are classic.

use tidemill_kafka_wire::messages::list_groups::ListedGroup;
use tidemill_kafka_wire::messages::{ListGroupsRequest, ListGroupsResponse};

use super::Context;

const CLASSIC: &str = "classic";

pub(super) fn handle(context: &Context, request: ListGroupsRequest) -> ListGroupsResponse {
    let fits = |filter: &[String], value: &str| {
        filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(value))
    };
    let mut groups = Vec::new();
    if fits(&request.types_filter, CLASSIC) {
        context.core.existing_groups().for_each(|group| {
            let state = group.state().name();
            if fits(&request.states_filter, state) {
                groups.push(ListedGroup {
                    group_id: group.id.clone(),
                    protocol_type: group.protocol_type.clone().unwrap_or_default(),
                    group_state: state.to_owned(),
                    group_type: CLASSIC.to_owned(),
                });
            }
        });
    }
    ListGroupsResponse { groups, ..Default::default() }
}
