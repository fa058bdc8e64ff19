//! Groups over a real log: what is kept and forgotten.

use std::sync::Arc;
use std::time::Duration;

use tidemill_kafka_wire::ErrorCode;
use tidemill_log::{Flusher, Log, LogConfig};
use tidemill_sim::{Fault, SimWorld};

use super::offsets::{Committed, Place};
use super::store::Store;
use super::{Committer, Groups};
use crate::config::Config;
use crate::partition::Partition;

struct Stage {
    world: SimWorld,
    flusher: Flusher,
    groups: Arc<Groups>,
    partition: Arc<Partition>,
}

impl Stage {
    fn new() -> Stage {
        let world = SimWorld::new(1);
        let flusher = Flusher::manual(&world.ports());
        Stage::over(world, flusher)
    }

    fn over(world: SimWorld, flusher: Flusher) -> Stage {
        let ports = world.ports();
        let config = LogConfig { segment_bytes: 4096, retention_ms: None, ..LogConfig::default() };
        let dir = std::path::Path::new("/data/__consumer_offsets-0");
        let log = Log::open(dir, config, &ports, &flusher).map(|(log, _)| log);
        let partition = Arc::new(Partition::new(0, log, ports.disk.clone(), 0));
        let groups = Arc::new(Groups::new(&Config::default(), ports));
        groups.load(Store::new(partition.clone())).unwrap();
        Stage { world, flusher, groups, partition }
    }

    /// The same after a restart in order.
    fn restarted(self) -> Stage {
        self.partition.close().unwrap();
        Stage::over(self.world, self.flusher)
    }

    fn commit(&self, group: &str, place: &Place, offset: i64) {
        let committer = Committer {
            group_id: group,
            member_id: "",
            instance_id: None,
            generation: -1,
            of_no_group: ErrorCode::IllegalGeneration,
            transaction: None,
        };
        let committed = Committed {
            offset,
            leader_epoch: 0,
            metadata: "note".to_owned(),
            committed_ms: self.world.ports().clock.now_ms(),
            expires_ms: None,
        };
        let offsets = vec![(place.clone(), committed)];
        let mut fate = self.groups.commit(&committer, offsets).unwrap();
        assert_eq!(self.offset(group, place).filter(|known| *known == offset), None);
        self.flusher.run_until_idle();
        self.groups.settle();
        assert_eq!(fate.try_recv().unwrap(), Ok(()));
    }

    fn offset(&self, group: &str, place: &Place) -> Option<i64> {
        let found = self
            .groups
            .with_group(group, |_, offsets| offsets.get(place).map(|committed| committed.offset));
        found.flatten()
    }
}

fn place(partition: i32) -> Place {
    ("topic".to_owned(), partition)
}

/// A failed append fails everything under way, on the thread that holds the groups' lock.
#[test]
fn a_disk_that_fails_answers_every_commit_under_way() {
    let stage = Stage::new();
    stage.commit("group", &place(0), 1);
    let committer = Committer {
        group_id: "group",
        member_id: "",
        instance_id: None,
        generation: -1,
        of_no_group: ErrorCode::IllegalGeneration,
        transaction: None,
    };
    let commit = |offset| {
        let committed = Committed {
            offset,
            leader_epoch: -1,
            metadata: String::new(),
            committed_ms: 0,
            expires_ms: None,
        };
        stage.groups.commit(&committer, vec![(place(0), committed)])
    };
    let mut under_way = commit(2).unwrap();
    let calls = stage.world.disk.calls();
    stage.world.disk.fail_calls(calls..u64::MAX, Fault::Io);
    assert_eq!(commit(3).unwrap_err(), ErrorCode::NotCoordinator);
    stage.groups.settle();
    assert_eq!(under_way.try_recv().unwrap(), Err(ErrorCode::NotCoordinator));
    assert_eq!(stage.offset("group", &place(0)), Some(1));
}

#[test]
fn offsets_nobody_needed_for_long_are_forgotten_for_good() {
    let stage = Stage::new();
    stage.commit("group", &place(0), 5);
    let week = Config::default().offsets_retention.0;
    stage.world.clock.advance(week - Duration::from_secs(1));
    stage.groups.clean();
    assert_eq!(stage.offset("group", &place(0)), Some(5));
    stage.commit("group", &place(1), 6);
    stage.world.clock.advance(Duration::from_secs(1));
    stage.groups.clean();
    assert_eq!(
        (stage.offset("group", &place(0)), stage.offset("group", &place(1))),
        (None, Some(6))
    );
    stage.flusher.run_until_idle();
    stage.groups.settle();
    let stage = stage.restarted();
    assert_eq!(
        (stage.offset("group", &place(0)), stage.offset("group", &place(1))),
        (None, Some(6))
    );
}
