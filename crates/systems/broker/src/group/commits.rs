//! What groups commit, and how it is deleted.

use std::collections::BTreeSet;
use std::sync::Arc;

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::consumer_protocol::{self, Subscription};
use tokio::sync::oneshot;

use super::classic::{Group, State};
use super::offsets::{Committed, Place};
use super::store::{self, KeyValue};
use super::{Groups, Inner, Settled};
use crate::transactions::Identity;

/// The protocol type of consumers: what their members read can be told.
const CONSUMER: &str = "consumer";

/// Who commits.
#[derive(Debug)]
pub(crate) struct Committer<'a> {
    pub(crate) group_id: &'a str,
    pub(crate) member_id: &'a str,
    pub(crate) instance_id: Option<&'a str>,
    /// -1 without a group's protocol.
    pub(crate) generation: i32,
    /// What a member of a group that is not there is told: it depends on the request's version.
    pub(crate) of_no_group: ErrorCode,
    /// The producer in whose transaction the commit is: it counts when that commits.
    pub(crate) transaction: Option<Identity>,
}

/// Completes when what was appended is durable, with what to answer.
pub(crate) type Fate = oneshot::Receiver<Result<(), ErrorCode>>;

/// A commit whose records are durable, or never will be.
pub(super) struct SettledCommit {
    group_id: String,
    offsets: Vec<(Place, Committed)>,
    log_offset: i64,
    is_durable: bool,
    /// It counts only with its transaction.
    is_transactional: bool,
    answer: oneshot::Sender<Result<(), ErrorCode>>,
}

impl Inner {
    /// See [`Groups::end_transaction`].
    pub(super) fn end_transaction(&mut self, producer_id: i64, commits: bool) {
        for group_id in self.in_transaction.remove(&producer_id).unwrap_or_default() {
            if let Some(entry) = self.groups.get_mut(&group_id) {
                entry.offsets.end_transaction(producer_id, commits);
            }
        }
    }

    /// Makes a commit known, then answers it: who asks after the answer sees it.
    pub(super) fn settle_commit(&mut self, commit: SettledCommit) {
        let SettledCommit { group_id, offsets, log_offset, is_durable, is_transactional, answer } =
            commit;
        if !is_transactional && let Some(entry) = self.groups.get_mut(&group_id) {
            for (place, committed) in offsets {
                entry.offsets.settled(&place, log_offset, committed, is_durable);
            }
        }
        let _ = answer.send(if is_durable { Ok(()) } else { Err(NOT_STORED) });
    }
}

/// The error code for whoever's commit cannot be stored: Kafka sends its client to look for another
/// coordinator.
const NOT_STORED: ErrorCode = ErrorCode::NotCoordinator;

