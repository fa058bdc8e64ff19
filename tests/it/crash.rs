//! The node is killed in the middle of its work, again and again: nothing that was acknowledged is
//! missing, and nothing is there twice.

use std::collections::HashSet;
use std::time::Duration;

use tidemill_kafka_client::{ProducerConfig, ProducerRecord};
use tidemill_runtime::{Random, SystemRandom};
use tokio::time::Instant;
use uuid::Uuid;

use crate::node::{Project, distinct, eventually, ids_in, read_all, user};

const TOPIC: &str = "users_created";
const TABLE: &str = "spark_streams.created_users";
const KILLS: usize = 25;
/// Sends that are under way at once.
const AT_ONCE: usize = 8;

/// Kills in a loop under load: every id that was acknowledged is in the topic, the rows of the
/// table are the distinct ids of the topic.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_loses_nothing_that_was_acknowledged() {
    let project = Project::users();
    let random = SystemRandom::new();
    let mut acknowledged: HashSet<Uuid> = HashSet::new();
    let mut restarts: Vec<Duration> = Vec::new();
    for kill in 0..KILLS {
        let begun = Instant::now();
        let node = project.up().await;
        // The first one made the files; every other one found what a kill had left.
        restarts.extend((kill > 0).then(|| begun.elapsed()));
        let producer = node.kafka().producer(ProducerConfig::default());
        // Between a moment after the first records and the middle of a checkpoint.
        let lives = Duration::from_millis(60 + random.below(500));
        let written: parking_lot::Mutex<Vec<Uuid>> = parking_lot::Mutex::default();
        let one = async |n: usize| {
            loop {
                let id = random.uuid();
                let record = ProducerRecord {
                    topic: TOPIC.into(),
                    value: Some(user(id, n).to_string().into()),
                    ..Default::default()
                };
                if producer.send(record).await.is_err() {
                    return;
                }
                written.lock().push(id);
            }
        };
        let load = futures::future::join_all((0..AT_ONCE).map(one));
        drop(tokio::time::timeout(lives, load).await);
        node.kill().await;
        acknowledged.extend(written.into_inner());
        println!("kill {kill} after {lives:?}: {} acknowledged", acknowledged.len());
    }
    assert!(acknowledged.len() > KILLS, "the load moved nothing");
    restarts.sort_unstable();
    let (median, longest) = (restarts[restarts.len() / 2], restarts[restarts.len() - 1]);
    println!("ready again after a kill: median {median:?}, longest {longest:?}");

    let node = project.up().await;
    let kafka = node.kafka();
    let produced: Vec<Uuid> = read_all(&kafka, TOPIC)
        .await
        .iter()
        .map(|record| {
            let value: serde_json::Value =
                serde_json::from_slice(record.value.as_deref().unwrap()).unwrap();
            value["id"].as_str().unwrap().parse().unwrap()
        })
        .collect();
    let in_topic = distinct(&produced);
    let lost: Vec<&Uuid> = acknowledged.difference(&in_topic).collect();
    assert!(lost.is_empty(), "{} acknowledged records are missing from the topic", lost.len());
    assert_eq!(in_topic.len(), produced.len(), "an idempotent producer wrote a record twice");

    let session = node.cql().await;
    let rows = eventually("the table has every id of the topic", async || {
        let rows = ids_in(&session, TABLE).await;
        (rows.len() >= in_topic.len()).then_some(rows)
    })
    .await;
    assert_eq!(distinct(&rows), in_topic);
    assert_eq!(rows.len(), in_topic.len());
    assert_eq!(node.terminate().await, Some(0));
}
