//! The broker's process is killed in the middle of transactions, again and again: what was committed
//! is there once and in order, what was aborted is not, and nothing is torn.

use std::cell::Cell;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tidemill_broker::{Broker, Config};
use tidemill_kafka_wire::messages::*;
use tidemill_kafka_wire::{ErrorCode, Request};
use tidemill_runtime::{Random as _, System, SystemRandom, World};
use tokio::sync::{mpsc, watch};

use crate::harness::{Client, Target, produce_request};
use crate::transactions::{Producer, read_committed};

const KILLS: usize = 25;
/// Says to the process that it is to be the broker, and where its files are.
const DIR: &str = "TIDEMILL_TEST_SERVE";

/// The other half of the test below, in a process of its own; by itself it does nothing.
#[test]
fn a_process_serves_until_it_is_killed() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let config = Config { listen: "127.0.0.1:0".parse().unwrap(), ..Config::default() };
        let broker = Broker::start(config, dir.into(), World::real()).await.unwrap();
        println!("serving {}", broker.address());
        std::future::pending::<()>().await;
    });
}

fn serve(dir: &Path) -> (Child, SocketAddr) {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["killed::a_process_serves_until_it_is_killed", "--exact", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(process.stdout.take().unwrap());
    let mut lines = output.lines().map(Result::unwrap);
    let address = lines.find_map(|line| {
        Some(line.split_once("serving ")?.1.split_whitespace().next()?.parse().unwrap())
    });
    (process, address.expect("it serves"))
}

/// A connection that is made anew, and a request that is repeated, as often as need be.
struct Stubborn {
    client: Option<Client>,
    address: watch::Receiver<SocketAddr>,
}

impl Stubborn {
    async fn ask<R: Request + Clone>(
        &mut self,
        version: i16,
        request: &R,
        code: impl Fn(&R::Response) -> ErrorCode,
    ) -> R::Response {
        loop {
            let address = *self.address.borrow_and_update();
            let client = match self.client.take() {
                Some(client) => Some(client),
                None => Client::try_connect(address).await,
            };
            let answer = match client {
                None => None,
                Some(mut client) => {
                    let answer = client.try_ask_in(version, request).await;
                    self.client = answer.is_some().then_some(client);
                    answer
                }
            };
            match answer {
                None => self.address.changed().await.unwrap(),
                Some(answer) if code(&answer) == ErrorCode::ConcurrentTransactions => {}
                Some(answer) => {
                    assert_eq!(code(&answer), ErrorCode::None);
                    return answer;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_tears_no_transaction() {
    if std::env::var_os("TIDEMILL_KAFKA").is_some() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (mut process, address) = serve(&data);
    let mut client = Client::connect(address).await;
    let topics = [client.create_topic(1, &[]).await, client.create_topic(1, &[]).await];
    let mut producer = Producer::begin(&mut client, "t").await;

    let (addresses, address) = watch::channel(address);
    let (progress, mut done) = mpsc::channel(1);
    let (is_over, random) = (Cell::new(false), SystemRandom::new());
    let mut expected = Vec::new();
    let write = async {
        let mut client = Stubborn { client: Some(client), address };
        for n in 0.. {
            let value = n.to_string();
            for topic in &topics {
                let request = ProduceRequest {
                    transactional_id: Some(producer.id.clone()),
                    ..produce_request(topic, Some(producer.batch(topic, &[&value])))
                };
                let code = |r: &ProduceResponse| r.responses[0].partition_responses[0].error_code;
                client.ask(12, &request, code).await;
            }
            let committed = n % 4 != 3;
            let request = EndTxnRequest {
                transactional_id: producer.id.clone(),
                producer_id: producer.producer_id,
                producer_epoch: producer.epoch,
                committed,
            };
            let ended = client.ask(5, &request, |r: &EndTxnResponse| r.error_code).await;
            producer.go_on(ended.producer_epoch);
            expected.extend(committed.then_some(value));
            if is_over.get() {
                return;
            }
            let _ = progress.try_send(());
        }
    };
    let kill = async {
        for _ in 0..KILLS {
            for _ in 0..=random.below(6) {
                done.recv().await.unwrap();
            }
            // Somewhere in the next transaction.
            for _ in 0..random.below(40) {
                tokio::task::yield_now().await;
            }
            process.kill().unwrap();
            process.wait().unwrap();
            let (next, address) = serve(&data);
            process = next;
            addresses.send(address).unwrap();
        }
        is_over.set(true);
    };
    tokio::join!(write, kill);
    process.kill().unwrap();
    process.wait().unwrap();

    let target = Target::open(Config::default(), dir).await;
    let mut client = target.client().await;
    for topic in &topics {
        assert_eq!(read_committed(&mut client, topic).await, expected);
    }
    assert!(expected.len() >= KILLS / 2, "{expected:?}");
}
