//! How members come in: new ones, known ones that come again, static ones that come back.

use std::time::Duration;

use bytes::Bytes;
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::JoinGroupResponse;
use tidemill_kafka_wire::messages::join_group::JoinGroupRequestProtocol;

use super::classic::{Group, Persist, State, refuse_join, refuse_sync};
use super::member::{Member, Reply};

/// A member that never joined before waits at most so long for the others.
const NEW_MEMBER_WAIT_MAX: Duration = Duration::from_secs(300);

/// A request to join.
#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) version: i16,
    pub(crate) member_id: String,
    /// The id it gets if it is new.
    pub(crate) fresh_id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    pub(crate) protocol_type: String,
    pub(crate) protocols: Vec<JoinGroupRequestProtocol>,
}

impl Join {
    /// From v4 on a new member must come back with the id it was given (KIP-394).
    fn must_come_back(&self) -> bool {
        self.version >= 4 && self.instance_id.is_none()
    }
}

impl Group {
    /// A member comes. `now` is monotonic, `now_ms` is wall time.
    pub(crate) fn join(
        &mut self,
        join: Join,
        reply: Reply<JoinGroupResponse>,
        now: Duration,
        now_ms: i64,
    ) -> Option<Persist> {
        match self.judge_join(&join) {
            Err(error) => refuse_join(reply, error, join.member_id),
            Ok(()) if join.member_id.is_empty() => self.join_new(join, reply, now, now_ms),
            Ok(()) => self.join_known(join, reply, now, now_ms),
        }
    }

    fn judge_join(&self, join: &Join) -> Result<(), ErrorCode> {
        if !self.has_room_for(&join.member_id) {
            return Err(ErrorCode::GroupMaxSizeReached);
        }
        let fits = !join.protocol_type.is_empty()
            && !join.protocols.is_empty()
            && (self.members.is_empty() || self.fits_others(join));
        if fits { Ok(()) } else { Err(ErrorCode::InconsistentGroupProtocol) }
    }

    fn has_room_for(&self, member_id: &str) -> bool {
        let max = self.rules.members_max;
        let known = self.members.get(member_id);
        match self.state {
            State::Empty => true,
            State::PreparingRebalance => {
                known.is_some_and(|member| member.joining.is_some()) || self.joining_count() < max
            }
            State::CompletingRebalance | State::Stable => {
                known.is_some() || self.members.len() < max
            }
        }
    }

    /// Same kind of group, and a protocol that all members know.
    fn fits_others(&self, join: &Join) -> bool {
        let everybody = |name: &str| self.members.values().all(|member| member.supports(name));
        self.protocol_type.as_deref() == Some(&join.protocol_type)
            && join.protocols.iter().any(|protocol| everybody(&protocol.name))
    }

    fn join_new(
        &mut self,
        join: Join,
        reply: Reply<JoinGroupResponse>,
        now: Duration,
        now_ms: i64,
    ) -> Option<Persist> {
        if let Some(instance) = &join.instance_id
            && let Some(old_id) = self.static_members.get(instance).cloned()
        {
            return self.replace_static(&old_id, join, reply, now, now_ms);
        }
        if join.must_come_back() {
            self.promised.insert(join.fresh_id.clone(), now + join.session_timeout);
            return refuse_join(reply, ErrorCode::MemberIdRequired, join.fresh_id);
        }
        let id = join.fresh_id.clone();
        self.add(id, join, reply, now, now_ms)
    }

    fn join_known(
        &mut self,
        join: Join,
        reply: Reply<JoinGroupResponse>,
        now: Duration,
        now_ms: i64,
    ) -> Option<Persist> {
        let id = join.member_id.clone();
        if join.instance_id.is_none() && self.promised.remove(&id).is_some() {
            return self.add(id, join, reply, now, now_ms);
        }
        if let Err(error) = self.check_member(&id, join.instance_id.as_deref()) {
            return refuse_join(reply, error, id);
        }
        let is_leader = self.leader.as_deref() == Some(&id);
        let member = self.members.get_mut(&id).expect("just checked");
        let unchanged = member.protocols == join.protocols;
        match self.state {
            State::Empty => refuse_join(reply, ErrorCode::UnknownMemberId, id),
            // It did not get the answer, or it is a follower with nothing new to say.
            State::CompletingRebalance if unchanged => {
                member.heard(now);
                self.tell_generation(&id, reply)
            }
            State::Stable if unchanged && !is_leader => {
                member.heard(now);
                self.tell_generation(&id, reply)
            }
            // A leader that joins a stable group wants a rebalance: it saw new partitions.
            State::PreparingRebalance | State::CompletingRebalance | State::Stable => {
                update(member, &join);
                member.heard(now);
                self.await_join(&id, reply);
                self.rebalance(now, now_ms)
            }
        }
    }

