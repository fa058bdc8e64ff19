//! What can be set per topic: Kafka's keys, with their types, bounds and defaults.
//!
//! Every key of Kafka 4.3 is taken and described. What has no meaning on one node, such as
//! replication throttles, is kept and shown; what would promise something this broker does not do
//! (tiered storage) is refused.

use std::collections::BTreeMap;

use tidemill_kafka_wire::records::Compression;
use tidemill_log::LogConfig;

use crate::config::Config;

/// The explicit settings of a topic, by key.
pub(crate) type Overrides = BTreeMap<String, String>;

/// A key.
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    /// The broker's key that gives the default.
    pub(crate) synonym: Option<&'static str>,
    pub(crate) kind: Kind,
    default: &'static str,
    documentation: &'static str,
}

/// The type of a value, with what it may be.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Boolean,
    Int(i64, i64),
    Long(i64, i64),
    Double(f64, f64),
    OneOf(&'static [&'static str]),
    ListOf(&'static [&'static str]),
    List,
}

impl Kind {
    /// Kafka's number for the type (DescribeConfigs v3).
    pub(crate) fn number(self) -> i8 {
        match self {
            Kind::Boolean => 1,
            Kind::OneOf(_) => 2,
            Kind::Int(..) => 3,
            Kind::Long(..) => 5,
            Kind::Double(..) => 6,
            Kind::ListOf(_) | Kind::List => 7,
        }
    }

    pub(crate) fn is_list(self) -> bool {
        matches!(self, Kind::ListOf(_) | Kind::List)
    }

    fn takes(self, value: &str) -> bool {
        match self {
            Kind::Boolean => ["true", "false"].contains(&value.to_ascii_lowercase().as_str()),
            Kind::Int(min, max) | Kind::Long(min, max) => {
                value.parse().is_ok_and(|n: i64| (min..=max).contains(&n))
            }
            Kind::Double(min, max) => value.parse().is_ok_and(|n: f64| (min..=max).contains(&n)),
            Kind::OneOf(values) => values.contains(&value),
            Kind::ListOf(values) => split(value).all(|part| values.contains(&part)),
            Kind::List => true,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Kind::Boolean => f.write_str("true or false"),
            Kind::Int(min, max) | Kind::Long(min, max) => write!(f, "a number from {min} to {max}"),
            Kind::Double(min, max) => write!(f, "a number from {min} to {max}"),
            Kind::OneOf(values) => write!(f, "one of {}", values.join(", ")),
            Kind::ListOf(values) => write!(f, "a list of {}", values.join(", ")),
            Kind::List => f.write_str("a list"),
        }
    }
}

/// The parts of a list as Kafka writes it.
pub(crate) fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty())
}

const INT_MAX: i64 = i32::MAX as i64;
const LONG_MAX: i64 = i64::MAX;
const NEVER: &str = "9223372036854775807";

macro_rules! definitions {
    ($($name:literal ($($synonym:literal)?) $kind:expr, $default:expr, $documentation:literal;)*) => {
        /// Every key, in alphabetical order.
        pub(crate) const DEFINITIONS: &[Definition] = &[$(
            Definition {
                name: $name,
                synonym: definitions!(@synonym $($synonym)?),
                kind: $kind,
                default: $default,
                documentation: $documentation,
            },
        )*];
    };
    (@synonym) => { None };
    (@synonym $synonym:literal) => { Some($synonym) };
}

