//! A group when time passes. Time is a number here.

use std::time::Duration;

use bytes::Bytes;
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::join_group::JoinGroupRequestProtocol;
use tidemill_kafka_wire::messages::sync_group::SyncGroupRequestAssignment;
use tidemill_kafka_wire::messages::{
    HeartbeatRequest, JoinGroupResponse, SyncGroupRequest, SyncGroupResponse,
};
use tokio::sync::oneshot::{self, Receiver};

use super::Join;
use super::classic::{Group, Persist, Rules, State};

const SESSION: Duration = Duration::from_secs(10);
const REBALANCE: Duration = Duration::from_secs(60);

/// A group and its clock.
struct Stage {
    group: Group,
    now: Duration,
    next_id: usize,
}

impl Stage {
    fn new(initial_delay: Duration) -> Stage {
        let rules = Rules { initial_delay, members_max: 3 };
        Stage { group: Group::new("g", rules, 0), now: Duration::ZERO, next_id: 0 }
    }

    fn join(&mut self, member_id: &str, change: impl FnOnce(&mut Join)) -> Joining {
        self.next_id += 1;
        let protocol =
            |name: &str| JoinGroupRequestProtocol { name: name.into(), metadata: Bytes::new() };
        let mut join = Join {
            version: 3,
            member_id: member_id.to_owned(),
            fresh_id: format!("m{}", self.next_id),
            instance_id: None,
            client_id: "client".into(),
            client_host: "/host".into(),
            session_timeout: SESSION,
            rebalance_timeout: REBALANCE,
            protocol_type: "consumer".into(),
            protocols: vec![protocol("range"), protocol("sticky")],
        };
        change(&mut join);
        let (reply, answer) = oneshot::channel();
        let persist = self.group.join(join, reply, self.now, 0);
        self.store(persist);
        Joining(answer)
    }

    fn sync(&mut self, joined: &JoinGroupResponse) -> Syncing {
        let assign = |id: &String| SyncGroupRequestAssignment {
            member_id: id.clone(),
            assignment: Bytes::from(id.clone()),
        };
        let request = SyncGroupRequest {
            generation_id: joined.generation_id,
            member_id: joined.member_id.clone(),
            assignments: joined.members.iter().map(|m| assign(&m.member_id)).collect(),
            ..Default::default()
        };
        let (reply, answer) = oneshot::channel();
        let persist = self.group.sync(request, reply, self.now);
        self.store(persist);
        Syncing(answer)
    }

    fn beat(&mut self, member_id: &str) -> Result<(), ErrorCode> {
        let request = HeartbeatRequest {
            generation_id: self.group.generation,
            member_id: member_id.to_owned(),
            ..Default::default()
        };
        self.group.heartbeat(&request, self.now)
    }

    /// A disk that never fails.
    fn store(&mut self, persist: Option<Persist>) {
        match persist {
            Some(Persist::Assignment { generation }) => {
                let next = self.group.assigned(generation, Ok(()), self.now, 0);
                self.store(next);
            }
            Some(Persist::Rejoined { reply, response }) => drop(reply.send(*response)),
            Some(Persist::Emptied) | None => {}
        }
    }

    /// Lets time pass, and what is due happen when it is due.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.group.next_deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let persist = self.group.expire(self.now, 0);
            self.store(persist);
        }
        self.now = end;
    }

    /// A stable group of so many.
    fn stable(count: usize) -> (Stage, Vec<String>) {
        let mut stage = Stage::new(Duration::from_secs(1));
        let joins: Vec<Joining> = (0..count).map(|_| stage.join("", |_| {})).collect();
        stage.pass(Duration::from_secs(2));
        let joined: Vec<_> = joins.into_iter().map(Joining::answer).collect();
        let syncs: Vec<_> = joined.iter().map(|joined| stage.sync(joined)).collect();
        for (sync, joined) in syncs.into_iter().zip(&joined) {
            assert_eq!(sync.answer().assignment, joined.member_id);
        }
        assert_eq!(stage.group.state(), State::Stable);
        (stage, joined.into_iter().map(|joined| joined.member_id).collect())
    }
}

struct Joining(Receiver<JoinGroupResponse>);

impl Joining {
    fn answer(mut self) -> JoinGroupResponse {
        self.0.try_recv().expect("it is answered")
    }

    fn waits(&mut self) -> bool {
        self.0.try_recv().is_err()
    }
}

struct Syncing(Receiver<SyncGroupResponse>);

impl Syncing {
    fn answer(mut self) -> SyncGroupResponse {
        self.0.try_recv().expect("it is answered")
    }

