//! What a query has done, in the shape of Spark's `StreamingQueryProgress`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{PROGRESS_MAX, Query};
use crate::time::{Civil, show_timestamp};

/// One report.
#[derive(Debug, Clone)]
pub(in crate::spark) struct Report {
    at_ms: i64,
    records_in: u64,
    pub(super) json: String,
}

impl Query {
    /// The reports so far; a new one if something was done since the last.
    pub(super) fn reports(&self, now_ms: i64) -> Vec<String> {
        let (records_in, batch) = self.job.with(|progress| {
            (progress.records_in, progress.checkpoint.map_or(0, |checkpoint| checkpoint.epoch))
        });
        let mut reports = self.reports.lock();
        let last = reports.back().map(|report| (report.at_ms, report.records_in));
        if last.is_none_or(|(_, known)| known != records_in) && records_in > 0 {
            let since = last.unwrap_or((self.job.with(|progress| progress.started_at_ms), 0));
            let json = self.report(now_ms, since, batch).to_string();
            if reports.len() >= PROGRESS_MAX {
                reports.pop_front();
            }
            reports.push_back(Report { at_ms: now_ms, records_in, json });
        }
        reports.iter().map(|report| report.json.clone()).collect()
    }

    fn report(&self, now_ms: i64, (since_ms, before): (i64, u64), batch: u64) -> Value {
        self.job.with(|progress| {
            let rows = progress.records_in.saturating_sub(before);
            let seconds = ((now_ms - since_ms).max(1) as f64) / 1000.0;
            let rate = rows as f64 / seconds;
            let mut ends: BTreeMap<&str, BTreeMap<String, i64>> = BTreeMap::new();
            let mut last: BTreeMap<&str, BTreeMap<String, i64>> = BTreeMap::new();
            for ((topic, partition), (position, end)) in &progress.partitions {
                ends.entry(topic).or_default().insert(partition.to_string(), *position);
                last.entry(topic).or_default().insert(partition.to_string(), *end);
            }
            let event_time = match progress.watermark_ms {
                Some(watermark) => json!({ "watermark": moment(watermark) }),
                None => json!({}),
            };
            json!({
                "id": self.id,
                "runId": self.run_id,
                "name": self.name,
                "timestamp": moment(now_ms),
                "batchId": batch,
                "batchDuration": 0,
                "numInputRows": rows,
                "inputRowsPerSecond": rate,
                "processedRowsPerSecond": rate,
                "durationMs": {},
                "eventTime": event_time,
                "stateOperators": [],
                "sources": [{
                    "description": self.source,
                    "startOffset": null,
                    "endOffset": json!(ends).to_string(),
                    "latestOffset": json!(last).to_string(),
                    "numInputRows": rows,
                    "inputRowsPerSecond": rate,
                    "processedRowsPerSecond": rate,
                    "metrics": {},
                }],
                "sink": {
                    "description": self.sink,
                    "numOutputRows": progress.records_out,
                    "metrics": { "deadLetters": progress.dead_letters.to_string() },
                },
                "observedMetrics": {},
            })
        })
    }
}

/// `2026-01-01T00:00:00.000Z`.
fn moment(millis: i64) -> String {
    let text = show_timestamp(&Civil::from_millis(millis), 'T');
    match text.split_once('.') {
        Some((head, fraction)) => format!("{head}.{:0<3}Z", fraction.get(..3).unwrap_or(fraction)),
        None => format!("{text}.000Z"),
    }
}
