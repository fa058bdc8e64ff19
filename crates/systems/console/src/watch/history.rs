//! The last quarter of an hour, so that a page that opens shows lines at once.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::snapshot::Snapshot;

/// Points kept: a quarter of an hour at one a second.
const POINTS_MAX: usize = 900;
/// Rates kept of one node.
const RATES_MAX: usize = 60;

/// `[at_ms, rate_in, rate_out, rate_rejected, lag, p50, p99]`
type Point = (i64, f64, f64, f64, i64, Option<f64>, Option<f64>);

/// Totals over time, and the last rates of each node on the map.
#[derive(Debug, Default, Serialize)]
pub(crate) struct History {
    points: VecDeque<Point>,
    rates: BTreeMap<String, VecDeque<f64>>,
}

impl History {
    /// Adds what a snapshot says.
    pub(crate) fn push(&mut self, snapshot: &Snapshot) {
        let totals = &snapshot.totals;
        let (p50, p99) = totals.latency_ms.map_or((None, None), |l| (Some(l.p50), Some(l.p99)));
        self.points.push_back((
            snapshot.at_ms,
            totals.rate_in,
            totals.rate_out,
            totals.rate_rejected,
            totals.lag,
            p50,
            p99,
        ));
        if self.points.len() > POINTS_MAX {
            self.points.pop_front();
        }
        let shown = &snapshot.nodes;
        self.rates.retain(|id, _| shown.iter().any(|node| node.id == *id));
        for (id, rate) in shown.iter().filter_map(|node| Some((&node.id, node.rate?))) {
            let rates = self.rates.entry(id.clone()).or_default();
            rates.push_back(rate);
            if rates.len() > RATES_MAX {
                rates.pop_front();
            }
        }
    }
}
