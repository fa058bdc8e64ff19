//! Transactions over the wire: the protocol of today's clients, where each transaction has its own
//! epoch, and that of older ones.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::add_partitions_to_txn::AddPartitionsToTxnTopic;
use tidemill_kafka_wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use tidemill_kafka_wire::messages::txn_offset_commit::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use tidemill_kafka_wire::messages::*;
use tidemill_kafka_wire::records::{self, BatchBuilder, Compression};

use crate::harness::{Client, Target, batch, fetch_request, fresh, now_ms, produce_request};

/// A producer in a transaction.
#[derive(Clone)]
pub(crate) struct Producer {
    pub(crate) id: String,
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    /// The next sequence number in each topic.
    sequences: HashMap<String, i32>,
    /// The records' time; `None`: the machine's.
    pub(crate) time_ms: Option<i64>,
}

impl Producer {
    pub(crate) async fn begin(client: &mut Client, id: &str) -> Producer {
        let begun = init(client, id, 60_000).await;
        assert_eq!(begun.error_code, ErrorCode::None);
        let (producer_id, epoch) = (begun.producer_id, begun.producer_epoch);
        let (id, sequences) = (id.to_owned(), HashMap::new());
        Producer { id, producer_id, epoch, sequences, time_ms: None }
    }

    pub(crate) fn batch(&mut self, topic: &str, values: &[&str]) -> Bytes {
        let sequence = self.sequences.entry(topic.to_owned()).or_default();
        let mut builder = BatchBuilder::new(Compression::None)
            .producer(self.producer_id, self.epoch, *sequence)
            .transactional();
        let time = self.time_ms.unwrap_or_else(now_ms);
        values.iter().for_each(|value| builder.push(time, None, Some(value.as_bytes()), &[]));
        *sequence += i32::try_from(values.len()).unwrap();
        builder.build()
    }

    /// Produces in a version; gives the code and the base offset.
    pub(crate) async fn produce(
        &mut self,
        client: &mut Client,
        version: i16,
        topic: &str,
        values: &[&str],
    ) -> (ErrorCode, i64) {
        let records = self.batch(topic, values);
        let request = ProduceRequest {
            transactional_id: Some(self.id.clone()),
            ..produce_request(topic, Some(records))
        };
        let response = client.ask_in(version, request).await;
        let stored = &response.responses[0].partition_responses[0];
        (stored.error_code, stored.base_offset)
    }

    /// Asks once.
    pub(crate) async fn end(
        &self,
        client: &mut Client,
        version: i16,
        committed: bool,
    ) -> EndTxnResponse {
        let request = EndTxnRequest {
            transactional_id: self.id.clone(),
            producer_id: self.producer_id,
            producer_epoch: self.epoch,
            committed,
        };
        client.ask_in(version, request).await
    }

    /// Ends the transaction as today's clients do, and goes on with the next epoch.
    pub(crate) async fn finish(&mut self, client: &mut Client, committed: bool) {
        let ended = self.end(client, 5, committed).await;
        assert_eq!(ended.error_code, ErrorCode::None);
        assert_eq!((ended.producer_id, ended.producer_epoch), (self.producer_id, self.epoch + 1));
        self.go_on(ended.producer_epoch);
    }

    /// The next transaction has its own epoch, and its numbers begin at 0.
    pub(crate) fn go_on(&mut self, epoch: i16) {
        self.epoch = epoch;
        self.sequences.clear();
    }

    async fn add(&self, client: &mut Client, topic: &str, partition: i32) -> ErrorCode {
        let request = AddPartitionsToTxnRequest {
            v3_and_below_transactional_id: self.id.clone(),
            v3_and_below_producer_id: self.producer_id,
            v3_and_below_producer_epoch: self.epoch,
            v3_and_below_topics: vec![AddPartitionsToTxnTopic {
                name: topic.to_owned(),
                partitions: vec![partition],
            }],
            ..Default::default()
        };
        loop {
            let response = client.ask_in(3, request.clone()).await;
            let result = &response.results_by_topic_v3_and_below[0].results_by_partition[0];
            if result.partition_error_code != ErrorCode::ConcurrentTransactions {
                return result.partition_error_code;
            }
        }
    }
}

