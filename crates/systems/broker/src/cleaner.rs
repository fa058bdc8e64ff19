//! Which topics are compacted, when, and how far they are.
//!
//! One partition at a time, the one with the largest share of records that were not compacted yet;
//! slowly, so that clients do not notice. What is done is noted in Kafka's own file,
//! `cleaner-offset-checkpoint`: version 0, the number of entries, then topic, partition and the
//! offset below which it is compacted. Losing that file costs one more compaction of each.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tidemill_kafka_wire::records::{self, DECOMPRESSED_BYTES_MAX};
use tidemill_log::{
    Codec, Compaction, CompactionRequest, CompactionStep, Compression, LastBatch, LogError,
};
use tidemill_runtime::World;

use crate::core::Core;
use crate::error::PartitionError;
use crate::partition::Partition;
use crate::topics::settings::TopicSettings;
use crate::topics::{Topic, Topics};

/// Kafka's name for the file.
const FILE: &str = "cleaner-offset-checkpoint";

/// A partition by name.
type Place = (String, i32);

/// Knows how far each partition is compacted.
pub(crate) struct Cleaner {
    path: PathBuf,
    world: World,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Records below the offset are compacted.
    first_dirty: BTreeMap<Place, i64>,
    /// Could not be compacted, until the next start: their files are damaged.
    uncleanable: BTreeSet<Place>,
}

/// A compaction that has begun.
pub(crate) struct Job {
    place: Place,
    compaction: Compaction,
}

impl Cleaner {
    /// Reads the file; what cannot be read counts as not compacted.
    pub(crate) fn open(dir: PathBuf, world: World) -> Cleaner {
        let path = dir.join(FILE);
        let text = world.disk.read(&path).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let first_dirty = text.as_deref().map(parse).unwrap_or_default();
        let state = Mutex::new(State { first_dirty, ..State::default() });
        Cleaner { path, world, state }
    }

    /// A topic is gone; one of the same name begins anew.
    pub(crate) fn forget_topic(&self, topic: &str) {
        let mut state = self.state.lock();
        state.first_dirty.retain(|(name, _), _| name != topic);
        state.uncleanable.retain(|(name, _)| name != topic);
    }

    /// Begins the most urgent compaction, if one is due; blocking.
    pub(crate) fn begin(&self, topics: &Topics, map_bytes_max: usize) -> Option<Job> {
        let now_ms = self.world.clock.now_ms();
        self.state.lock().first_dirty.retain(|(topic, _), _| topics.named(topic).is_some());
        let mut best: Option<(f64, Arc<Topic>, Arc<Partition>)> = None;
        for topic in topics.all().into_iter().filter(|topic| topic.settings().is_compacted) {
            for partition in topic.partitions().iter() {
                let urgency = self.urgency(&topic, partition, now_ms);
                if let Some(urgency) = urgency
                    && best.as_ref().is_none_or(|(most, ..)| urgency > *most)
                {
                    best = Some((urgency, topic.clone(), partition.clone()));
                }
            }
        }
        let (_, topic, partition) = best?;
        let place = (topic.name.clone(), partition.index);
        let first_dirty = self.first_dirty(&place);
        let settings = topic.settings();
        match partition.compact(first_dirty, &settings, now_ms, map_bytes_max) {
            Ok(compaction) => Some(Job { place, compaction: compaction? }),
            Err(error) => {
                tracing::warn!(?place, %error, "not compacted, tried again later");
                None
            }
        }
    }

    /// The dirty share, where that is enough to begin.
    fn urgency(&self, topic: &Topic, partition: &Partition, now_ms: i64) -> Option<f64> {
        let place = (topic.name.clone(), partition.index);
        if self.state.lock().uncleanable.contains(&place) {
            return None;
        }
        let settings = topic.settings();
        let first_dirty = self.first_dirty(&place);
        let found = partition
            .compactable(first_dirty, &settings, now_ms)
            .inspect_err(|error| tracing::debug!(?place, %error, "not looked at for compaction"))
            .ok()?;
        if found.dirty_bytes == 0 {
            return None;
        }
        let rules = settings.compaction;
        let is_late = found
            .dirty_since_ms
            .is_some_and(|since| since > 0 && now_ms.saturating_sub(since) > rules.max_lag_ms);
        let ratio = found.dirty_bytes as f64 / (found.clean_bytes + found.dirty_bytes) as f64;
        (is_late || ratio > rules.min_dirty_ratio).then_some(ratio)
    }

    fn first_dirty(&self, place: &Place) -> i64 {
        self.state.lock().first_dirty.get(place).copied().unwrap_or(0)
    }

    /// Works for a while; blocking. Gives the bytes read and written, or `None` when it is over.
    pub(crate) fn work(&self, job: &mut Job) -> Option<u64> {
        match job.compaction.step() {
            Ok(CompactionStep::Worked(bytes)) => return Some(bytes),
            Ok(CompactionStep::Done(done)) => {
                let (topic, partition) = &job.place;
                let (before, after) = (done.bytes_before, done.bytes_after);
                tracing::info!(topic, partition, before, after, "compacted");
                self.note(&job.place, done.first_dirty);
            }
            Err(error) => self.give_up(&job.place, &error),
        }
        None
    }

    fn note(&self, place: &Place, first_dirty: i64) {
        let content = {
            let mut state = self.state.lock();
            state.first_dirty.insert(place.clone(), first_dirty);
            render(&state.first_dirty)
        };
        if let Err(error) = self.world.disk.replace(&self.path, content.as_bytes()) {
            tracing::warn!(%error, "{FILE} not written; a start compacts again");
        }
    }

