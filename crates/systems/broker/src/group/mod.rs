//! Consumer groups: who reads what, and how far they are.
//!
//! - [`classic`], `join` and `rebalance`: the protocol, one state machine per group.
//! - [`offsets`]: what a group has committed.
//! - [`store`]: topic `__consumer_offsets`.
//! - [`Groups`]: all groups with their clock and their store: what the handlers talk to.
//!
//! Invariants: an offset or an assignment is told to nobody before it is durable; records are
//! appended under the same lock that orders the changes they describe, so the last record of a key
//! is the last change. What the log says about its disk goes through an inbox, because it may say
//! so on a thread that holds that lock.

pub(crate) mod classic;
mod commits;
mod join;
mod member;
pub(crate) mod offsets;
mod rebalance;
pub(crate) mod store;

#[cfg(test)]
mod kept;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::group_records::GroupMetadataValue;
use tidemill_kafka_wire::messages::{
    HeartbeatRequest, JoinGroupResponse, SyncGroupRequest, SyncGroupResponse,
};
use tidemill_runtime::World;
use tokio::sync::Notify;

pub(crate) use commits::{Committer, Fate};
pub(crate) use join::Join;

use classic::{Group, Persist, Rules, State, refuse_join, refuse_sync};
use member::Reply;
use offsets::Offsets;
use store::{Kept, KeyValue, Store};

use crate::config::Config;
use crate::error::PartitionError;

/// All groups.
pub(crate) struct Groups {
    world: World,
    rules: Rules,
    groups_max: usize,
    offsets_retention_ms: i64,
    metadata_bytes_max: usize,
    state: Mutex<Inner>,
    /// What became of records, not looked at yet: one item per append under way at most.
    inbox: Mutex<Vec<Settled>>,
    /// Rung when something is in the inbox, or due earlier than the clock's task believes.
    alarm: Notify,
}

/// What became of appended records: they are durable, or never will be.
enum Settled {
    Group { group_id: String, what: Persist, stored: Result<(), ErrorCode> },
    Commit(commits::SettledCommit),
}

#[derive(Default)]
struct Inner {
    groups: BTreeMap<String, Entry>,
    /// By producer: the groups its open transaction has committed offsets of.
    in_transaction: BTreeMap<i64, BTreeSet<String>>,
    /// There once the topic is.
    store: Option<Store>,
    /// When the clock's task wakes next, in monotonic time.
    alarm_at: Option<Duration>,
    /// Appends of whose fate nothing is known yet.
    under_way: usize,
    /// The broker stops: nobody is taken in any more.
    is_stopping: bool,
}

/// A group with what belongs to it.
struct Entry {
    group: Group,
    offsets: Offsets,
    /// Its last record, as far as it has one.
    recorded: Option<GroupMetadataValue>,
}

impl Groups {
    pub(crate) fn new(config: &Config, world: World) -> Groups {
        Groups {
            world,
            rules: Rules {
                initial_delay: config.group_initial_rebalance_delay.0,
                members_max: config.group_max_size,
            },
            groups_max: config.groups_max,
            offsets_retention_ms: crate::core::millis(config.offsets_retention.0),
            metadata_bytes_max: config.offset_metadata_max_bytes.as_usize(),
            state: Mutex::default(),
            inbox: Mutex::default(),
            alarm: Notify::new(),
        }
    }

    /// Takes what is kept in the topic; blocking. Before any request.
    pub(crate) fn load(&self, store: Store) -> Result<(), PartitionError> {
        let (now, now_ms) = self.now();
        let mut inner = self.state.lock();
        let mut log_offset = -1;
        store.load(|kept| {
            log_offset += 1;
            self.take(&mut inner, kept, log_offset, now, now_ms);
        })?;
        inner.groups.retain(|_, entry| entry.recorded.is_some() || !entry.offsets.is_empty());
        inner.store = Some(store);
        if !inner.groups.is_empty() {
            tracing::info!(groups = inner.groups.len(), "groups loaded");
        }
        Ok(())
    }

