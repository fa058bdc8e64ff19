//! Power cuts: the disk is simulated and loses what was not synced.

use tidemill_broker::{Broker, Config};
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::*;
use tidemill_kafka_wire::records::{self, BatchBuilder, Compression};
use tidemill_runtime::System;
use tidemill_sim::{Fault, SimWorld, seed_or};

use crate::commits::{commit_request, committed};
use crate::harness::{Client, produce_request};
use crate::transactions::{Producer, read_committed};

async fn start(world: &SimWorld) -> Broker {
    let config = Config { listen: "127.0.0.1:0".parse().unwrap(), ..Config::default() };
    Broker::start(config, "/data".into(), world.ports()).await.unwrap()
}

/// One record of the simulated time, with a number as its value.
fn numbered(world: &SimWorld, producer_id: i64, n: i32) -> bytes::Bytes {
    let time = world.ports().clock.now_ms();
    let mut batch = BatchBuilder::new(Compression::None).producer(producer_id, 0, n);
    batch.push(time, None, Some(n.to_string().as_bytes()), &[]);
    batch.build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_takes_nothing_that_was_acknowledged() {
    let first_seed = seed_or(1);
    for seed in first_seed..first_seed + 12 {
        let world = SimWorld::new(seed);
        let broker = start(&world).await;
        let mut client = Client::connect(broker.address()).await;
        let topic = client.create_topic(1, &[]).await;
        let identity = client.ask(InitProducerIdRequest::default()).await;
        let id = identity.producer_id;
        let find = FindCoordinatorRequest { key: "group".into(), ..Default::default() };
        assert_eq!(client.ask_in(2, find).await.error_code, ErrorCode::None);

        // The last three are under way when the power goes.
        let acknowledged = 20 + i32::try_from(seed % 7).unwrap();
        for n in 0..acknowledged {
            let stored = client.produce(&topic, numbered(&world, id, n)).await;
            assert_eq!((stored.error_code, stored.base_offset), (ErrorCode::None, n.into()));
            let commit = commit_request("group", &topic, &[(0, n.into(), Some("note"))]);
            let kept = client.ask_in(9, commit).await;
            assert_eq!(kept.topics[0].partitions[0].error_code, ErrorCode::None);
        }
        for n in acknowledged..acknowledged + 3 {
            let request = produce_request(&topic, Some(numbered(&world, id, n)));
            client.send(12, &request).await;
        }
        let after = world.crash(seed);
        let again = start(&after).await;
        let mut client = Client::connect(again.address()).await;

        let fetched = client.fetch(&topic, 0).await;
        assert_eq!(fetched.error_code, ErrorCode::None, "seed {seed}");
        let bytes = fetched.records.unwrap();
        let values: Vec<String> = records::decode(&bytes)
            .map(|record| String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap())
            .collect();
        let stored = i32::try_from(values.len()).unwrap();
        assert!(stored >= acknowledged, "seed {seed}: {stored} of {acknowledged}");
        assert!(values.iter().zip(0..).all(|(value, n)| *value == n.to_string()), "seed {seed}");
        let found = committed(&mut client, "group", &topic, &[0]).await;
        assert_eq!(found, [((acknowledged - 1).into(), Some("note".to_owned()))], "seed {seed}");

        // What the client repeats is stored once; what comes next fits.
        let repeated = client.produce(&topic, numbered(&after, id, stored - 1)).await;
        assert_eq!(repeated.base_offset, i64::from(stored) - 1, "seed {seed}");
        let next = client.produce(&topic, numbered(&after, id, stored)).await;
        assert_eq!((next.error_code, next.base_offset), (ErrorCode::None, stored.into()));
        let identity = client.ask(InitProducerIdRequest::default()).await;
        assert!(identity.producer_id > id, "seed {seed}: an id is given out once");
        for broker in [broker, again] {
            broker.drain(std::time::Duration::from_secs(10)).await;
        }
    }
}

/// After a failed sync the disk vouches for nothing: neither that request nor a later one is
/// acknowledged, and other partitions go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_fails_its_partition_and_no_other() {
    let world = SimWorld::new(seed_or(1));
    let broker = start(&world).await;
    let mut client = Client::connect(broker.address()).await;
    let (bad, good) = (client.create_topic(1, &[]).await, client.create_topic(1, &[]).await);
    let batch = |n| numbered(&world, -1, n);
    assert_eq!(client.produce(&bad, batch(-1)).await.error_code, ErrorCode::None);
    let calls = world.disk.calls();
    world.disk.fail_calls(calls..u64::MAX, Fault::Io);
    let refused = client.produce(&bad, batch(-1)).await;
    assert_eq!(refused.error_code, ErrorCode::KafkaStorageError);
    world.disk.clear_faults();
    for _ in 0..3 {
        let refused = client.produce(&bad, batch(-1)).await;
        assert_eq!(refused.error_code, ErrorCode::KafkaStorageError);
        assert_eq!(client.produce(&good, batch(-1)).await.error_code, ErrorCode::None);
    }
    assert_eq!(client.fetch(&bad, 0).await.high_watermark, 1);
    broker.drain(std::time::Duration::from_secs(10)).await;
}

/// Whatever the moment: what was committed is there in all its partitions, what was aborted is not,
/// and what was being committed is there whole or not at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_tears_no_transaction() {
    let first_seed = seed_or(1);
    for seed in first_seed..first_seed + 12 {
        let world = SimWorld::new(seed);
        let broker = start(&world).await;
        let mut client = Client::connect(broker.address()).await;
        let topics = [client.create_topic(1, &[]).await, client.create_topic(1, &[]).await];
        let mut producer = Producer::begin(&mut client, "t").await;
        producer.time_ms = Some(world.ports().clock.now_ms());
        let rounds = 3 + seed % 5;
        let (mut expected, mut last) = (Vec::new(), String::new());
        for round in 0..=rounds {
            last = format!("{round}");
            for topic in &topics {
                let stored = producer.produce(&mut client, 12, topic, &[&last]).await;
                assert_eq!(stored.0, ErrorCode::None);
            }
            let commits = round % 3 != 1;
            if round < rounds {
                producer.finish(&mut client, commits).await;
                expected.extend(commits.then(|| last.clone()));
            }
        }
        // The last one is being committed when the power goes.
        let request = EndTxnRequest {
            transactional_id: producer.id.clone(),
            producer_id: producer.producer_id,
            producer_epoch: producer.epoch,
            committed: true,
        };
        client.send(5, &request).await;
        if seed % 3 > 0 {
            for _ in 0..seed % 7 {
                tokio::task::yield_now().await;
            }
        }
        let after = world.crash(seed);
        let again = start(&after).await;
        let mut client = Client::connect(again.address()).await;

        // The client asks again: the answer it missed, or the commit itself.
        let mut ended = client.ask_in(5, request.clone()).await;
        while ended.error_code == ErrorCode::ConcurrentTransactions {
            ended = client.ask_in(5, request.clone()).await;
        }
        assert_eq!(ended.error_code, ErrorCode::None, "seed {seed}");
        expected.push(last);
        for topic in &topics {
            assert_eq!(read_committed(&mut client, topic).await, expected, "seed {seed}");
        }
        let (id, epoch) = (ended.producer_id, ended.producer_epoch);
        assert_eq!((id, epoch), (producer.producer_id, producer.epoch + 1), "seed {seed}");
        for broker in [broker, again] {
            broker.drain(std::time::Duration::from_secs(10)).await;
        }
    }
}
