//! Of each key only the newest record stays.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use tidemill_log::{
    AbortedTransaction, BatchHeader, Codec, Compacted, Compaction, CompactionRequest,
    CompactionStep, Compression, LastBatch, Log, LogConfig, LogError,
};

use tidemill_runtime::Disk as _;

use crate::batches::{Batch, Read, read};
use crate::world::{Bench, small};

/// These tests compress nothing.
struct Plain;

impl Codec for Plain {
    fn decompress(&self, _compression: Compression, _packed: &Bytes) -> Option<Bytes> {
        None
    }

    fn compress(&self, _compression: Compression, plain: Bytes) -> Bytes {
        plain
    }
}

const HOUR_MS: i64 = 3_600_000;

pub(crate) fn request(log: &Log) -> CompactionRequest {
    CompactionRequest {
        first_dirty: 0,
        below: log.high_watermark(),
        now_ms: 0,
        min_lag_ms: 0,
        delete_retention_ms: HOUR_MS,
        last_batches: HashMap::new(),
        map_bytes_max: 1 << 20,
        codec: Arc::new(Plain),
    }
}

pub(crate) fn finish(mut compaction: Compaction) -> Result<Compacted, LogError> {
    loop {
        if let CompactionStep::Done(done) = compaction.step()? {
            return Ok(done);
        }
    }
}

fn compact(log: &Log, request: CompactionRequest) -> Compacted {
    finish(log.compact(request).unwrap().expect("there is something to do")).unwrap()
}

/// All visible batches.
pub(crate) fn stored(log: &Log) -> Vec<(BatchHeader, Vec<u8>)> {
    let (mut found, mut next) = (Vec::new(), log.start_offset());
    while next < log.high_watermark() {
        let bytes = log.read(next, 700, true).unwrap().bytes().unwrap();
        assert!(!bytes.is_empty(), "nothing at {next}");
        for batch in batches_with_gaps(&bytes) {
            assert!(batch.0.next_offset() > next);
            next = batch.0.next_offset();
            found.push(batch);
        }
    }
    found
}

pub(crate) fn batches_with_gaps(bytes: &[u8]) -> Vec<(BatchHeader, Vec<u8>)> {
    let (mut rest, mut found) = (bytes, Vec::new());
    while !rest.is_empty() {
        let header = BatchHeader::parse(rest).unwrap();
        let (batch, after) = rest.split_at(header.size_bytes());
        assert_eq!(crc32c::crc32c(&batch[21..]), header.crc);
        found.push((header, batch.to_vec()));
        rest = after;
    }
    found
}

/// All visible records.
pub(crate) fn records(log: &Log) -> Vec<Read> {
    stored(log).iter().flat_map(|(header, batch)| read(header, batch)).collect()
}

fn short(log: &Log) -> Vec<(i64, String, Option<String>)> {
    let each = |r: Read| (r.offset, r.key.unwrap_or_default(), r.value);
    records(log).into_iter().map(each).collect()
}

fn found(offset: i64, key: &str, value: &str) -> (i64, String, Option<String>) {
    (offset, key.to_owned(), Some(value.to_owned()).filter(|value| !value.is_empty()))
}

/// Rolls after every batch of some length.
fn tiny() -> LogConfig {
    LogConfig { segment_bytes: 300, compacted: true, ..small() }
}

fn filled(config: &LogConfig, rounds: i64) -> Bench {
    let log = Bench::new(config.clone());
    for round in 0..rounds {
        let value = format!("{round:040}");
        log.put(&Batch::keyed(
            round,
            &[("a", &value), ("b", &value), (&format!("c{round}"), &value)],
        ));
    }
    log
}

