//! A log on a simulated disk, flushed when the test says so.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use tidemill_log::{Durability, Flusher, Log, LogConfig, LogError, Recovery};
use tidemill_runtime::Disk as _;
use tidemill_sim::SimWorld;

use crate::batches::Batch;

pub(crate) const DIR: &str = "/data/t-0";

/// Small enough that a few batches roll a segment and make index entries.
pub(crate) fn small() -> LogConfig {
    LogConfig {
        segment_bytes: 2048,
        index_interval_bytes: 200,
        preallocate_bytes: 1024,
        checkpoint_bytes: 3000,
        retention_ms: None,
        ..LogConfig::default()
    }
}

pub(crate) fn page_cache() -> LogConfig {
    LogConfig { durability: Durability::PageCache, ..small() }
}

pub(crate) struct Bench {
    pub(crate) sim: SimWorld,
    pub(crate) flusher: Flusher,
    pub(crate) log: Log,
    pub(crate) recovery: Recovery,
}

impl Deref for Bench {
    type Target = Log;

    fn deref(&self) -> &Log {
        &self.log
    }
}

impl Bench {
    pub(crate) fn new(config: LogConfig) -> Bench {
        let sim = SimWorld::new(1);
        sim.disk.create_dir_all(Path::new("/data")).unwrap();
        sim.disk.sync_dir(Path::new("/")).unwrap();
        Bench::open(sim, config).unwrap()
    }

    pub(crate) fn open(sim: SimWorld, config: LogConfig) -> Result<Bench, LogError> {
        let flusher = Flusher::manual(&sim.ports());
        let (log, recovery) = Log::open(Path::new(DIR), config, &sim.ports(), &flusher)?;
        Ok(Bench { sim, flusher, log, recovery })
    }

    /// Ends the process and starts it again; the machine goes on.
    pub(crate) fn restart(self, config: LogConfig) -> Bench {
        let sim = self.sim.clone();
        drop(self);
        Bench::open(sim, config).unwrap()
    }

    /// Cuts the power.
    pub(crate) fn crash(self, seed: u64, config: LogConfig) -> Bench {
        Bench::open(self.sim.crash(seed), config).unwrap()
    }

    /// Appends a batch and syncs it. Gives its base offset.
    pub(crate) fn put(&self, batch: &Batch) -> i64 {
        let base = self.log.append(&mut batch.encode(), 0).unwrap().base_offset;
        self.flusher.run_until_idle();
        base
    }

    pub(crate) fn file(&self, name: &str) -> Vec<u8> {
        self.sim.disk.read(&self.path(name)).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        Path::new(DIR).join(name)
    }

    pub(crate) fn files(&self, suffix: &str) -> Vec<String> {
        let entries = self.sim.disk.list(Path::new(DIR)).unwrap();
        entries.into_iter().map(|e| e.name).filter(|name| name.ends_with(suffix)).collect()
    }

    /// Base and last offset of every batch from `offset` on, read fetch by fetch.
    pub(crate) fn offsets_from(&self, mut offset: i64) -> Vec<(i64, i64)> {
        let mut offsets = Vec::new();
        while offset < self.high_watermark() {
            let bytes = self.read(offset, 700, true).unwrap().bytes().unwrap();
            assert!(!bytes.is_empty(), "nothing at {offset}");
            for batch in tidemill_log::batch::batches(&bytes) {
                let (header, _) = batch.unwrap();
                offsets.push((header.base_offset, header.last_offset()));
                offset = header.next_offset();
            }
        }
        offsets
    }
}
