//! The classic group protocol, step by step.

use bytes::Bytes;
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::consumer_protocol::{self, Subscription};
use tidemill_kafka_wire::messages::join_group::JoinGroupRequestProtocol;
use tidemill_kafka_wire::messages::leave_group::MemberIdentity;
use tidemill_kafka_wire::messages::sync_group::SyncGroupRequestAssignment;
use tidemill_kafka_wire::messages::*;

use crate::harness::{Client, Target, fresh};

/// A broker whose groups are ready, a client, and a group nobody used.
pub(crate) async fn with_group() -> (Target, Client, String) {
    let target = Target::start().await;
    let mut client = target.client().await;
    let group = fresh("group");
    let request = FindCoordinatorRequest { key: group.clone(), ..Default::default() };
    while !client.ask_in(2, request.clone()).await.error_code.is_none() {}
    // Other brokers load the group's partition first.
    while heartbeat(&mut client, &group, "x", 0).await == ErrorCode::CoordinatorLoadInProgress {}
    (target, client, group)
}

fn subscription(topic: &str) -> Bytes {
    let subscription = Subscription { topics: vec![topic.to_owned()], ..Default::default() };
    consumer_protocol::encode(&subscription, 1).unwrap()
}

pub(crate) fn joining(group: &str, member_id: &str) -> JoinGroupRequest {
    let protocol = |name: &str| JoinGroupRequestProtocol {
        name: name.to_owned(),
        metadata: subscription("some-topic"),
    };
    JoinGroupRequest {
        group_id: group.to_owned(),
        member_id: member_id.to_owned(),
        session_timeout_ms: 30_000,
        rebalance_timeout_ms: 30_000,
        protocol_type: "consumer".to_owned(),
        protocols: vec![protocol("range"), protocol("roundrobin")],
        ..Default::default()
    }
}

/// The first join of a new member, answered with its id.
async fn promised(client: &mut Client, group: &str) -> String {
    let refused = client.ask(joining(group, "")).await;
    assert_eq!(refused.error_code, ErrorCode::MemberIdRequired);
    assert!(refused.member_id.starts_with("it-"), "{}", refused.member_id);
    refused.member_id
}

