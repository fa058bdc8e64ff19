//! What a user can set: ZooKeeper's words in snake case, values with their units.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use tidemill_runtime::{ByteSize, Span};

/// `[coordination]` in `tidemill.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where clients connect (`clientPort`). Port 0 takes a free one.
    pub listen: SocketAddr,
    /// When a change is acknowledged.
    pub durability: Durability,
    /// ZooKeeper's unit of time (`tickTime`): how exactly the end of a session is seen.
    pub tick_time: Span,
    /// The shortest session timeout a client gets (`minSessionTimeout`); 2 ticks if unset.
    pub min_session_timeout: Option<Span>,
    /// The longest session timeout a client gets (`maxSessionTimeout`); 20 ticks if unset.
    pub max_session_timeout: Option<Span>,
    /// Connections of one address at one time (`maxClientCnxns`); 0 for no limit of its own.
    pub max_client_cnxns: usize,
    /// Connections in all (`maxCnxns`): further ones are closed at once.
    pub max_cnxns: usize,
    /// Sessions in all; a client that wants a further one is disconnected.
    pub sessions_max: usize,
    /// Bytes of one request (`jute.maxbuffer`): a larger one closes the connection before anything
    /// is allocated for it.
    pub jute_maxbuffer: ByteSize,
    /// Memory of all nodes, about: beyond, what would need more is refused with
    /// `QUOTAEXCEEDED`.
    pub data_max: ByteSize,
    /// Transactions after which a snapshot is written (`snapCount`).
    pub snap_count: u64,
    /// Bytes of transactions after which one is written too (`snapSizeLimitInKb`): a start reads no
    /// more of the log than that.
    pub snap_size_limit: ByteSize,
    /// Snapshots that are kept, with the logs behind them (`autopurge.snapRetainCount`).
    pub snap_retain_count: usize,
    /// How often containers without children and old nodes are looked for
    /// (`znode.container.checkIntervalMs`).
    pub container_check_interval: Span,
    /// Whether nodes can have a time to live (`zookeeper.extendedTypesEnabled`).
    pub extended_types_enabled: bool,
    /// Whether quotas are enforced (`enforceQuota`), and not only counted.
    pub enforce_quota: bool,
    /// `user:hash` of who may do anything (`zookeeper.DigestAuthenticationProvider.superDigest`).
    pub super_digest: Option<String>,
    /// Four-letter words that are answered (`4lw.commands.whitelist`); `*` for all.
    #[serde(rename = "4lw_commands_whitelist")]
    pub four_letter_words: Vec<String>,
}

impl Default for Config {
    /// ZooKeeper's defaults on loopback, with nodes that have a time to live, and with all
    /// four-letter words that change nothing and tell no session (ZooKeeper answers `srvr` alone).
    fn default() -> Config {
        let harmless = ["srvr", "ruok", "stat", "mntr", "conf", "isro", "envi", "wchs", "dirs"];
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 2181)),
            durability: Durability::Fsync,
            tick_time: Span::secs(2),
            min_session_timeout: None,
            max_session_timeout: None,
            max_client_cnxns: 60,
            max_cnxns: 10_000,
            sessions_max: 100_000,
            jute_maxbuffer: ByteSize(0xf_ffff),
            data_max: ByteSize::gib(1),
            snap_count: 100_000,
            snap_size_limit: ByteSize::mib(256),
            snap_retain_count: 3,
            container_check_interval: Span::secs(60),
            extended_types_enabled: true,
            enforce_quota: false,
            super_digest: None,
            four_letter_words: harmless.map(str::to_owned).to_vec(),
        }
    }
}

impl Config {
    /// The shortest and the longest session timeout, in milliseconds.
    pub(crate) fn session_timeouts_ms(&self) -> (i32, i32) {
        let ms = |span: Span| i32::try_from(span.0.as_millis()).unwrap_or(i32::MAX);
        let tick = ms(self.tick_time);
        let min = self.min_session_timeout.map_or(tick.saturating_mul(2), ms);
        let max = self.max_session_timeout.map_or(tick.saturating_mul(20), ms);
        (min, max.max(min))
    }

    /// Whether this four-letter word is answered.
    pub(crate) fn answers(&self, word: &str) -> bool {
        self.four_letter_words.iter().any(|known| known == "*" || known == word)
    }
}

/// When a change is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// After its bytes are on the disk. Survives a power cut.
    #[default]
    Fsync,
    /// Once the kernel has its bytes (`forceSync=no`). Survives the death of the process; a power
    /// cut may take the last seconds, and then a client's session or lock with them.
    PageCache,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_follow_the_tick_until_they_are_set() {
        let mut config = Config::default();
        assert_eq!(config.session_timeouts_ms(), (4_000, 40_000));
        config.max_session_timeout = Some(Span::secs(1));
        assert_eq!(config.session_timeouts_ms(), (4_000, 4_000), "never below the shortest");
        config.min_session_timeout = Some(Span::ms(100));
        assert_eq!(config.session_timeouts_ms(), (100, 1_000));
    }

    #[test]
    fn keys_have_units_and_an_unknown_one_is_named() {
        let config: Config =
            serde_json::from_str(r#"{"tick_time": "500ms", "4lw_commands_whitelist": ["*"]}"#)
                .unwrap();
        assert!(config.answers("cons") && !Config::default().answers("cons"));
        let error = serde_json::from_str::<Config>(r#"{"tick": "1s"}"#).unwrap_err();
        assert!(error.to_string().contains("`tick`"), "{error}");
    }
}
