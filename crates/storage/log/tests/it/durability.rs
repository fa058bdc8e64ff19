//! What is acknowledged, when, and what readers see until then.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use parking_lot::Mutex;
use tidemill_log::{Flusher, Log, LogConfig, LogError};
use tidemill_runtime::World;
use tidemill_sim::{Fault, SimWorld};

use crate::batches::Batch;
use crate::world::{Bench, page_cache, small};

type Fates = Arc<Mutex<Vec<(i64, Result<(), String>)>>>;

fn watch(log: &Log, fates: &Fates, offset: i64) {
    let fates = fates.clone();
    log.when_durable(
        offset,
        Box::new(move |fate| fates.lock().push((offset, fate.map_err(|e| e.to_string())))),
    );
}

#[test]
fn a_record_is_acknowledged_and_seen_only_after_it_was_synced() {
    let log = Bench::new(small());
    let (fates, marks) = (Fates::default(), Arc::new(Mutex::new(Vec::new())));
    let seen = marks.clone();
    log.observe(Arc::new(move |mark| seen.lock().push(mark)));
    for count in [2, 3] {
        let last = log.append(&mut Batch::at(0, count).encode(), 0).unwrap().last_offset;
        watch(&log, &fates, last);
    }
    assert_eq!((log.end_offset(), log.high_watermark()), (5, 0));
    assert!(log.read(0, 100, true).unwrap().is_empty());
    assert!(fates.lock().is_empty());

    assert_eq!(log.flusher.run_until_idle(), 1, "one sync serves both");
    assert_eq!(log.high_watermark(), 5);
    assert_eq!(*fates.lock(), [(1, Ok(())), (4, Ok(()))]);
    assert_eq!(*marks.lock(), [5]);
    watch(&log, &fates, 4);
    assert_eq!(fates.lock().len(), 3, "what is durable is acknowledged at once");
}

