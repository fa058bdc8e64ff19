//! What every engine must do, and what only the one on disk does.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tidemill_runtime::Clock;

use super::cell::{Cell, CellState, Expiry};
use super::engine::{Durability, Engine, EngineError, SpaceId, Write};
use super::fjall_engine::{EngineLimits, FjallEngine};
use super::memory_engine::MemoryEngine;
use super::purge::Purge;
use super::row::RowData;
use super::row_codec;

const SPACE: SpaceId = SpaceId::from_u128(7);
const OTHER: SpaceId = SpaceId::from_u128(8);

/// A clock that stands until it is set.
struct FixedClock(AtomicI64);

impl Clock for FixedClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock(AtomicI64::new(0)))
}

fn on_disk(dir: &Path, purge: Purge) -> FjallEngine {
    let limits = EngineLimits { cache_bytes: 1 << 20, memtable_bytes: 1 << 20, journal_bytes: 0 };
    FjallEngine::open(dir, limits, Arc::new(purge)).unwrap()
}

fn write(space: SpaceId, key: &'static str, value: Option<&'static str>) -> Write {
    Write { space, key: key.into(), value: value.map(Bytes::from) }
}

fn keys(engine: &dyn Engine, start: &str, end: &str, reverse: bool) -> Vec<Bytes> {
    let entries = engine.range(SPACE, start.as_bytes(), end.as_bytes(), reverse).unwrap();
    entries.map(|entry| entry.unwrap().0).collect()
}

fn suite(engine: &dyn Engine) {
    engine.create_space(SPACE).unwrap();
    engine.create_space(OTHER).unwrap();
    let writes = [
        write(SPACE, "b", Some("2")),
        write(SPACE, "a", Some("1")),
        write(SPACE, "c", Some("3")),
        write(OTHER, "a", Some("other")),
    ];
    engine.commit(&writes, Durability::Disk).unwrap();
    assert_eq!(engine.get(SPACE, b"a").unwrap(), Some("1".into()));
    assert_eq!(engine.get(OTHER, b"a").unwrap(), Some("other".into()));
    assert_eq!(engine.get(SPACE, b"nope").unwrap(), None);
    assert_eq!(keys(engine, "a", "c", false), ["a", "b"]);
    assert_eq!(keys(engine, "a", "d", true), ["c", "b", "a"]);
    assert!(keys(engine, "d", "a", false).is_empty());
    let writes = [write(SPACE, "a", None), write(SPACE, "b", Some("new"))];
    engine.commit(&writes, Durability::Buffer).unwrap();
    engine.sync().unwrap();
    assert_eq!(keys(engine, "a", "z", false), ["b", "c"]);
    engine.create_space(SPACE).unwrap();
    assert_eq!(engine.get(SPACE, b"b").unwrap(), Some("new".into()), "making it twice is nothing");
    engine.drop_space(SPACE).unwrap();
    engine.drop_space(SPACE).unwrap();
    assert!(matches!(engine.get(SPACE, b"b"), Err(EngineError::NoSpace(_))));
    assert_eq!(engine.spaces(), [OTHER]);
}

#[test]
fn both_engines_do_the_same() {
    suite(&MemoryEngine::default());
    let dir = tempfile::tempdir().unwrap();
    suite(&on_disk(dir.path(), Purge::new(clock())));
}

#[test]
fn what_was_committed_is_there_when_the_engine_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let engine = on_disk(dir.path(), Purge::new(clock()));
    engine.create_space(SPACE).unwrap();
    engine.commit(&[write(SPACE, "a", Some("1"))], Durability::Disk).unwrap();
    drop(engine);
    let engine = on_disk(dir.path(), Purge::new(clock()));
    assert_eq!(engine.spaces(), [SPACE]);
    assert_eq!(engine.get(SPACE, b"a").unwrap(), Some("1".into()));
}

#[test]
fn compaction_drops_rows_that_ended_before_the_grace_period() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let purge = Purge::new(clock.clone());
    purge.set_grace(SPACE, 100);
    let engine = on_disk(dir.path(), purge);
    engine.create_space(SPACE).unwrap();
    let row = |at: i64| {
        let mut row = RowData::default();
        let state = CellState::Expiring(Bytes::from_static(b"x"), Expiry { ttl: 1, at });
        row.put_cell(1, Cell { timestamp: 1, state });
        Some(row_codec::encode(&[], &[], &row))
    };
    let stored = |key: &'static str, value| Write { space: SPACE, key: key.into(), value };
    let writes = [stored("dead8", row(10)), stored("grace8", row(60)), stored("live8", row(9999))];
    engine.commit(&writes, Durability::Disk).unwrap();
    clock.0.store(150_000_000, Ordering::SeqCst);
    engine.compact(SPACE).unwrap();
    assert_eq!(keys(&engine, "a", "z", false), ["grace8", "live8"]);
}
