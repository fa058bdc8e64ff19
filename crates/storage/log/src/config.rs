//! How a log is cut into segments, kept and made durable.

use std::time::Duration;

/// The largest segment: positions in Kafka's offset index are signed 32-bit numbers.
pub const SEGMENT_BYTES_MAX: u64 = i32::MAX as u64;

/// When an append may be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// After its bytes were synced. Survives a power cut.
    #[default]
    Fsync,
    /// Once the kernel has the bytes. Survives the death of the process; a power cut may take what
    /// was written in the last [`LogConfig::flush_interval`]. What remains is a clean prefix.
    PageCache,
}

/// Settings of one log. Names follow Kafka's topic configs where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment is rolled before it would grow beyond this. Values above
    /// [`SEGMENT_BYTES_MAX`] mean that maximum.
    pub segment_bytes: u64,
    /// `segment.ms`: a segment is rolled by an append whose timestamp is this much after that of
    /// the segment's first batch.
    pub segment_ms: i64,
    /// `index.interval.bytes`: about how many bytes of batches lie between two index entries.
    pub index_interval_bytes: u32,
    /// `segment.index.bytes`: a segment is rolled when one of its indexes has this size.
    pub index_bytes_max: u32,
    /// `retention.ms`: segments whose newest record is older may be deleted. `None`: kept for ever.
    pub retention_ms: Option<i64>,
    /// `retention.bytes`: the oldest segments beyond this total may be deleted. `None`: no limit.
    pub retention_bytes: Option<u64>,
    /// Whether `cleanup.policy` says `compact`. A log that Kafka wrote may then have gaps in its
    /// offsets; the time and place of a compaction is the caller's to
    /// choose ([`crate::Log::compact`]).
    pub compacted: bool,
    /// Disk space is reserved ahead of the appends in steps of at most this many bytes, and no more
    /// than the segment already holds; 0 reserves none.
    pub preallocate_bytes: u64,
    /// The recovery point is moved forward at least once per this many bytes appended, so that
    /// this much at most is read again after a crash.
    pub checkpoint_bytes: u64,
    /// When an append is acknowledged.
    pub durability: Durability,
    /// With [`Durability::PageCache`]: appended bytes are synced this long after they came.
    pub flush_interval: Duration,
}

impl Default for LogConfig {
    /// Kafka's defaults where there is one: 1 GiB or a week per segment, kept for a week.
    fn default() -> LogConfig {
        LogConfig {
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 3_600_000,
            index_interval_bytes: 4096,
            index_bytes_max: 10 << 20,
            retention_ms: Some(7 * 24 * 3_600_000),
            retention_bytes: None,
            compacted: false,
            preallocate_bytes: 16 << 20,
            checkpoint_bytes: 64 << 20,
            durability: Durability::Fsync,
            flush_interval: Duration::from_secs(1),
        }
    }
}

impl LogConfig {
    /// The segment size that is really used, in bytes.
    pub(crate) fn segment_limit(&self) -> u64 {
        self.segment_bytes.min(SEGMENT_BYTES_MAX)
    }
}
