//! One seeded history of a log on a simulated disk, and what must hold of what is left of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tidemill_log::batch::batches;
use tidemill_log::{Durability, Flusher, Log, LogConfig, LogError, TimestampMatch};
use tidemill_runtime::{Disk as _, Random as _};
use tidemill_sim::{SimDisk, SimRandom, SimWorld};

use crate::batches::Batch;
use crate::world::{DIR, small};

/// One attempt to append a batch at an offset.
#[derive(Debug, Clone)]
struct Attempt {
    bytes: Vec<u8>,
    next_offset: i64,
    newest: i64,
}

/// What was done to a log, and what it promised.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    /// By base offset: what was tried there. The log took the last one, if `taken` covers it.
    attempts: BTreeMap<i64, Vec<Attempt>>,
    /// Every append below this was answered with success.
    taken: i64,
    /// Every record below this was acknowledged as durable.
    acknowledged: Arc<AtomicI64>,
    /// Readers were shown every record below this.
    shown: Arc<AtomicI64>,
    /// Every record below this was synced.
    synced: i64,
    /// The start of the log is at least the first and at most the second.
    start: (i64, i64),
}

/// A log, its promises, and the choices of one seed.
pub(crate) struct History {
    pub(crate) sim: SimWorld,
    pub(crate) promises: Promises,
    config: LogConfig,
    random: SimRandom,
    /// In this order, so that a flusher that stops finds nothing to do for a log that was dropped.
    open: Option<(Log, Flusher)>,
    time: i64,
}

impl History {
    pub(crate) fn new(seed: u64) -> History {
        let sim = SimWorld::new(seed);
        sim.disk.create_dir_all(Path::new("/data")).unwrap();
        sim.disk.sync_dir(Path::new("/")).unwrap();
        History::on(sim, Promises::default(), seed)
    }

    /// Goes on with what is on this disk.
    pub(crate) fn on(sim: SimWorld, promises: Promises, seed: u64) -> History {
        let random = SimRandom::new(seed ^ 0x5eed);
        let config = LogConfig {
            segment_bytes: 1000 + random.below(3000),
            checkpoint_bytes: 500 + random.below(4000),
            preallocate_bytes: [0, 512, 4096][random.below(3) as usize],
            retention_bytes: Some(4000),
            durability: if seed % 4 == 3 { Durability::PageCache } else { Durability::Fsync },
            ..small()
        };
        History { sim, promises, config, random, open: None, time: 1000 }
    }

    pub(crate) fn disk(&self) -> &SimDisk {
        &self.sim.disk
    }

    /// The open log. Opening may fail on a failing disk; then it is tried again at the next step.
    fn log(&mut self) -> Result<&Log, LogError> {
        if self.open.is_none() {
            let world = self.sim.ports();
            let flusher = Flusher::manual(&world);
            let (log, _) = Log::open(Path::new(DIR), self.config.clone(), &world, &flusher)?;
            let shown = self.promises.shown.clone();
            shown.fetch_max(log.high_watermark(), Ordering::SeqCst);
            log.observe(Arc::new(move |mark| {
                shown.fetch_max(mark, Ordering::SeqCst);
            }));
            self.promises.settle(&log)?;
            self.open = Some((log, flusher));
        }
        let (log, _) = self.open.as_ref().expect("opened above");
        Ok(log)
    }

    /// One random action. Errors are part of the history.
    pub(crate) fn step(&mut self) {
        let choice = self.random.below(100);
        let _ = match choice {
            0..60 => self.append(),
            60..84 => self.flush(),
            84..90 => self.read_somewhere(),
            90..93 => self.delete_records(),
            93..95 => self.log().and_then(|log| log.apply_retention(0)).map(drop),
            95..97 => self.log().and_then(Log::close).map(|()| self.open = None),
            _ => self.flush().map(|()| self.open = None),
        };
    }

