//! The server without sockets and threads.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use tidemill_runtime::Clock as _;
use tidemill_sim::SimWorld;

use super::books::Books;
use tidemill_zookeeper_wire::frame::LENGTH_BYTES;

use crate::Config;
use crate::handlers;
use crate::machine::{ConnId, Machine};
use crate::storage::{self, Journal};

const DIR: &str = "/data/version-2";

pub(super) struct Server {
    world: SimWorld,
    pub(super) machine: Machine,
    journal: Journal,
}

impl Server {
    pub(super) fn open(world: SimWorld) -> Server {
        let ports = world.ports();
        let recovered = storage::open(&ports.disk, Path::new(DIR)).unwrap();
        let (machine, journal) = recovered.machine(Config::default(), ports, b"secret".to_vec());
        Server { world, machine, journal }
    }

    pub(super) fn now(&self) -> Duration {
        self.world.clock.monotonic()
    }

    pub(super) fn connect(&mut self) -> ConnId {
        self.machine.connect(SocketAddr::from(([127, 0, 0, 1], 1)))
    }

    pub(super) fn packet(&mut self, id: ConnId, frame: Bytes) {
        handlers::handle(&mut self.machine, id, frame.slice(LENGTH_BYTES..));
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.world.clock.advance(by);
        self.machine.expire();
    }

    /// Writes what waits for the log; told to the books before, because a power cut may keep it.
    pub(super) fn flush(&mut self, books: &mut Books) -> io::Result<()> {
        let Some(batch) = self.machine.take_batch() else { return Ok(()) };
        books.submitted(&batch.records);
        self.journal.append(batch.first, &batch.records)?;
        self.journal.sync()?;
        self.machine.durable(batch.last);
        Ok(())
    }

    pub(super) fn snapshot(&mut self, books: &mut Books) -> io::Result<()> {
        self.flush(books)?;
        let (zxid, bytes) = self.machine.snapshot();
        self.journal.roll();
        let disk = self.world.ports().disk;
        storage::write_snapshot(disk.as_ref(), Path::new(DIR), zxid, &bytes, 2)
    }

    /// Cuts the power during one of the next changes of the disk.
    pub(super) fn cut_power_within(&self, changes: u64) {
        self.world.disk.cut_power_at(self.world.disk.changes() + changes);
    }

    pub(super) fn crash(&mut self, seed: u64) {
        *self = Server::open(self.world.crash(seed));
    }
}
