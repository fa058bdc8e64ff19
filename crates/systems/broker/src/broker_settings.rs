//! The broker's own settings under Kafka's names, for whoever asks.

use std::net::SocketAddr;
use std::path::Path;

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

const BOOLEAN: i8 = 1;
const STRING: i8 = 2;
const INT: i8 = 3;
const LONG: i8 = 5;
const LIST: i8 = 7;

/// All of them, in alphabetical order.
pub(crate) fn all(config: &Config, listen: SocketAddr, dir: &Path) -> Vec<BrokerSetting> {
    let ms = |span: tidemill_runtime::Span| span.0.as_millis().to_string();
    let listener = format!("PLAINTEXT://{listen}");
    let rows: [(&'static str, String, i8, &'static str); 32] = [
        ("advertised.listeners", listener.clone(), STRING, "Where clients find this broker."),
        (
            "auto.create.topics.enable",
            config.auto_create_topics_enable.to_string(),
            BOOLEAN,
            "Whether asking for an unknown topic makes it.",
        ),
        ("broker.id", NODE_ID.to_string(), INT, "This broker's number."),
        ("compression.type", "producer".into(), STRING, "The codec batches are stored with."),
        (
            "connections.max.idle.ms",
            ms(config.connections_max_idle),
            LONG,
            "A connection that says nothing for so long is closed.",
        ),
        ("default.replication.factor", "1".into(), INT, "Replicas of a topic."),
        ("delete.topic.enable", "true".into(), BOOLEAN, "Whether topics can be deleted."),
        (
            "fetch.max.bytes",
            config.fetch_max_bytes.0.to_string(),
            INT,
            "Bytes of one fetch response.",
        ),
        (
            "group.initial.rebalance.delay.ms",
            ms(config.group_initial_rebalance_delay),
            INT,
            "How long the first members of a new group are waited for.",
        ),
        (
            "group.max.session.timeout.ms",
            ms(config.group_max_session_timeout),
            INT,
            "The longest session timeout a member may ask for.",
        ),
        ("group.max.size", config.group_max_size.to_string(), INT, "Members of one group."),
        (
            "group.min.session.timeout.ms",
            ms(config.group_min_session_timeout),
            INT,
            "The shortest session timeout a member may ask for.",
        ),
        ("listeners", listener, STRING, "Where this broker listens."),
        ("log.cleanup.policy", "delete".into(), LIST, "What happens to old segments."),
        ("log.dir", dir.display().to_string(), STRING, "Where the partitions are."),
        ("log.dirs", dir.display().to_string(), STRING, "Where the partitions are."),
        ("log.message.timestamp.type", "CreateTime".into(), STRING, "Whose time records bear."),
        (
            "log.retention.bytes",
            config.log_retention_bytes.map_or("-1".into(), |bytes| bytes.0.to_string()),
            LONG,
            "Bytes of a partition beyond which its oldest segments go.",
        ),
        (
            "log.retention.check.interval.ms",
            ms(config.log_retention_check_interval),
            LONG,
            "How often old segments are looked for.",
        ),
        (
            "log.retention.hours",
            (config.log_retention.0.as_secs() / 3600).to_string(),
            INT,
            "How long records are kept at least, in hours.",
        ),
        ("log.retention.ms", ms(config.log_retention), LONG, "How long records are kept at least."),
        (
            "log.roll.ms",
            ms(config.log_roll),
            LONG,
            "Age at which a segment is closed even if it is small.",
        ),
        (
            "log.segment.bytes",
            config.log_segment_bytes.0.to_string(),
            INT,
            "Bytes of a segment file.",
        ),
        ("max.connections", config.max_connections.to_string(), INT, "Connections at one time."),
        (
            "message.max.bytes",
            config.message_max_bytes.0.to_string(),
            INT,
            "Bytes of one record batch.",
        ),
        ("min.insync.replicas", "1".into(), INT, "Replicas that must have a record."),
        ("node.id", NODE_ID.to_string(), INT, "This broker's number."),
        (
            "num.partitions",
            config.num_partitions.to_string(),
            INT,
            "Partitions of a topic whose creator does not say.",
        ),
        (
            "offset.metadata.max.bytes",
            config.offset_metadata_max_bytes.0.to_string(),
            INT,
            "Bytes of the note beside a committed offset.",
        ),
        (
            "offsets.retention.minutes",
            (config.offsets_retention.0.as_secs() / 60).to_string(),
            INT,
            "Offsets of a group without members are forgotten after so long.",
        ),
        (
            "producer.id.expiration.ms",
            ms(config.producer_id_expiration),
            INT,
            "An idempotent producer that writes nothing is forgotten after so long.",
        ),
        (
            "socket.request.max.bytes",
            config.socket_request_max_bytes.0.to_string(),
            INT,
            "Bytes of one request.",
        ),
    ];
    rows.map(|(name, value, kind, documentation)| BrokerSetting {
        is_always_set: ["node.id", "broker.id", "log.dir", "log.dirs", "listeners"].contains(&name),
        name,
        value,
        kind,
        documentation,
    })
    .into()
}