    fn append(&mut self) -> Result<(), LogError> {
        let count = 1 + self.random.below(3);
        let mut bytes = Vec::new();
        for _ in 0..count {
            bytes.extend(self.batch().encode());
        }
        let log = self.log()?;
        let (base, result) = (log.end_offset(), log.append(&mut bytes, 0));
        if let Err(LogError::Batch(error)) = &result {
            panic!("{error}");
        }
        let attempted = self.promises.attempt(base, bytes);
        let appended = result?;
        assert_eq!((appended.base_offset, appended.last_offset + 1), (base, attempted));
        self.promises.taken = attempted;
        let acknowledged = self.promises.acknowledged.clone();
        self.log()?.when_durable(
            appended.last_offset,
            Box::new(move |fate| {
                if fate.is_ok() {
                    acknowledged.fetch_max(appended.last_offset + 1, Ordering::SeqCst);
                }
            }),
        );
        Ok(())
    }

    fn batch(&mut self) -> Batch {
        let mut records = Vec::new();
        for _ in 0..1 + self.random.below(4) {
            self.time += self.random.below(20) as i64 - 5;
            let mut value = vec![0; self.random.below(120) as usize];
            self.random.fill(&mut value);
            records.push((self.time, value));
        }
        Batch::of(records)
    }

    fn flush(&mut self) -> Result<(), LogError> {
        self.log()?;
        self.sim.clock.advance(self.config.flush_interval);
        let (log, flusher) = self.open.as_ref().expect("opened above");
        let end = log.end_offset();
        flusher.run_until_idle();
        log.flush()?;
        self.promises.synced = end;
        Ok(())
    }

    fn delete_records(&mut self) -> Result<(), LogError> {
        let part = self.random.below(4) as i64;
        let log = self.log()?;
        let (start, visible) = (log.start_offset(), log.high_watermark());
        let to = start + (visible - start) * part / 4;
        self.promises.start.1 = self.promises.start.1.max(to);
        let start = self.log()?.delete_records_before(to)?;
        self.promises.start.0 = start;
        Ok(())
    }

    fn read_somewhere(&mut self) -> Result<(), LogError> {
        let choice = self.random.u64();
        let log = self.log()?;
        let (start, visible) = (log.start_offset(), log.high_watermark());
        let offset = start + (choice % (visible - start + 1) as u64) as i64;
        log.read(offset, 600, true)?.bytes()?;
        Ok(())
    }

    /// What the open log still shows although its disk failed.
    pub(crate) fn check_still_readable(&self) {
        if let Some((log, _)) = &self.open {
            self.promises.check_content(log).unwrap();
        }
    }

    /// After faults have gone: a poisoned log is opened anew, and takes appends again.
    pub(crate) fn check_usable(&mut self) {
        if let Some((log, _)) = &self.open
            && matches!(log.flush(), Err(LogError::Poisoned(_)))
        {
            self.open = None;
        }
        self.append().unwrap();
        let (log, flusher) = self.open.as_ref().expect("appended to");
        flusher.run_until_idle();
        assert_eq!(self.promises.acknowledged.load(Ordering::SeqCst), log.end_offset());
    }

    /// Opens the log on what a power cut left and checks every promise. Gives a history that goes
    /// on from there.
    pub(crate) fn crash(self, seed: u64) -> History {
        let sim = self.sim.crash(seed);
        let durability = self.config.durability;
        if durability == Durability::PageCache {
            // Only what was synced is promised to survive a power cut.
            let Promises { acknowledged, shown, synced, .. } = &self.promises;
            acknowledged.store(*synced, Ordering::SeqCst);
            shown.store(*synced, Ordering::SeqCst);
        }
        let mut next = History::on(sim, self.promises, seed);
        next.config.durability = durability;
        let log = next.log().unwrap_or_else(|error| panic!("does not open: {error}"));
        let (start, end, visible) = (log.start_offset(), log.end_offset(), log.high_watermark());
        let promises = &next.promises;
        let acknowledged = promises.acknowledged.load(Ordering::SeqCst);
        let shown = promises.shown.load(Ordering::SeqCst);
        assert!(end >= acknowledged, "ends at {end}, acknowledged up to {acknowledged}");
        assert!(end >= shown, "ends at {end}, readers saw up to {shown}");
        assert_eq!(visible, end, "what recovery keeps is durable");
        assert!(start <= end, "{start}..{end}");
        assert!(start >= promises.start.0, "starts at {start}, deleted {:?}", promises.start);
        next.check_still_readable();
        next
    }
}

