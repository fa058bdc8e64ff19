//! What a task moved, and what kept it from moving more.

use std::collections::HashMap;

use parking_lot::Mutex;
use serde_json::{Value, json};

/// Different problems that are counted apart.
const PROBLEMS_MAX: usize = 32;
/// Problems an explanation names.
const PROBLEMS_TOLD: usize = 3;
/// Longest problem, in characters.
const PROBLEM_CHARS_MAX: usize = 300;

/// Counts of one try, shared by its requests.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Counts>);

#[derive(Debug, Default, Clone)]
pub(super) struct Counts {
    /// Requests that were answered or failed.
    pub(super) requests: u64,
    /// Of these, those that failed.
    pub(super) failed_requests: u64,
    /// Records the source gave.
    pub(super) fetched: u64,
    /// Records the broker acknowledged.
    pub(super) produced: u64,
    /// Records that could not be given the wanted shape.
    pub(super) rejected: u64,
    /// Records the broker did not acknowledge.
    pub(super) unacknowledged: u64,
    problems: HashMap<String, u64>,
    /// In the order in which they first came.
    order: Vec<String>,
}

impl Tally {
    pub(super) fn add(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock());
    }

    pub(super) fn problem(&self, text: &str) {
        let text: String = text.chars().take(PROBLEM_CHARS_MAX).collect();
        let mut counts = self.0.lock();
        if !counts.problems.contains_key(&text) {
            if counts.problems.len() >= PROBLEMS_MAX {
                return;
            }
            counts.order.push(text.clone());
        }
        *counts.problems.entry(text).or_default() += 1;
    }

    pub(super) fn counts(&self) -> Counts {
        self.0.lock().clone()
    }

    /// The XCom of a task that moves records.
    pub(super) fn value(&self) -> Value {
        let counts = self.0.lock();
        json!({
            "fetched": counts.fetched, "produced": counts.produced, "rejected": counts.rejected,
        })
    }
}

impl Counts {
    /// The most frequent problems: `412 × HTTP 500 Internal Server Error, 3 × …`.
    pub(super) fn problems(&self) -> String {
        let mut texts: Vec<&String> = self.order.iter().collect();
        // Stable: among equals the one that came first is told first.
        texts.sort_by_key(|text| std::cmp::Reverse(self.problems.get(*text).copied()));
        let told = texts.iter().take(PROBLEMS_TOLD).map(|text| {
            let count = self.problems.get(*text).copied().unwrap_or_default();
            format!("{count} × {text}")
        });
        told.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn has_problems(&self) -> bool {
        !self.order.is_empty()
    }
}