async fn init(
    client: &mut Client,
    id: &str,
    transaction_timeout_ms: i32,
) -> InitProducerIdResponse {
    let request = InitProducerIdRequest {
        transactional_id: Some(id.to_owned()),
        transaction_timeout_ms,
        ..Default::default()
    };
    loop {
        let find = FindCoordinatorRequest { key: id.to_owned(), key_type: 1, ..Default::default() };
        while !client.ask_in(3, find.clone()).await.error_code.is_none() {}
        let begun = client.ask(request.clone()).await;
        let again = [
            ErrorCode::ConcurrentTransactions,
            ErrorCode::CoordinatorLoadInProgress,
            ErrorCode::NotCoordinator,
        ];
        if !again.contains(&begun.error_code) {
            return begun;
        }
    }
}

/// The values a reader of committed records is given, and the aborted transactions it is told.
pub(crate) async fn read_committed(client: &mut Client, topic: &str) -> Vec<String> {
    let (mut values, mut next) = (Vec::new(), 0);
    loop {
        let request = FetchRequest { isolation_level: 1, ..fetch_request(topic, next) };
        let response = client.ask_in(12, request).await;
        let data = &response.responses[0].partitions[0];
        assert_eq!(data.error_code, ErrorCode::None);
        let bytes = data.records.clone().unwrap();
        let mut aborted = data.aborted_transactions.clone().unwrap();
        aborted.sort_by_key(|transaction| std::cmp::Reverse(transaction.first_offset));
        let mut dropped = HashSet::new();
        let before = next;
        for batch in records::batches(&bytes).map(Result::unwrap) {
            let header = batch.header;
            while let Some(begun) = aborted.pop_if(|t| t.first_offset <= header.last_offset()) {
                dropped.insert(begun.producer_id);
            }
            next = header.last_offset() + 1;
            if header.is_control() {
                if !records::Marker::of(&batch).unwrap().commits {
                    dropped.remove(&header.producer_id);
                }
            } else if !(header.is_transactional() && dropped.contains(&header.producer_id)) {
                let records = records::decode(&batch.bytes).map(Result::unwrap);
                values
                    .extend(records.map(|r| String::from_utf8(r.value.unwrap().to_vec()).unwrap()));
            }
        }
        if next == before {
            return values;
        }
    }
}

async fn end_offset(client: &mut Client, topic: &str, isolation_level: i8) -> i64 {
    let partition = ListOffsetsPartition { timestamp: -1, ..Default::default() };
    let asked = ListOffsetsTopic { name: topic.to_owned(), partitions: vec![partition] };
    let topics = vec![asked];
    let request =
        ListOffsetsRequest { replica_id: -1, isolation_level, topics, ..Default::default() };
    client.ask_in(8, request).await.topics[0].partitions[0].offset
}

async fn stage() -> (Target, Client, String, String) {
    let target = Target::start().await;
    let mut client = target.client().await;
    let topic = client.create_topic(1, &[]).await;
    (target, client, topic, fresh("transactional"))
}

/// Other brokers answer EndTxn before the markers are there.
async fn until_stable(client: &mut Client, topic: &str) {
    while end_offset(client, topic, 0).await != end_offset(client, topic, 1).await {}
}

#[tokio::test]
async fn readers_of_committed_records_see_what_was_committed_and_nothing_else() {
    let (_target, mut client, topic, id) = stage().await;
    let mut producer = Producer::begin(&mut client, &id).await;
    assert_eq!(producer.produce(&mut client, 12, &topic, &["a", "b"]).await, (ErrorCode::None, 0));
    assert_eq!(client.produce(&topic, batch(1)).await.base_offset, 2);
    assert_eq!(end_offset(&mut client, &topic, 0).await, 3);
    assert_eq!(end_offset(&mut client, &topic, 1).await, 0, "the last stable offset");
    assert!(read_committed(&mut client, &topic).await.is_empty());
    producer.finish(&mut client, true).await;
    until_stable(&mut client, &topic).await;
    assert_eq!(read_committed(&mut client, &topic).await, ["a", "b", "0"]);
    assert_eq!(end_offset(&mut client, &topic, 1).await, 4, "a marker takes an offset");

    assert_eq!(producer.produce(&mut client, 12, &topic, &["c"]).await, (ErrorCode::None, 4));
    producer.finish(&mut client, false).await;
    until_stable(&mut client, &topic).await;
    assert_eq!(producer.produce(&mut client, 12, &topic, &["d"]).await.0, ErrorCode::None);
    producer.finish(&mut client, true).await;
    until_stable(&mut client, &topic).await;
    assert_eq!(read_committed(&mut client, &topic).await, ["a", "b", "0", "d"]);
    // Everybody else sees all of it.
    let all = client.fetch(&topic, 0).await;
    assert_eq!(records::decode(&all.records.unwrap()).count(), 5);
}

