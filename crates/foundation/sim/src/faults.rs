//! What goes wrong, and at which call.

use std::io;
use std::ops::Range;

/// How a call of the disk fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `EIO`. A read or write does nothing; a sync of a file leaves on the disk whatever it likes of
    /// the unsynced bytes and forgets the rest, as Linux does: no later sync writes them, though
    /// reads still show them. A sync of a directory forgets nothing.
    Io,
    /// `ENOSPC` of a call that needs space, before it changed anything. Other calls succeed.
    NoSpace,
    /// A write stops in the middle with `ENOSPC`. Other calls succeed.
    ShortWrite,
}

/// What a call does to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing.
    Look,
    /// Changes names or lengths.
    Change,
    /// Changes names or bytes, and needs space.
    Grow,
    /// Writes bytes.
    Write,
    /// Makes changes durable.
    Sync,
}

/// What the plan says about one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It does its work.
    Works,
    /// It fails in this way.
    Fails(Fault),
    /// The power goes while it is at work: it may have had its effect, nobody learns of it.
    PowerCut,
    /// There is no power.
    Dead,
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Calls so far.
    pub(crate) calls: u64,
    /// Calls so far that were no mere looks.
    pub(crate) changes: u64,
    /// Calls that were made to fail.
    pub(crate) hits: u64,
    plan: Vec<(Range<u64>, Fault)>,
    power_cut_at: Option<u64>,
    dead: bool,
}

impl Faults {
    pub(crate) fn fail(&mut self, calls: Range<u64>, fault: Fault) {
        self.plan.push((calls, fault));
    }

    pub(crate) fn cut_power_at(&mut self, change: u64) {
        self.power_cut_at = Some(change);
    }

    pub(crate) fn clear(&mut self) {
        self.plan.clear();
        self.power_cut_at = None;
        self.dead = false;
    }

    /// Counts a call and says what becomes of it.
    pub(crate) fn next(&mut self, kind: Kind) -> Verdict {
        if self.dead {
            return Verdict::Dead;
        }
        self.calls += 1;
        self.changes += u64::from(kind != Kind::Look);
        if kind != Kind::Look && self.power_cut_at == Some(self.changes) {
            self.dead = true;
            return Verdict::PowerCut;
        }
        let planned = self.plan.iter().find(|(calls, _)| calls.contains(&self.calls));
        match planned {
            Some((_, fault)) if applies(*fault, kind) => {
                self.hits += 1;
                Verdict::Fails(*fault)
            }
            _ => Verdict::Works,
        }
    }
}

fn applies(fault: Fault, kind: Kind) -> bool {
    match fault {
        Fault::Io => true,
        Fault::NoSpace => matches!(kind, Kind::Grow | Kind::Write),
        Fault::ShortWrite => kind == Kind::Write,
    }
}

pub(crate) fn eio() -> io::Error {
    const EIO: i32 = 5;
    io::Error::from_raw_os_error(EIO)
}

pub(crate) fn enospc() -> io::Error {
    const ENOSPC: i32 = 28;
    io::Error::from_raw_os_error(ENOSPC)
}

pub(crate) fn no_power() -> io::Error {
    io::Error::other("simulated power cut")
}
