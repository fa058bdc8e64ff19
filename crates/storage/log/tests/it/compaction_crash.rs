//! The power goes at every call of the disk while a log is compacted.

use std::collections::BTreeMap;
use std::path::Path;

use tidemill_log::{CompactionRequest, Flusher, Log, LogConfig, LogError};
use tidemill_runtime::{Disk as _, Random as _};
use tidemill_sim::{Fault, SimDisk, SimRandom, SimWorld, replayed_seed};

use crate::batches::{Batch, Read};
use crate::compaction::{batches_with_gaps, finish, records, request};
use crate::crash::Replay;
use crate::world::{DIR, small};

const HISTORIES: u64 = 4;
const STEPS: usize = 40;
const KEYS: u64 = 6;

/// Appends and compactions of one seed, and what they promise.
struct History {
    sim: SimWorld,
    random: SimRandom,
    open: Option<(Log, Flusher)>,
    /// Every record that was tried, by offset; the last try counts once a later one was taken.
    sent: BTreeMap<i64, Vec<Read>>,
    /// Records below this were acknowledged.
    acknowledged: i64,
    first_dirty: i64,
    now_ms: i64,
}

impl History {
    fn new(seed: u64) -> History {
        let sim = SimWorld::new(seed);
        sim.disk.create_dir_all(Path::new("/data")).unwrap();
        sim.disk.sync_dir(Path::new("/")).unwrap();
        let random = SimRandom::new(seed ^ 0xc0de);
        let sent = BTreeMap::new();
        History { sim, random, open: None, sent, acknowledged: 0, first_dirty: 0, now_ms: 0 }
    }

    fn disk(&self) -> &SimDisk {
        &self.sim.disk
    }

    fn log(&mut self) -> Result<&Log, LogError> {
        if self.open.is_none() {
            let world = self.sim.ports();
            let flusher = Flusher::manual(&world);
            let config = LogConfig { segment_bytes: 600, compacted: true, ..small() };
            let (log, _) = Log::open(Path::new(DIR), config, &world, &flusher)?;
            self.sent.split_off(&log.end_offset());
            self.open = Some((log, flusher));
        }
        Ok(&self.open.as_ref().expect("opened above").0)
    }

    fn step(&mut self) {
        let choice = self.random.below(100);
        let _ = match choice {
            0..75 => self.append(),
            75..93 => self.compact(),
            93..96 => self.log().and_then(Log::close).map(|()| self.open = None),
            _ => {
                self.open = None;
                Ok(())
            }
        };
    }

    fn append(&mut self) -> Result<(), LogError> {
        self.now_ms += 1;
        let key = format!("k{}", self.random.below(KEYS));
        let is_deletion = self.random.below(4) == 0;
        let value = if is_deletion { String::new() } else { format!("{:080}", self.now_ms) };
        let mut bytes = Batch::keyed(self.now_ms, &[(&key, &value)]).encode();
        let log = self.log()?;
        let offset = log.end_offset();
        let result = log.append(&mut bytes, 0);
        let value = Some(value).filter(|value| !value.is_empty());
        let sent = Read { offset, timestamp: self.now_ms, key: Some(key), value };
        self.sent.entry(offset).or_default().push(sent);
        result?;
        self.acknowledged = self.log()?.flush()?;
        Ok(())
    }

    fn compact(&mut self) -> Result<(), LogError> {
        let (first_dirty, now_ms) = (self.first_dirty, self.now_ms);
        let log = self.log()?;
        let request =
            CompactionRequest { first_dirty, now_ms, delete_retention_ms: 10, ..request(log) };
        if let Some(compaction) = log.compact(request)? {
            self.first_dirty = finish(compaction)?.first_dirty;
        }
        Ok(())
    }

