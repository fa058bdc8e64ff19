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
use tidemill_kafka_wire::messages::{
    HeartbeatRequest, JoinGroupResponse, SyncGroupRequest, SyncGroupResponse,
};

use super::member::{Member, Reply};

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
    pub(super) fn check_member(
        &self,
        id: &str,
        instance_id: Option<&str>,
    ) -> Result<(), ErrorCode> {
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
