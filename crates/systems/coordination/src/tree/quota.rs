//! Quotas: `/zookeeper/quota/<path>/zookeeper_limits` says how much may lie below a node,
//! `zookeeper_stats` beside it how much does. Both are ordinary nodes that hold
//! `count=n,bytes=n`, hard limits behind that as `=;byteHardLimit=n;countHardLimit=n`.

use bytes::Bytes;
use tidemill_zookeeper_wire::{ErrorCode, path};

use super::{Tree, join, length};

const ROOT: &str = "/zookeeper/quota";
const LIMITS: &str = "zookeeper_limits";
const STATS: &str = "zookeeper_stats";

/// Nodes and bytes; -1 stands for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Amounts {
    count: i64,
    bytes: i64,
    count_hard: i64,
    bytes_hard: i64,
}

impl Amounts {
    fn parse(data: &[u8]) -> Amounts {
        let mut amounts = Amounts { count: -1, bytes: -1, count_hard: -1, bytes_hard: -1 };
        let text = String::from_utf8_lossy(data);
        for pair in text.split([',', ';']) {
            let mut halves = pair.split('=');
            let (Some(key), Some(value)) = (halves.next(), halves.next()) else { continue };
            let value = value.parse().unwrap_or(-1);
            match key {
                "count" => amounts.count = value,
                "bytes" => amounts.bytes = value,
                "countHardLimit" => amounts.count_hard = value,
                "byteHardLimit" => amounts.bytes_hard = value,
                _ => {}
            }
        }
        amounts
    }

    fn stats(count: i64, bytes: i64) -> Option<Bytes> {
        Some(Bytes::from(format!("count={count},bytes={bytes}")))
    }
}

impl Tree {
    /// Finds the quotas again after the nodes were read from a snapshot.
    pub(crate) fn find_quotas(&mut self) {
        let limits: Vec<String> =
            self.nodes.keys().filter_map(|path| limited_by(path)).map(str::to_owned).collect();
        self.quotas.extend(limits);
    }

    pub(super) fn count_created(&mut self, path: &str, bytes: i64) {
        if let Some(limited) = limited_by(path) {
            self.quotas.insert(limited.to_owned());
        }
        if let Some(counted) = part_of_quota(path, STATS) {
            self.recount(counted);
        }
        self.count(path, 1, bytes);
    }

    pub(super) fn count_deleted(&mut self, path: &str, bytes: i64) {
        if let Some(limited) = limited_by(path) {
            self.quotas.remove(limited);
        }
        self.count(path, -1, -bytes);
    }

    pub(super) fn count_bytes(&mut self, path: &str, bytes: i64) {
        self.count(path, 0, bytes);
    }

    /// Whether so much more may lie at this path, if quotas are enforced.
    pub(crate) fn check_quota(&self, path: &str, more: i64, bytes: i64) -> Result<(), ErrorCode> {
        let Some(limited) = self.quota_over(path) else { return Ok(()) };
        let at = |name| self.nodes.get(&join(&format!("{ROOT}{limited}"), name));
        let (Some(limits), Some(stats)) = (at(LIMITS), at(STATS)) else { return Ok(()) };
        let limits = Amounts::parse(limits.data.as_deref().unwrap_or_default());
        let stats = Amounts::parse(stats.data.as_deref().unwrap_or_default());
        let exceeds =
            |limit: i64, used: i64, more: i64| limit > -1 && more > 0 && used + more > limit;
        if exceeds(limits.count_hard, stats.count, more)
            || exceeds(limits.bytes_hard, stats.bytes, bytes)
        {
            return Err(ErrorCode::QuotaExceeded);
        }
        if exceeds(limits.count, stats.count, more) || exceeds(limits.bytes, stats.bytes, bytes) {
            tracing::warn!(path, quota = limited, "quota exceeded");
        }
        Ok(())
    }

    /// The nearest node with a quota, from this one upwards.
    fn quota_over<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.quotas.is_empty() {
            return None;
        }
        let upwards = std::iter::successors(Some(path), |path| path::parent(path));
        upwards.into_iter().find(|path| *path != "/" && self.quotas.contains(*path))
    }

    fn count(&mut self, path: &str, nodes: i64, bytes: i64) {
        let Some(limited) = self.quota_over(path) else { return };
        let stats = format!("{ROOT}{limited}/{STATS}");
        let Some(node) = self.nodes.get(&stats) else { return };
        let known = Amounts::parse(node.data.as_deref().unwrap_or_default());
        self.set_stats(&stats, known.count + nodes, known.bytes + bytes);
    }

    fn recount(&mut self, path: &str) {
        let (mut count, mut bytes) = (0, 0);
        let mut open = vec![path.to_owned()];
        while let Some(path) = open.pop() {
            let Some(node) = self.nodes.get(&path) else { continue };
            count += 1;
            bytes += i64::from(length(node.data.as_ref()));
            open.extend(node.children.iter().map(|name| join(&path, name)));
        }
        self.set_stats(&format!("{ROOT}{path}/{STATS}"), count, bytes);
    }

    /// Not a transaction of its own: it follows from the nodes.
    fn set_stats(&mut self, path: &str, count: i64, bytes: i64) {
        if let Some(node) = self.nodes.get_mut(path) {
            let data = Amounts::stats(count, bytes);
            let (before, after) = (length(node.data.as_ref()), length(data.as_ref()));
            node.data = data;
            self.bytes = self.bytes.saturating_add_signed(i64::from(after) - i64::from(before));
        }
    }
}

/// The node that a node of limits is about.
fn limited_by(path: &str) -> Option<&str> {
    part_of_quota(path, LIMITS)
}

fn part_of_quota<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let (limited, last) = path.strip_prefix(ROOT)?.rsplit_once('/')?;
    (last == name && !limited.is_empty()).then_some(limited)
}