    /// The log after a power cut, or after faults: everything that was promised is there.
    fn check(&mut self) {
        let acknowledged = self.acknowledged;
        self.log().unwrap_or_else(|error| panic!("does not open: {error}"));
        let (log, _) = self.open.as_ref().expect("opened above");
        assert!(log.end_offset() >= acknowledged, "{} < {acknowledged}", log.end_offset());
        check_segments(&self.sim.disk);
        let found = records(log);
        assert!(found.is_sorted_by(|a, b| a.offset < b.offset), "{found:?}");
        let mut newest: BTreeMap<String, Read> = BTreeMap::new();
        for tries in self.sent.values() {
            let taken = tries.last().expect("at least one");
            newest.insert(taken.key.clone().expect("all have one"), taken.clone());
        }
        let mut last: BTreeMap<String, Read> = BTreeMap::new();
        for record in found {
            let tries = &self.sent[&record.offset];
            assert!(tries.contains(&record), "{record:?} was never sent");
            last.insert(record.key.clone().expect("all have one"), record);
        }
        for (key, newest) in newest {
            match last.get(&key) {
                Some(found) => assert_eq!(found.offset, newest.offset, "{key}"),
                None => assert_eq!(newest.value, None, "{key} is gone"),
            }
        }
    }

    fn crash(self, seed: u64) -> History {
        let sim = self.sim.crash(seed);
        // What was compacted is noted outside the log, and may be forgotten.
        let first_dirty = if seed.is_multiple_of(2) { 0 } else { self.first_dirty };
        let random = SimRandom::new(seed);
        let mut next = History { sim, random, open: None, first_dirty, ..self };
        next.check();
        next
    }
}

/// Each segment ends where the next begins: what was replaced is not there beside what replaced it.
fn check_segments(disk: &SimDisk) {
    let entries = disk.list(Path::new(DIR)).unwrap();
    let mut names: Vec<_> = entries.into_iter().map(|entry| entry.name).collect();
    names.retain(|name| name.ends_with(".log"));
    names.sort();
    for pair in names.windows(2) {
        let bytes = disk.read(&Path::new(DIR).join(&pair[0])).unwrap();
        let end = batches_with_gaps(&bytes).last().map(|(header, _)| header.next_offset());
        let base = pair[1].trim_end_matches(".log").parse().unwrap();
        assert!(end.is_none_or(|end| end == base), "{names:?}: {} ends at {end:?}", pair[0]);
    }
}

fn run(seed: u64, cut_at: Option<u64>) -> History {
    let mut history = History::new(seed);
    if let Some(change) = cut_at {
        history.disk().cut_power_at(change);
    }
    for _ in 0..STEPS {
        history.step();
    }
    history
}

#[test]
fn a_power_cut_at_any_call_of_a_compaction_loses_nothing_and_brings_nothing_back() {
    let seeds = replayed_seed().map_or(0..HISTORIES, |seed| seed..seed + 1);
    let mut cuts = 0;
    for seed in seeds {
        let changes = run(seed, None).disk().changes();
        let before = History::new(seed).disk().changes();
        for change in before + 1..=changes {
            let _replay = Replay("a_power_cut_at_any_call_of_a_compaction", seed, change);
            let mut again = run(seed, Some(change)).crash(seed.wrapping_mul(7919) + change);
            for _ in 0..12 {
                again.step();
            }
            again.crash(change);
            cuts += 2;
        }
    }
    assert!(cuts >= 500 || replayed_seed().is_some(), "{cuts} power cuts are too few");
    eprintln!("{cuts} power cuts: 0 records lost, 0 deleted ones back");
}

#[test]
fn a_failing_call_of_a_compaction_breaks_no_promise() {
    for (seed, fault) in (0..3).flat_map(|seed| [(seed, Fault::Io), (seed, Fault::NoSpace)]) {
        let calls = run(seed, None).disk().calls();
        for call in (10..calls).step_by(11) {
            let _replay = Replay("a_failing_call_of_a_compaction", seed, call);
            let mut history = History::new(seed);
            history.disk().fail_calls(call..call + 1, fault);
            for _ in 0..STEPS {
                history.step();
            }
            history.disk().clear_faults();
            history.open = None;
            history.check();
            history.crash(call);
        }
    }
}