#[tokio::test]
async fn an_open_transaction_holds_back_what_others_commit_after_it() {
    let (_target, mut client, topic, _) = stage().await;
    let mut first = Producer::begin(&mut client, &fresh("first")).await;
    let mut second = Producer::begin(&mut client, &fresh("second")).await;
    assert_eq!(first.produce(&mut client, 12, &topic, &["1"]).await.1, 0);
    assert_eq!(second.produce(&mut client, 12, &topic, &["2"]).await.1, 1);
    second.finish(&mut client, true).await;
    assert_eq!(end_offset(&mut client, &topic, 1).await, 0);
    first.finish(&mut client, false).await;
    until_stable(&mut client, &topic).await;
    assert_eq!(read_committed(&mut client, &topic).await, ["2"]);
}

#[tokio::test]
async fn the_older_protocol_names_its_partitions_first() {
    let (_target, mut client, topic, id) = stage().await;
    let mut producer = Producer::begin(&mut client, &id).await;
    let refused = producer.clone().produce(&mut client, 9, &topic, &["x"]).await.0;
    assert_eq!(refused, ErrorCode::InvalidTxnState);
    let unknown = producer.add(&mut client, &fresh("unknown"), 0).await;
    assert_eq!(unknown, ErrorCode::UnknownTopicOrPartition);
    for (value, commits) in [("a", true), ("b", false), ("c", true)] {
        assert_eq!(producer.add(&mut client, &topic, 0).await, ErrorCode::None);
        let stored = producer.produce(&mut client, 9, &topic, &[value]).await;
        assert_eq!(stored.0, ErrorCode::None);
        assert_eq!(producer.end(&mut client, 3, commits).await.error_code, ErrorCode::None);
        until_stable(&mut client, &topic).await;
        // The same again is the same; the opposite is not.
        let mut again = producer.end(&mut client, 3, commits).await.error_code;
        while again == ErrorCode::ConcurrentTransactions {
            again = producer.end(&mut client, 3, commits).await.error_code;
        }
        assert_eq!(again, ErrorCode::None);
        let opposite = producer.end(&mut client, 3, !commits).await.error_code;
        assert_eq!(opposite, ErrorCode::InvalidTxnState);
    }
    assert_eq!(read_committed(&mut client, &topic).await, ["a", "c"]);
}

#[tokio::test]
async fn who_begins_again_fences_who_was_before() {
    let (_target, mut client, topic, id) = stage().await;
    let mut old = Producer::begin(&mut client, &id).await;
    assert_eq!(old.produce(&mut client, 12, &topic, &["old"]).await.0, ErrorCode::None);
    let mut new = Producer::begin(&mut client, &id).await;
    assert_eq!(new.producer_id, old.producer_id);
    assert!(new.epoch > old.epoch);
    until_stable(&mut client, &topic).await;
    assert!(read_committed(&mut client, &topic).await.is_empty(), "what was open is aborted");
    let late = old.produce(&mut client, 12, &topic, &["late"]).await.0;
    assert_eq!(late, ErrorCode::InvalidProducerEpoch);
    let late = old.end(&mut client, 5, true).await.error_code;
    assert_eq!(late, ErrorCode::ProducerFenced);
    assert_eq!(old.end(&mut client, 1, true).await.error_code, ErrorCode::InvalidProducerEpoch);
    assert_eq!(new.produce(&mut client, 12, &topic, &["new"]).await.0, ErrorCode::None);
    new.finish(&mut client, true).await;
    until_stable(&mut client, &topic).await;
    assert_eq!(read_committed(&mut client, &topic).await, ["new"]);
}