#[test]
fn only_the_newest_record_of_each_key_stays_and_keeps_its_offset() {
    let log = filled(&tiny(), 10);
    let (before, segments) = (records(&log), log.files(".log").len());
    let done = compact(&log, request(&log));
    // The last round is in the segment that is written to, which nobody touches.
    assert_eq!((done.first_dirty, log.high_watermark()), (27, 30));
    let newest = |r: &Read| {
        let later = |o: &&Read| o.key == r.key && o.offset > r.offset && o.offset < 27;
        r.offset >= 27 || before.iter().find(later).is_none()
    };
    let expected: Vec<Read> = before.iter().filter(|r| newest(r)).cloned().collect();
    assert_eq!(records(&log), expected);
    assert!(done.bytes_after < done.bytes_before, "{done:?}");
    compact(&log, request(&log));
    assert_eq!(records(&log), expected);
    assert!(log.files(".log").len() < segments, "small ones became one");
    assert_eq!(log.put(&Batch::keyed(99, &[("a", "z")])), 30, "appends go on");
    // Every offset can be asked for, also one that is gone: the next batch is given.
    for offset in 0..30 {
        let first = batches_with_gaps(&log.read(offset, 1, true).unwrap().bytes().unwrap());
        assert!(first[0].0.last_offset() >= offset, "{offset}");
    }
    let expected = records(&log);
    for log in [log.restart(tiny()), filled(&tiny(), 10)] {
        if log.high_watermark() == 31 {
            assert_eq!(records(&log), expected);
            log.close().unwrap();
            let log = log.restart(tiny());
            assert!(log.recovery.clean);
            assert_eq!(records(&log), expected);
        }
    }
}

#[test]
fn compacting_twice_changes_nothing_and_a_second_time_only_what_is_new_is_dirty() {
    let log = filled(&tiny(), 10);
    let done = compact(&log, request(&log));
    let once = records(&log);
    let again = CompactionRequest { first_dirty: done.first_dirty, ..request(&log) };
    assert!(log.compact(again).unwrap().is_none(), "there is nothing dirty");
    let dirty = log.compactable(done.first_dirty, 30, 0, 0).unwrap();
    assert_eq!((dirty.clean_bytes, dirty.dirty_bytes), (done.bytes_after, 0));
    let again = compact(&log, request(&log));
    assert_eq!(records(&log), once);
    assert!(again.bytes_after <= again.bytes_before);
    for round in 10..15 {
        log.put(&Batch::keyed(round, &[("a", "later"), ("pad", &"x".repeat(200))]));
    }
    let request = CompactionRequest { first_dirty: done.first_dirty, ..request(&log) };
    compact(&log, request);
    let kept: Vec<i64> =
        records(&log).iter().filter(|r| r.key.as_deref() == Some("a")).map(|r| r.offset).collect();
    assert_eq!(kept, [36, 38], "the newest that was compacted, and the one being written after");
}

#[test]
fn a_deletion_stays_for_its_time_and_then_goes_with_what_it_deleted() {
    let log = Bench::new(tiny());
    let pad = "x".repeat(200);
    for (number, (key, value)) in
        [("a", "1"), ("b", "1"), ("a", ""), ("c", "1"), ("d", "1")].into_iter().enumerate()
    {
        log.put(&Batch::keyed(number as i64, &[(key, value), ("pad", &pad)]));
    }
    compact(&log, CompactionRequest { now_ms: 1000, ..request(&log) });
    let rest =
        [found(6, "c", "1"), found(7, "pad", &pad), found(8, "d", "1"), found(9, "pad", &pad)];
    let mut expected = vec![found(2, "b", "1"), found(4, "a", "")];
    expected.extend(rest.clone());
    assert_eq!(short(&log), expected);
    let horizon = stored(&log).iter().find_map(|(header, _)| header.delete_horizon_ms());
    assert_eq!(horizon, Some(1000 + HOUR_MS));
    let times: Vec<i64> = records(&log).iter().map(|r| r.timestamp).collect();
    assert_eq!(times, [1, 2, 3, 3, 4, 4], "the horizon changes no record's time");

    let later = |now_ms| CompactionRequest { now_ms, ..request(&log) };
    compact(&log, later(999 + HOUR_MS));
    assert_eq!(short(&log), expected);
    compact(&log, later(1000 + HOUR_MS));
    expected.remove(1);
    assert_eq!(short(&log), expected);
    assert_eq!(log.restart(tiny()).offsets_seen(), [1, 3, 4].len());
}

