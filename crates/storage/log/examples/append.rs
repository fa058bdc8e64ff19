//! How fast a log takes records, on the disk under a directory:
//! `cargo run --release -p tidemill-log --example append [DIR]`.
//!
//! Appends from one thread through the page cache, reads it back, then group commit with 64 producers
//! that each wait for their own record to be synced.

#![expect(clippy::unwrap_used, reason = "an example may end with a panic")]

#[path = "../tests/it/batches.rs"]
#[allow(dead_code, reason = "shared with the tests, which use all of it")]
mod batches;

use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use batches::Batch;
use tidemill_log::{Durability, Flusher, Log, LogConfig};
use tidemill_runtime::World;

const PRODUCERS: usize = 64;

fn main() {
    let given = std::env::args().nth(1).map(PathBuf::from);
    let temporary = tempfile::tempdir().unwrap();
    let dir = given.unwrap_or_else(|| temporary.path().to_owned());
    let world = World::real();
    let flusher = Flusher::start(&world).unwrap();

    println!("one thread, page cache:");
    for (value_bytes, batch_bytes) in
        [(100, 16 << 10), (100, 128 << 10), (1024, 16 << 10), (1024, 128 << 10)]
    {
        let name = format!("pc-{value_bytes}-{batch_bytes}");
        append_and_read(&world, &flusher, &dir.join(name), value_bytes, batch_bytes);
    }
    println!("{PRODUCERS} producers, each waits for the sync of its own batch of one record:");
    for (value_bytes, logs) in [(100, 1), (1024, 1), (1024, 16), (1024, 64)] {
        let name = format!("fsync-{value_bytes}-{logs}");
        group_commit(&world, &flusher, &dir.join(name), value_bytes, logs);
    }
}

fn append_and_read(
    world: &World,
    flusher: &Flusher,
    dir: &Path,
    value_bytes: usize,
    batch_bytes: usize,
) {
    const TOTAL_BYTES: u64 = 1 << 30;
    let config = LogConfig {
        durability: Durability::PageCache,
        segment_bytes: 256 << 20,
        ..LogConfig::default()
    };
    let log = Log::open(dir, config, world, flusher).unwrap().0;
    let records = batch_bytes / (value_bytes + 8);
    let now = world.clock.now_ms();
    let mut bytes = Batch::of(vec![(now, vec![b'v'; value_bytes]); records]).encode();

    let (cpu, start) = (cpu_seconds(), world.clock.monotonic());
    while log.size_bytes() < TOTAL_BYTES {
        log.append(&mut bytes, 0).unwrap();
    }
    let (cpu, time) = (cpu_seconds() - cpu, (world.clock.monotonic() - start).as_secs_f64());
    let gigabytes = log.size_bytes() as f64 / 1e9;
    let per_second = log.end_offset() as f64 / time;
    print!(
        "  {value_bytes:>5} B records, {:>3} KiB batches: append {per_second:>11.0} records/s, \
            {:.2} GB/s, {:.2} CPU-s/GB",
        batch_bytes >> 10,
        gigabytes / time,
        cpu / gigabytes
    );

    let (cpu, start, mut offset) = (cpu_seconds(), world.clock.monotonic(), 0);
    while offset < log.high_watermark() {
        let read = log.read(offset, 1 << 20, true).unwrap().bytes().unwrap();
        for batch in Headers(&read) {
            offset = batch;
        }
    }
    let (cpu, time) = (cpu_seconds() - cpu, (world.clock.monotonic() - start).as_secs_f64());
    println!("; read {:.2} GB/s, {:.2} CPU-s/GB", gigabytes / time, cpu / gigabytes);
    log.close().unwrap();
}

/// The offset after each batch.
struct Headers<'a>(&'a [u8]);

impl Iterator for Headers<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        let header = tidemill_log::BatchHeader::parse(self.0).ok()?;
        self.0 = &self.0[header.size_bytes()..];
        Some(header.next_offset())
    }
}

fn group_commit(world: &World, flusher: &Flusher, dir: &Path, value_bytes: usize, logs: usize) {
    const TIME: Duration = Duration::from_secs(4);
    let open =
        |n| Log::open(&dir.join(format!("t-{n}")), LogConfig::default(), world, flusher).unwrap().0;
    let logs: Vec<Log> = (0..logs).map(open).collect();
    let end = world.clock.monotonic() + TIME;
    let mut waits: Vec<Duration> = std::thread::scope(|scope| {
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|n| {
                let log = &logs[n % logs.len()];
                scope.spawn(move || produce(world, log, value_bytes, end))
            })
            .collect();
        producers.into_iter().flat_map(|producer| producer.join().unwrap()).collect()
    });
    waits.sort_unstable();
    let at = |part: f64| waits[(waits.len() as f64 * part) as usize].as_secs_f64() * 1e3;
    println!(
        "  {value_bytes:>5} B records, {:>2} logs: {:>7.0} records/s, wait p50 {:.2} ms, p99 {:.2} ms",
        logs.len(),
        waits.len() as f64 / TIME.as_secs_f64(),
        at(0.5),
        at(0.99)
    );
    logs.iter().for_each(|log| log.close().unwrap());
}

fn produce(world: &World, log: &Log, value_bytes: usize, end: Duration) -> Vec<Duration> {
    let mut bytes = Batch::sized(world.clock.now_ms(), value_bytes).encode();
    let mut waits = Vec::new();
    while world.clock.monotonic() < end {
        let start = world.clock.monotonic();
        let last = log.append(&mut bytes, 0).unwrap().last_offset;
        let (tell, told) = sync_channel(1);
        log.when_durable(last, Box::new(move |fate| tell.send(fate).unwrap()));
        told.recv().unwrap().unwrap();
        waits.push(world.clock.monotonic() - start);
    }
    waits
}

/// User and system time of this process so far.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |n: usize| after_name.split_whitespace().nth(n).and_then(|t| t.parse::<f64>().ok());
    const TICKS_PER_SECOND: f64 = 100.0;
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / TICKS_PER_SECOND
}
