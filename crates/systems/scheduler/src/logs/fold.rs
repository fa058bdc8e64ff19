//! Errors that repeat: the first few are written, then every power of ten, then the total.

use std::collections::HashMap;

use super::Level;

/// Written as they come.
const WRITTEN: u64 = 3;
/// Different texts that are counted; more share one count.
const TEXTS_MAX: usize = 64;

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