pub(crate) fn syncing(joined: &JoinGroupResponse, group: &str) -> SyncGroupRequest {
    let assign = |member_id: &String| SyncGroupRequestAssignment {
        member_id: member_id.clone(),
        assignment: format!("for {member_id}").into(),
    };
    SyncGroupRequest {
        group_id: group.to_owned(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        protocol_type: Some("consumer".to_owned()),
        protocol_name: joined.protocol_name.clone(),
        assignments: joined.members.iter().map(|member| assign(&member.member_id)).collect(),
        ..Default::default()
    }
}

/// A group of one, stable.
pub(crate) async fn stable(client: &mut Client, group: &str) -> JoinGroupResponse {
    let id = promised(client, group).await;
    let joined = client.ask(joining(group, &id)).await;
    assert_eq!(joined.error_code, ErrorCode::None);
    let synced = client.ask(syncing(&joined, group)).await;
    assert_eq!(synced.error_code, ErrorCode::None);
    assert_eq!(synced.assignment, format!("for {id}"));
    joined
}

async fn heartbeat(
    client: &mut Client,
    group: &str,
    member_id: &str,
    generation_id: i32,
) -> ErrorCode {
    let request = HeartbeatRequest {
        group_id: group.to_owned(),
        generation_id,
        member_id: member_id.to_owned(),
        group_instance_id: None,
    };
    client.ask(request).await.error_code
}

pub(crate) async fn describe(client: &mut Client, group: &str) -> describe_groups::DescribedGroup {
    let request = DescribeGroupsRequest { groups: vec![group.to_owned()], ..Default::default() };
    client.ask(request).await.groups.remove(0)
}

#[tokio::test]
async fn a_group_of_one_becomes_stable() {
    let (_target, mut client, group) = with_group().await;
    let joined = stable(&mut client, &group).await;
    assert_eq!((joined.generation_id, joined.leader.as_str()), (1, joined.member_id.as_str()));
    assert_eq!(joined.protocol_name.as_deref(), Some("range"));
    assert_eq!(joined.protocol_type.as_deref(), Some("consumer"));
    assert_eq!(joined.members.len(), 1);
    assert_eq!(heartbeat(&mut client, &group, &joined.member_id, 1).await, ErrorCode::None);
    let described = describe(&mut client, &group).await;
    assert_eq!(described.group_state, "Stable");
    assert_eq!(described.protocol_data, "range");
    assert_eq!(described.members[0].client_id, "it");
    assert_eq!(described.members[0].client_host, "/127.0.0.1");
    assert_eq!(described.members[0].member_metadata, subscription("some-topic"));
    assert_eq!(described.members[0].member_assignment, format!("for {}", joined.member_id));
}

#[tokio::test]
async fn every_version_joins_and_leaves() {
    let (_target, mut client, _) = with_group().await;
    for version in 0..=9 {
        let group = fresh("group");
        let mut joined = client.ask_in(version, joining(&group, "")).await;
        if version >= 4 {
            assert_eq!(joined.error_code, ErrorCode::MemberIdRequired);
            joined = client.ask_in(version, joining(&group, &joined.member_id)).await;
        }
        assert_eq!(joined.error_code, ErrorCode::None, "v{version}");
        let request = syncing(&joined, &group);
        let synced = client.ask_in(version.min(5), request).await;
        assert_eq!(synced.assignment, format!("for {}", joined.member_id), "v{version}");
        let member_id = joined.member_id.clone();
        let members = vec![MemberIdentity { member_id: member_id.clone(), ..Default::default() }];
        let leave = LeaveGroupRequest { group_id: group.clone(), member_id, members };
        let left = client.ask_in(version.min(5), leave).await;
        assert_eq!(left.error_code, ErrorCode::None);
        assert!(left.members.iter().all(|member| member.error_code.is_none()));
        assert_eq!(describe(&mut client, &group).await.group_state, "Empty");
    }
}

#[tokio::test]
async fn a_second_member_brings_a_rebalance() {
    let (target, mut client, group) = with_group().await;
    let first = stable(&mut client, &group).await;
    let mut other = target.client().await;
    let id = promised(&mut other, &group).await;
    let request = joining(&group, &id);
    other.send(9, &request).await;
    // The first member learns it from its heartbeats and comes again.
    while heartbeat(&mut client, &group, &first.member_id, 1).await.is_none() {}
    let code = heartbeat(&mut client, &group, &first.member_id, 1).await;
    assert_eq!(code, ErrorCode::RebalanceInProgress);
    let rejoined = client.ask(joining(&group, &first.member_id)).await;
    let joined = other.answer::<JoinGroupRequest>(9).await;
    assert_eq!((rejoined.generation_id, joined.generation_id), (2, 2));
    assert_eq!(rejoined.leader, first.member_id);
    assert_eq!((rejoined.members.len(), joined.members.len()), (2, 0));

    // The follower waits for the leader's assignment.
    other.send(5, &syncing(&joined, &group)).await;
    let synced = client.ask(syncing(&rejoined, &group)).await;
    assert_eq!(synced.assignment, format!("for {}", first.member_id));
    let synced = other.answer::<SyncGroupRequest>(5).await;
    assert_eq!(synced.assignment, format!("for {id}"));

    // When it goes, the other one is told.
    let members = vec![MemberIdentity { member_id: id.clone(), ..Default::default() }];
    let leave = LeaveGroupRequest { group_id: group.clone(), members, ..Default::default() };
    assert_eq!(other.ask(leave).await.members[0].error_code, ErrorCode::None);
    let code = heartbeat(&mut client, &group, &first.member_id, 2).await;
    assert_eq!(code, ErrorCode::RebalanceInProgress);
    assert_eq!(heartbeat(&mut other, &group, &id, 2).await, ErrorCode::UnknownMemberId);
}

#[tokio::test]
async fn a_follower_that_joins_again_unchanged_disturbs_nobody() {
    let (_target, mut client, group) = with_group().await;
    let first = stable(&mut client, &group).await;
    let again = client.ask(joining(&group, &first.member_id)).await;
    // It is the leader: it wants a rebalance.
    assert_eq!((again.error_code, again.generation_id), (ErrorCode::None, 2));
    // It has not synced yet, so its repeated question gets the same answer.
    let once_more = client.ask(joining(&group, &first.member_id)).await;
    assert_eq!((once_more.generation_id, once_more.members.len()), (2, 1));
}

#[tokio::test]
async fn what_does_not_fit_the_group_is_refused() {
    let (_target, mut client, group) = with_group().await;
    let joined = stable(&mut client, &group).await;
    let id = joined.member_id.as_str();
    let other_protocol = || {
        let mut request = joining(&group, "");
        request.protocols.iter_mut().for_each(|protocol| protocol.name.push('x'));
        request
    };
    let connect = JoinGroupRequest { protocol_type: "connect".into(), ..joining(&group, "") };
    let short = JoinGroupRequest { session_timeout_ms: 1, ..joining(&group, "") };
    let long = JoinGroupRequest { session_timeout_ms: i32::MAX, ..joining(&group, "") };
    let none = JoinGroupRequest { protocols: Vec::new(), ..joining(&fresh("group"), "") };
    for (what, request, expected) in [
        ("other protocol", other_protocol(), ErrorCode::InconsistentGroupProtocol),
        ("other type", connect, ErrorCode::InconsistentGroupProtocol),
        ("no protocol", none, ErrorCode::InconsistentGroupProtocol),
        ("session too short", short, ErrorCode::InvalidSessionTimeout),
        ("session too long", long, ErrorCode::InvalidSessionTimeout),
        ("no group", joining("", ""), ErrorCode::InvalidGroupId),
        ("unknown member", joining(&group, "nobody"), ErrorCode::UnknownMemberId),
        ("unknown group", joining(&fresh("g"), "nobody"), ErrorCode::UnknownMemberId),
    ] {
        assert_eq!(client.ask(request).await.error_code, expected, "{what}");
    }
    let sync = syncing(&joined, &group);
    let old = SyncGroupRequest { generation_id: 0, ..sync.clone() };
    let nobody = SyncGroupRequest { member_id: "nobody".into(), ..sync.clone() };
    let other = SyncGroupRequest { protocol_name: Some("other".into()), ..sync.clone() };
    let silent = SyncGroupRequest { protocol_name: None, ..sync.clone() };
    let lost = SyncGroupRequest { group_id: fresh("g"), ..sync.clone() };
    for (what, request, expected) in [
        ("old generation", old, ErrorCode::IllegalGeneration),
        ("unknown member", nobody, ErrorCode::UnknownMemberId),
        ("other protocol", other, ErrorCode::InconsistentGroupProtocol),
        ("no protocol", silent, ErrorCode::InconsistentGroupProtocol),
        ("unknown group", lost, ErrorCode::UnknownMemberId),
        ("again", sync, ErrorCode::None),
    ] {
        assert_eq!(client.ask(request).await.error_code, expected, "{what}");
    }
    for (what, group, member, generation, expected) in [
        ("fine", group.as_str(), id, 1, ErrorCode::None),
        ("old generation", &group, id, 0, ErrorCode::IllegalGeneration),
        ("unknown member", &group, "nobody", 1, ErrorCode::UnknownMemberId),
        ("unknown group", "no-such-group", id, 1, ErrorCode::UnknownMemberId),
        ("no group", "", id, 1, ErrorCode::InvalidGroupId),
    ] {
        assert_eq!(heartbeat(&mut client, group, member, generation).await, expected, "{what}");
    }
}

#[tokio::test]
async fn a_static_member_keeps_its_place_and_fences_its_former_self() {
    let (target, mut client, group) = with_group().await;
    let request = |member_id: &str| JoinGroupRequest {
        group_instance_id: Some("instance".to_owned()),
        ..joining(&group, member_id)
    };
    let joined = client.ask(request("")).await;
    assert_eq!(joined.error_code, ErrorCode::None);
    assert!(joined.member_id.starts_with("instance-"), "{}", joined.member_id);
    let sync = SyncGroupRequest {
        group_instance_id: Some("instance".to_owned()),
        ..syncing(&joined, &group)
    };
    assert_eq!(client.ask(sync.clone()).await.error_code, ErrorCode::None);

    let mut other = target.client().await;
    let back = other.ask(request("")).await;
    assert_eq!((back.error_code, back.generation_id), (ErrorCode::None, 1));
    assert!(back.skip_assignment, "the leader need not assign again (KIP-814)");
    assert_ne!(back.member_id, joined.member_id);
    let described = describe(&mut other, &group).await;
    assert_eq!(described.group_state, "Stable");
    assert_eq!(described.members[0].group_instance_id.as_deref(), Some("instance"));

    assert_eq!(client.ask(sync).await.error_code, ErrorCode::FencedInstanceId);
    let beat = HeartbeatRequest {
        group_id: group.clone(),
        generation_id: 1,
        member_id: joined.member_id.clone(),
        group_instance_id: Some("instance".to_owned()),
    };
    assert_eq!(client.ask(beat).await.error_code, ErrorCode::FencedInstanceId);
    let rejoin = client.ask(request(&joined.member_id)).await;
    assert_eq!(rejoin.error_code, ErrorCode::FencedInstanceId);

    // An operator removes it by its instance id.
    let remove = |instance: &str| LeaveGroupRequest {
        group_id: group.clone(),
        members: vec![MemberIdentity {
            group_instance_id: Some(instance.to_owned()),
            ..Default::default()
        }],
        ..Default::default()
    };
    let unknown = client.ask(remove("other")).await;
    assert_eq!(unknown.members[0].error_code, ErrorCode::UnknownMemberId);
    assert_eq!(client.ask(remove("instance")).await.members[0].error_code, ErrorCode::None);
    assert_eq!(describe(&mut client, &group).await.group_state, "Empty");
}

#[tokio::test]
async fn groups_are_listed_by_state_and_type() {
    let (_target, mut client, group) = with_group().await;
    stable(&mut client, &group).await;
    for (states, types, is_listed) in [
        (vec![], vec![], true),
        (vec!["Stable"], vec![], true),
        (vec!["stable", "Empty"], vec!["Classic"], true),
        (vec!["Empty"], vec![], false),
        (vec![], vec!["consumer"], false),
    ] {
        let text = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
        let request =
            ListGroupsRequest { states_filter: text(&states), types_filter: text(&types) };
        let response = client.ask(request).await;
        let found = response.groups.iter().find(|listed| listed.group_id == group);
        assert_eq!(found.is_some(), is_listed, "{states:?} {types:?}");
        if let Some(found) = found {
            let listed = (found.group_state.as_str(), found.group_type.as_str());
            assert_eq!(listed, ("Stable", "classic"));
            assert_eq!(found.protocol_type, "consumer");
        }
    }
}

#[tokio::test]
async fn an_unknown_group_is_dead_and_from_v6_on_not_found() {
    let (_target, mut client, group) = with_group().await;
    let request = DescribeGroupsRequest { groups: vec![group], ..Default::default() };
    for version in 0..=6 {
        let described = client.ask_in(version, request.clone()).await.groups.remove(0);
        let code = if version < 6 { ErrorCode::None } else { ErrorCode::GroupIdNotFound };
        assert_eq!((described.error_code, described.group_state.as_str()), (code, "Dead"));
    }
}

#[tokio::test]
async fn members_that_were_never_there_cannot_leave() {
    let (_target, mut client, group) = with_group().await;
    let leave = |group: &str, member_id: &str| LeaveGroupRequest {
        group_id: group.to_owned(),
        member_id: member_id.to_owned(),
        members: vec![MemberIdentity { member_id: member_id.to_owned(), ..Default::default() }],
    };
    let of_no_group = client.ask(leave(&group, "nobody")).await;
    assert_eq!(of_no_group.members[0].error_code, ErrorCode::UnknownMemberId);
    let old = client.ask_in(1, leave(&group, "nobody")).await;
    assert_eq!(old.error_code, ErrorCode::UnknownMemberId);
    // Who was promised a place may give it back.
    let id = promised(&mut client, &group).await;
    assert_eq!(client.ask(leave(&group, &id)).await.members[0].error_code, ErrorCode::None);
    let again = client.ask(leave(&group, &id)).await;
    assert_eq!(again.members[0].error_code, ErrorCode::UnknownMemberId);
}