// Defaults in angle brackets come from the broker's configuration.
definitions! {
    "cleanup.policy" ("log.cleanup.policy") Kind::ListOf(&["delete", "compact"]), "delete",
        "Whether old segments are deleted, or compacted to the newest record per key.";
    "compression.gzip.level" ("compression.gzip.level") Kind::Int(-1, 9), "-1",
        "Level where the broker compresses with gzip.";
    "compression.lz4.level" ("compression.lz4.level") Kind::Int(1, 17), "9",
        "Level where the broker compresses with lz4.";
    "compression.type" ("compression.type")
        Kind::OneOf(&["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"]), "producer",
        "The codec batches are stored with; producer: as they come.";
    "compression.zstd.level" ("compression.zstd.level") Kind::Int(-131_072, 22), "3",
        "Level where the broker compresses with zstd.";
    "delete.retention.ms" ("log.cleaner.delete.retention.ms") Kind::Long(0, LONG_MAX), "86400000",
        "How long deletion markers stay in a compacted topic.";
    "file.delete.delay.ms" ("log.segment.delete.delay.ms") Kind::Long(0, LONG_MAX), "60000",
        "How long a deleted file stays on the disk.";
    "flush.messages" ("log.flush.interval.messages") Kind::Long(1, LONG_MAX), NEVER,
        "Records after which a sync is forced; the broker's durability already decides that.";
    "flush.ms" ("log.flush.interval.ms") Kind::Long(0, LONG_MAX), NEVER,
        "Time after which a sync is forced; the broker's durability already decides that.";
    "follower.replication.throttled.replicas" () Kind::List, "",
        "Replicas whose followers are throttled; one node has none.";
    "index.interval.bytes" ("log.index.interval.bytes") Kind::Int(0, INT_MAX), "4096",
        "About how many bytes lie between two entries of an index.";
    "leader.replication.throttled.replicas" () Kind::List, "",
        "Replicas whose leaders are throttled; one node has none.";
    "local.retention.bytes" ("log.local.retention.bytes") Kind::Long(-2, LONG_MAX), "-2",
        "Bytes kept locally with tiered storage.";
    "local.retention.ms" ("log.local.retention.ms") Kind::Long(-2, LONG_MAX), "-2",
        "Time kept locally with tiered storage.";
    "max.compaction.lag.ms" ("log.cleaner.max.compaction.lag.ms") Kind::Long(1, LONG_MAX), NEVER,
        "How long a record may stay out of compaction at most.";
    "max.message.bytes" ("message.max.bytes") Kind::Int(0, INT_MAX), "<message.max.bytes>",
        "Bytes of one record batch at most.";
    "message.timestamp.after.max.ms" ("log.message.timestamp.after.max.ms")
        Kind::Long(0, LONG_MAX), "3600000",
        "How far a record's time may lie in the broker's future.";
    "message.timestamp.before.max.ms" ("log.message.timestamp.before.max.ms")
        Kind::Long(0, LONG_MAX), NEVER,
        "How far a record's time may lie in the broker's past.";
    "message.timestamp.type" ("log.message.timestamp.type")
        Kind::OneOf(&["CreateTime", "LogAppendTime"]), "CreateTime",
        "Whether records bear the producer's time or the broker's.";
    "min.cleanable.dirty.ratio" ("log.cleaner.min.cleanable.ratio") Kind::Double(0.0, 1.0), "0.5",
        "Share of a log that is not compacted yet from which on it is compacted.";
    "min.compaction.lag.ms" ("log.cleaner.min.compaction.lag.ms") Kind::Long(0, LONG_MAX), "0",
        "How long a record stays out of compaction at least.";
    "min.insync.replicas" ("min.insync.replicas") Kind::Int(1, INT_MAX), "1",
        "Replicas that must have a record before acks=all is answered.";
    "preallocate" ("log.preallocate") Kind::Boolean, "false",
        "Whether a segment's file is allocated in full; the broker allocates in steps.";
    "remote.log.copy.disable" () Kind::OneOf(&["false"]), "false",
        "Tiered storage, which this broker does not have.";
    "remote.log.delete.on.disable" () Kind::OneOf(&["false"]), "false",
        "Tiered storage, which this broker does not have.";
    "remote.storage.enable" () Kind::OneOf(&["false"]), "false",
        "Tiered storage, which this broker does not have.";
    "retention.bytes" ("log.retention.bytes") Kind::Long(i64::MIN, LONG_MAX),
        "<log.retention.bytes>",
        "Bytes of a partition beyond which its oldest segments go; -1: no limit.";
    "retention.ms" ("log.retention.ms") Kind::Long(-1, LONG_MAX), "<log.retention.ms>",
        "How long records are kept at least; -1: for ever.";
    "segment.bytes" ("log.segment.bytes") Kind::Int(1 << 20, INT_MAX), "<log.segment.bytes>",
        "Bytes of a segment file.";
    "segment.index.bytes" ("log.index.size.max.bytes") Kind::Int(4, INT_MAX), "10485760",
        "Bytes of an index file.";
    "segment.jitter.ms" ("log.roll.jitter.ms") Kind::Long(0, LONG_MAX), "0",
        "Chance subtracted from the age at which a segment is closed.";
    "segment.ms" ("log.roll.ms") Kind::Long(1, LONG_MAX), "<log.roll.ms>",
        "Age at which a segment is closed even if it is small.";
    "unclean.leader.election.enable" ("unclean.leader.election.enable") Kind::Boolean, "false",
        "Whether a replica that lags may become leader; one node has none.";
}

