//! Whether a name leads to this machine and nowhere else.

use std::net::IpAddr;

/// Whether an HTTP authority (`name`, `name:port`, `[v6]:port`; the value of `Host`, what follows
/// `://` in `Origin`) is a loopback name: `localhost`, a name under it (RFC 6761 §6.3), or a loopback
/// address.
///
/// A page on the web can make its own name lead here (DNS rebinding); its requests then carry that
/// name, and a box that is open on loopback must refuse them.
pub fn is_loopback_host(authority: &str) -> bool {
    let (name, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, "")) => (address, None),
            Some((address, port)) => (address, Some(port.strip_prefix(':').unwrap_or("none"))),
            None => return false,
        },
        None => match authority.rsplit_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (authority, None),
        },
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return false;
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback_host;

    #[test]
    fn names_and_addresses_of_this_machine_are_loopback() {
        for host in [
            "localhost",
            "LOCALHOST:9021",
            "localhost.",
            "tidemill.localhost:9021",
            "127.0.0.1",
            "127.0.0.1:80",
            "127.9.9.9:1",
            "[::1]",
            "[::1]:9021",
        ] {
            assert!(is_loopback_host(host), "{host}");
        }
    }

    #[test]
    fn whatever_only_looks_like_one_is_not() {
        for host in [
            "",
            "null",
            ":80",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:9021",
            "evil.example:127",
            "localhost:80:80",
            "localhost:http",
            "10.0.0.1:8083",
            "0.0.0.0",
            "[::1",
            "[::1]x",
            "[::1]:x",
            "[fe80::1]",
        ] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
