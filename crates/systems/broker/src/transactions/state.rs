//! One transactional id: who may write as it, and the transaction it is in. Synchronous, and blind
//! to where any of it is stored.
//!
//! ```text
//! Empty ─▶ Ongoing ─▶ PrepareCommit ─▶ CompleteCommit ─▶ Ongoing …
//!             └─────▶ PrepareAbort ──▶ CompleteAbort ──▶ Ongoing …
//! ```
//!
//! Every change is made on a copy, so that one that cannot be stored did not happen. Kafka's
//! `TransactionMetadata` and `TransactionCoordinator` are the model. Specs: KIP-98, KIP-360, KIP-890.

use std::collections::{BTreeMap, BTreeSet};

use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::transaction_records::{PartitionsSchema, TransactionLogValue};

/// A partition by name.
pub(crate) type Place = (String, i32);

/// No producer has this id.
pub(super) const NO_ID: i64 = -1;
/// No epoch is this one.
pub(super) const NO_EPOCH: i16 = -1;
/// The client bumps its epoch with each transaction (KIP-890).
pub(crate) const VERSION_2: i16 = 2;
/// Clients of before.
pub(crate) const VERSION_0: i16 = 0;
/// With this epoch an id is used up: the largest one is kept for fencing.
const LAST_EPOCH: i16 = i16::MAX - 1;

/// Where a transaction is. The numbers are Kafka's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Empty = 0,
    Ongoing = 1,
    PrepareCommit = 2,
    PrepareAbort = 3,
    CompleteCommit = 4,
    CompleteAbort = 5,
}

impl State {
    const ALL: [State; 6] = [
        State::Empty,
        State::Ongoing,
        State::PrepareCommit,
        State::PrepareAbort,
        State::CompleteCommit,
        State::CompleteAbort,
    ];

    /// Kafka's name for it.
    pub(crate) fn name(self) -> &'static str {
        tidemill_kafka_wire::transaction_records::STATE_NAMES[self as usize]
    }

    fn from_number(number: i8) -> Option<State> {
        State::ALL.into_iter().find(|state| *state as i8 == number)
    }

    fn is_prepared(self) -> bool {
        matches!(self, State::PrepareCommit | State::PrepareAbort)
    }

    fn is_complete(self) -> bool {
        matches!(self, State::CompleteCommit | State::CompleteAbort)
    }
}

/// A producer with its epoch.
pub(crate) type Identity = (i64, i16);

/// A transactional id.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Transaction {
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    /// The id before, if its epochs were used up.
    previous_producer_id: i64,
    /// The id to go on with once the end of this transaction is complete.
    next_producer_id: i64,
    /// The epoch before; -1 if another producer had it.
    last_epoch: i16,
    pub(crate) timeout_ms: i32,
    pub(crate) state: State,
    pub(crate) partitions: BTreeSet<Place>,
    /// When the transaction began, in wall ms; -1 if none has.
    pub(crate) started_ms: i64,
    pub(crate) updated_ms: i64,
    /// Which protocol its client speaks.
    client_version: i16,
}

/// What becomes of a request to begin with an id.
#[derive(Debug, PartialEq)]
pub(super) enum Begun {
    /// This is who may write from now on.
    Is(Identity),
    /// The transaction under way must be aborted first.
    MustAbort,
    /// The epochs are used up: a new producer id is needed.
    NeedsId,
}

/// What becomes of a request to end a transaction.
#[derive(Debug, PartialEq)]
pub(super) enum Ended {
    /// It is decided now.
    Decided,
    /// It was decided and completed before: the request is a repetition.
    Already,
}

impl Transaction {
    /// An id nobody has used.
    pub(super) fn new(producer_id: i64, timeout_ms: i32, now_ms: i64) -> Transaction {
        Transaction {
            producer_id,
            epoch: NO_EPOCH,
            previous_producer_id: NO_ID,
            next_producer_id: NO_ID,
            last_epoch: NO_EPOCH,
            timeout_ms,
            state: State::Empty,
            partitions: BTreeSet::new(),
            started_ms: -1,
            updated_ms: now_ms,
            client_version: VERSION_0,
        }
    }

