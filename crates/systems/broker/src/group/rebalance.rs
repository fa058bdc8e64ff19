//! The turns of a group: how a rebalance begins, ends, and what happens when time passes.

use std::time::Duration;

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::group_records::GroupMetadataValue;
use tidemill_kafka_wire::messages::join_group::JoinGroupResponseMember;

use super::classic::{FirstWait, Group, Persist, Rules, State, refuse_join, refuse_sync};
use super::member::Member;

impl Group {
    /// A member came, changed or went: begins a rebalance unless one is under way, and completes it
    /// if everybody is there.
    pub(super) fn rebalance(&mut self, now: Duration, now_ms: i64) -> Option<Persist> {
        if self.state != State::PreparingRebalance {
            self.prepare(now, now_ms);
        }
        self.complete_if_all_joined(now, now_ms)
    }

    fn prepare(&mut self, now: Duration, now_ms: i64) {
        // Whoever waits for an assignment will not get this generation's.
        for member in self.members.values_mut() {
            if let Some(reply) = member.syncing.take() {
                refuse_sync(reply, ErrorCode::RebalanceInProgress);
                member.heard(now);
            }
        }
        self.unsynced.clear();
        self.sync_ends = None;
        let longest = self.longest_rebalance();
        if self.state == State::Empty && !self.rules.initial_delay.is_zero() {
            let ends = now + self.rules.initial_delay;
            let ends_at_last = now + longest.max(self.rules.initial_delay);
            self.first_wait = Some(FirstWait { ends, ends_at_last, somebody_came: false });
        }
        self.join_ends = Some(now + longest);
        self.turn(State::PreparingRebalance, now_ms);
    }

    fn longest_rebalance(&self) -> Duration {
        self.members.values().map(|member| member.rebalance_timeout).max().unwrap_or_default()
    }

    fn turn(&mut self, state: State, now_ms: i64) {
        self.state = state;
        self.state_since_ms = now_ms;
    }

    pub(super) fn complete_if_all_joined(&mut self, now: Duration, now_ms: i64) -> Option<Persist> {
        let all_here = self.state == State::PreparingRebalance
            && self.first_wait.is_none()
            && self.promised.is_empty()
            && self.members.values().all(|member| member.joining.is_some());
        if all_here { self.complete(now, now_ms) } else { None }
    }

    /// Ends the joining: those who are here are the members of the next generation.
    fn complete(&mut self, now: Duration, now_ms: i64) -> Option<Persist> {
        self.first_wait = None;
        self.elect();
        self.generation = self.generation.checked_add(1).unwrap_or(0);
        self.join_ends = None;
        if self.members.is_empty() {
            self.protocol = None;
            self.leader = None;
            self.turn(State::Empty, now_ms);
            return Some(Persist::Emptied);
        }
        self.protocol = self.choose_protocol();
        self.turn(State::CompletingRebalance, now_ms);
        self.sync_ends = Some(now + self.longest_rebalance());
        self.unsynced = self.members.keys().cloned().collect();
        for id in self.unsynced.clone() {
            let response = self.join_response(&id);
            let member = self.members.get_mut(&id).expect("an id of a member");
            member.is_new = false;
            member.heard(now);
            if let Some(reply) = member.joining.take() {
                drop(reply.send(response));
            }
        }
        None
    }

    /// The leader stays if it is here; otherwise somebody who is.
    fn elect(&mut self) {
        let is_here =
            |id: &String| self.members.get(id).is_some_and(|member| member.joining.is_some());
        if !self.leader.as_ref().is_some_and(is_here) {
            let mut here = self.members.values().filter(|member| member.joining.is_some());
            self.leader = here.next().map(|member| member.id.clone());
        }
    }

    /// The protocol most members like best, among those that all support.
    pub(super) fn choose_protocol(&self) -> Option<String> {
        let first = self.members.values().next()?;
        let candidates: Vec<&str> = first
            .protocols
            .iter()
            .map(|protocol| protocol.name.as_str())
            .filter(|name| self.members.values().all(|member| member.supports(name)))
            .collect();
        let votes = |candidate: &&str| {
            let for_it = |member: &&Member| member.vote(&candidates) == Some(*candidate);
            self.members.values().filter(for_it).count()
        };
        // Among equals the one named first.
        candidates.iter().rev().max_by_key(|c| votes(c)).map(|name| (*name).to_owned())
    }

    /// The members as the leader is shown them.
    pub(super) fn joined(&self, protocol: &str) -> Vec<JoinGroupResponseMember> {
        self.members
            .values()
            .map(|member| JoinGroupResponseMember {
                member_id: member.id.clone(),
                group_instance_id: member.instance_id.clone(),
                metadata: member.metadata(protocol),
            })
            .collect()
    }

    /// The assignment of a generation is stored, or could not be.
    pub(crate) fn assigned(
        &mut self,
        generation: i32,
        stored: Result<(), ErrorCode>,
        now: Duration,
        now_ms: i64,
    ) -> Option<Persist> {
        // The group went on meanwhile.
        if self.state != State::CompletingRebalance || self.generation != generation {
            return None;
        }
        if let Err(error) = stored {
            for member in self.members.values_mut() {
                if let Some(reply) = member.syncing.take() {
                    refuse_sync(reply, error);
                }
            }
            return self.rebalance(now, now_ms);
        }
        for member in self.members.values_mut() {
            member.assignment = member.proposed.clone();
        }
        self.turn(State::Stable, now_ms);
        for id in self.members.keys().cloned().collect::<Vec<_>>() {
            let response = self.sync_response(&id);
            let member = self.members.get_mut(&id).expect("an id of a member");
            if let Some(reply) = member.syncing.take() {
                member.heard(now);
                drop(reply.send(response));
            }
        }
        None
    }

