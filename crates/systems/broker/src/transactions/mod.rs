//! Transactions: writes to many partitions, and of groups' offsets, that count together or not at all.
//!
//! - [`state`]: one transactional id, as a state machine.
//! - [`store`]: topic `__transaction_state`.
//! - [`markers`]: what ends a transaction in a partition.
//! - [`Transactions`]: all of them: what the handlers talk to.
//!
//! ```text
//! EndTxn ─▶ PrepareCommit durable ─▶ markers in all partitions durable ─▶ CompleteCommit ─▶ answer
//! ```
//!
//! Invariants: records are appended under the lock that orders the changes they describe. Nothing is
//! answered before it is durable. No marker is written before the decision is durable, and the end
//! is noted only when all markers are: whatever the moment of a crash, a start finishes what was
//! decided, and aborts, at its time, what was not. Methods that wait for the disk block; their
//! threads may.

mod markers;
pub(crate) mod state;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::records::Marker;
use tidemill_runtime::World;
use tokio::sync::Notify;

pub(crate) use markers::{COORDINATOR_EPOCH, replay_marker};
pub(crate) use state::{Identity, Place, State, Transaction};

use crate::config::Config;
use crate::core::Core;
use crate::error::{AppendError, PartitionError};
use crate::partition::Partition;
use crate::topics::name::OFFSETS_TOPIC;
use state::{Begun, Ended};
use store::Store;

/// How long to wait before markers are tried again that could not be written.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// All transactional ids.
pub(crate) struct Transactions {
    world: World,
    timeout_max_ms: i64,
    expiration_ms: i64,
    ids_max: usize,
    state: Mutex<Inner>,
    /// Rung when a transaction begins, whose time may be over first.
    alarm: Notify,
}

#[derive(Default)]
struct Inner {
    by_id: BTreeMap<String, Transaction>,
    /// There once the topic is.
    store: Option<Store>,
    /// Whose markers are being written, or whose decision may not be durable: nobody else writes
    /// their markers.
    carried_out: BTreeSet<String>,
}

/// Whose partitions a transaction has, and how it ends: what is to be written to them.
#[derive(Debug, Clone, PartialEq)]
struct Ending {
    id: String,
    producer: Identity,
    commits: bool,
    places: Vec<Place>,
}

impl Transactions {
    pub(crate) fn new(config: &Config, world: World) -> Transactions {
        Transactions {
            world,
            timeout_max_ms: crate::core::millis(config.transaction_max_timeout.0),
            expiration_ms: crate::core::millis(config.transactional_id_expiration.0),
            ids_max: config.transactional_ids_max,
            state: Mutex::default(),
            alarm: Notify::new(),
        }
    }

    /// Takes what is kept in the topic; blocking. Before any request.
    pub(crate) fn load(&self, partition: Arc<Partition>) -> Result<(), PartitionError> {
        let store = Store::new(partition);
        let by_id = store.load()?;
        if !by_id.is_empty() {
            tracing::info!(ids = by_id.len(), "transactional ids loaded");
        }
        *self.state.lock() = Inner { by_id, store: Some(store), ..Inner::default() };
        Ok(())
    }

    /// Whether the topic is there.
    pub(crate) fn is_ready(&self) -> bool {
        self.state.lock().store.is_some()
    }

    /// A producer begins to use an id; blocking. Gives who may write as it from now on.
    pub(crate) fn begin(
        &self,
        core: &Core,
        id: &str,
        timeout_ms: i32,
        expected: Option<Identity>,
    ) -> Result<Identity, ErrorCode> {
        if id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        if timeout_ms <= 0 || i64::from(timeout_ms) > self.timeout_max_ms {
            return Err(ErrorCode::InvalidTransactionTimeout);
        }
        let mut fresh = None;
        loop {
            let now_ms = self.world.clock.now_ms();
            let inner = self.state.lock();
            let known = inner.by_id.get(id);
            if known.is_none() && inner.by_id.len() >= self.ids_max {
                return Err(ErrorCode::CoordinatorNotAvailable);
            }
            match known.cloned() {
                None if fresh.is_none() => {}
                known => {
                    let new = || Transaction::new(fresh.unwrap_or(-1), timeout_ms, now_ms);
                    let mut changed = known.unwrap_or_else(new);
                    match changed.begin(expected, fresh, timeout_ms, now_ms)? {
                        Begun::Is(identity) => {
                            self.keep(inner, id, changed)?;
                            return Ok(identity);
                        }
                        Begun::NeedsId => {}
                        Begun::MustAbort => {
                            changed.fence(now_ms);
                            self.decide(core, inner, id, changed)?;
                            // The client asks again, and finds it done.
                            return Err(ErrorCode::ConcurrentTransactions);
                        }
                    }
                }
            }
            drop(inner);
            let new = core.new_producer_id().map_err(|_| ErrorCode::CoordinatorNotAvailable)?;
            fresh = Some(new);
        }
    }

