//! The broker's own settings under Kafka's names, for whoever asks.

use std::net::SocketAddr;
use std::path::Path;

use tidemill_runtime::{ByteSize, Span};

use crate::config::Config;
use crate::core::NODE_ID;

/// A setting of the broker.
pub(crate) struct BrokerSetting {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    /// Kafka's number for the type of the value.
    pub(crate) kind: i8,
    /// Whether it counts as set even if it is what it would be anyway.
    pub(crate) is_always_set: bool,
    pub(crate) documentation: &'static str,
}

const ALWAYS_SET: [&str; 5] = ["node.id", "broker.id", "log.dir", "log.dirs", "listeners"];

/// A row per setting: name, type, value, and one sentence.
macro_rules! settings {
    ($($name:literal $kind:ident $value:expr, $documentation:literal;)*) => {
        vec![$(
            BrokerSetting {
                name: $name,
                value: $value.to_string(),
                kind: settings!(@$kind),
                is_always_set: ALWAYS_SET.contains(&$name),
                documentation: $documentation,
            },
        )*]
    };
    (@boolean) => { 1 };
    (@string) => { 2 };
    (@int) => { 3 };
    (@long) => { 5 };
    (@double) => { 6 };
    (@list) => { 7 };
}

/// All of them, in alphabetical order.
pub(crate) fn all(config: &Config, listen: SocketAddr, dir: &Path) -> Vec<BrokerSetting> {
    let listener = format!("PLAINTEXT://{listen}");
    settings! {
        "advertised.listeners" string listener, "Where clients find this broker.";
        "auto.create.topics.enable" boolean config.auto_create_topics_enable,
            "Whether asking for an unknown topic makes it.";
        "broker.id" int NODE_ID, "This broker's number.";
        "compression.type" string "producer", "The codec batches are stored with.";
        "connections.max.idle.ms" long ms(config.connections_max_idle),
            "A connection that says nothing for so long is closed.";
        "default.replication.factor" int "1", "Replicas of a topic.";
        "delete.topic.enable" boolean "true", "Whether topics can be deleted.";
        "fetch.max.bytes" int config.fetch_max_bytes.0, "Bytes of one fetch response.";
        "group.initial.rebalance.delay.ms" int ms(config.group_initial_rebalance_delay),
            "How long the first members of a new group are waited for.";
        "group.max.session.timeout.ms" int ms(config.group_max_session_timeout),
            "The longest session timeout a member may ask for.";
        "group.max.size" int config.group_max_size, "Members of one group.";
        "group.min.session.timeout.ms" int ms(config.group_min_session_timeout),
            "The shortest session timeout a member may ask for.";
        "listeners" string listener, "Where this broker listens.";
        "log.cleaner.backoff.ms" long ms(config.log_cleaner_backoff),
            "How often the cleaner looks for topics to compact.";
        "log.cleaner.dedupe.buffer.size" long config.log_cleaner_dedupe_buffer_size.0,
            "Bytes of memory for the keys of a compaction.";
        "log.cleaner.io.max.bytes.per.second" double config.log_cleaner_io_max_bytes_per_second.0,
            "Bytes that compaction reads and writes per second at most.";
        "log.cleanup.policy" list "delete", "What happens to old segments.";
        "log.dir" string dir.display(), "Where the partitions are.";
        "log.dirs" string dir.display(), "Where the partitions are.";
        "log.message.timestamp.type" string "CreateTime", "Whose time records bear.";
        "log.retention.bytes" long bytes_or_no_limit(config.log_retention_bytes),
            "Bytes of a partition beyond which its oldest segments go.";
        "log.retention.check.interval.ms" long ms(config.log_retention_check_interval),
            "How often old segments are looked for.";
        "log.retention.hours" int (config.log_retention.0.as_secs() / 3600),
            "How long records are kept at least, in hours.";
        "log.retention.ms" long ms(config.log_retention), "How long records are kept at least.";
        "log.roll.ms" long ms(config.log_roll),
            "Age at which a segment is closed even if it is small.";
        "log.segment.bytes" int config.log_segment_bytes.0, "Bytes of a segment file.";
        "max.connections" int config.max_connections, "Connections at one time.";
        "message.max.bytes" int config.message_max_bytes.0, "Bytes of one record batch.";
        "min.insync.replicas" int "1", "Replicas that must have a record.";
        "node.id" int NODE_ID, "This broker's number.";
        "num.partitions" int config.num_partitions,
            "Partitions of a topic whose creator does not say.";
        "offset.metadata.max.bytes" int config.offset_metadata_max_bytes.0,
            "Bytes of the note beside a committed offset.";
        "offsets.retention.minutes" int (config.offsets_retention.0.as_secs() / 60),
            "Offsets of a group without members are forgotten after so long.";
        "producer.id.expiration.ms" int ms(config.producer_id_expiration),
            "An idempotent producer that writes nothing is forgotten after so long.";
        "socket.request.max.bytes" int config.socket_request_max_bytes.0, "Bytes of one request.";
        "transaction.max.timeout.ms" int ms(config.transaction_max_timeout),
            "The longest time a client may ask for before its transaction is aborted.";
        "transactional.id.expiration.ms" int ms(config.transactional_id_expiration),
            "A transactional id that nobody uses is forgotten after so long.";
    }
}

fn ms(span: Span) -> u128 {
    span.0.as_millis()
}

fn bytes_or_no_limit(bytes: Option<ByteSize>) -> String {
    bytes.map_or("-1".to_owned(), |bytes| bytes.0.to_string())
}