    /// A member is gone.
    pub(super) fn remove(&mut self, id: &str, now: Duration, now_ms: i64) -> Option<Persist> {
        let mut member = self.members.remove(id)?;
        if let Some(reply) = member.joining.take() {
            refuse_join(reply, ErrorCode::UnknownMemberId, id.to_owned());
        }
        if let Some(reply) = member.syncing.take() {
            refuse_sync(reply, ErrorCode::UnknownMemberId);
        }
        if let Some(instance) = &member.instance_id {
            self.static_members.remove(instance);
        }
        self.unsynced.remove(id);
        if self.leader.as_deref() == Some(id) {
            self.leader = self.members.keys().next().cloned();
        }
        self.rebalance(now, now_ms)
    }

    /// The next moment at which something happens by itself, in monotonic time.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let sessions = self.members.values().filter(|member| !member.is_kept_alive());
        let sessions = sessions.map(|member| member.session_ends);
        let joining = match &self.first_wait {
            Some(wait) => Some(wait.ends),
            None => self.join_ends,
        };
        let unsynced = self.sync_ends.filter(|_| !self.unsynced.is_empty());
        sessions.chain(self.promised.values().copied()).chain(joining).chain(unsynced).min()
    }

    /// Lets pass what is due at `now`; to be called again until nothing is.
    pub(crate) fn expire(&mut self, now: Duration, now_ms: i64) -> Option<Persist> {
        let promised = self.promised.len();
        self.promised.retain(|_, ends| *ends > now);
        if self.promised.len() < promised
            && let Some(persist) = self.complete_if_all_joined(now, now_ms)
        {
            return Some(persist);
        }
        let is_dead = |member: &&Member| member.session_ends <= now && !member.is_kept_alive();
        if let Some(dead) = self.members.values().find(is_dead) {
            let id = dead.id.clone();
            tracing::info!(group = self.id, member = id, "session timed out");
            return self.remove(&id, now, now_ms);
        }
        if self.first_wait.as_ref().is_some_and(|wait| wait.ends <= now) {
            return self.end_first_wait(now, now_ms);
        }
        if self.first_wait.is_none() && self.join_ends.is_some_and(|ends| ends <= now) {
            return self.leave_behind(now, now_ms);
        }
        if self.sync_ends.is_some_and(|ends| ends <= now) {
            return self.drop_unsynced(now, now_ms);
        }
        None
    }

    fn end_first_wait(&mut self, now: Duration, now_ms: i64) -> Option<Persist> {
        let delay = self.rules.initial_delay;
        let wait = self.first_wait.as_mut().expect("the caller saw it");
        if wait.somebody_came && wait.ends < wait.ends_at_last {
            wait.ends = (now + delay).min(wait.ends_at_last);
            wait.somebody_came = false;
            return None;
        }
        self.first_wait = None;
        self.complete_if_all_joined(now, now_ms)
    }

    /// The time to join is over: the next generation is without those who did not come. Static
    /// members keep their place until their session ends.
    fn leave_behind(&mut self, now: Duration, now_ms: i64) -> Option<Persist> {
        let absent: Vec<String> = self
            .members
            .values()
            .filter(|member| member.joining.is_none() && member.instance_id.is_none())
            .map(|member| member.id.clone())
            .collect();
        for id in absent {
            tracing::info!(group = self.id, member = id, "did not join in time");
            self.members.remove(&id);
        }
        if !self.members.is_empty() && self.joining_count() == 0 {
            // Only static members are left and none came: they are waited for.
            self.join_ends = Some(now + self.longest_rebalance());
            return None;
        }
        self.complete(now, now_ms)
    }

    /// Members that joined and never asked for their assignment are gone.
    fn drop_unsynced(&mut self, now: Duration, now_ms: i64) -> Option<Persist> {
        self.sync_ends = None;
        let absent = std::mem::take(&mut self.unsynced);
        if absent.is_empty() {
            return None;
        }
        let mut persist = None;
        for id in absent {
            tracing::info!(group = self.id, member = id, "did not ask for its assignment in time");
            persist = self.remove(&id, now, now_ms).or(persist);
        }
        persist
    }

    /// Answers everybody who waits: the broker stops.
    pub(crate) fn dismiss(&mut self, error: ErrorCode) {
        for member in self.members.values_mut() {
            if let Some(reply) = member.joining.take() {
                refuse_join(reply, error, member.id.clone());
            }
            if let Some(reply) = member.syncing.take() {
                refuse_sync(reply, error);
            }
        }
    }

    /// The group as it is kept in `__consumer_offsets`, with what the leader proposed.
    pub(crate) fn record(&self) -> GroupMetadataValue {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        GroupMetadataValue {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            current_state_timestamp: self.state_since_ms,
            members: self.members.values().map(|member| member.record(protocol)).collect(),
        }
    }

    /// The group as it was kept: stable if it had members.
    pub(crate) fn restored(
        id: &str,
        rules: Rules,
        record: GroupMetadataValue,
        now: Duration,
        now_ms: i64,
    ) -> Group {
        let mut group = Group::new(id, rules, now_ms);
        if record.current_state_timestamp >= 0 {
            group.state_since_ms = record.current_state_timestamp;
        }
        group.generation = record.generation;
        group.protocol_type = Some(record.protocol_type).filter(|kind| !kind.is_empty());
        let protocol = record.protocol.clone().unwrap_or_default();
        for member in record.members {
            let member = Member::restored(member, &protocol, now);
            if let Some(instance) = &member.instance_id {
                group.static_members.insert(instance.clone(), member.id.clone());
            }
            group.members.insert(member.id.clone(), member);
        }
        if !group.members.is_empty() {
            group.state = State::Stable;
            group.protocol = record.protocol;
            group.leader = record.leader;
        }
        group
    }
}