    /// Takes partitions into a transaction. Gives the offset of the record that must be durable
    /// before this is answered; `None` if they were in it already.
    pub(crate) fn add(
        &self,
        id: &str,
        producer: Identity,
        places: &[Place],
        client_version: i16,
    ) -> Result<Option<i64>, ErrorCode> {
        if id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        let now_ms = self.world.clock.now_ms();
        let mut inner = self.state.lock();
        let mut changed = inner.find(id)?.clone();
        let began = changed.state != State::Ongoing;
        if !changed.add(producer, places, client_version, now_ms)? {
            return Ok(None);
        }
        let (_, offset) = inner.append(id, changed, now_ms)?;
        drop(inner);
        if began {
            self.alarm.notify_one();
        }
        Ok(Some(offset))
    }

    /// Whether a producer may write to a partition in its transaction.
    pub(crate) fn verify(
        &self,
        id: &str,
        producer: Identity,
        place: &Place,
    ) -> Result<(), ErrorCode> {
        self.state.lock().find(id)?.verify(producer, place)
    }

    /// Completes when the record at an offset is durable, or never will be.
    pub(crate) fn when_durable(
        &self,
        offset: i64,
    ) -> impl Future<Output = Result<(), ErrorCode>> + Send + use<> {
        let store = self.state.lock().store.clone();
        let durable = store.map(|store| store.when_durable(offset));
        async move {
            match durable {
                Some(durable) => durable.await.map_err(|_| ErrorCode::CoordinatorNotAvailable),
                None => Err(ErrorCode::CoordinatorNotAvailable),
            }
        }
    }

    /// Waits until the record at an offset is durable; blocking.
    pub(crate) fn wait(&self, offset: i64) -> Result<(), ErrorCode> {
        let store = self.state.lock().store.clone().ok_or(ErrorCode::CoordinatorNotAvailable)?;
        store.wait(offset).map_err(|_| ErrorCode::CoordinatorNotAvailable)
    }

    /// Ends a transaction as its client asks; blocking. Gives who goes on.
    pub(crate) fn end(
        &self,
        core: &Core,
        id: &str,
        producer: Identity,
        commits: bool,
        client_version: i16,
    ) -> Result<Identity, ErrorCode> {
        if id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        let needs_id =
            client_version >= state::VERSION_2 && self.state.lock().find(id)?.is_used_up();
        let fresh = match needs_id {
            true => Some(core.new_producer_id().map_err(|_| ErrorCode::CoordinatorNotAvailable)?),
            false => None,
        };
        let now_ms = self.world.clock.now_ms();
        let inner = self.state.lock();
        let mut changed = inner.find(id)?.clone();
        match changed.end(producer, commits, client_version, fresh, now_ms)? {
            Ended::Already => Ok(changed.next_identity()),
            Ended::Decided => {
                let identity = changed.next_identity();
                self.decide(core, inner, id, changed)?;
                Ok(identity)
            }
        }
    }

    /// Stores a change and waits until it is durable.
    fn keep(
        &self,
        mut inner: MutexGuard<'_, Inner>,
        id: &str,
        changed: Transaction,
    ) -> Result<(), ErrorCode> {
        let (store, offset) = inner.append(id, changed, self.world.clock.now_ms())?;
        drop(inner);
        store.wait(offset).map_err(|error| {
            tracing::error!(transactional_id = id, %error, "transaction not stored");
            ErrorCode::CoordinatorNotAvailable
        })
    }

    /// Makes the decision of a transaction durable, then carries it out.
    fn decide(
        &self,
        core: &Core,
        mut inner: MutexGuard<'_, Inner>,
        id: &str,
        decided: Transaction,
    ) -> Result<(), ErrorCode> {
        let ending = Ending::of(id, &decided);
        // Stays there if the decision does not become durable: then only a start knows it.
        inner.carried_out.insert(id.to_owned());
        self.keep(inner, id, decided)?;
        self.carry_out(core, ending);
        Ok(())
    }

