//! What a user can set: Kafka's words in snake case, values with their units.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use tidemill_runtime::{ByteSize, Span};

/// `[broker]` in `tidemill.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where clients connect. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// When a produce request or a commit is acknowledged.
    pub durability: Durability,

    /// Partitions of a topic whose creator does not say (`num.partitions`).
    pub num_partitions: i32,
    /// Whether asking for an unknown topic makes it (`auto.create.topics.enable`).
    #[serde(alias = "auto_create_topics")]
    pub auto_create_topics_enable: bool,

    /// How long records are kept at least (`log.retention.ms`); a topic may say otherwise.
    pub log_retention: Span,
    /// Bytes of a partition beyond which its oldest segments go (`log.retention.bytes`).
    pub log_retention_bytes: Option<ByteSize>,
    /// How often segments are looked at for that (`log.retention.check.interval.ms`).
    pub log_retention_check_interval: Span,
    /// How often the cleaner looks for topics to compact (`log.cleaner.backoff.ms`).
    pub log_cleaner_backoff: Span,
    /// Bytes of memory for the keys of a compaction (`log.cleaner.dedupe.buffer.size`): 24 per key.
    /// What does not fit is compacted in a later pass.
    pub log_cleaner_dedupe_buffer_size: ByteSize,
    /// Bytes that compaction reads and writes per second at most
    /// (`log.cleaner.io.max.bytes.per.second`).
    pub log_cleaner_io_max_bytes_per_second: ByteSize,
    /// Bytes of a segment file (`log.segment.bytes`).
    pub log_segment_bytes: ByteSize,
    /// Age at which a segment is closed even if it is small (`log.roll.ms`).
    pub log_roll: Span,

    /// Bytes of one record batch (`message.max.bytes`).
    pub message_max_bytes: ByteSize,
    /// Bytes of one request (`socket.request.max.bytes`): a larger one closes the connection
    /// before anything is allocated for it.
    pub socket_request_max_bytes: ByteSize,
    /// Bytes of all requests being received or handled (`queued.max.request.bytes`): beyond,
    /// nothing more is read until some are done.
    pub queued_max_request_bytes: ByteSize,
    /// Bytes of one fetch response (`fetch.max.bytes`), whatever the client asks for.
    pub fetch_max_bytes: ByteSize,
    /// Connections at one time (`max.connections`): further ones are closed at once.
    pub max_connections: usize,
    /// A connection that says nothing for so long is closed (`connections.max.idle.ms`).
    pub connections_max_idle: Span,
    /// Partitions in all; creating more is refused.
    pub partitions_max: usize,

    /// How long the first members of a new group are waited for (`group.initial.rebalance.delay.ms`).
    pub group_initial_rebalance_delay: Span,
    /// The shortest session timeout a member may ask for (`group.min.session.timeout.ms`).
    pub group_min_session_timeout: Span,
    /// The longest session timeout a member may ask for (`group.max.session.timeout.ms`).
    pub group_max_session_timeout: Span,
    /// Members of one group (`group.max.size`).
    pub group_max_size: usize,
    /// Groups in all; a further one is refused with `COORDINATOR_NOT_AVAILABLE`.
    pub groups_max: usize,
    /// Bytes of the note beside a committed offset (`offset.metadata.max.bytes`).
    pub offset_metadata_max_bytes: ByteSize,
    /// Offsets of a group without members are forgotten after so long (`offsets.retention.minutes`).
    pub offsets_retention: Span,
    /// An idempotent producer that writes nothing is forgotten after so long
    /// (`producer.id.expiration.ms`).
    pub producer_id_expiration: Span,
    /// The longest time a client may ask for before its transaction is aborted
    /// (`transaction.max.timeout.ms`).
    pub transaction_max_timeout: Span,
    /// A transactional id that nobody uses is forgotten after so long
    /// (`transactional.id.expiration.ms`).
    pub transactional_id_expiration: Span,
    /// Transactional ids in all; a further one is refused with `COORDINATOR_NOT_AVAILABLE`.
    pub transactional_ids_max: usize,
}

impl Default for Config {
    /// Kafka's defaults, on loopback, with every acknowledged record on the disk; a new group does
    /// not wait 3 s for more members, as in the configuration Kafka ships for a first try.
    fn default() -> Config {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 9092)),
            durability: Durability::Fsync,
            num_partitions: 1,
            auto_create_topics_enable: true,
            log_retention: Span::secs(7 * 24 * 3600),
            log_retention_bytes: None,
            log_retention_check_interval: Span::secs(300),
            log_cleaner_backoff: Span::secs(15),
            log_cleaner_dedupe_buffer_size: ByteSize::mib(32),
            log_cleaner_io_max_bytes_per_second: ByteSize::mib(64),
            log_segment_bytes: ByteSize::gib(1),
            log_roll: Span::secs(7 * 24 * 3600),
            message_max_bytes: ByteSize(1_048_588),
            socket_request_max_bytes: ByteSize::mib(100),
            queued_max_request_bytes: ByteSize::mib(512),
            fetch_max_bytes: ByteSize::mib(55),
            max_connections: 1000,
            connections_max_idle: Span::secs(600),
            partitions_max: 4000,
            group_initial_rebalance_delay: Span::ms(0),
            group_min_session_timeout: Span::secs(6),
            group_max_session_timeout: Span::secs(1800),
            group_max_size: 1000,
            groups_max: 10_000,
            offset_metadata_max_bytes: ByteSize(4096),
            offsets_retention: Span::secs(7 * 24 * 3600),
            producer_id_expiration: Span::secs(24 * 3600),
            transaction_max_timeout: Span::secs(15 * 60),
            transactional_id_expiration: Span::secs(7 * 24 * 3600),
            transactional_ids_max: 10_000,
        }
    }
}

/// When something is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// After its bytes are on the disk. Survives a power cut.
    #[default]
    Fsync,
    /// Once the kernel has its bytes. Survives the death of the process; a power cut may take the
    /// last second.
    PageCache,
}

impl From<Durability> for tidemill_log::Durability {
    fn from(durability: Durability) -> tidemill_log::Durability {
        match durability {
            Durability::Fsync => tidemill_log::Durability::Fsync,
            Durability::PageCache => tidemill_log::Durability::PageCache,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_units_and_an_unknown_one_is_named() {
        let config: Config = serde_json::from_str(
            r#"{"durability": "page-cache", "log_retention": "30m", "auto_create_topics": false}"#,
        )
        .unwrap();
        assert_eq!(config.durability, Durability::PageCache);
        assert_eq!(config.log_retention, Span::secs(1800));
        assert!(!config.auto_create_topics_enable);
        let error = serde_json::from_str::<Config>(r#"{"retention": "30m"}"#).unwrap_err();
        assert!(error.to_string().contains("`retention`"), "{error}");
    }
}