    fn tell_generation(&self, id: &str, reply: Reply<JoinGroupResponse>) -> Option<Persist> {
        drop(reply.send(self.join_response(id)));
        None
    }

    fn add(
        &mut self,
        id: String,
        join: Join,
        reply: Reply<JoinGroupResponse>,
        now: Duration,
        now_ms: i64,
    ) -> Option<Persist> {
        if self.members.is_empty() {
            self.protocol_type = Some(join.protocol_type.clone());
        }
        if let Some(instance) = &join.instance_id {
            self.static_members.insert(instance.clone(), id.clone());
        }
        self.leader.get_or_insert_with(|| id.clone());
        if let Some(wait) = &mut self.first_wait {
            wait.somebody_came = true;
        }
        let member = Member {
            id: id.clone(),
            instance_id: join.instance_id,
            client_id: join.client_id,
            client_host: join.client_host,
            session_timeout: join.session_timeout,
            rebalance_timeout: join.rebalance_timeout,
            protocols: join.protocols,
            assignment: Bytes::new(),
            proposed: Bytes::new(),
            is_new: true,
            joining: None,
            syncing: None,
            session_ends: now + NEW_MEMBER_WAIT_MAX,
        };
        self.members.insert(id.clone(), member);
        self.await_join(&id, reply);
        self.rebalance(now, now_ms)
    }

    /// A static member comes back with no memory of its id: it gets a new one, and whoever still
    /// uses the old one is fenced.
    fn replace_static(
        &mut self,
        old_id: &str,
        join: Join,
        reply: Reply<JoinGroupResponse>,
        now: Duration,
        now_ms: i64,
    ) -> Option<Persist> {
        let new_id = join.fresh_id.clone();
        let mut member = self.members.remove(old_id).expect("static members are members");
        fence(&mut member);
        member.id = new_id.clone();
        let was_leader = self.leader.as_deref() == Some(old_id);
        if was_leader {
            self.leader = Some(new_id.clone());
        }
        if self.unsynced.remove(old_id) {
            self.unsynced.insert(new_id.clone());
        }
        if let Some(instance) = &member.instance_id {
            self.static_members.insert(instance.clone(), new_id.clone());
        }
        update(&mut member, &join);
        member.heard(now);
        self.members.insert(new_id.clone(), member);
        if self.state != State::Stable || self.choose_protocol() != self.protocol {
            self.await_join(&new_id, reply);
            return self.rebalance(now, now_ms);
        }
        // Nothing else has changed, so nobody is disturbed. A leader is not asked to assign again:
        // told so from v9 on, before that by being shown its old self as leader (KIP-814).
        let mut response = self.join_response(&new_id);
        if was_leader && join.version >= 9 {
            response.skip_assignment = true;
        } else if was_leader {
            response.leader = old_id.to_owned();
            response.members.clear();
        }
        Some(Persist::Rejoined { reply, response: Box::new(response) })
    }

    fn await_join(&mut self, id: &str, reply: Reply<JoinGroupResponse>) {
        let member = self.members.get_mut(id).expect("called with the id of a member");
        if let Some(earlier) = member.joining.replace(reply) {
            // The same member asked twice; only its last question can be answered.
            refuse_join(earlier, ErrorCode::UnknownMemberId, id.to_owned());
        }
    }

    pub(super) fn joining_count(&self) -> usize {
        self.members.values().filter(|member| member.joining.is_some()).count()
    }

    /// What a member is told of this generation: the leader everything, the others their place.
    pub(super) fn join_response(&self, id: &str) -> JoinGroupResponse {
        let protocol = self.protocol.clone().unwrap_or_default();
        let leader = self.leader.clone().unwrap_or_default();
        JoinGroupResponse {
            generation_id: self.generation,
            protocol_type: self.protocol_type.clone(),
            members: if id == leader { self.joined(&protocol) } else { Vec::new() },
            protocol_name: Some(protocol),
            leader,
            member_id: id.to_owned(),
            ..Default::default()
        }
    }
}

fn update(member: &mut Member, join: &Join) {
    member.protocols = join.protocols.clone();
    member.session_timeout = join.session_timeout;
    member.rebalance_timeout = join.rebalance_timeout;
    member.client_id = join.client_id.clone();
    member.client_host = join.client_host.clone();
}

fn fence(member: &mut Member) {
    if let Some(reply) = member.joining.take() {
        refuse_join(reply, ErrorCode::FencedInstanceId, member.id.clone());
    }
    if let Some(reply) = member.syncing.take() {
        refuse_sync(reply, ErrorCode::FencedInstanceId);
    }
}