    /// A producer begins to use the id; `expected` is who it believes it is. `fresh` is a new
    /// producer id, once it was asked for.
    pub(super) fn begin(
        &mut self,
        expected: Option<Identity>,
        fresh: Option<i64>,
        timeout_ms: i32,
        now_ms: i64,
    ) -> Result<Begun, ErrorCode> {
        if let Some((id, epoch)) = expected {
            let was_used_up = id == self.previous_producer_id && epoch >= LAST_EPOCH;
            if self.epoch != NO_EPOCH && id != self.producer_id && !was_used_up {
                return Err(ErrorCode::ProducerFenced);
            }
        }
        if self.state.is_prepared() {
            return Err(ErrorCode::ConcurrentTransactions);
        }
        if self.state == State::Ongoing {
            return Ok(Begun::MustAbort);
        }
        let expected_epoch = expected.map(|(_, epoch)| epoch);
        if self.epoch >= LAST_EPOCH && expected_epoch.is_none_or(|epoch| epoch == self.epoch) {
            let Some(fresh) = fresh else { return Ok(Begun::NeedsId) };
            self.last_epoch = if expected.is_some() { self.epoch } else { NO_EPOCH };
            (self.previous_producer_id, self.producer_id, self.epoch) =
                (self.producer_id, fresh, 0);
        } else {
            match expected_epoch {
                None => (self.last_epoch, self.epoch) = (NO_EPOCH, self.epoch + 1),
                Some(epoch) if self.epoch == NO_EPOCH || epoch == self.epoch => {
                    (self.last_epoch, self.epoch) = (self.epoch, self.epoch + 1);
                }
                // The answer to the same request got lost.
                Some(epoch) if epoch == self.last_epoch => {}
                Some(_) => return Err(ErrorCode::ProducerFenced),
            }
        }
        self.state = State::Empty;
        self.partitions.clear();
        (self.timeout_ms, self.updated_ms, self.started_ms) = (timeout_ms, now_ms, -1);
        Ok(Begun::Is((self.producer_id, self.epoch)))
    }

    fn judge(&self, (id, epoch): Identity) -> Result<(), ErrorCode> {
        if id != self.producer_id {
            return Err(ErrorCode::InvalidProducerIdMapping);
        }
        if epoch != self.epoch {
            return Err(ErrorCode::ProducerFenced);
        }
        Ok(())
    }

    /// Takes partitions into the transaction, which begins if there is none. False if they were in
    /// it already.
    pub(super) fn add(
        &mut self,
        producer: Identity,
        places: &[Place],
        client_version: i16,
        now_ms: i64,
    ) -> Result<bool, ErrorCode> {
        self.judge(producer)?;
        if self.state.is_prepared() {
            return Err(ErrorCode::ConcurrentTransactions);
        }
        if self.state != State::Ongoing {
            self.partitions.clear();
            (self.state, self.started_ms) = (State::Ongoing, now_ms);
        } else if places.iter().all(|place| self.partitions.contains(place)) {
            return Ok(false);
        }
        self.partitions.extend(places.iter().cloned());
        (self.updated_ms, self.client_version) = (now_ms, client_version);
        Ok(true)
    }

    /// Whether a producer may write to a partition in the transaction.
    pub(super) fn verify(&self, producer: Identity, place: &Place) -> Result<(), ErrorCode> {
        self.judge(producer)?;
        if self.state.is_prepared() {
            return Err(ErrorCode::ConcurrentTransactions);
        }
        let is_in = self.state == State::Ongoing && self.partitions.contains(place);
        if is_in { Ok(()) } else { Err(ErrorCode::InvalidTxnState) }
    }

    /// Decides the transaction as its client asks.
    pub(super) fn end(
        &mut self,
        producer: Identity,
        commits: bool,
        client_version: i16,
        fresh: Option<i64>,
        now_ms: i64,
    ) -> Result<Ended, ErrorCode> {
        let (id, epoch) = producer;
        let bumps = client_version >= VERSION_2;
        // The client of a request that is repeated does not know its next epoch yet.
        let before_rotation =
            bumps && id == self.previous_producer_id && epoch >= LAST_EPOCH && self.epoch == 0;
        let before_bump =
            bumps && id == self.producer_id && epoch.checked_add(1) == Some(self.epoch);
        if id != self.producer_id && !before_rotation {
            return Err(ErrorCode::InvalidProducerIdMapping);
        }
        let is_current = epoch == self.epoch;
        let is_valid = match self.state {
            State::Empty | State::Ongoing => is_current,
            _ if !bumps => is_current,
            State::PrepareCommit | State::PrepareAbort => before_bump,
            State::CompleteCommit | State::CompleteAbort => {
                before_bump || before_rotation || is_current
            }
        };
        if !is_valid {
            return Err(ErrorCode::ProducerFenced);
        }
        let is_repeated = before_bump || before_rotation;
        match (self.state, commits) {
            (State::Ongoing, _) => {}
            (State::PrepareCommit, true) | (State::PrepareAbort, false) => {
                return Err(ErrorCode::ConcurrentTransactions);
            }
            (State::CompleteCommit, true) | (State::CompleteAbort, false)
                if is_repeated || !bumps =>
            {
                return Ok(Ended::Already);
            }
            // A client of today may abort what never began: its epoch goes on all the same.
            (State::Empty | State::CompleteCommit | State::CompleteAbort, false)
                if bumps && !is_repeated =>
            {
                self.partitions.clear();
                self.started_ms = now_ms;
            }
            _ => return Err(ErrorCode::InvalidTxnState),
        }
        self.prepare(commits, client_version, fresh, now_ms);
        Ok(Ended::Decided)
    }