    fn take(&self, inner: &mut Inner, kept: Kept, log_offset: i64, now: Duration, now_ms: i64) {
        match kept {
            Kept::Marker { producer_id, commits } => inner.end_transaction(producer_id, commits),
            Kept::Offset { group, place, committed, transaction: Some(producer_id) } => {
                let entry = inner.entry(&group, self.rules, now_ms);
                if let Some(committed) = committed {
                    entry.offsets.pending(producer_id, place, log_offset, committed);
                }
                inner.in_transaction.entry(producer_id).or_default().insert(group);
            }
            Kept::Offset { group, place, committed, transaction: None } => {
                let entry = inner.entry(&group, self.rules, now_ms);
                match committed {
                    Some(committed) => {
                        entry.offsets.settled(&place, log_offset, committed, true);
                    }
                    None => drop(entry.offsets.remove(&place)),
                }
            }
            Kept::Group { group, value } => {
                let entry = inner.entry(&group, self.rules, now_ms);
                let value = value.map(|value| *value);
                entry.group = match value.clone() {
                    Some(value) => Group::restored(&group, self.rules, value, now, now_ms),
                    None => Group::new(&group, self.rules, now_ms),
                };
                entry.recorded = value;
            }
        }
    }

    /// Whether the topic is there.
    pub(crate) fn is_ready(&self) -> bool {
        self.state.lock().store.is_some()
    }

    fn now(&self) -> (Duration, i64) {
        (self.world.clock.monotonic(), self.world.clock.now_ms())
    }

    /// A member comes; it is answered through `reply`.
    pub(crate) fn join(
        self: &Arc<Groups>,
        group_id: &str,
        join: Join,
        reply: Reply<JoinGroupResponse>,
    ) {
        let (now, now_ms) = self.now();
        let mut inner = self.state.lock();
        if inner.is_stopping {
            refuse_join(reply, ErrorCode::NotCoordinator, join.member_id);
            return;
        }
        if !inner.groups.contains_key(group_id) {
            let refused = if !join.member_id.is_empty() {
                Some(ErrorCode::UnknownMemberId)
            } else if inner.groups.len() >= self.groups_max {
                Some(ErrorCode::CoordinatorNotAvailable)
            } else {
                None
            };
            if let Some(error) = refused {
                drop(inner);
                refuse_join(reply, error, join.member_id);
                return;
            }
        }
        let entry = inner.entry(group_id, self.rules, now_ms);
        let persist = entry.group.join(join, reply, now, now_ms);
        self.finish(inner, group_id, persist);
    }

    /// A member asks for its assignment.
    pub(crate) fn sync(
        self: &Arc<Groups>,
        request: SyncGroupRequest,
        reply: Reply<SyncGroupResponse>,
    ) {
        let (now, _) = self.now();
        let mut inner = self.state.lock();
        let group_id = request.group_id.clone();
        if inner.is_stopping {
            refuse_sync(reply, ErrorCode::NotCoordinator);
            return;
        }
        let Some(entry) = inner.groups.get_mut(&group_id) else {
            refuse_sync(reply, ErrorCode::UnknownMemberId);
            return;
        };
        let persist = entry.group.sync(request, reply, now);
        self.finish(inner, &group_id, persist);
    }

    /// A member lives.
    pub(crate) fn heartbeat(&self, request: &HeartbeatRequest) -> Result<(), ErrorCode> {
        let (now, _) = self.now();
        let mut inner = self.state.lock();
        let entry = inner.groups.get_mut(&request.group_id).ok_or(ErrorCode::UnknownMemberId)?;
        entry.group.heartbeat(request, now)
    }

    /// Members go: each by its id, or by its instance id. `None`: there is no such group.
    pub(crate) fn leave(
        self: &Arc<Groups>,
        group_id: &str,
        members: &[(String, Option<String>)],
    ) -> Option<Vec<Result<(), ErrorCode>>> {
        let mut outcomes = Vec::with_capacity(members.len());
        for (member_id, instance_id) in members {
            let (now, now_ms) = self.now();
            let mut inner = self.state.lock();
            let entry = inner.groups.get_mut(group_id)?;
            let (outcome, persist) =
                entry.group.leave(member_id, instance_id.as_deref(), now, now_ms);
            outcomes.push(outcome);
            self.finish(inner, group_id, persist);
        }
        Some(outcomes)
    }