#[tokio::test]
async fn a_late_end_never_touches_the_next_transaction() {
    let (_target, mut client, topic, id) = stage().await;
    let mut producer = Producer::begin(&mut client, &id).await;
    assert_eq!(producer.produce(&mut client, 12, &topic, &["1"]).await.0, ErrorCode::None);
    let first = producer.clone();
    producer.finish(&mut client, true).await;
    until_stable(&mut client, &topic).await;
    // Repeated at once, it is answered as before.
    let mut again = first.end(&mut client, 5, true).await;
    while again.error_code == ErrorCode::ConcurrentTransactions {
        again = first.end(&mut client, 5, true).await;
    }
    assert_eq!((again.error_code, again.producer_epoch), (ErrorCode::None, producer.epoch));
    assert_eq!(producer.produce(&mut client, 12, &topic, &["2"]).await.0, ErrorCode::None);
    // Now it is too late.
    let late = first.end(&mut client, 5, true).await;
    assert_eq!(late.error_code, ErrorCode::ProducerFenced);
    producer.finish(&mut client, false).await;
    until_stable(&mut client, &topic).await;
    assert_eq!(read_committed(&mut client, &topic).await, ["1"]);
}

#[tokio::test]
async fn a_transaction_that_takes_too_long_is_aborted_and_its_client_fenced() {
    let (_target, mut client, topic, id) = stage().await;
    for timeout_ms in [0, 15 * 60_000 + 1] {
        let refused = init(&mut client, &id, timeout_ms).await;
        assert_eq!(refused.error_code, ErrorCode::InvalidTransactionTimeout);
    }
    let begun = init(&mut client, &id, 100).await;
    let (producer_id, epoch) = (begun.producer_id, begun.producer_epoch);
    let sequences = HashMap::new();
    let mut producer = Producer { id, producer_id, epoch, sequences, time_ms: None };
    assert_eq!(producer.produce(&mut client, 12, &topic, &["slow"]).await.0, ErrorCode::None);
    until_stable(&mut client, &topic).await;
    assert!(read_committed(&mut client, &topic).await.is_empty());
    let late = producer.end(&mut client, 5, true).await.error_code;
    assert_eq!(late, ErrorCode::InvalidTxnState);
    let late = producer.produce(&mut client, 12, &topic, &["late"]).await.0;
    assert_eq!(late, ErrorCode::InvalidProducerEpoch);
}

#[tokio::test]
async fn offsets_count_with_their_transaction() {
    let (_target, mut client, topic, id) = stage().await;
    let group = fresh("group");
    let find = FindCoordinatorRequest { key: group.clone(), ..Default::default() };
    while !client.ask_in(2, find.clone()).await.error_code.is_none() {}
    let mut producer = Producer::begin(&mut client, &id).await;
    let request = |producer: &Producer, offset| offset_request(producer, &group, &topic, offset);
    for (offset, commits, version, expected) in
        [(5, true, 5, 5), (7, false, 5, 5), (9, true, 3, 9), (11, false, 3, 9)]
    {
        if version < 5 {
            let add = AddOffsetsToTxnRequest {
                transactional_id: producer.id.clone(),
                producer_id: producer.producer_id,
                producer_epoch: producer.epoch,
                group_id: group.clone(),
            };
            let mut added = client.ask_in(3, add.clone()).await.error_code;
            while added == ErrorCode::ConcurrentTransactions {
                added = client.ask_in(3, add.clone()).await.error_code;
            }
            assert_eq!(added, ErrorCode::None);
        }
        let mut kept = client.ask_in(version, request(&producer, offset)).await;
        // Elsewhere markers come after the answer, and the groups' topic is being loaded.
        let passes = [
            ErrorCode::ConcurrentTransactions,
            ErrorCode::CoordinatorLoadInProgress,
            ErrorCode::NotCoordinator,
        ];
        while passes.contains(&kept.topics[0].partitions[0].error_code) {
            kept = client.ask_in(version, request(&producer, offset)).await;
        }
        assert_eq!(kept.topics[0].partitions[0].error_code, ErrorCode::None);
        let unstable = fetch_offset(&mut client, &group, &topic, true).await;
        assert_eq!(unstable, (ErrorCode::UnstableOffsetCommit, -1));
        producer.finish(&mut client, commits).await;
        let mut found = fetch_offset(&mut client, &group, &topic, true).await;
        while found.0 == ErrorCode::UnstableOffsetCommit {
            found = fetch_offset(&mut client, &group, &topic, true).await;
        }
        assert_eq!(found, (ErrorCode::None, expected));
        assert_eq!(fetch_offset(&mut client, &group, &topic, false).await.1, expected);
    }
}

