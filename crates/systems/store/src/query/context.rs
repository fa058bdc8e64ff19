//! What a statement is prepared and run with.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use bytes::Bytes;
use tidemill_cql_wire::CqlType;
use tidemill_cql_wire::request::Value;
use tidemill_cql_wire::response::ColumnSpec;
use tidemill_runtime::{Clock, Random};
use uuid::Uuid;

use crate::cql::names::QualifiedName;
use crate::cql::types::RawType;
use crate::error::CqlError;
use crate::schema::keyspace::Keyspace;
use crate::schema::types::{self, ColumnType};

/// 100 ns intervals between 1582-10-15, where UUID time starts, and 1970-01-01.
pub(crate) const UUID_EPOCH_TICKS: i64 = 0x01B2_1DD2_1381_4000;

/// Choices among functions of one name that a statement may make while its types are found.
const ATTEMPTS_MAX: usize = 2_000;

/// Time and chance as statements need them.
pub(crate) struct Environment {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    last_timestamp: AtomicI64,
    last_tick: AtomicI64,
    /// Clock sequence and node of this server's time UUIDs.
    node: AtomicU64,
}

impl Environment {
    /// Of a world.
    pub(crate) fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Environment {
        let node = AtomicU64::new(random.u64());
        let (last_timestamp, last_tick) = (AtomicI64::new(0), AtomicI64::new(0));
        Environment { clock, random, last_timestamp, last_tick, node }
    }

    /// Microseconds for a write that brings no time of its own: never the same twice, never back.
    pub(crate) fn timestamp(&self) -> i64 {
        let now = self.clock.now_us();
        let next = |last| Some(now.max(last + 1));
        match self.last_timestamp.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next) {
            Ok(last) | Err(last) => now.max(last + 1),
        }
    }

    /// Seconds since 1970.
    pub(crate) fn now_seconds(&self) -> i64 {
        self.clock.now_us().div_euclid(1_000_000)
    }

    /// A version 1 UUID of now, each later than the one before.
    pub(crate) fn timeuuid(&self) -> Uuid {
        let now = self.clock.now_us() * 10 + UUID_EPOCH_TICKS;
        let next = |last| Some(now.max(last + 1));
        let tick = match self.last_tick.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next) {
            Ok(last) | Err(last) => now.max(last + 1),
        };
        timeuuid(tick, self.node.load(Ordering::Relaxed))
    }
}

/// A version 1 UUID of a time in 100 ns since 1582.
pub(crate) fn timeuuid(tick: i64, node: u64) -> Uuid {
    let tick = tick as u64;
    let high =
        (tick & 0xFFFF_FFFF) << 32 | (tick >> 32 & 0xFFFF) << 16 | 0x1000 | tick >> 48 & 0x0FFF;
    // Variant of RFC 9562; the multicast bit says that the node is no network card.
    let low = node & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0100_0000_0000;
    Uuid::from_u64_pair(high, low)
}

/// The time in a version 1 UUID, in 100 ns since 1582.
pub(crate) fn ticks_of(uuid: &[u8; 16]) -> i64 {
    let part = |range: std::ops::Range<usize>| {
        uuid[range].iter().fold(0_i64, |number, byte| number << 8 | i64::from(*byte))
    };
    (part(6..8) & 0x0FFF) << 48 | part(4..6) << 32 | part(0..4)
}

/// Milliseconds since 1970 of a version 1 UUID.
pub(crate) fn milliseconds_of(uuid: &[u8; 16]) -> i64 {
    (ticks_of(uuid) - UUID_EPOCH_TICKS).div_euclid(10_000)
}

/// What a statement is prepared with: where names are looked up, and the markers found so far.
pub(crate) struct Preparing {
    /// The table's keyspace.
    pub(crate) keyspace: Arc<Keyspace>,
    /// The table, as markers are described.
    pub(crate) table: Arc<str>,
    keyspace_name: Arc<str>,
    names: Vec<Option<String>>,
    /// Choices among functions that may still be tried.
    attempts: usize,
    markers: Vec<Option<ColumnSpec>>,
}

impl Preparing {
    /// A statement on a table, whose markers have these names.
    pub(crate) fn new(
        keyspace: Arc<Keyspace>,
        table: &str,
        names: Vec<Option<String>>,
    ) -> Preparing {
        let markers = vec![None; names.len()];
        let keyspace_name = keyspace.name.as_str().into();
        let attempts = ATTEMPTS_MAX;
        Preparing { keyspace, table: table.into(), keyspace_name, names, attempts, markers }
    }

    /// Counts one more choice that is tried: nested calls of functions with many types would try
    /// more of them than time allows.
    pub(crate) fn attempt(&mut self) -> Result<(), CqlError> {
        let left = self.attempts.checked_sub(1);
        self.attempts = left.ok_or_else(|| {
            CqlError::invalid("The function calls of this statement are nested too deep")
        })?;
        Ok(())
    }

    /// Says what a marker is for. Its own name goes before the one given.
    pub(crate) fn describe_marker(&mut self, index: usize, name: &str, cql_type: &CqlType) {
        let Some(marker) = self.markers.get_mut(index) else { return };
        *marker = Some(ColumnSpec {
            keyspace: self.keyspace_name.clone(),
            table: self.table.clone(),
            name: self.names[index].clone().unwrap_or_else(|| name.to_owned()),
            cql_type: cql_type.clone(),
        });
    }

    /// A type's words in the table's keyspace.
    pub(crate) fn resolve_type(&self, raw: &RawType) -> Result<ColumnType, CqlError> {
        // A bare name may be the keyspace's type written in full.
        if let RawType::Named(QualifiedName { keyspace: Some(name), .. }) = raw
            && *name != self.keyspace.name
        {
            return Err(CqlError::invalid(format!("Unknown type {raw}")));
        }
        types::resolve(raw, &self.keyspace)
    }

    /// The markers so far, to come back to after an attempt.
    pub(crate) fn save(&self) -> Vec<Option<ColumnSpec>> {
        self.markers.clone()
    }

    /// Goes back to what [`Preparing::save`] gave.
    pub(crate) fn restore(&mut self, saved: Vec<Option<ColumnSpec>>) {
        self.markers = saved;
    }

    /// All markers. Each stands somewhere, so each has been described.
    pub(crate) fn finish(self) -> Vec<ColumnSpec> {
        self.markers.into_iter().flatten().collect()
    }
}

/// What a statement is run with.
#[derive(Clone, Copy)]
pub(crate) struct Binding<'a> {
    /// Values of the markers.
    pub(crate) values: &'a [Value],
    /// Time and chance.
    pub(crate) environment: &'a Environment,
    /// Seconds since 1970: what expires, and until when.
    pub(crate) now: i64,
}

impl Binding<'_> {
    /// The value of a marker.
    pub(crate) fn value(&self, index: usize) -> Result<Value, CqlError> {
        self.values
            .get(index)
            .cloned()
            .ok_or_else(|| CqlError::invalid("Invalid amount of bind variables"))
    }
}

/// A number's eight bytes.
pub(crate) fn long_bytes(number: i64) -> Bytes {
    Bytes::copy_from_slice(&number.to_be_bytes())
}

/// A number's four bytes.
pub(crate) fn int_bytes(number: i32) -> Bytes {
    Bytes::copy_from_slice(&number.to_be_bytes())
}

/// A truth value's byte.
pub(crate) fn boolean_bytes(truth: bool) -> Bytes {
    Bytes::from_static(if truth { &[1] } else { &[0] })
}

/// A text's bytes.
pub(crate) fn text_bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}
