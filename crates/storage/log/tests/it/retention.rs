//! Forgetting: by age, by size, by request.

use tidemill_log::{LogConfig, LogError};
use tidemill_runtime::Disk as _;

use crate::batches::Batch;
use crate::world::{Bench, small};

/// Five segments of three records each, with the times 0, 10, 20, …
fn filled(config: &LogConfig) -> Bench {
    let log = Bench::new(config.clone());
    for number in 0..15 {
        log.put(&Batch::sized(number * 10, 600));
    }
    assert_eq!(log.files(".log").len(), 5);
    log
}

#[test]
fn the_oldest_segments_go_when_all_their_records_are_too_old() {
    let config = LogConfig { retention_ms: Some(100), ..small() };
    let log = filled(&config);
    // The first segment's newest record has time 20, the second's 50.
    for (now, removed, start) in [(120, 0, 0), (121, 1, 3), (151, 1, 6), (152, 0, 6)] {
        assert_eq!(log.apply_retention(now).unwrap(), removed, "{now}");
        assert_eq!(log.start_offset(), start, "{now}");
    }
    assert_eq!(log.files(".log").len(), 3);
    assert_eq!(log.files(".index").len(), 3);
    assert!(matches!(log.read(5, 100, true), Err(LogError::OutOfRange { start: 6, .. })));
    assert_eq!(log.offsets_from(6).len(), 9);
    let log = log.restart(config);
    assert_eq!((log.start_offset(), log.end_offset()), (6, 15));
}

#[test]
fn the_oldest_segments_go_when_the_log_is_too_big() {
    let segment = 3 * Batch::sized(0, 600).encode().len() as u64;
    for (keep, left) in [(5 * segment, 5), (4 * segment + 1, 5), (4 * segment, 4), (1, 1), (0, 1)] {
        let config = LogConfig { retention_bytes: Some(keep), ..small() };
        let log = filled(&config);
        log.apply_retention(0).unwrap();
        assert_eq!(log.files(".log").len(), left, "{keep}");
        assert!(log.size_bytes() <= keep + segment);
    }
}

#[test]
fn a_log_whose_records_are_all_gone_goes_on_with_the_next_offset() {
    let config = LogConfig { retention_ms: Some(100), ..small() };
    for crash in [None, Some(1), Some(2), Some(3), Some(4)] {
        let log = filled(&config);
        assert_eq!(log.apply_retention(10_000).unwrap(), 5);
        assert_eq!((log.start_offset(), log.end_offset(), log.size_bytes()), (15, 15, 0));
        assert_eq!(log.apply_retention(20_000).unwrap(), 0);
        let log = match crash {
            None => log.restart(config.clone()),
            Some(seed) => log.crash(seed, config.clone()),
        };
        assert_eq!((log.start_offset(), log.end_offset()), (15, 15), "{crash:?}");
        assert_eq!(log.put(&Batch::at(0, 1)), 15);
    }
}

#[test]
fn records_that_are_not_yet_durable_are_never_too_old() {
    let config = LogConfig { retention_ms: Some(100), ..small() };
    let log = Bench::new(config);
    log.append(&mut Batch::at(0, 1).encode(), 0).unwrap();
    assert_eq!(log.apply_retention(10_000).unwrap(), 0);
    assert_eq!(log.put(&Batch::at(10_000, 1)), 1);
    assert_eq!(log.offsets_from(0).len(), 2);
}

#[test]
fn deleted_records_stay_deleted() {
    let log = filled(&small());
    assert_eq!(log.delete_records_before(4).unwrap(), 4);
    assert_eq!(log.delete_records_before(2).unwrap(), 4, "the start never goes back");
    assert_eq!(log.files(".log").len(), 4, "the segment that holds offset 4 stays");
    assert_eq!(log.offsets_from(4).len(), 11);
    assert!(log.read(3, 1, true).is_err());
    assert!(log.delete_records_before(16).is_err());
    let found = format!("{:?}", log.offset_for_timestamp(0).unwrap());
    assert_eq!(found, "Some(Record { offset: 4, timestamp: 40 })");
    for seed in 0..10 {
        let sim = log.sim.crash(seed);
        let log = Bench::open(sim, small()).unwrap();
        assert_eq!((log.start_offset(), log.end_offset()), (4, 15), "seed {seed}");
    }
    assert_eq!(log.delete_records_before(15).unwrap(), 15);
    let log = log.crash(7, small());
    assert_eq!((log.start_offset(), log.end_offset()), (15, 15));
    assert_eq!(log.put(&Batch::at(0, 1)), 15);
    let log = log.crash(8, small());
    assert_eq!((log.start_offset(), log.end_offset()), (15, 16));
}

#[test]
fn what_the_broker_keeps_beside_a_segment_goes_with_it() {
    let log = filled(&small());
    for name in ["00000000000000000000.txnindex", "00000000000000000003.snapshot"] {
        log.sim.disk.replace(&log.path(name), b"x").unwrap();
    }
    log.delete_records_before(3).unwrap();
    assert!(log.files(".txnindex").is_empty());
    assert_eq!(log.files(".snapshot").len(), 1);
}