    /// Looks at a group.
    pub(crate) fn with_group<T>(
        &self,
        group_id: &str,
        look: impl FnOnce(&Group, &Offsets) -> T,
    ) -> Option<T> {
        let inner = self.state.lock();
        inner.groups.get(group_id).map(|entry| look(&entry.group, &entry.offsets))
    }

    /// Looks at all groups, by name.
    pub(crate) fn for_each(&self, mut look: impl FnMut(&Group)) {
        self.state.lock().groups.values().for_each(|entry| look(&entry.group));
    }

    /// Runs the groups' clock until the broker stops; then whoever waits is told to look elsewhere.
    pub(crate) async fn run(self: Arc<Groups>, shutdown: tidemill_runtime::Shutdown) {
        loop {
            self.settle();
            let wait = self.expire();
            let sleep = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep => {}
                () = self.alarm.notified() => {}
                () = shutdown.requested() => break,
            }
        }
        self.dismiss();
        // What is on its way to the disk is still acknowledged.
        while self.state.lock().under_way > 0 {
            self.alarm.notified().await;
            self.settle();
        }
    }

    fn dismiss(&self) {
        let mut inner = self.state.lock();
        inner.is_stopping = true;
        inner.groups.values_mut().for_each(|entry| entry.group.dismiss(ErrorCode::NotCoordinator));
    }

    /// Puts a fate in the inbox. Takes no other lock: it is called from inside the log.
    fn report(&self, settled: Settled) {
        self.inbox.lock().push(settled);
        self.alarm.notify_one();
    }

    /// Acts on what is in the inbox.
    pub(crate) fn settle(self: &Arc<Groups>) {
        let settled = std::mem::take(&mut *self.inbox.lock());
        for settled in settled {
            let mut inner = self.state.lock();
            inner.under_way -= 1;
            match settled {
                Settled::Commit(commit) => inner.settle_commit(commit),
                Settled::Group { group_id, what, stored } => {
                    self.persisted(inner, &group_id, what, stored);
                }
            }
        }
    }

    /// Lets happen what is due; gives the time until the next thing is.
    pub(crate) fn expire(self: &Arc<Groups>) -> Option<Duration> {
        loop {
            let (now, now_ms) = self.now();
            let mut inner = self.state.lock();
            let due = inner.groups.iter().find_map(|(id, entry)| {
                entry.group.next_deadline().filter(|at| *at <= now).map(|_| id.clone())
            });
            let Some(id) = due else {
                inner.forget_deserted();
                let next = inner.groups.values().filter_map(|e| e.group.next_deadline()).min();
                inner.alarm_at = next;
                return next.map(|at| at.saturating_sub(now));
            };
            let entry = inner.groups.get_mut(&id).expect("it was found just now");
            let persist = entry.group.expire(now, now_ms);
            self.finish(inner, &id, persist);
        }
    }

    /// Stores what a change asks for, releases the lock, and rings if something is due earlier.
    fn finish(
        self: &Arc<Groups>,
        mut inner: MutexGuard<'_, Inner>,
        group_id: &str,
        persist: Option<Persist>,
    ) {
        if let Some(persist) = persist {
            self.persist(&mut inner, group_id, persist);
        }
        let next = inner.groups.get(group_id).and_then(|entry| entry.group.next_deadline());
        let is_earlier = next.is_some_and(|at| inner.alarm_at.is_none_or(|alarm| at < alarm));
        drop(inner);
        if is_earlier {
            self.alarm.notify_one();
        }
    }

    fn persist(self: &Arc<Groups>, inner: &mut Inner, group_id: &str, what: Persist) {
        let now_ms = self.world.clock.now_ms();
        let entry = inner.groups.get_mut(group_id).expect("a group that just changed");
        let record = entry.group.record();
        let appended = match (&inner.store, store::group(group_id, Some(&record))) {
            (Some(store), Some(key_value)) => {
                store.append(&[key_value], now_ms).map(|at| (store.clone(), at))
            }
            _ => Err(PartitionError::Unknown),
        };
        if appended.is_ok() {
            entry.recorded = Some(record);
        }
        inner.under_way += 1;
        let (groups, group_id) = (self.clone(), group_id.to_owned());
        let done = move |fate: Result<(), PartitionError>| {
            let stored = fate.map_err(|error| {
                tracing::error!(group = group_id, %error, "group not stored");
                ErrorCode::NotCoordinator
            });
            groups.report(Settled::Group { group_id, what, stored });
        };
        match appended {
            Ok((store, offset)) => store.when_durable(offset, done),
            Err(error) => done(Err(error)),
        }
    }

    /// What was to be stored is, or cannot be.
    fn persisted(
        self: &Arc<Groups>,
        mut inner: MutexGuard<'_, Inner>,
        group_id: &str,
        what: Persist,
        stored: Result<(), ErrorCode>,
    ) {
        let (now, now_ms) = self.now();
        match what {
            Persist::Emptied => {}
            Persist::Rejoined { reply, response } => match stored {
                Ok(()) => drop(reply.send(*response)),
                Err(error) => drop(refuse_join(reply, error, response.member_id)),
            },
            Persist::Assignment { generation } => {
                let Some(entry) = inner.groups.get_mut(group_id) else { return };
                let persist = entry.group.assigned(generation, stored, now, now_ms);
                self.finish(inner, group_id, persist);
            }
        }
    }

    /// Forgets old offsets; blocking. The topic is compacted like any other.
    pub(crate) fn clean(&self) {
        let (_, now_ms) = self.now();
        let mut inner = self.state.lock();
        let removed = inner.remove_expired(now_ms, self.offsets_retention_ms);
        let Some(store) = inner.store.clone() else { return };
        if let Err(error) = store.append(&removed, now_ms) {
            tracing::warn!(%error, "old offsets not deleted");
        }
    }
}