impl Promises {
    /// Notes what may be found at `base` from now on. Gives the offset after it.
    fn attempt(&mut self, base: i64, mut bytes: Vec<u8>) -> i64 {
        let (mut at, mut next) = (0, base);
        while at < bytes.len() {
            bytes[at..at + 8].copy_from_slice(&next.to_be_bytes());
            bytes[at + 12..at + 16].copy_from_slice(&0_i32.to_be_bytes());
            let header = tidemill_log::BatchHeader::parse(&bytes[at..]).unwrap();
            let end = at + header.size_bytes();
            self.attempts.entry(next).or_default().push(Attempt {
                bytes: bytes[at..end].to_vec(),
                next_offset: header.next_offset(),
                newest: header.max_timestamp,
            });
            (at, next) = (end, header.next_offset());
        }
        next
    }

    /// After opening: what was cut off is gone for good, what is there is what was taken.
    fn settle(&mut self, log: &Log) -> Result<(), LogError> {
        let end = log.end_offset();
        let shown = self.shown.load(Ordering::SeqCst);
        assert!(end >= shown, "ends at {end}, readers saw up to {shown}");
        self.check_content(log)?;
        let found = content(log)?;
        self.attempts.retain(|base, _| *base < end);
        for (base, bytes) in found {
            let attempts = self.attempts.get_mut(&base).expect("checked");
            attempts.retain(|attempt| attempt.bytes == bytes);
        }
        self.taken = end;
        Ok(())
    }

    /// Every visible batch is one that was sent for that offset; below `taken`, the last one sent.
    fn check_content(&self, log: &Log) -> Result<(), LogError> {
        let mut expected = None;
        let mut newest = None;
        for (base, bytes) in content(log)? {
            assert!(expected.is_none_or(|e| e == base), "{base} follows {expected:?}");
            let attempts =
                self.attempts.get(&base).unwrap_or_else(|| panic!("nothing sent at {base}"));
            let found = attempts.iter().rposition(|attempt| attempt.bytes == bytes);
            let found = found.unwrap_or_else(|| panic!("the batch at {base} was never sent"));
            let attempt = &attempts[found];
            if attempt.next_offset <= self.taken {
                assert_eq!(found, attempts.len() - 1, "a refused batch took offset {base}");
            }
            expected = Some(attempt.next_offset);
            newest = newest.max(Some(attempt.newest));
            let inside = (base + attempt.next_offset) / 2;
            if inside >= log.start_offset() {
                assert_eq!(log.read(inside, 1, true)?.base_offset(), base);
            }
        }
        assert!(expected.is_none_or(|e| e == log.high_watermark()), "{expected:?}");
        // The batch at the start of the log may hold newer records that are deleted.
        if let (Some((found, _)), Some(newest)) = (log.max_timestamp()?, newest) {
            assert!(found <= newest, "{found} > {newest}");
            let at = log.offset_for_timestamp(found)?;
            assert!(
                matches!(at, Some(TimestampMatch::Record { timestamp, .. }) if timestamp == found)
            );
        }
        Ok(())
    }
}

/// Every visible batch, as fetches give it.
fn content(log: &Log) -> Result<Vec<(i64, Vec<u8>)>, LogError> {
    let mut all = Vec::new();
    let mut offset = log.start_offset();
    while offset < log.high_watermark() {
        let bytes = log.read(offset, 1500, true)?.bytes()?;
        assert!(!bytes.is_empty(), "nothing to read at {offset}");
        for batch in batches(&bytes) {
            let (header, bytes) = batch.unwrap();
            assert!(header.next_offset() > offset);
            offset = header.next_offset();
            all.push((header.base_offset, bytes.to_vec()));
        }
    }
    Ok(all)
}
