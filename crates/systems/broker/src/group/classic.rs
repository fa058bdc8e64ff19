//! One group of the classic protocol: a state machine without clock, disk or socket.
//!
//! ```text
//!            join                     all have joined              leader's assignment is stored
//!  Empty ───────────▶ PreparingRebalance ───────────▶ CompletingRebalance ───────────▶ Stable
//!    ▲                      │    ▲                            │                          │
//!    └──── nobody left ─────┘    └─────── a member comes, changes or goes ◀──────────────┘
//! ```
//!
//! Kafka's rules, from KIP-62, 345, 394, 559 and 814. Answers go out through the [`Reply`] that
//! came with the request; what must be stored first is returned as [`Persist`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use bytes::Bytes;
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::join_group::JoinGroupRequestProtocol;
use tidemill_kafka_wire::messages::{
    HeartbeatRequest, JoinGroupResponse, SyncGroupRequest, SyncGroupResponse,
};

use super::member::{Member, Reply};

/// A member that never joined before waits at most so long for the others.
const NEW_MEMBER_WAIT_MAX: Duration = Duration::from_secs(300);

/// Where a group stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// No members; perhaps offsets.
    Empty,
    /// Members are coming in.
    PreparingRebalance,
    /// All are in; the leader works out who does what.
    CompletingRebalance,
    /// Everybody knows.
    Stable,
}

impl State {
    /// Kafka's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::PreparingRebalance => "PreparingRebalance",
            State::CompletingRebalance => "CompletingRebalance",
            State::Stable => "Stable",
        }
    }
}

/// What has to be stored, and what happens then.
#[derive(Debug)]
pub(crate) enum Persist {
    /// The assignment of a generation: members get it when it is stored ([`Group::assigned`]).
    Assignment { generation: i32 },
    /// Nobody is left. Nobody waits for that either.
    Emptied,
    /// A static member came back under another id: it is answered when that is stored.
    Rejoined { reply: Reply<JoinGroupResponse>, response: Box<JoinGroupResponse> },
}

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

/// What the broker's settings say about groups.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) initial_delay: Duration,
    pub(crate) members_max: usize,
}

/// A group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(super) rules: Rules,
    pub(super) state: State,
    /// When it came to its state, in wall ms.
    pub(crate) state_since_ms: i64,
    pub(crate) generation: i32,
    pub(crate) protocol_type: Option<String>,
    pub(crate) protocol: Option<String>,
    pub(crate) leader: Option<String>,
    pub(super) members: BTreeMap<String, Member>,
    /// Member id by instance id.
    pub(super) static_members: HashMap<String, String>,
    /// Ids given out whose owners have not come back yet, and until when they are waited for.
    pub(super) promised: BTreeMap<String, Duration>,
    /// In `CompletingRebalance` and `Stable`: members that have not asked for their assignment.
    pub(super) unsynced: BTreeSet<String>,
    pub(super) sync_ends: Option<Duration>,
    /// In `PreparingRebalance`: when those who did not come are left behind.
    pub(super) join_ends: Option<Duration>,
    pub(super) first_wait: Option<FirstWait>,
}

/// A new group waits a little for more members before its first rebalance.
#[derive(Debug)]
pub(super) struct FirstWait {
    pub(super) ends: Duration,
    /// It is prolonged while members keep coming, at most to here.
    pub(super) ends_at_last: Duration,
    pub(super) somebody_came: bool,
}

