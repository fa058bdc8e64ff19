//! Opens a partition directory, such as one that Kafka wrote, and appends its batches one by one to a
//! new log: `cargo run -p tidemill-log --example copy_log FROM TO SEGMENT_BYTES`. With the settings
//! that Kafka had, the segments and indexes in TO are byte for byte those in FROM.
//!
//! Opening recovers FROM: give it a copy.

#![expect(clippy::unwrap_used, reason = "an example may end with a panic")]

use std::path::PathBuf;

use tidemill_log::{BatchHeader, Flusher, Log, LogConfig, TimestampMatch};
use tidemill_runtime::World;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().expect("usage: copy_log FROM TO SEGMENT_BYTES");
    let (from, to) = (PathBuf::from(argument()), PathBuf::from(argument()));
    let config = LogConfig {
        segment_bytes: argument().parse().expect("a number of bytes"),
        retention_ms: None,
        ..LogConfig::default()
    };
    let world = World::real();
    let flusher = Flusher::start(&world).unwrap();
    let (source, recovery) = Log::open(&from, config.clone(), &world, &flusher).unwrap();
    println!("{recovery:?}");
    let (copy, _) = Log::open(&to, config, &world, &flusher).unwrap();

    let mut offset = source.start_offset();
    while offset < source.high_watermark() {
        let mut bytes = source.read(offset, 1, true).unwrap().bytes().unwrap().to_vec();
        let header = BatchHeader::check(&bytes).unwrap();
        copy.append(&mut bytes, header.partition_leader_epoch).unwrap();
        offset = header.next_offset();
    }
    copy.close().unwrap();
    println!("offsets {} to {}", copy.start_offset(), copy.end_offset());
    for log in [&source, &copy] {
        match log.max_timestamp().unwrap() {
            Some((newest, TimestampMatch::Record { offset, .. })) => {
                println!("{newest} at {offset}")
            }
            other => println!("{other:?}"),
        }
    }
}
