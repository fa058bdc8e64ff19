//! Errors that repeat: the first few are written, then every power of ten, then the total.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::Level;

/// Written as they come.
const WRITTEN: u64 = 3;
/// Different texts that are counted; more share one count.
const TEXTS_MAX: usize = 64;

/// Times a line of a child is written as it comes, before it is told by its count.
const LINES_WRITTEN: u64 = 20;
/// Different lines whose repetitions are counted at one moment.
const LINES_MAX: usize = 256;

/// Lines of a child that repeat. Unlike our own errors, every different line is written: only the
/// same text over and over is told by its count, at every power of ten.
#[derive(Debug, Default)]
pub(super) struct Repeats(HashMap<u64, u64>);

impl Repeats {
    /// Counts a line; what is to be written of it.
    pub(super) fn count(&mut self, logger: &str, text: &str) -> Option<String> {
        let mut hash = DefaultHasher::new();
        (logger, text).hash(&mut hash);
        if self.0.len() >= LINES_MAX {
            // A loop repeats few lines: what was seen long ago begins anew.
            self.0.clear();
        }
        let count = self.0.entry(hash.finish()).or_default();
        *count += 1;
        match *count {
            count if count < LINES_WRITTEN => Some(text.to_owned()),
            LINES_WRITTEN => Some(format!("{text} (from now on only counted)")),
            count if is_power_of_ten(count) => Some(format!("{text} ({count} times)")),
            _ => None,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Folds {
    counts: HashMap<String, (Level, u64)>,
    order: Vec<String>,
    /// Texts that found no place.
    others: u64,
}

impl Folds {
    /// Counts a text; what is to be written of it.
    pub(super) fn count(&mut self, level: Level, text: &str) -> Option<String> {
        if !self.counts.contains_key(text) {
            if self.counts.len() >= TEXTS_MAX {
                self.others += 1;
                return (self.others.ilog10() == 0 || is_power_of_ten(self.others))
                    .then(|| text.to_owned());
            }
            self.order.push(text.to_owned());
        }
        let (_, count) = self.counts.entry(text.to_owned()).or_insert((level, 0));
        *count += 1;
        match *count {
            count if count <= WRITTEN => Some(text.to_owned()),
            count if is_power_of_ten(count) => Some(format!("{text} ({count} times)")),
            _ => None,
        }
    }

    /// What was folded, once and for all.
    pub(super) fn take_totals(&mut self) -> Vec<(Level, String)> {
        let counts = std::mem::take(&mut self.counts);
        let mut totals: Vec<(Level, String)> = std::mem::take(&mut self.order)
            .into_iter()
            .filter_map(|text| {
                let (level, count) = *counts.get(&text)?;
                (count > WRITTEN).then(|| (level, format!("{count} × {text}")))
            })
            .collect();
        if self.others > 0 {
            totals.push((Level::Warning, format!("{} × other messages", self.others)));
            self.others = 0;
        }
        totals
    }
}

fn is_power_of_ten(count: u64) -> bool {
    count >= 10 && 10_u64.checked_pow(count.ilog10()) == Some(count)
}