    fn waits(&mut self) -> bool {
        self.0.try_recv().is_err()
    }
}

#[test]
fn a_new_group_waits_for_more_members_and_longer_while_they_come() {
    let mut stage = Stage::new(Duration::from_secs(3));
    let mut first = stage.join("", |_| {});
    stage.pass(Duration::from_secs(2));
    let mut second = stage.join("", |_| {});
    stage.pass(Duration::from_secs(2));
    assert!(first.waits() && second.waits(), "somebody came, so it waits once more");
    stage.pass(Duration::from_secs(2));
    let (first, second) = (first.answer(), second.answer());
    assert_eq!((first.generation_id, second.generation_id), (1, 1));
    assert_eq!((first.members.len(), second.members.len()), (2, 0));
}

#[test]
fn a_member_that_is_silent_for_a_session_is_removed() {
    let (mut stage, ids) = Stage::stable(2);
    stage.pass(Duration::from_secs(8));
    assert_eq!(stage.beat(&ids[0]), Ok(()));
    stage.pass(Duration::from_secs(4));
    assert_eq!(stage.group.members().count(), 1);
    assert_eq!(stage.beat(&ids[0]), Err(ErrorCode::RebalanceInProgress));
    assert_eq!(stage.beat(&ids[1]), Err(ErrorCode::UnknownMemberId));
    stage.pass(Duration::from_secs(10));
    assert_eq!(stage.group.state(), State::Empty);
}

#[test]
fn who_does_not_come_to_a_rebalance_is_left_behind() {
    let (mut stage, ids) = Stage::stable(2);
    let mut again = stage.join(&ids[0], |_| {});
    for _ in 0..11 {
        stage.pass(Duration::from_secs(5));
        // The other one lives but does not come.
        assert_eq!(stage.beat(&ids[1]), Err(ErrorCode::RebalanceInProgress));
        assert!(again.waits());
    }
    stage.pass(Duration::from_secs(5));
    let joined = again.answer();
    assert_eq!((joined.generation_id, joined.members.len()), (2, 1));
    assert_eq!(stage.beat(&ids[1]), Err(ErrorCode::UnknownMemberId));
}

#[test]
fn waiting_members_need_no_heartbeats() {
    let (mut stage, ids) = Stage::stable(2);
    let again = stage.join(&ids[0], |_| {});
    for _ in 0..5 {
        stage.pass(Duration::from_secs(9));
        assert_eq!(stage.beat(&ids[1]), Err(ErrorCode::RebalanceInProgress));
    }
    let other = stage.join(&ids[1], |_| {});
    let (leader, follower) = (again.answer(), other.answer());
    assert_eq!(leader.generation_id, 2);
    let mut sync = stage.sync(&follower);
    stage.pass(Duration::from_secs(9));
    assert!(sync.waits());
    assert_eq!(stage.sync(&leader).answer().assignment, ids[0]);
    assert_eq!(sync.answer().assignment, ids[1]);
}

#[test]
fn who_joined_and_never_asks_for_its_assignment_is_removed() {
    let (mut stage, ids) = Stage::stable(2);
    let again = stage.join(&ids[0], |_| {});
    let other = stage.join(&ids[1], |_| {});
    let (leader, _) = (again.answer(), other.answer());
    assert_eq!(stage.sync(&leader).answer().error_code, ErrorCode::None);
    for _ in 0..12 {
        stage.pass(Duration::from_secs(5));
        let _ = stage.beat(&ids[0]);
        let _ = stage.beat(&ids[1]);
    }
    assert_eq!(stage.group.members().map(|member| &member.id).collect::<Vec<_>>(), [&ids[0]]);
    assert_eq!(stage.group.state(), State::PreparingRebalance);
}

#[test]
fn a_promised_place_is_kept_for_a_session() {
    let mut stage = Stage::new(Duration::ZERO);
    let promised = stage.join("", |join| join.version = 4).answer();
    assert_eq!(promised.error_code, ErrorCode::MemberIdRequired);
    stage.pass(Duration::from_secs(9));
    let joined = stage.join(&promised.member_id, |_| {}).answer();
    assert_eq!((joined.error_code, joined.generation_id), (ErrorCode::None, 1));
    let late = stage.join("", |join| join.version = 4).answer();
    stage.pass(Duration::from_secs(11));
    let refused = stage.join(&late.member_id, |_| {}).answer();
    assert_eq!(refused.error_code, ErrorCode::UnknownMemberId);
}

