//! Opening what an earlier process left.

use std::path::Path;

use tidemill_log::{BatchError, LogError};
use tidemill_runtime::{Disk as _, OpenMode};

use crate::batches::Batch;
use crate::world::{Bench, small};

fn filled() -> Bench {
    let log = Bench::new(small());
    for number in 0..20 {
        log.put(&Batch::sized(number, 500));
    }
    assert!(log.files(".log").len() > 4);
    log
}

#[test]
fn a_log_that_was_closed_in_order_is_only_opened() {
    let log = filled();
    log.close().unwrap();
    let before = log.sim.disk.changes();
    let log = log.restart(small());
    assert!(log.recovery.clean, "{:?}", log.recovery);
    assert_eq!(log.recovery.checked_bytes, 0);
    assert_eq!(log.sim.disk.changes(), before, "nothing was written");
    assert_eq!(log.offsets_from(0).len(), 20);
    assert_eq!(log.put(&Batch::at(0, 1)), 20);
}

#[test]
fn without_an_orderly_close_only_what_follows_the_recovery_point_is_checked() {
    let log = filled();
    let size = log.size_bytes();
    let log = log.restart(small());
    assert!(!log.recovery.clean);
    assert!((1..size / 2).contains(&log.recovery.checked_bytes), "{:?}", log.recovery);
    assert_eq!((log.recovery.truncated_bytes, log.recovery.first_bad), (0, None));
    assert_eq!(log.offsets_from(0).len(), 20);
}

#[test]
fn a_torn_tail_is_cut_at_the_first_bad_batch() {
    let end = Batch::sized(0, 500).encode().len() as u64;
    for (name, at, kept) in
        [("last byte", 2 * end - 1, 1), ("header", end + 5, 1), ("first", 80, 0)]
    {
        let log = Bench::new(small());
        log.put(&Batch::sized(0, 500));
        log.put(&Batch::sized(0, 500));
        let path = log.path("00000000000000000000.log");
        log.sim.disk.rot(&path, at, 0x10).unwrap();
        let log = log.restart(small());
        let bad = log.recovery.first_bad.expect(name);
        assert_eq!((bad.offset, bad.segment, bad.position), (kept, 0, kept as u64 * end), "{name}");
        assert_eq!(log.recovery.truncated_bytes, (2 - kept as u64) * end, "{name}");
        assert_eq!(log.end_offset(), kept, "{name}");
        assert_eq!(log.put(&Batch::sized(9, 10)), kept, "{name}");
        let log = log.crash(3, small());
        assert_eq!((log.end_offset(), log.recovery.first_bad), (kept + 1, None), "{name}");
    }
}

#[test]
fn damage_in_a_complete_segment_is_never_served_and_hides_nothing_else() {
    let log = filled();
    log.close().unwrap();
    let log = log.restart(small());
    // Offsets 3 to 5 are in the second segment; the damage is in the value of record 4.
    let size = Batch::sized(0, 500).encode().len() as u64;
    let path = log.path("00000000000000000003.log");
    log.sim.disk.rot(&path, size + 200, 1).unwrap();
    let slice = log.read(3, 10_000, true).unwrap();
    assert_eq!(slice.bytes().unwrap().len() as u64, size, "the good batch before it");
    let error = log.read(4, 10_000, true).unwrap().bytes().unwrap_err();
    match error {
        LogError::Corrupt { offset: 4, segment: 3, reason: BatchError::Crc { .. }, .. } => {}
        other => panic!("{other}"),
    }
    assert_eq!(log.offsets_from(5).len(), 15);
    // And in a header: what is before it is served, what is after it as far as an index leads there.
    log.sim.disk.rot(&path, size + 7, 1).unwrap();
    let slice = log.read(3, 10_000, true).unwrap();
    assert_eq!(slice.bytes().unwrap().len() as u64, size);
    assert!(log.read(4, 10_000, true).and_then(|slice| slice.bytes()).is_err());
    assert_eq!(log.offsets_from(6).len(), 14);
}

#[test]
fn indexes_that_are_missing_or_wrong_cost_time_and_nothing_else() {
    for damage in ["remove", "zero", "shift", "garbage"] {
        let log = filled();
        log.close().unwrap();
        for suffix in [".index", ".timeindex"] {
            for name in log.files(suffix) {
                let path = log.path(&name);
                let mut bytes = log.sim.disk.read(&path).unwrap();
                match damage {
                    "remove" => log.sim.disk.remove_file(&path).unwrap(),
                    "zero" => bytes.fill(0),
                    "shift" => bytes.insert(0, 0),
                    _ => bytes.iter_mut().for_each(|byte| *byte ^= 0x11),
                }
                if damage != "remove" {
                    log.sim.disk.replace(&path, &bytes).unwrap();
                }
            }
        }
        let log = log.restart(small());
        assert_eq!(log.offsets_from(0).len(), 20, "{damage}");
        for offset in 0..20 {
            assert_eq!(log.read(offset, 1, true).unwrap().base_offset(), offset, "{damage}");
        }
        if damage == "remove" {
            assert!(log.files(".index").len() >= 4, "rebuilt");
            assert!(matches!(log.max_timestamp().unwrap(), Some((19, _))));
        }
    }
}

