//! The whole line: what goes in at one end comes out at the other.

use serde_json::json;
use tidemill_kafka_client::{ProducerConfig, ProducerRecord};
use uuid::Uuid;

use crate::node::{Project, eventually, ids_in, read_all, user};

const TOPIC: &str = "users_created";
const TABLE: &str = "spark_streams.created_users";

fn record(value: impl Into<bytes::Bytes>) -> ProducerRecord {
    ProducerRecord { topic: TOPIC.into(), value: Some(value.into()), ..Default::default() }
}

/// The DAG polls, the topic holds, the pipeline writes, the table is read; SIGTERM ends it cleanly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_moves_records_through_every_box() {
    let project = Project::users();
    let dir = project.path().join("demo");
    let lines = project
        .json(&["demo", "--dir", dir.to_str().unwrap(), "--for", "2s", "--rate", "50"])
        .await;
    assert_eq!(lines[0]["ready"], true, "{lines:?}");
    let result = &lines.last().unwrap()["result"];
    let hops = result["hops"].as_array().unwrap();
    let records = hops[0]["records"].as_u64().unwrap();
    assert!(records > 20, "{result}");
    assert_eq!(hops[0]["name"], TOPIC);
    assert_eq!(hops[1], json!({"name": TABLE, "rows": records, "distinct": records}));
    assert_eq!(result["rejected"], 0);
    assert!(result["latency_ms"]["p99"].as_f64().unwrap() > 0.0, "{result}");
}

/// Bad records go to the dead letters with their reason, and their neighbours arrive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_record_goes_to_the_dead_letters_and_the_line_goes_on() {
    let project = Project::users();
    let node = project.up().await;
    let producer = node.kafka().producer(ProducerConfig::default());
    let good: Vec<Uuid> = (0..3).map(|_| Uuid::from_u128(rand_u128())).collect();
    let bad: [&[u8]; 4] =
        [b"not json", b"\xff\xfe", br#"{"first_name":"no id"}"#, br#"{"id":"no uuid"}"#];
    producer.send(record(user(good[0], 1).to_string())).await.unwrap();
    for value in bad {
        producer.send(record(value)).await.unwrap();
    }
    // The original API gives a postcode now as a number, now as a string.
    let mut person = user(good[1], 2);
    person["post_code"] = json!("SW1A 1AA");
    producer.send(record(person.to_string())).await.unwrap();
    producer.send(record(user(good[2], 3).to_string())).await.unwrap();

    let session = node.cql().await;
    let rows = eventually("three good rows", async || {
        let exists = session.query_unpaged(format!("SELECT id FROM {TABLE} LIMIT 1"), ()).await;
        let rows = if exists.is_ok() { ids_in(&session, TABLE).await } else { Vec::new() };
        (rows.len() == 3).then_some(rows)
    })
    .await;
    assert!(good.iter().all(|id| rows.contains(id)));
    let letters = eventually("four dead letters", async || {
        let letters = read_all(&node.kafka(), "users_created.dlq").await;
        (letters.len() == bad.len()).then_some(letters)
    })
    .await;
    for (letter, original) in letters.iter().zip(bad) {
        assert_eq!(letter.value.as_deref(), Some(original));
        let header = |name: &str| {
            let found = letter.headers.iter().find(|header| header.key == name);
            String::from_utf8(
                found.unwrap_or_else(|| panic!("{name}")).value.clone().unwrap().to_vec(),
            )
        };
        assert_eq!(header("__connect.errors.topic").unwrap(), TOPIC);
        assert!(!header("__connect.errors.exception.message").unwrap().is_empty());
        assert!(header("__connect.errors.offset").unwrap().parse::<i64>().is_ok());
    }
    assert_eq!(node.terminate().await, Some(0));
}

/// A run that should move records and moved none has failed, and says why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_moves_nothing_fails_and_says_why() {
    let project = Project::users();
    let node = project.up().await;
    let conf = r#"{"url":"http://127.0.0.1:9/api/","duration":"300ms","rate":"20/s"}"#;
    let output =
        project.run(&["dag", "trigger", "user_automation", "--wait", "--conf", conf]).await;
    // The default retries are part of the run; each try says the same.
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("failed") && said.contains("127.0.0.1:9"), "{said}");
    assert_eq!(node.terminate().await, Some(0));
}

fn rand_u128() -> u128 {
    use tidemill_runtime::{Random, SystemRandom};
    let random = SystemRandom::new();
    (u128::from(random.u64()) << 64) | u128::from(random.u64())
}