/// Commits an offset of partition 0 within the transaction.
pub(crate) fn offset_request(
    producer: &Producer,
    group: &str,
    topic: &str,
    committed_offset: i64,
) -> TxnOffsetCommitRequest {
    TxnOffsetCommitRequest {
        transactional_id: producer.id.clone(),
        group_id: group.to_owned(),
        producer_id: producer.producer_id,
        producer_epoch: producer.epoch,
        topics: vec![TxnOffsetCommitRequestTopic {
            name: topic.to_owned(),
            partitions: vec![TxnOffsetCommitRequestPartition {
                partition_index: 0,
                committed_offset,
                committed_metadata: Some("note".to_owned()),
                ..Default::default()
            }],
        }],
        ..Default::default()
    }
}

pub(crate) async fn fetch_offset(
    client: &mut Client,
    group: &str,
    topic: &str,
    require_stable: bool,
) -> (ErrorCode, i64) {
    let asked = offset_fetch::OffsetFetchRequestTopic {
        name: topic.to_owned(),
        partition_indexes: vec![0],
    };
    let request = OffsetFetchRequest {
        group_id: group.to_owned(),
        topics: Some(vec![asked]),
        require_stable,
        ..Default::default()
    };
    let response = client.ask_in(7, request).await;
    let found = &response.topics[0].partitions[0];
    (found.error_code, found.committed_offset)
}

#[tokio::test]
async fn transactions_can_be_looked_at() {
    let (_target, mut client, topic, id) = stage().await;
    let mut producer = Producer::begin(&mut client, &id).await;
    assert_eq!(producer.produce(&mut client, 12, &topic, &["1"]).await.0, ErrorCode::None);
    let request =
        DescribeTransactionsRequest { transactional_ids: vec![id.clone(), fresh("unknown")] };
    let states = client.ask(request).await.transaction_states;
    let open = states.iter().find(|state| state.transactional_id == id).unwrap();
    assert_eq!(open.transaction_state, "Ongoing");
    assert_eq!((open.producer_id, open.producer_epoch), (producer.producer_id, producer.epoch));
    assert_eq!((open.transaction_timeout_ms, open.topics[0].topic.as_str()), (60_000, &topic[..]));
    let unknown = states.iter().find(|state| state.transactional_id != id).unwrap();
    assert_eq!(unknown.error_code, ErrorCode::TransactionalIdNotFound);

    let listed = |state: &str| ListTransactionsRequest {
        state_filters: vec![state.to_owned()],
        producer_id_filters: vec![producer.producer_id],
        ..Default::default()
    };
    let found = client.ask(listed("Ongoing")).await.transaction_states;
    assert_eq!(found.len(), 1);
    assert!(client.ask(listed("Empty")).await.transaction_states.is_empty());
    let odd = client.ask(listed("Odd")).await;
    assert_eq!(odd.unknown_state_filters, ["Odd"]);

    let asked =
        describe_producers::TopicRequest { name: topic.clone(), partition_indexes: vec![0] };
    let request = DescribeProducersRequest { topics: vec![asked] };
    let producers = client.ask(request).await.topics[0].partitions[0].active_producers.clone();
    assert_eq!(producers.len(), 1);
    assert_eq!(producers[0].producer_id, producer.producer_id);
    assert_eq!((producers[0].last_sequence, producers[0].current_txn_start_offset), (0, 0));
}