impl Group {
    /// A group nobody is in.
    pub(crate) fn new(id: &str, rules: Rules, now_ms: i64) -> Group {
        Group {
            id: id.to_owned(),
            rules,
            state: State::Empty,
            state_since_ms: now_ms,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            static_members: HashMap::new(),
            promised: BTreeMap::new(),
            unsynced: BTreeSet::new(),
            sync_ends: None,
            join_ends: None,
            first_wait: None,
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// Nobody is in it, and nobody was promised a place.
    pub(crate) fn is_deserted(&self) -> bool {
        self.state == State::Empty && self.members.is_empty() && self.promised.is_empty()
    }

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

    /// A member asks for its assignment; the leader's request brings it.
    pub(crate) fn sync(
        &mut self,
        request: SyncGroupRequest,
        reply: Reply<SyncGroupResponse>,
        now: Duration,
    ) -> Option<Persist> {
        if let Err(error) = self.judge_sync(&request) {
            return refuse_sync(reply, error);
        }
        let id = &request.member_id;
        self.unsynced.remove(id);
        let member = self.members.get_mut(id).expect("just checked");
        match self.state {
            State::Empty => refuse_sync(reply, ErrorCode::UnknownMemberId),
            State::PreparingRebalance => refuse_sync(reply, ErrorCode::RebalanceInProgress),
            State::Stable => {
                member.heard(now);
                let response = self.sync_response(id);
                drop(reply.send(response));
                None
            }
            State::CompletingRebalance => {
                if let Some(earlier) = member.syncing.replace(reply) {
                    refuse_sync(earlier, ErrorCode::UnknownMemberId);
                }
                (self.leader.as_ref() == Some(id)).then(|| self.propose(request))
            }
        }
    }

    fn judge_sync(&self, request: &SyncGroupRequest) -> Result<(), ErrorCode> {
        self.check_member(&request.member_id, request.group_instance_id.as_deref())?;
        if request.generation_id != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        let differs = |said: &Option<String>, known: &Option<String>| {
            said.is_some() && known.is_some() && said != known
        };
        if differs(&request.protocol_type, &self.protocol_type)
            || differs(&request.protocol_name, &self.protocol)
        {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        Ok(())
    }

    fn propose(&mut self, request: SyncGroupRequest) -> Persist {
        let mut assignments: HashMap<String, Bytes> = request
            .assignments
            .into_iter()
            .map(|given| (given.member_id, given.assignment))
            .collect();
        for member in self.members.values_mut() {
            // Whom the leader forgot has nothing to do.
            member.proposed = assignments.remove(&member.id).unwrap_or_default();
        }
        Persist::Assignment { generation: self.generation }
    }

    pub(super) fn sync_response(&self, id: &str) -> SyncGroupResponse {
        SyncGroupResponse {
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol.clone(),
            assignment: self.members.get(id).map(|m| m.assignment.clone()).unwrap_or_default(),
            ..Default::default()
        }
    }

    /// A member lives.
    pub(crate) fn heartbeat(
        &mut self,
        request: &HeartbeatRequest,
        now: Duration,
    ) -> Result<(), ErrorCode> {
        self.check_member(&request.member_id, request.group_instance_id.as_deref())?;
        if request.generation_id != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        self.members.get_mut(&request.member_id).expect("just checked").heard(now);
        match self.state {
            State::Empty => Err(ErrorCode::UnknownMemberId),
            State::PreparingRebalance => Err(ErrorCode::RebalanceInProgress),
            State::CompletingRebalance | State::Stable => Ok(()),
        }
    }

    /// A member goes. An empty member id with an instance id is an operator's request.
    pub(crate) fn leave(
        &mut self,
        member_id: &str,
        instance_id: Option<&str>,
        now: Duration,
        now_ms: i64,
    ) -> (Result<(), ErrorCode>, Option<Persist>) {
        if instance_id.is_none() && self.promised.remove(member_id).is_some() {
            return (Ok(()), self.complete_if_all_joined(now, now_ms));
        }
        let id = match instance_id {
            Some(instance) if member_id.is_empty() => self.static_members.get(instance).cloned(),
            _ => Some(member_id.to_owned()),
        };
        let Some(id) = id else { return (Err(ErrorCode::UnknownMemberId), None) };
        match self.check_member(&id, instance_id) {
            Err(error) => (Err(error), None),
            Ok(()) => (Ok(()), self.remove(&id, now, now_ms)),
        }
    }

    /// Whether a commit from this member, or from none, is in order.
    pub(crate) fn judge_commit(
        &mut self,
        member_id: &str,
        instance_id: Option<&str>,
        generation: i32,
        now: Duration,
    ) -> Result<(), ErrorCode> {
        if generation < 0 && self.state == State::Empty {
            return Ok(());
        }
        if generation < 0 && member_id.is_empty() && instance_id.is_none() {
            // Somebody commits by hand for a group that is at work.
            return Err(ErrorCode::UnknownMemberId);
        }
        self.check_member(member_id, instance_id)?;
        if generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        if self.state == State::CompletingRebalance {
            return Err(ErrorCode::RebalanceInProgress);
        }
        self.members.get_mut(member_id).expect("just checked").heard(now);
        Ok(())
    }

    /// Whether it is a member, and the one that its instance id stands for now.
    fn check_member(&self, id: &str, instance_id: Option<&str>) -> Result<(), ErrorCode> {
        if let Some(instance) = instance_id {
            match self.static_members.get(instance) {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(known) if known != id => return Err(ErrorCode::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(id) { Ok(()) } else { Err(ErrorCode::UnknownMemberId) }
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

/// Answers a join with an error.
pub(super) fn refuse_join(
    reply: Reply<JoinGroupResponse>,
    error_code: ErrorCode,
    member_id: String,
) -> Option<Persist> {
    let protocol_name = Some(String::new());
    let refusal = JoinGroupResponse { error_code, member_id, protocol_name, ..Default::default() };
    drop(reply.send(refusal));
    None
}

/// Answers a sync with an error.
pub(super) fn refuse_sync(
    reply: Reply<SyncGroupResponse>,
    error_code: ErrorCode,
) -> Option<Persist> {
    drop(reply.send(SyncGroupResponse { error_code, ..Default::default() }));
    None
}