#[test]
fn with_page_cache_durability_an_append_is_acknowledged_at_once_and_synced_within_the_interval() {
    let log = Bench::new(page_cache());
    let fates = Fates::default();
    log.append(&mut Batch::at(0, 1).encode(), 0).unwrap();
    watch(&log, &fates, 0);
    assert_eq!((log.high_watermark(), fates.lock().len()), (1, 1));
    assert_eq!(log.flusher.run_until_idle(), 0);
    log.sim.clock.advance(Duration::from_secs(1));
    assert_eq!(log.flusher.run_until_idle(), 1);
    let log = log.crash(4, page_cache());
    assert_eq!(log.end_offset(), 1);
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_and_what_was_durable_stays_readable() {
    let log = Bench::new(small());
    log.put(&Batch::at(0, 1));
    let fates = Fates::default();
    log.append(&mut Batch::at(0, 1).encode(), 0).unwrap();
    watch(&log, &fates, 1);
    log.sim.disk.fail_calls(log.sim.disk.calls() + 1..log.sim.disk.calls() + 2, Fault::Io);
    log.flusher.run_until_idle();
    log.sim.disk.clear_faults();
    watch(&log, &fates, 1);
    let poisoned = |error: &str| error.contains("takes no more records");
    assert!(fates.lock().iter().all(|(_, fate)| fate.as_ref().is_err_and(|e| poisoned(e))));
    assert_eq!(fates.lock().len(), 2);
    let error = log.append(&mut Batch::at(0, 1).encode(), 0).unwrap_err();
    assert!(matches!(error, LogError::Poisoned(_)), "{error}");
    assert!(matches!(log.flush(), Err(LogError::Poisoned(_))));
    assert_eq!(log.offsets_from(0), [(0, 0)]);
    assert_eq!(log.high_watermark(), 1);
}

#[test]
fn a_full_disk_refuses_an_append_and_takes_the_next_when_space_returns() {
    for fault in [Fault::NoSpace, Fault::ShortWrite] {
        let log = Bench::new(small());
        log.put(&Batch::sized(0, 600));
        log.sim.disk.fail_calls(0..u64::MAX, fault);
        for _ in 0..5 {
            let error = log.append(&mut Batch::sized(0, 600).encode(), 0).unwrap_err();
            assert!(matches!(error, LogError::NoSpace), "{error}");
            assert_eq!(log.offsets_from(0), [(0, 0)], "reads go on");
        }
        log.sim.disk.clear_faults();
        for expected in 1..8 {
            assert_eq!(log.put(&Batch::sized(0, 600)), expected);
        }
        let log = log.restart(small());
        assert_eq!((log.end_offset(), log.recovery.first_bad), (8, None));
    }
}

#[test]
fn a_closed_log_takes_no_more_and_an_abandoned_one_tells_who_waits() {
    let log = Bench::new(small());
    log.put(&Batch::at(0, 1));
    log.close().unwrap();
    assert!(matches!(log.append(&mut Batch::at(0, 1).encode(), 0), Err(LogError::Closed)));
    assert_eq!(log.offsets_from(0), [(0, 0)], "reads go on");
    log.close().unwrap();

    let log = Bench::new(small());
    let fates = Fates::default();
    log.append(&mut Batch::at(0, 1).encode(), 0).unwrap();
    watch(&log, &fates, 0);
    let changes = log.sim.disk.changes();
    log.abandon();
    log.flusher.run_until_idle();
    assert_eq!(*fates.lock(), [(0, Err("the log is closed".to_owned()))]);
    assert_eq!(log.sim.disk.changes(), changes, "the directory was left alone");
}

#[test]
fn a_refused_append_leaves_nothing_that_a_restart_could_take_for_records() {
    let parts = [10, 10, 1500].map(|bytes| Batch::sized(0, bytes).encode());
    for seed in 0..20 {
        let log = Bench::open(SimWorld::new(seed), small()).unwrap();
        log.sim.disk.fail_calls(0..u64::MAX, Fault::ShortWrite);
        log.append(&mut parts.concat(), 0).unwrap_err();
        log.sim.disk.clear_faults();
        // As long as the first batch of the refused append, whose second one would follow.
        log.append(&mut parts[0].clone(), 0).unwrap();
        let log = log.restart(small());
        assert_eq!((log.end_offset(), log.recovery.truncated_bytes), (1, 0), "seed {seed}");
    }
}

#[test]
fn what_a_callback_appends_is_beyond_the_recovery_point_that_is_written_after_it() {
    let config = LogConfig { checkpoint_bytes: 0, ..small() };
    for change in 1..30 {
        let Bench { sim, flusher, log, .. } = Bench::new(config.clone());
        let log = Arc::new(log);
        log.append(&mut Batch::at(0, 1).encode(), 0).unwrap();
        let (again, acknowledged) = (log.clone(), Arc::new(Mutex::new(false)));
        let told = acknowledged.clone();
        let callback = move |fate: Result<(), LogError>| {
            *told.lock() = fate.is_ok();
            let _ = again.append(&mut Batch::sized(0, 700).encode(), 0);
        };
        log.when_durable(0, Box::new(callback));
        sim.disk.cut_power_at(sim.disk.changes() + change);
        flusher.run_until_idle();
        for seed in 0..10 {
            let log = Bench::open(sim.crash(seed), config.clone());
            let log = log.unwrap_or_else(|error| panic!("change {change}, seed {seed}: {error}"));
            assert!(log.end_offset() >= i64::from(*acknowledged.lock()));
        }
    }
}

#[test]
fn a_log_whose_last_owner_is_a_callback_is_dropped_without_waiting_for_itself() {
    let log = Bench::new(small());
    let Bench { flusher, log, .. } = log;
    let log = Arc::new(log);
    log.append(&mut Batch::at(0, 1).encode(), 0).unwrap();
    let owner = log.clone();
    log.when_durable(0, Box::new(move |_| drop(owner)));
    drop(log);
    flusher.run_until_idle();
}

#[test]
fn readers_see_whole_chains_while_others_append_and_forget() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::real();
    let flusher = Flusher::start(&world).unwrap();
    let config = LogConfig { segment_bytes: 5_000, retention_bytes: Some(20_000), ..page_cache() };
    let log = Log::open(&dir.path().join("t-0"), config, &world, &flusher).unwrap().0;
    const RECORDS: i64 = 1500;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for number in 0..RECORDS / 2 {
                    log.append(&mut Batch::sized(number, 100).encode(), 0).unwrap();
                    if number % 100 == 99 {
                        log.apply_retention(0).unwrap();
                        log.flush().unwrap();
                    }
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                let mut offset = 0;
                while offset < RECORDS {
                    match log.read(offset, 3000, true) {
                        Err(LogError::OutOfRange { start, .. }) => {
                            assert!(start > offset, "{start} {offset}");
                            offset = start;
                        }
                        slice => {
                            for batch in
                                tidemill_log::batch::batches(&slice.unwrap().bytes().unwrap())
                            {
                                let (header, _) = batch.unwrap();
                                assert_eq!(header.base_offset, offset);
                                offset = header.next_offset();
                            }
                        }
                    }
                    std::thread::yield_now();
                }
            });
        }
    });
    assert_eq!(log.end_offset(), RECORDS);
    assert!(log.start_offset() > 0);
}

#[test]
fn many_producers_on_many_logs_share_the_threads_of_one_flusher() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::real();
    let flusher = Flusher::start(&world).unwrap();
    let config = LogConfig { segment_bytes: 20_000, ..small() };
    let logs: Vec<_> = (0..6)
        .map(|n| {
            Log::open(&dir.path().join(format!("t-{n}")), config.clone(), &world, &flusher)
                .unwrap()
                .0
        })
        .collect();
    std::thread::scope(|scope| {
        for producer in 0..12 {
            let log = &logs[producer % logs.len()];
            scope.spawn(move || {
                for _ in 0..25 {
                    let last =
                        log.append(&mut Batch::sized(0, 300).encode(), 0).unwrap().last_offset;
                    let (tell, told) = sync_channel(1);
                    log.when_durable(last, Box::new(move |fate| tell.send(fate).unwrap()));
                    told.recv().unwrap().unwrap();
                    assert!(log.high_watermark() > last);
                }
            });
        }
    });
    flusher.stop();
    for log in logs {
        let last = log.append(&mut Batch::at(0, 1).encode(), 0).unwrap().last_offset;
        assert_eq!(
            (last, log.high_watermark()),
            (50, 51),
            "a stopped flusher leaves nobody waiting"
        );
        log.close().unwrap();
    }
}
