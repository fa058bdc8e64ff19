//! Writes a log with several segments, so that Kafka's own tool can judge the files:
//! `cargo run -p tidemill-log --example write_log DIR [kill]`, then
//! `kafka-dump-log --deep-iteration --index-sanity-check --files DIR/t-0/*.log,…`.
//!
//! With `kill` the process ends without closing the log, and the second half is appended after the
//! log was recovered.

#![expect(clippy::unwrap_used, reason = "an example may end with a panic")]

#[path = "../tests/it/batches.rs"]
#[allow(dead_code, reason = "shared with the tests, which use all of it")]
mod batches;

use std::path::PathBuf;

use batches::Batch;
use tidemill_log::{Flusher, Log, LogConfig};
use tidemill_runtime::{Random as _, World};
use tidemill_sim::SimRandom;

const BATCHES: u64 = 4000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().expect("usage: write_log DIR [kill]")).join("t-0");
    let kill = arguments.next().is_some_and(|argument| argument == "kill");
    let world = World::real();
    let flusher = Flusher::start(&world).unwrap();
    let config = LogConfig {
        segment_bytes: 1 << 20,
        retention_ms: None,
        checkpoint_bytes: 300_000,
        ..LogConfig::default()
    };
    let random = SimRandom::new(1);
    let open = || Log::open(&dir, config.clone(), &world, &flusher).unwrap();

    let (mut log, _) = open();
    log.write_topic_id(*b"tidemill-log-t-0").unwrap();
    for number in 0..BATCHES {
        let now = 1_767_225_600_000 + number as i64 * 40;
        let record = |_| {
            let late = random.below(100) as i64;
            let mut value = vec![0; random.below(600) as usize];
            random.fill(&mut value);
            (now - late, value)
        };
        let records = (0..1 + random.below(8)).map(record).collect();
        log.append(&mut Batch::of(records).encode(), (number / 1500) as i32).unwrap();
        if kill && number == BATCHES / 2 {
            log.abandon();
            let recovery;
            (log, recovery) = open();
            println!("{recovery:?}");
        }
    }
    log.delete_records_before(100).unwrap();
    log.flush().unwrap();
    if !kill {
        log.close().unwrap();
    }
    println!("offsets {} to {}, {} bytes", log.start_offset(), log.end_offset(), log.size_bytes());
}
