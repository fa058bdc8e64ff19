//! Compacted topics over the wire.

use std::collections::BTreeMap;

use tidemill_broker::Config;
use tidemill_kafka_wire::ErrorCode;
use tidemill_kafka_wire::messages::FetchRequest;
use tidemill_kafka_wire::records::{self, BatchBuilder, Compression, Record};
use tidemill_runtime::Span;

use crate::harness::{Client, Target, fetch_request, now_ms};

fn eager() -> Config {
    Config { log_cleaner_backoff: Span::ms(20), ..Config::default() }
}

/// All records, batch by batch: some batches of a compacted topic have none.
async fn all(client: &mut Client, topic: &str) -> Vec<Record> {
    let (mut found, mut next) = (Vec::new(), 0);
    loop {
        let data = client.fetch(topic, next).await;
        assert_eq!(data.error_code, ErrorCode::None);
        let bytes = data.records.unwrap();
        found.extend(records::decode(&bytes).map(Result::unwrap).filter(|r| r.offset >= next));
        let ends = records::batches(&bytes).map(|batch| batch.unwrap().header.last_offset() + 1);
        match ends.last() {
            Some(end) => next = end,
            None => return found,
        }
    }
}

/// Lets some time pass: nothing more is written to the topic.
async fn wait(client: &mut Client, topic: &str, end: i64) {
    let request = FetchRequest { max_wait_ms: 100, min_bytes: 1, ..fetch_request(topic, end) };
    client.ask_in(12, request).await;
}

fn newest(sent: &[(i64, String, Option<String>)]) -> BTreeMap<String, (i64, Option<String>)> {
    sent.iter().map(|(offset, key, value)| (key.clone(), (*offset, value.clone()))).collect()
}

fn seen(records: &[Record]) -> Vec<(i64, String, Option<String>)> {
    let text = |bytes: &bytes::Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    let each = |r: &Record| (r.offset, text(r.key.as_ref().unwrap()), r.value.as_ref().map(text));
    records.iter().map(each).collect()
}

#[tokio::test]
async fn of_each_key_only_the_newest_record_stays_in_every_codec() {
    let target = Target::start_with(eager()).await;
    let mut client = target.client().await;
    let topic = client
        .create_topic(
            1,
            &[
                ("cleanup.policy", "compact"),
                ("segment.ms", "500"),
                ("min.cleanable.dirty.ratio", "0.01"),
            ],
        )
        .await;
    let (mut sent, begin) = (Vec::new(), now_ms() - 60_000);
    for (round, codec) in (0..20_i64).zip(Compression::ALL.into_iter().cycle()) {
        let mut batch = BatchBuilder::new(codec);
        for (key, value) in [
            ("common".to_owned(), Some(format!("{round}"))),
            (format!("key-{}", round % 4), Some("x".repeat(200))),
            (format!("gone-{}", round % 3), (round < 10).then(|| "y".to_owned())),
        ] {
            let time = begin + round * 1000;
            batch.push(time, Some(key.as_bytes()), value.as_deref().map(str::as_bytes), &[]);
            sent.push((sent.len() as i64, key, value));
        }
        let stored = client.produce(&topic, batch.build()).await;
        assert_eq!((stored.error_code, stored.base_offset), (ErrorCode::None, round * 3));
    }
    // The last batch is in the segment that is written to, and replaces nothing.
    let (closed, open) = sent.split_at(57);
    let mut expected: Vec<_> = newest(closed)
        .into_iter()
        .map(|(key, (offset, value))| (offset, key, value))
        .chain(open.iter().cloned())
        .collect();
    expected.sort();
    let mut found = seen(&all(&mut client, &topic).await);
    while found.len() > expected.len() {
        wait(&mut client, &topic, 60).await;
        found = seen(&all(&mut client, &topic).await);
    }
    assert_eq!(found, expected);
    let times: Vec<i64> = all(&mut client, &topic).await.iter().map(|r| r.timestamp).collect();
    let expected: Vec<i64> = expected.iter().map(|(o, ..)| begin + o / 3 * 1000).collect();
    assert_eq!(times, expected, "what stays keeps its time");
}

#[tokio::test]
async fn what_was_compacted_is_compacted_after_a_restart_and_goes_on() {
    let target = Target::own(eager()).await;
    let mut client = target.client().await;
    let settings = [
        ("cleanup.policy", "compact"),
        ("segment.ms", "500"),
        ("min.cleanable.dirty.ratio", "0.01"),
        ("delete.retention.ms", "0"),
    ];
    let topic = client.create_topic(1, &settings).await;
    let mut produced = 0;
    let mut target = target;
    for _ in 0..3 {
        for n in 0..10_i64 {
            let mut batch = BatchBuilder::new(Compression::None);
            let value = (n < 8).then_some("value");
            let key = format!("key-{}", n % 2);
            let time = now_ms() - 100_000 + produced * 1000;
            batch.push(time, Some(key.as_bytes()), value.map(str::as_bytes), &[]);
            let stored = client.produce(&topic, batch.build()).await;
            assert_eq!((stored.error_code, stored.base_offset), (ErrorCode::None, produced));
            produced += 1;
        }
        // Deletions that everybody has seen are gone too; what is left is being written to.
        while all(&mut client, &topic).await.len() > 3 {
            wait(&mut client, &topic, produced).await;
        }
        let before = seen(&all(&mut client, &topic).await);
        let dir = target.stop().await;
        target = Target::open(eager(), dir).await;
        client = target.client().await;
        let after = seen(&all(&mut client, &topic).await);
        assert!(after.len() <= before.len(), "{before:?} {after:?}");
        assert!(after.iter().all(|record| before.contains(record)));
    }
}