impl Inner {
    fn entry(&mut self, group_id: &str, rules: Rules, now_ms: i64) -> &mut Entry {
        self.groups.entry(group_id.to_owned()).or_insert_with(|| Entry {
            group: Group::new(group_id, rules, now_ms),
            offsets: Offsets::default(),
            recorded: None,
        })
    }

    /// Groups that never came to anything are no groups.
    fn forget_deserted(&mut self) {
        self.groups.retain(|_, entry| {
            !entry.group.is_deserted() || entry.recorded.is_some() || !entry.offsets.is_empty()
        });
    }

    /// Removes what is too old; gives the marks that delete it.
    fn remove_expired(&mut self, now_ms: i64, retention_ms: i64) -> Vec<KeyValue> {
        let mut marks = Vec::new();
        self.groups.retain(|id, entry| {
            for place in entry.expired(now_ms, retention_ms) {
                entry.offsets.remove(&place);
                marks.extend(store::offset(id, &place, None));
            }
            let idle_ms = now_ms.saturating_sub(entry.group.state_since_ms);
            let is_over = entry.group.is_deserted()
                && entry.offsets.is_empty()
                && (entry.recorded.is_none() || idle_ms >= retention_ms);
            if is_over && entry.recorded.is_some() {
                marks.extend(store::group(id, None));
            }
            !is_over
        });
        marks
    }
}

impl Entry {
    fn expired(&self, now_ms: i64, retention_ms: i64) -> Vec<offsets::Place> {
        let group = &self.group;
        let is_simple = group.protocol_type.is_none();
        if group.state() == State::Empty {
            let idle_since_ms = (!is_simple).then_some(group.state_since_ms);
            let none = Default::default();
            return self.offsets.expired(now_ms, retention_ms, idle_since_ms, &none);
        }
        match group.topics_read() {
            // Nobody knows what the members read, so everything is kept.
            None => Vec::new(),
            Some(read) => self.offsets.expired(now_ms, retention_ms, None, &read),
        }
    }
}