#[test]
fn young_records_and_those_behind_an_open_transaction_are_not_touched() {
    let log = filled(&tiny(), 10);
    let before = records(&log);
    assert!(log.compact(CompactionRequest { below: 2, ..request(&log) }).unwrap().is_none());
    let young = CompactionRequest { now_ms: 5, min_lag_ms: 10, ..request(&log) };
    assert!(log.compact(young).unwrap().is_none());
    assert_eq!(records(&log), before);
    compact(&log, CompactionRequest { below: 10, ..request(&log) });
    let stay = |r: &&Read| r.offset >= 9;
    assert!(records(&log).iter().filter(stay).eq(before.iter().filter(stay)));
    assert_eq!(records(&log)[0].offset, 2, "c0 is the first that nothing replaced");
}

#[test]
fn keys_that_do_not_fit_in_memory_take_several_passes() {
    let log = Bench::new(LogConfig { segment_bytes: 2000, ..tiny() });
    for round in 0..3 {
        for key in 0..60 {
            log.put(&Batch::keyed(round, &[(&format!("key-{key}"), &"v".repeat(40))]));
        }
    }
    // Sixteen slots, of which twelve are filled at most.
    let (mut first_dirty, mut passes) = (0, 0);
    while let Some(compaction) =
        log.compact(CompactionRequest { first_dirty, map_bytes_max: 0, ..request(&log) }).unwrap()
    {
        let done = finish(compaction).unwrap();
        assert!(done.first_dirty > first_dirty, "each pass gets on");
        (first_dirty, passes) = (done.first_dirty, passes + 1);
    }
    assert!(passes > 5, "{passes}");
    let mut keys: Vec<_> = records(&log).into_iter().filter(|r| r.offset < first_dirty).collect();
    let all = keys.len();
    keys.dedup_by(|a, b| a.key == b.key);
    assert_eq!((keys.len(), all), (60, 60));
}

#[test]
fn what_a_producer_wrote_last_leaves_its_numbers_behind() {
    let log = Bench::new(tiny());
    let pad = "x".repeat(200);
    let mut first = Batch::keyed(1, &[("a", "1"), ("a", "2"), ("a", &pad)]);
    first.producer = (7, 2, 40);
    log.put(&first);
    for _ in 0..3 {
        log.put(&Batch::keyed(1, &[("a", &pad)]));
    }
    let last = LastBatch { data_offset: Some(2), epoch: 2 };
    compact(&log, CompactionRequest { last_batches: [(7, last)].into(), ..request(&log) });
    let (header, _) = &stored(&log)[0];
    assert_eq!((header.base_offset, header.last_offset(), header.record_count), (0, 2, 0));
    assert_eq!((header.producer_id, header.last_sequence()), (7, 42));
    // Once it has written something newer, nothing of it is needed.
    compact(&log, request(&log));
    assert_eq!(stored(&log)[0].0.producer_id, -1);
}