#[test]
fn a_log_without_a_checkpoint_such_as_kafkas_own_is_checked_whole() {
    let log = filled();
    log.close().unwrap();
    for name in log.files("checkpoint").into_iter().chain(log.files("index")) {
        log.sim.disk.remove_file(&log.path(&name)).unwrap();
    }
    let log = log.restart(small());
    assert_eq!(log.recovery.checked_bytes, log.size_bytes());
    assert_eq!(log.offsets_from(0).len(), 20);
    assert_eq!(log.leader_epochs(), [(0, 0)]);
}

#[test]
fn a_gap_between_segments_ends_the_log() {
    let log = filled();
    log.close().unwrap();
    log.sim.disk.remove_file(&log.path("recovery-checkpoint")).unwrap();
    log.sim.disk.remove_file(&log.path("00000000000000000006.log")).unwrap();
    let log = log.restart(small());
    assert_eq!(log.end_offset(), 6);
    let bad = log.recovery.first_bad.unwrap();
    assert_eq!(bad.reason, BatchError::Chain { expected: 6, actual: 9 });
    assert_eq!(log.files(".log").len(), 2);
}

#[test]
fn synced_records_that_are_gone_are_reported_and_nothing_is_touched() {
    let log = filled();
    log.close().unwrap();
    let last = log.files(".log").pop().unwrap();
    let file = log.sim.disk.open(&log.path(&last), OpenMode::Existing).unwrap();
    file.set_len(file.len().unwrap() - 1).unwrap();
    let sim = log.sim.clone();
    drop(log);
    let before = sim.disk.changes();
    let error = Bench::open(sim.clone(), small()).err().expect("a record is gone");
    assert!(matches!(error, LogError::Missing(_)), "{error}");
    sim.disk.remove_file(&Path::new(crate::world::DIR).join(last)).unwrap();
    assert!(matches!(Bench::open(sim.clone(), small()).err(), Some(LogError::Missing(_))));
    assert_eq!(sim.disk.changes(), before + 1);
}

#[test]
fn the_process_may_die_at_any_time_without_losing_what_the_kernel_has() {
    let log = Bench::new(crate::world::page_cache());
    for _ in 0..30 {
        log.append(&mut Batch::sized(0, 200).encode(), 0).unwrap();
    }
    let log = log.restart(crate::world::page_cache());
    assert_eq!(log.offsets_from(0).len(), 30);
    let log = log.crash(1, crate::world::page_cache());
    assert_eq!(log.offsets_from(0).len(), 30, "recovery synced what it serves");
}

#[test]
fn leader_epochs_and_the_topic_id_survive() {
    let log = Bench::new(small());
    log.write_topic_id(*b"0123456789abcdef").unwrap();
    for epoch in [0, 0, 3, 3, 7] {
        log.append(&mut Batch::sized(0, 500).encode(), epoch).unwrap();
        log.flush().unwrap();
    }
    let epochs = [(0, 0), (3, 2), (7, 4)];
    assert_eq!(log.leader_epochs(), epochs);
    let log = log.crash(5, small());
    assert_eq!(log.leader_epochs(), epochs);
    assert_eq!(log.topic_id(), Some(*b"0123456789abcdef"));
    log.close().unwrap();
    assert_eq!(log.file("leader-epoch-checkpoint"), b"0\n3\n0 0\n3 2\n7 4\n");
    assert_eq!(log.file("partition.metadata"), b"version: 0\ntopic_id: MDEyMzQ1Njc4OWFiY2RlZg");
    assert_eq!(log.restart(small()).leader_epochs(), epochs);
}

#[test]
fn the_index_files_are_byte_for_byte_kafkas() {
    let log = Bench::new(small());
    let size = Batch::sized(1_000, 140).encode().len() as u32;
    for number in 0..5 {
        log.put(&Batch::sized(1_000 + number, 140));
    }
    log.close().unwrap();
    // An entry before the first batch that begins more than 200 bytes after the last entry.
    assert_eq!(size, 210);
    let entry = |last: u32| [last.to_be_bytes(), (last * size).to_be_bytes()].concat();
    assert_eq!(
        log.file("00000000000000000000.index"),
        [entry(1), entry(2), entry(3), entry(4)].concat()
    );
    let time = |offset: u32| {
        [&(1_000 + i64::from(offset)).to_be_bytes()[..], &offset.to_be_bytes()].concat()
    };
    assert_eq!(
        log.file("00000000000000000000.timeindex"),
        [time(1), time(2), time(3), time(4)].concat()
    );
}