impl Groups {
    /// Commits offsets, all or none. What the commit said must be judged before, per partition.
    pub(crate) fn commit(
        self: &Arc<Groups>,
        committer: &Committer<'_>,
        offsets: Vec<(Place, Committed)>,
    ) -> Result<Fate, ErrorCode> {
        let (now, now_ms) = self.now();
        let group_id = committer.group_id;
        let mut inner = self.state.lock();
        let is_known = inner.groups.contains_key(group_id);
        if !is_known && committer.generation >= 0 {
            return Err(committer.of_no_group);
        }
        if !is_known && inner.groups.len() >= self.groups_max {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        let store = inner.store.clone().filter(|_| !inner.is_stopping).ok_or(NOT_STORED)?;
        let entry = inner.entry(group_id, self.rules, now_ms);
        let Committer { member_id, instance_id, generation, transaction, .. } = *committer;
        // A producer may commit for a group without being a member: its epoch fences it.
        let is_nobody = generation < 0 && member_id.is_empty() && instance_id.is_none();
        if transaction.is_none() || !is_nobody {
            entry.group.judge_commit(member_id, instance_id, generation, now)?;
        }
        let records: Vec<KeyValue> = offsets
            .iter()
            .map(|(place, committed)| store::offset(group_id, place, Some(committed)))
            .collect::<Option<_>>()
            .ok_or(ErrorCode::InvalidCommitOffsetSize)?;
        let (answer, fate) = oneshot::channel();
        if records.is_empty() {
            let _ = answer.send(Ok(()));
            return Ok(fate);
        }
        let last = store.append_in(transaction, &records, now_ms).map_err(|error| {
            tracing::error!(group = group_id, %error, "offsets not stored");
            NOT_STORED
        })?;
        for (place, committed) in &offsets {
            let (place, committed) = (place.clone(), committed.clone());
            match transaction {
                None => entry.offsets.appended(place, last, committed),
                Some((id, _)) => entry.offsets.pending(id, place, last, committed),
            }
        }
        if let Some((id, _)) = transaction {
            inner.in_transaction.entry(id).or_default().insert(group_id.to_owned());
        }
        inner.under_way += 1;
        let (groups, group_id) = (self.clone(), group_id.to_owned());
        store.when_durable(last, move |stored| {
            let is_durable = stored.is_ok();
            groups.report(Settled::Commit(SettledCommit {
                group_id,
                offsets,
                log_offset: last,
                is_durable,
                is_transactional: transaction.is_some(),
                answer,
            }));
        });
        Ok(fate)
    }

    /// A producer's transaction has ended, durably: what it committed counts, or does not.
    pub(crate) fn end_transaction(&self, producer_id: i64, commits: bool) {
        self.state.lock().end_transaction(producer_id, commits);
    }

    /// Bytes a commit's note may have.
    pub(crate) fn metadata_bytes_max(&self) -> usize {
        self.metadata_bytes_max
    }

    /// Deletes a group without members, with its offsets.
    pub(crate) fn delete(self: &Arc<Groups>, group_id: &str) -> Result<Fate, ErrorCode> {
        let mut inner = self.state.lock();
        let entry = inner.groups.get(group_id).ok_or(ErrorCode::GroupIdNotFound)?;
        if entry.group.state() != State::Empty {
            return Err(ErrorCode::NonEmptyGroup);
        }
        let places: Vec<Place> = entry.offsets.newest().into_keys().cloned().collect();
        let mut marks: Vec<KeyValue> =
            places.iter().filter_map(|place| store::offset(group_id, place, None)).collect();
        marks.extend(store::group(group_id, None));
        inner.groups.remove(group_id);
        self.append_marks(inner, &marks)
    }

    /// Deletes offsets of topics that nobody in the group reads. Per place what came of it.
    pub(crate) fn delete_offsets(
        self: &Arc<Groups>,
        group_id: &str,
        places: &[Place],
    ) -> Result<(Vec<Result<(), ErrorCode>>, Fate), ErrorCode> {
        let mut inner = self.state.lock();
        let entry = inner.groups.get_mut(group_id).ok_or(ErrorCode::GroupIdNotFound)?;
        let read = match entry.group.state() {
            State::Empty => BTreeSet::new(),
            _ => entry.group.topics_read().ok_or(ErrorCode::NonEmptyGroup)?,
        };
        let mut marks = Vec::new();
        let outcomes = places
            .iter()
            .map(|place| {
                if read.contains(&place.0) {
                    return Err(ErrorCode::GroupSubscribedToTopic);
                }
                if entry.offsets.remove(place) {
                    marks.extend(store::offset(group_id, place, None));
                }
                Ok(())
            })
            .collect();
        Ok((outcomes, self.append_marks(inner, &marks)?))
    }

    /// A topic is gone: what groups committed for it goes too.
    pub(crate) fn forget_topic(self: &Arc<Groups>, topic: &str) {
        let mut inner = self.state.lock();
        let mut marks = Vec::new();
        for (id, entry) in &mut inner.groups {
            let newest = entry.offsets.newest();
            let of_topic: Vec<Place> =
                newest.into_keys().filter(|place| place.0 == topic).cloned().collect();
            for place in of_topic {
                entry.offsets.remove(&place);
                marks.extend(store::offset(id, &place, None));
            }
        }
        drop(self.append_marks(inner, &marks));
    }

    fn append_marks(
        &self,
        inner: parking_lot::MutexGuard<'_, Inner>,
        marks: &[KeyValue],
    ) -> Result<Fate, ErrorCode> {
        let (answer, fate) = oneshot::channel();
        if marks.is_empty() {
            let _ = answer.send(Ok(()));
            return Ok(fate);
        }
        let store = inner.store.clone().ok_or(NOT_STORED)?;
        let last = store.append(marks, self.world.clock.now_ms()).map_err(|error| {
            tracing::error!(%error, "deletion not stored");
            NOT_STORED
        })?;
        drop(inner);
        store.when_durable(last, move |stored| {
            let _ = answer.send(stored.map_err(|_| NOT_STORED));
        });
        Ok(fate)
    }
}

impl Group {
    /// The topics its members read; `None` if that cannot be told.
    pub(super) fn topics_read(&self) -> Option<BTreeSet<String>> {
        if self.protocol_type.as_deref() != Some(CONSUMER) {
            return None;
        }
        let protocol = self.protocol.as_deref()?;
        let mut topics = BTreeSet::new();
        for member in self.members() {
            let subscription = consumer_protocol::decode::<Subscription>(member.metadata(protocol));
            topics.extend(subscription.ok()?.topics);
        }
        Some(topics)
    }
}