#[test]
fn aborted_records_go_and_their_marker_follows_when_its_time_has_come() {
    let log = Bench::new(tiny());
    let pad = "x".repeat(200);
    let transactional = |key: &str, sequence| {
        let batch = Batch::keyed(1, &[(key, "1"), ("p", &pad)]);
        Batch { attributes: 0x10, producer: (7, 0, sequence), ..batch }
    };
    log.put(&Batch::keyed(1, &[("a", "0"), ("q", &pad)]));
    log.put(&transactional("a", 0));
    let aborted = |last_offset| AbortedTransaction {
        producer_id: 7,
        first_offset: 2,
        last_offset,
        last_stable_offset: last_offset + 1,
    };
    let mut marker = Batch::marker((7, 0), false).encode();
    let appended = log.append_abort(&mut marker, 0, aborted).unwrap();
    assert_eq!(appended.base_offset, 4);
    log.put(&transactional("b", 2));
    log.put(&Batch::marker((7, 0), true));
    log.put(&Batch::keyed(1, &[("c", "0"), ("q", &pad)]));
    log.put(&Batch::keyed(1, &[("d", "0"), ("q", &pad)]));
    assert_eq!(log.aborted_transactions(0, 100).unwrap(), [aborted(4)]);
    assert_eq!(log.aborted_transactions(5, 100).unwrap(), []);
    assert_eq!(log.aborted_transactions(0, 2).unwrap(), []);

    compact(&log, CompactionRequest { now_ms: 10, ..request(&log) });
    let data = |log: &Log| -> Vec<i64> {
        let all = stored(log);
        let data = all.iter().filter(|(header, _)| !header.is_control());
        data.flat_map(|(header, batch)| read(header, batch)).map(|r| r.offset).collect()
    };
    let markers = |log: &Log| -> Vec<i64> {
        let all = stored(log);
        let full = all.iter().filter(|(h, _)| h.is_control() && h.record_count > 0);
        full.map(|(header, _)| header.base_offset).collect()
    };
    assert_eq!(data(&log), [0, 5, 6, 8, 9, 10, 11], "what was aborted replaces nothing");
    assert_eq!(markers(&log), [4, 7]);
    assert_eq!(log.aborted_transactions(0, 100).unwrap(), [aborted(4)]);

    // Now nothing is left of the transaction: the marker begins to age, and is no longer needed.
    compact(&log, CompactionRequest { now_ms: 20, ..request(&log) });
    assert_eq!(markers(&log), [4, 7]);
    assert_eq!(log.aborted_transactions(0, 100).unwrap(), []);
    compact(&log, CompactionRequest { now_ms: 20 + HOUR_MS, ..request(&log) });
    assert_eq!(markers(&log), [7], "the commit has records still");
    let log = log.restart(tiny());
    assert_eq!(data(&log), [0, 5, 6, 8, 9, 10, 11]);
}

#[test]
fn aborted_transactions_are_known_after_a_power_cut() {
    for seed in 0..20 {
        let log = Bench::new(tiny());
        let aborted = |first_offset, last_offset| AbortedTransaction {
            producer_id: 7,
            first_offset,
            last_offset,
            last_stable_offset: last_offset + 1,
        };
        for number in 0..6 {
            log.put(&Batch {
                attributes: 0x10,
                producer: (7, 0, number),
                ..Batch::keyed(1, &[("k", &"x".repeat(150))])
            });
            let mut marker = Batch::marker((7, 0), false).encode();
            let first = i64::from(number) * 2;
            log.append_abort(&mut marker, 0, |offset| aborted(first, offset)).unwrap();
            log.flush().unwrap();
        }
        let up_to = log.checkpoint().unwrap();
        assert_eq!(up_to, 12);
        let log = log.crash(seed, tiny());
        let expected: Vec<_> = (0..6).map(|n| aborted(2 * n, 2 * n + 1)).collect();
        assert_eq!(log.aborted_transactions(0, 100).unwrap(), expected, "seed {seed}");
        // Told again, as by who rebuilds it, it is known once.
        expected.iter().for_each(|aborted| log.note_aborted(*aborted));
        assert_eq!(log.aborted_transactions(0, 100).unwrap(), expected, "seed {seed}");
    }
}

impl Bench {
    /// Different values of a key that is in every batch.
    fn offsets_seen(&self) -> usize {
        stored(self).iter().filter(|(header, _)| header.record_count > 0).count()
    }
}

#[test]
fn what_kafka_compacted_is_opened_with_its_gaps() {
    let log = filled(&tiny(), 10);
    compact(&log, request(&log));
    log.close().unwrap();
    let (before, end) = (records(&log), log.high_watermark());
    for name in log.files("checkpoint").into_iter().chain(log.files("index")) {
        log.sim.disk.remove_file(&log.path(&name)).unwrap();
    }
    log.sim.disk.replace(&log.path("00000000000000000027.snapshot"), b"").unwrap();
    let log = log.restart(tiny());
    assert_eq!((records(&log), log.high_watermark()), (before, end));
}