#[test]
fn static_members_are_waited_for_until_their_session_ends() {
    let mut stage = Stage::new(Duration::ZERO);
    let of = |instance: &str| Some(instance.to_owned());
    let first = stage.join("", |join| join.instance_id = of("a")).answer();
    stage.sync(&first).answer();
    let second = stage.join("", |join| join.instance_id = of("b"));
    let again = stage.join(&first.member_id, |join| join.instance_id = of("a"));
    let (again, second) = (again.answer(), second.answer());
    stage.sync(&again).answer();
    stage.sync(&second).answer();
    assert_eq!(stage.group.state(), State::Stable);

    // The second goes away and comes back under a new id: nobody is disturbed.
    stage.pass(Duration::from_secs(9));
    assert_eq!(stage.beat(&first.member_id), Ok(()));
    let back = stage.join("", |join| join.instance_id = of("b")).answer();
    assert_eq!((back.error_code, back.generation_id), (ErrorCode::None, again.generation_id));
    assert_eq!(stage.group.state(), State::Stable);
    assert_eq!(stage.beat(&second.member_id), Err(ErrorCode::UnknownMemberId));
    assert_eq!(stage.beat(&back.member_id), Ok(()));
}

#[test]
fn a_static_leader_that_comes_back_does_not_assign_again() {
    for (version, skips) in [(9, true), (8, false)] {
        let mut stage = Stage::new(Duration::ZERO);
        let instance = |join: &mut Join| join.instance_id = Some("a".to_owned());
        let first = stage.join("", instance).answer();
        stage.sync(&first).answer();
        let back = stage.join("", |join| {
            instance(join);
            join.version = version;
        });
        let back = back.answer();
        assert_eq!(back.skip_assignment, skips);
        // Before v9 it is told that its old self leads, so it follows.
        assert_eq!(back.leader == back.member_id, skips);
        let synced = stage.sync(&JoinGroupResponse { members: Vec::new(), ..back });
        assert_eq!(synced.answer().assignment, first.member_id);
    }
}

#[test]
fn a_full_group_takes_nobody_more() {
    let (mut stage, _) = Stage::stable(3);
    let refused = stage.join("", |_| {}).answer();
    assert_eq!(refused.error_code, ErrorCode::GroupMaxSizeReached);
}

#[test]
fn an_assignment_that_cannot_be_stored_is_told_to_nobody() {
    let mut stage = Stage::new(Duration::ZERO);
    let joined = stage.join("", |_| {}).answer();
    let (reply, answer) = oneshot::channel();
    let request = SyncGroupRequest {
        generation_id: 1,
        member_id: joined.member_id.clone(),
        ..Default::default()
    };
    let persist = stage.group.sync(request, reply, stage.now);
    assert!(matches!(persist, Some(Persist::Assignment { generation: 1 })));
    let mut syncing = Syncing(answer);
    assert!(syncing.waits());
    stage.group.assigned(1, Err(ErrorCode::NotCoordinator), stage.now, 0);
    assert_eq!(syncing.answer().error_code, ErrorCode::NotCoordinator);
    assert_eq!(stage.group.state(), State::PreparingRebalance);
}

#[test]
fn the_protocol_most_members_like_is_chosen_among_those_all_know() {
    let mut stage = Stage::new(Duration::from_secs(1));
    let named = |names: &[&str]| {
        let each = names.iter().map(|name| JoinGroupRequestProtocol {
            name: (*name).to_owned(),
            metadata: Bytes::new(),
        });
        each.collect::<Vec<_>>()
    };
    let first = stage.join("", |join| join.protocols = named(&["a", "b", "c"]));
    let _second = stage.join("", |join| join.protocols = named(&["b", "c"]));
    let _third = stage.join("", |join| join.protocols = named(&["c", "b"]));
    stage.pass(Duration::from_secs(4));
    assert_eq!(first.answer().protocol_name.as_deref(), Some("b"));
}

#[test]
fn a_group_comes_back_as_it_was_kept() {
    let (stage, ids) = Stage::stable(2);
    let record = stage.group.record();
    let mut back = Stage::new(Duration::ZERO);
    back.group = Group::restored("g", stage.group.rules, record.clone(), stage.now, 0);
    back.now = stage.now;
    assert_eq!(back.group.state(), State::Stable);
    assert_eq!(back.group.record(), record);
    assert_eq!(back.beat(&ids[0]), Ok(()));
    back.pass(Duration::from_secs(11));
    assert_eq!(back.group.members().count(), 0, "nobody was heard of");
}
