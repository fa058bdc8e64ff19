//! Published ports, in both of compose's spellings.
//!
//! Spec: <https://docs.docker.com/reference/compose-file/services/#ports>

use super::tree::{Node, Value};

/// Ports one range may name.
const RANGE_MAX: u16 = 100;

/// One port of a container, and where the machine shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Port {
    /// The machine's port; none where compose would take any free one.
    pub(crate) published: Option<u16>,
    /// The port inside the container.
    pub(crate) target: u16,
    /// Where it is written.
    pub(crate) line: usize,
}

/// Reads one member of `ports:`. UDP and SCTP are left out: no part of the stack speaks them.
pub(super) fn read(node: &Node) -> Result<Vec<Port>, String> {
    match &node.value {
        Value::Text(text) => short(text, node.line),
        Value::Map(_) => long(node),
        Value::Null | Value::List(_) => Err("a port is written \"8080:8080\"".to_owned()),
    }
}

/// `[[address:]published:]target[/protocol]`, each side a port or a range.
fn short(text: &str, line: usize) -> Result<Vec<Port>, String> {
    let wrong = || format!("invalid port {text:?}: it is written \"published:target\"");
    let (text, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    if protocol != "tcp" {
        return Ok(Vec::new());
    }
    // From the right: an IPv6 address has colons of its own.
    let mut sides = text.rsplitn(3, ':');
    let targets = range(sides.next().unwrap_or_default()).ok_or_else(wrong)?;
    let published = match sides.next() {
        None | Some("") => return Ok(ports(targets, |_| None, line)),
        Some(side) => range(side).ok_or_else(wrong)?,
    };
    if published.len() == targets.len() {
        return Ok(ports(targets, |at| published.get(at).copied(), line));
    }
    // A range published for one port means: the first free one of it.
    if targets.len() == 1 {
        return Ok(ports(targets, |_| published.first().copied(), line));
    }
    Err(wrong())
}

/// `target`, `published`, `protocol`; the address and the mode say nothing here.
fn long(node: &Node) -> Result<Vec<Port>, String> {
    if node.get("protocol").and_then(Node::text).is_some_and(|protocol| protocol != "tcp") {
        return Ok(Vec::new());
    }
    let side = |key| node.get(key).and_then(Node::text).filter(|text| !text.is_empty());
    let number = |key: &str, text: &str| {
        range(text)
            .and_then(|range| range.first().copied())
            .ok_or(format!("invalid {key} {text:?}"))
    };
    let target = side("target").ok_or("a port needs a target")?;
    let target = number("target", target)?;
    let published = side("published").map(|text| number("published", text)).transpose()?;
    Ok(vec![Port { published, target, line: node.line }])
}

fn ports(targets: Vec<u16>, published: impl Fn(usize) -> Option<u16>, line: usize) -> Vec<Port> {
    let port = |(at, target)| Port { published: published(at), target, line };
    targets.into_iter().enumerate().map(port).collect()
}

/// `8080` or `8080-8085`.
fn range(text: &str) -> Option<Vec<u16>> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (from.parse::<u16>().ok()?, to.parse::<u16>().ok()?);
    (from > 0 && from <= to && to - from < RANGE_MAX).then(|| (from..=to).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(yaml: &str) -> Result<Vec<(Option<u16>, u16)>, String> {
        let ports = read(&Node::parse(yaml).unwrap())?;
        Ok(ports.into_iter().map(|port| (port.published, port.target)).collect())
    }

    #[test]
    fn both_spellings_are_read() {
        for (yaml, expected) in [
            ("\"9092:9092\"", vec![(Some(9092), 9092)]),
            ("9090:8080", vec![(Some(9090), 8080)]),
            ("127.0.0.1:5432:5432/tcp", vec![(Some(5432), 5432)]),
            ("\"[::1]:80:8080\"", vec![(Some(80), 8080)]),
            ("127.0.0.1::8080", vec![(None, 8080)]),
            ("9092", vec![(None, 9092)]),
            ("\"7000-7001:8000-8001\"", vec![(Some(7000), 8000), (Some(7001), 8001)]),
            ("\"7000-7005:8000\"", vec![(Some(7000), 8000)]),
            ("53:53/udp", vec![]),
            ("{target: 80, published: 8080, protocol: tcp, mode: host}", vec![(Some(8080), 80)]),
            ("{target: 80, published: \"8080-8090\"}", vec![(Some(8080), 80)]),
            ("{target: 80}", vec![(None, 80)]),
        ] {
            assert_eq!(pairs(yaml), Ok(expected), "{yaml}");
        }
    }

    #[test]
    fn what_is_no_port_is_refused_in_words() {
        for yaml in ["http", "\"1:2:x\"", "0:80", "70000:80", "1-9:1-3", "{published: 80}", "[80]"]
        {
            assert!(pairs(yaml).is_err(), "{yaml}");
        }
    }
}