    fn give_up(&self, place: &Place, error: &LogError) {
        let (topic, partition) = place;
        if let LogError::Corrupt { .. } | LogError::TooLarge { .. } = error {
            tracing::error!(topic, partition, %error, "cannot be compacted; left alone from now on");
            self.state.lock().uncleanable.insert(place.clone());
        } else {
            tracing::warn!(topic, partition, %error, "not compacted, tried again later");
        }
    }
}

/// Compacts what is due, one partition after the other, until the broker stops.
pub(crate) async fn run(core: Arc<Core>) -> Result<(), Infallible> {
    let shutdown = core.tasks.shutdown();
    loop {
        tokio::select! {
            () = shutdown.requested() => return Ok(()),
            () = tokio::time::sleep(core.config.log_cleaner_backoff.0) => {}
        }
        while let Some(job) = begin(&core).await {
            if !finish(&core, job).await {
                return Ok(());
            }
        }
    }
}

async fn begin(core: &Arc<Core>) -> Option<Job> {
    let core = core.clone();
    let map_bytes_max = core.config.log_cleaner_dedupe_buffer_size.as_usize();
    let tasks = core.tasks.clone();
    let begun = tasks.spawn_blocking(move || core.cleaner.begin(&core.topics, map_bytes_max));
    begun.await.ok().flatten()
}

/// Does the work in small steps, as fast as the rate allows. False if the broker stops.
async fn finish(core: &Arc<Core>, mut job: Job) -> bool {
    let shutdown = core.tasks.shutdown();
    let rate = core.config.log_cleaner_io_max_bytes_per_second.0.max(1);
    loop {
        let worker = core.clone();
        let step = core.tasks.spawn_blocking(move || {
            let worked = worker.cleaner.work(&mut job);
            (worked, job)
        });
        // A panic has been logged; what was not swapped in is gone.
        let Ok((Some(bytes), rest)) = step.await else { return true };
        job = rest;
        let pause = Duration::from_secs_f64(bytes as f64 / rate as f64);
        tokio::select! {
            () = shutdown.requested() => return false,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

impl Partition {
    /// How much of the partition could be compacted.
    fn compactable(
        &self,
        first_dirty: i64,
        settings: &TopicSettings,
        now_ms: i64,
    ) -> Result<tidemill_log::Compactable, PartitionError> {
        let below = self.last_stable_offset()?;
        let min_lag_ms = settings.compaction.min_lag_ms;
        Ok(self.log()?.compactable(first_dirty, below, now_ms, min_lag_ms)?)
    }

    /// Begins to compact it.
    fn compact(
        &self,
        first_dirty: i64,
        settings: &TopicSettings,
        now_ms: i64,
        map_bytes_max: usize,
    ) -> Result<Option<Compaction>, PartitionError> {
        let request = CompactionRequest {
            first_dirty,
            below: self.last_stable_offset()?,
            now_ms,
            min_lag_ms: settings.compaction.min_lag_ms,
            delete_retention_ms: settings.compaction.delete_retention_ms,
            last_batches: self.last_batches(),
            map_bytes_max,
            codec: Arc::new(WireCodec),
        };
        Ok(self.log()?.compact(request)?)
    }

    /// What must stay of each producer.
    fn last_batches(&self) -> HashMap<i64, LastBatch> {
        let producers = self.producers.lock();
        let last = producers.iter().map(|(id, producer)| {
            let data_offset = producer.batches.back().map(|batch| batch.last_offset);
            (*id, LastBatch { data_offset, epoch: producer.epoch })
        });
        last.collect()
    }
}

/// The codecs of the wire, for the log.
struct WireCodec;

impl Codec for WireCodec {
    fn decompress(&self, compression: Compression, packed: &Bytes) -> Option<Bytes> {
        on_the_wire(compression)?.decompress(packed, DECOMPRESSED_BYTES_MAX).ok()
    }

    fn compress(&self, compression: Compression, plain: Bytes) -> Bytes {
        match on_the_wire(compression) {
            Some(codec) => codec.compress(plain),
            None => plain,
        }
    }
}

fn on_the_wire(compression: Compression) -> Option<records::Compression> {
    Some(match compression {
        Compression::None => records::Compression::None,
        Compression::Gzip => records::Compression::Gzip,
        Compression::Snappy => records::Compression::Snappy,
        Compression::Lz4 => records::Compression::Lz4,
        Compression::Zstd => records::Compression::Zstd,
        Compression::Unknown(_) => return None,
    })
}

fn render(entries: &BTreeMap<Place, i64>) -> String {
    let mut text = format!("0\n{}\n", entries.len());
    for ((topic, partition), offset) in entries {
        text.push_str(&format!("{topic} {partition} {offset}\n"));
    }
    text
}

fn parse(text: &str) -> BTreeMap<Place, i64> {
    let entry = |line: &str| {
        let mut words = line.split(' ');
        let place = (words.next()?.to_owned(), words.next()?.parse().ok()?);
        Some((place, words.next()?.parse().ok()?))
    };
    text.lines().skip(2).filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_kafkas() {
        let entries =
            BTreeMap::from([(("_schemas".to_owned(), 0), 17), (("t-1".to_owned(), 3), 1 << 40)]);
        let text = render(&entries);
        assert_eq!(text, "0\n2\n_schemas 0 17\nt-1 3 1099511627776\n");
        assert_eq!(parse(&text), entries);
        assert!(parse("garbage").is_empty());
    }
}