/// The definition of a key.
pub(crate) fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.name == name)
}

impl Definition {
    /// The value of a topic that says nothing.
    pub(crate) fn default(&self, config: &Config) -> String {
        match self.default {
            "<message.max.bytes>" => config.message_max_bytes.0.to_string(),
            "<log.retention.bytes>" => {
                config.log_retention_bytes.map_or("-1".to_owned(), |bytes| bytes.0.to_string())
            }
            "<log.retention.ms>" => config.log_retention.0.as_millis().to_string(),
            "<log.segment.bytes>" => config.log_segment_bytes.0.min(INT_MAX as u64).to_string(),
            "<log.roll.ms>" => config.log_roll.0.as_millis().to_string(),
            fixed => fixed.to_owned(),
        }
    }

    /// One sentence for people.
    pub(crate) fn documentation(&self) -> &'static str {
        self.documentation
    }
}

/// Checks a setting that someone wants; says what is wrong with it.
pub(crate) fn check(name: &str, value: &str) -> Result<(), String> {
    let definition =
        definition(name).ok_or_else(|| format!("there is no topic setting '{name}'"))?;
    if definition.kind.takes(value.trim()) {
        Ok(())
    } else {
        Err(format!("'{value}' is no value for {name}; it takes {}", definition.kind))
    }
}

/// How a compacted topic is compacted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Compaction {
    /// Share of the log that is not compacted yet from which on it is.
    pub(crate) min_dirty_ratio: f64,
    /// Younger records stay.
    pub(crate) min_lag_ms: i64,
    /// Older records do not wait for the share to be reached.
    pub(crate) max_lag_ms: i64,
    /// How long deletions stay.
    pub(crate) delete_retention_ms: i64,
}

/// The settings of a topic as the broker uses them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TopicSettings {
    /// As set, for descriptions.
    pub(crate) overrides: Overrides,
    pub(crate) is_compacted: bool,
    /// How that is done.
    pub(crate) compaction: Compaction,
    /// Bytes of one batch.
    pub(crate) max_message_bytes: usize,
    /// Records bear the broker's time.
    pub(crate) log_append_time: bool,
    pub(crate) timestamp_before_max_ms: i64,
    pub(crate) timestamp_after_max_ms: i64,
    /// `None`: as the producer chose.
    pub(crate) compression: Option<Compression>,
    /// For the logs of its partitions.
    pub(crate) log: LogConfig,
}

