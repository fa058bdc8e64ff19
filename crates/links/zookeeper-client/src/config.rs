//! Where the servers are, and who asks them.

use std::time::Duration;

use tidemill_zookeeper_wire::path;

/// ZooKeeper's port, where a connect string names none.
const DEFAULT_PORT: u16 = 2181;

/// How a client reaches its ensemble.
#[derive(Debug, Clone)]
pub struct Config {
    /// `host:port,host:port/chroot`: every path of this client lies below the chroot.
    pub connect: String,
    /// How long a session outlives its last sign of life; the server may give more or less.
    pub session_timeout: Duration,
    /// Scheme and credentials, such as `digest` and `user:password`.
    pub auth: Vec<(String, Vec<u8>)>,
}

impl Config {
    /// This connect string, 10 s, nobody in particular.
    pub fn new(connect: &str) -> Config {
        Config {
            connect: connect.to_owned(),
            session_timeout: Duration::from_secs(10),
            auth: Vec::new(),
        }
    }
}

/// A connect string that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{connect:?} is no connect string: {reason}; write host:port,host:port/path")]
pub struct ConfigError {
    connect: String,
    reason: &'static str,
}

/// A connect string in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ensemble {
    /// `host:port`, at least one.
    pub(crate) hosts: Vec<String>,
    /// Empty, or a path.
    pub(crate) chroot: String,
}

impl Ensemble {
    pub(crate) fn parse(connect: &str) -> Result<Ensemble, ConfigError> {
        let wrong = |reason| ConfigError { connect: connect.to_owned(), reason };
        let (hosts, chroot) = match connect.find('/') {
            Some(at) => connect.split_at(at),
            None => (connect, ""),
        };
        let chroot = if chroot == "/" { "" } else { chroot };
        if !chroot.is_empty() && !path::is_valid(chroot) {
            return Err(wrong("the part behind the hosts is no path"));
        }
        let hosts = hosts.split(',').map(str::trim).filter(|host| !host.is_empty());
        let hosts: Vec<String> = hosts.map(with_port).collect();
        if hosts.is_empty() {
            return Err(wrong("it names no host"));
        }
        Ok(Ensemble { hosts, chroot: chroot.to_owned() })
    }

    /// A path as the server knows it.
    pub(crate) fn absolute(&self, path: &str) -> String {
        match (self.chroot.as_str(), path) {
            ("", path) => path.to_owned(),
            (chroot, "/") => chroot.to_owned(),
            (chroot, path) => format!("{chroot}{path}"),
        }
    }

    /// A server's path as this client knows it.
    pub(crate) fn relative(&self, path: &str) -> String {
        match path.strip_prefix(&self.chroot) {
            Some("") => "/".to_owned(),
            Some(below) => below.to_owned(),
            None => path.to_owned(),
        }
    }
}

fn with_port(host: &str) -> String {
    // An IPv6 address has colons of its own and stands in brackets when a port follows.
    let has_port = match host.rsplit_once(':') {
        Some((before, _)) => !before.contains(':') || before.ends_with(']'),
        None => false,
    };
    match (has_port, host.contains(':') && !host.starts_with('[')) {
        (true, _) => host.to_owned(),
        (false, true) => format!("[{host}]:{DEFAULT_PORT}"),
        (false, false) => format!("{host}:{DEFAULT_PORT}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connect_string_has_hosts_and_perhaps_a_chroot() {
        let parse = |text| Ensemble::parse(text).unwrap();
        assert_eq!(parse("a").hosts, ["a:2181"]);
        assert_eq!(parse("a:1, b").hosts, ["a:1", "b:2181"]);
        assert_eq!(parse("::1,[::1]:7").hosts, ["[::1]:2181", "[::1]:7"]);
        let below = parse("a:1/tidemill/nodes");
        assert_eq!(below.chroot, "/tidemill/nodes");
        assert_eq!(below.absolute("/x"), "/tidemill/nodes/x");
        assert_eq!(below.absolute("/"), "/tidemill/nodes");
        assert_eq!(below.relative("/tidemill/nodes/x"), "/x");
        assert_eq!(parse("a/").chroot, "");
        assert!(Ensemble::parse("").is_err());
        assert!(Ensemble::parse("a/b/").is_err());
    }
}