    /// Writes the markers of a decided transaction, and notes its end when they are durable. What
    /// cannot be written is tried again later, by the task that watches the clock.
    fn carry_out(&self, core: &Core, ending: Ending) {
        let marker = Marker { commits: ending.commits, coordinator_epoch: COORDINATOR_EPOCH };
        let places: Vec<&Place> = ending.places.iter().collect();
        let written = core.write_markers(ending.producer, marker, &places);
        let failed = written.into_iter().find_map(|(place, fate)| Some((place, fate.err()?)));
        let id = &ending.id;
        if let Some(((topic, partition), error)) = failed {
            tracing::warn!(transactional_id = id, topic, partition, %error, "marker not written");
            self.state.lock().carried_out.remove(id);
            self.alarm.notify_one();
            return;
        }
        let now_ms = self.world.clock.now_ms();
        let mut inner = self.state.lock();
        inner.carried_out.remove(id);
        let Some(mut done) = inner.by_id.get(id).filter(|found| found.is_prepared()).cloned()
        else {
            return;
        };
        done.complete(now_ms);
        // If this record is lost, a start writes the markers again, which changes nothing.
        if let Err(error) = inner.append(id, done, now_ms) {
            tracing::warn!(transactional_id = id, %error, "end of a transaction not noted");
        }
    }

    /// Carries out what was decided before, and aborts what is open for too long; blocking. Gives
    /// the time until there is something to do again.
    fn work(&self, core: &Core) -> Option<Duration> {
        let prepared: Vec<Ending> = {
            let mut inner = self.state.lock();
            let Inner { by_id, carried_out, .. } = &mut *inner;
            let decided = by_id.iter().filter(|(_, found)| found.is_prepared());
            let left = decided.filter(|(id, _)| carried_out.insert((*id).clone()));
            left.map(|(id, found)| Ending::of(id, found)).collect()
        };
        let has_retried = !prepared.is_empty();
        prepared.into_iter().for_each(|ending| self.carry_out(core, ending));
        loop {
            let now_ms = self.world.clock.now_ms();
            let inner = self.state.lock();
            let open = inner.by_id.iter().filter_map(|(id, t)| Some((t.deadline_ms()?, id)));
            let Some((deadline, id)) = open.min() else {
                let is_stuck = inner.by_id.values().any(Transaction::is_prepared);
                return (has_retried && is_stuck).then_some(RETRY_PAUSE);
            };
            if deadline > now_ms {
                let left = u64::try_from(deadline - now_ms).unwrap_or(0);
                let is_stuck = inner.by_id.values().any(Transaction::is_prepared);
                let left = Duration::from_millis(left);
                return Some(if is_stuck { left.min(RETRY_PAUSE) } else { left });
            }
            let id = id.clone();
            let mut fenced = inner.by_id[&id].clone();
            fenced.fence(now_ms);
            tracing::info!(transactional_id = id, "transaction aborted: its time is over");
            if self.decide(core, inner, &id, fenced).is_err() {
                return Some(RETRY_PAUSE);
            }
        }
    }

    /// Forgets ids that nobody has used for long; blocking.
    pub(crate) fn clean(&self) {
        let now_ms = self.world.clock.now_ms();
        let mut inner = self.state.lock();
        let Inner { by_id, store: Some(store), .. } = &mut *inner else { return };
        by_id.retain(|id, found| {
            let goes = found.is_expired(now_ms, self.expiration_ms);
            !(goes && store.append(id, None, now_ms).is_ok())
        });
    }

    /// Looks at an id.
    pub(crate) fn with<T>(&self, id: &str, look: impl FnOnce(&Transaction) -> T) -> Option<T> {
        self.state.lock().by_id.get(id).map(look)
    }

    /// Looks at all ids, by name.
    pub(crate) fn for_each(&self, mut look: impl FnMut(&str, &Transaction)) {
        self.state.lock().by_id.iter().for_each(|(id, found)| look(id, found));
    }

    /// What a transaction left open in a partition that its coordinator does not know of: the power
    /// went between the record and the note of its partition. Its own transaction takes it in, if
    /// that is its current one or being ended; otherwise gives false, and it must be aborted.
    fn adopt(&self, producer: Identity, place: &Place) -> bool {
        let now_ms = self.world.clock.now_ms();
        let mut inner = self.state.lock();
        let (producer_id, epoch) = producer;
        let found = inner.by_id.iter().find(|(_, t)| t.producer_id == producer_id);
        let Some((id, mut changed)) = found.map(|(id, t)| (id.clone(), t.clone())) else {
            return false;
        };
        if changed.is_prepared() && changed.epoch >= epoch {
            changed.partitions.insert(place.clone());
        } else if changed
            .add(producer, std::slice::from_ref(place), state::VERSION_2, now_ms)
            .is_err()
        {
            return false;
        }
        // A client that repeats its request finds its batch stored, and in its transaction.
        inner.append(&id, changed, now_ms).is_ok()
    }
}