impl TopicSettings {
    /// What `overrides` and the broker's defaults come to. Overrides were checked when they were set;
    /// one that a later release no longer takes counts as not set.
    pub(crate) fn new(overrides: Overrides, config: &Config) -> TopicSettings {
        let text = |name: &str| -> String {
            let definition = definition(name).expect("asked by literal names of the table");
            let set = overrides.get(name).map(|value| value.trim().to_owned());
            set.filter(|value| definition.kind.takes(value))
                .unwrap_or_else(|| definition.default(config))
        };
        let number = |name: &str| text(name).parse::<i64>().unwrap_or(LONG_MAX);
        let policy = text("cleanup.policy");
        let deletes = split(&policy).any(|part| part == "delete");
        // -1 stands for no limit.
        let limit = |name: &str| Some(number(name)).filter(|n| deletes && *n >= 0);
        let unsigned = |name: &str| u64::try_from(number(name)).unwrap_or(0);
        let small = |name: &str| u32::try_from(number(name)).unwrap_or(u32::MAX);
        let is_compacted = split(&policy).any(|part| part == "compact");
        let compaction = Compaction {
            min_dirty_ratio: text("min.cleanable.dirty.ratio").parse().unwrap_or(0.5),
            min_lag_ms: number("min.compaction.lag.ms"),
            max_lag_ms: number("max.compaction.lag.ms"),
            delete_retention_ms: number("delete.retention.ms"),
        };
        TopicSettings {
            is_compacted,
            compaction,
            max_message_bytes: usize::try_from(number("max.message.bytes")).unwrap_or(0),
            log_append_time: text("message.timestamp.type") == "LogAppendTime",
            timestamp_before_max_ms: number("message.timestamp.before.max.ms"),
            timestamp_after_max_ms: number("message.timestamp.after.max.ms"),
            compression: match text("compression.type").as_str() {
                "uncompressed" => Some(Compression::None),
                name => Compression::ALL.into_iter().find(|codec| codec.name() == name),
            },
            log: LogConfig {
                segment_bytes: unsigned("segment.bytes"),
                // What is being written to cannot be compacted.
                segment_ms: match is_compacted {
                    true => number("segment.ms").min(compaction.max_lag_ms),
                    false => number("segment.ms"),
                },
                index_interval_bytes: small("index.interval.bytes"),
                index_bytes_max: small("segment.index.bytes"),
                retention_ms: limit("retention.ms"),
                retention_bytes: limit("retention.bytes").map(|bytes| bytes as u64),
                compacted: is_compacted,
                durability: config.durability.into(),
                ..LogConfig::default()
            },
            overrides,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_its_key_takes() {
        let config = Config::default();
        for definition in DEFINITIONS {
            let value = definition.default(&config);
            assert!(definition.kind.takes(&value), "{} = {value:?}", definition.name);
        }
        assert!(DEFINITIONS.is_sorted_by_key(|definition| definition.name));
    }

    #[test]
    fn a_setting_is_judged_before_it_is_kept() {
        for (name, value, taken) in [
            ("retention.ms", "-1", true),
            ("retention.ms", "-2", false),
            ("retention.ms", "1d", false),
            ("cleanup.policy", "compact,delete", true),
            ("cleanup.policy", "compress", false),
            ("segment.bytes", "1000", false),
            ("min.cleanable.dirty.ratio", "0.1", true),
            ("min.cleanable.dirty.ratio", "1.1", false),
            ("remote.storage.enable", "true", false),
            ("no.such.key", "1", false),
        ] {
            assert_eq!(check(name, value).is_ok(), taken, "{name}={value}");
        }
    }

    #[test]
    fn a_topic_that_is_only_compacted_keeps_its_records() {
        let overrides = |policy: &str| {
            Overrides::from([
                ("cleanup.policy".to_owned(), policy.to_owned()),
                ("retention.ms".to_owned(), "1000".to_owned()),
            ])
        };
        let settings = TopicSettings::new(overrides("compact"), &Config::default());
        assert_eq!((settings.is_compacted, settings.log.retention_ms), (true, None));
        let settings = TopicSettings::new(overrides("compact,delete"), &Config::default());
        assert_eq!((settings.is_compacted, settings.log.retention_ms), (true, Some(1000)));
    }
}