    /// Whether its end needs a new producer id to go on with.
    pub(super) fn is_used_up(&self) -> bool {
        self.epoch >= LAST_EPOCH
    }

    /// Aborts the transaction under way against its client's will: what it still sends is refused.
    pub(super) fn fence(&mut self, now_ms: i64) {
        // Where each transaction has its own epoch, its end fences by itself.
        if self.client_version < VERSION_2 {
            self.epoch = self.epoch.saturating_add(1);
        }
        self.prepare(false, self.client_version, None, now_ms);
        self.last_epoch = NO_EPOCH;
    }

    fn prepare(&mut self, commits: bool, client_version: i16, fresh: Option<i64>, now_ms: i64) {
        if client_version >= VERSION_2 {
            (self.last_epoch, self.epoch) = (self.epoch, self.epoch.saturating_add(1));
            self.next_producer_id = fresh.unwrap_or(NO_ID);
        }
        self.state = if commits { State::PrepareCommit } else { State::PrepareAbort };
        (self.client_version, self.updated_ms) = (client_version, now_ms);
    }

    /// All markers are durable.
    pub(super) fn complete(&mut self, now_ms: i64) {
        self.state = match self.state {
            State::PrepareCommit => State::CompleteCommit,
            _ => State::CompleteAbort,
        };
        self.partitions.clear();
        self.updated_ms = now_ms;
        if self.next_producer_id != NO_ID {
            self.previous_producer_id = self.producer_id;
            (self.producer_id, self.epoch) = (self.next_producer_id, 0);
            self.next_producer_id = NO_ID;
        }
    }

    /// As whom its client goes on after the end.
    pub(super) fn next_identity(&self) -> Identity {
        match self.next_producer_id {
            NO_ID => (self.producer_id, self.epoch),
            id => (id, 0),
        }
    }

    /// When it is aborted, in wall ms, if it stays open.
    pub(super) fn deadline_ms(&self) -> Option<i64> {
        let is_open = self.state == State::Ongoing;
        is_open.then(|| self.started_ms.saturating_add(self.timeout_ms.into()))
    }

    /// Whether it waits for its markers.
    pub(super) fn is_prepared(&self) -> bool {
        self.state.is_prepared()
    }

    /// Whether nobody has used it for so long that it is forgotten.
    pub(super) fn is_expired(&self, now_ms: i64, expiration_ms: i64) -> bool {
        let is_idle = self.state == State::Empty || self.state.is_complete();
        is_idle && now_ms.saturating_sub(self.updated_ms) >= expiration_ms
    }

    /// As it is kept.
    pub(super) fn record(&self) -> TransactionLogValue {
        let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for (topic, partition) in &self.partitions {
            topics.entry(topic).or_default().push(*partition);
        }
        let schema = |(topic, partition_ids): (&str, Vec<i32>)| PartitionsSchema {
            topic: topic.to_owned(),
            partition_ids,
        };
        let partitions = topics.into_iter().map(schema).collect();
        TransactionLogValue {
            producer_id: self.producer_id,
            previous_producer_id: self.previous_producer_id,
            next_producer_id: self.next_producer_id,
            producer_epoch: self.epoch,
            transaction_timeout_ms: self.timeout_ms,
            transaction_status: self.state as i8,
            transaction_partitions: (self.state != State::Empty).then_some(partitions),
            transaction_last_update_timestamp_ms: self.updated_ms,
            transaction_start_timestamp_ms: self.started_ms,
            client_transaction_version: self.client_version,
            ..Default::default()
        }
    }

    /// As it was kept; `None` if the state has no meaning here.
    pub(super) fn restored(value: TransactionLogValue) -> Option<Transaction> {
        let topics = value.transaction_partitions.unwrap_or_default();
        let places = topics.into_iter().flat_map(|topic| {
            topic.partition_ids.into_iter().map(move |index| (topic.topic.clone(), index))
        });
        Some(Transaction {
            producer_id: value.producer_id,
            epoch: value.producer_epoch,
            previous_producer_id: value.previous_producer_id,
            next_producer_id: value.next_producer_id,
            // Not kept, by Kafka neither: a request repeated across a restart is fenced.
            last_epoch: NO_EPOCH,
            timeout_ms: value.transaction_timeout_ms,
            state: State::from_number(value.transaction_status)?,
            partitions: places.collect(),
            started_ms: value.transaction_start_timestamp_ms,
            updated_ms: value.transaction_last_update_timestamp_ms,
            client_version: value.client_transaction_version,
        })
    }
}