impl Inner {
    fn find(&self, id: &str) -> Result<&Transaction, ErrorCode> {
        self.by_id.get(id).ok_or(ErrorCode::InvalidProducerIdMapping)
    }

    /// Appends a change, which is known from then on; gives the record's offset.
    fn append(
        &mut self,
        id: &str,
        changed: Transaction,
        now_ms: i64,
    ) -> Result<(Store, i64), ErrorCode> {
        let store = self.store.clone().ok_or(ErrorCode::CoordinatorNotAvailable)?;
        let offset = store.append(id, Some(&changed), now_ms).map_err(|error| {
            tracing::error!(transactional_id = id, %error, "transaction not stored");
            ErrorCode::CoordinatorNotAvailable
        })?;
        self.by_id.insert(id.to_owned(), changed);
        Ok((store, offset))
    }
}

impl Ending {
    fn of(id: &str, decided: &Transaction) -> Ending {
        Ending {
            id: id.to_owned(),
            producer: (decided.producer_id, decided.epoch),
            commits: decided.state == State::PrepareCommit,
            places: decided.partitions.iter().cloned().collect(),
        }
    }
}

impl Core {
    /// Writes a producer's marker to partitions, all before the first is waited for; blocking. A
    /// partition that is gone has nothing to end.
    pub(crate) fn write_markers<'a>(
        &self,
        producer: Identity,
        marker: Marker,
        places: &[&'a Place],
    ) -> Vec<(&'a Place, Result<(), AppendError>)> {
        let now_ms = self.world.clock.now_ms();
        let append = |(topic, index): &Place| {
            let found = self.topics.named(topic).ok_or(PartitionError::Unknown);
            let partition = found.and_then(|topic| topic.partition(*index)).ok()?;
            let appended = partition.append_marker(producer, marker, now_ms);
            Some((partition, appended))
        };
        let appended: Vec<_> = places.iter().map(|place| (*place, append(place))).collect();
        let mut fates = Vec::with_capacity(appended.len());
        for (place, appended) in appended {
            let fate = match appended {
                None => Ok(()),
                Some((partition, appended)) => appended
                    .and_then(|offset| Ok(partition.wait_durable(offset)?))
                    .inspect(|()| self.marker_is_durable(place, producer, marker)),
            };
            fates.push((place, fate));
        }
        fates
    }

    fn marker_is_durable(&self, place: &Place, producer: Identity, marker: Marker) {
        if place.0 == OFFSETS_TOPIC {
            self.existing_groups().end_transaction(producer.0, marker.commits);
        }
    }

    /// Gives every transaction that is open in a partition to its coordinator, and aborts those
    /// that have none; blocking, at the start.
    pub(crate) fn settle_open_transactions(&self) {
        for topic in self.topics.all() {
            for partition in topic.partitions().iter() {
                for producer in partition.open_transactions() {
                    let place = (topic.name.clone(), partition.index);
                    if self.transactions.adopt(producer, &place) {
                        continue;
                    }
                    let marker = Marker { commits: false, coordinator_epoch: COORDINATOR_EPOCH };
                    let (topic, partition, producer_id) = (&place.0, place.1, producer.0);
                    tracing::warn!(
                        topic,
                        partition,
                        producer_id,
                        "transaction nobody ends aborted"
                    );
                    self.write_markers(producer, marker, &[&place]);
                }
            }
        }
    }
}

/// Ends what a crash left, then aborts transactions whose time is over, until the broker stops.
pub(crate) async fn run(core: Arc<Core>) -> Result<(), std::convert::Infallible> {
    let shutdown = core.tasks.shutdown();
    let worker = core.clone();
    if core.tasks.spawn_blocking(move || worker.settle_open_transactions()).await.is_err() {
        tracing::error!("open transactions were not looked at");
    }
    loop {
        let worker = core.clone();
        let work = core.tasks.spawn_blocking(move || worker.transactions.work(&worker));
        let wait = work.await.unwrap_or(Some(RETRY_PAUSE));
        let sleep = async {
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep => {}
            () = core.transactions.alarm.notified() => {}
            () = shutdown.requested() => return Ok(()),
        }
    }
}
