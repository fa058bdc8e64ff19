//! Records that a task's own code produced: what its clients say of them, and how much the topics
//! have grown at the broker. A task that built a producer, logged errors and moved nothing has
//! failed, whatever it says of itself.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::context::TryContext;
use super::process::left_file;

/// Largest file of counts that is read, in bytes.
const MOVES_BYTES_MAX: u64 = 1 << 20;
/// Topics that are named in a line.
const TOPICS_TOLD: usize = 8;

/// One line of the file: what one process did.
#[derive(Debug, Deserialize)]
struct Line {
    producers: u64,
    /// Topic to sent, acknowledged, refused.
    topics: BTreeMap<String, [u64; 3]>,
    errors: u64,
    first: Option<String>,
}

/// What a task and the scripts it started produced.
#[derive(Debug, Default)]
pub(super) struct Moves {
    producers: u64,
    topics: BTreeMap<String, [u64; 3]>,
    errors: u64,
    first: Option<String>,
    /// Topic to how many records it has more than before, whoever wrote them.
    grown: BTreeMap<String, u64>,
    /// Topics the task should have written.
    expected: Vec<String>,
}

/// Ends of topics, added up over partitions, before the task ran. A topic that does not exist ends
/// at 0; none if the broker could not be asked.
pub(super) async fn ends(
    context: &TryContext<'_>,
    topics: &[String],
) -> Option<BTreeMap<String, u64>> {
    let mut ends = BTreeMap::new();
    for topic in topics {
        let asked = context.tools.sink.records_so_far(topic);
        let end = tokio::select! {
            end = asked => end.ok()?,
            _ = context.stop.requested() => return None,
        };
        ends.insert(topic.clone(), end);
    }
    Some(ends)
}

impl Moves {
    /// What the processes of a try left in their file, which is removed.
    pub(super) fn read(context: &TryContext<'_>, path: &Path) -> Moves {
        let mut moves = Moves::default();
        let bytes = left_file(context, path, MOVES_BYTES_MAX).unwrap_or_default();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            // A process that was killed while it wrote leaves half a line.
            if let Ok(line) = serde_json::from_slice::<Line>(line) {
                moves.add(line);
            }
        }
        moves
    }

    fn add(&mut self, line: Line) {
        self.producers += line.producers;
        self.errors += line.errors;
        self.first = self.first.take().or(line.first);
        for (topic, counts) in line.topics {
            let known = self.topics.entry(topic).or_default();
            known.iter_mut().zip(counts).for_each(|(known, count)| *known += count);
        }
    }

    /// With what the broker says of the topics now.
    pub(super) async fn compared(
        mut self,
        context: &TryContext<'_>,
        before: Option<BTreeMap<String, u64>>,
    ) -> Moves {
        let before = before.unwrap_or_default();
        self.expected = before.keys().cloned().collect();
        if self.producers > 0 {
            let after = ends(context, &self.expected).await.unwrap_or_default();
            self.grown = after
                .into_iter()
                .map(|(topic, end)| {
                    let more = end.saturating_sub(before.get(&topic).copied().unwrap_or_default());
                    (topic, more)
                })
                .collect();
        }
        self
    }

    /// Writes the counts to the task's log.
    pub(super) fn tell(&self, context: &TryContext<'_>) {
        for (topic, [sent, acknowledged, refused]) in self.topics.iter().take(TOPICS_TOLD) {
            let grown = match self.grown.get(topic) {
                Some(grown) => format!(", {grown} more at the broker"),
                None => String::new(),
            };
            context.log.info(format!(
                "{topic}: {sent} records sent, {acknowledged} acknowledged, {refused} refused{grown}"
            ));
        }
        if self.producers > 0 && self.topics.is_empty() {
            context.log.warning("a producer was built, and nothing was sent");
        }
    }

    /// Records that reached the broker. A client that never looks for its acknowledgements does not
    /// know; then the broker's own count is what there is.
    fn reached(&self, topic: &str) -> u64 {
        let [sent, acknowledged, _] = self.topics.get(topic).copied().unwrap_or_default();
        acknowledged.max(self.grown.get(topic).copied().unwrap_or_default().min(sent))
    }

    /// Why a task that calls itself a success is none.
    pub(super) fn complaint(&self) -> Option<String> {
        let topics: Vec<&String> = self.topics.keys().chain(&self.expected).collect();
        let reached: u64 = self.topics.keys().map(|topic| self.reached(topic)).sum();
        if self.producers == 0 || self.errors == 0 || reached > 0 {
            return None;
        }
        let mut topics: Vec<&str> = topics.into_iter().map(String::as_str).collect();
        topics.sort_unstable();
        topics.dedup();
        topics.truncate(TOPICS_TOLD);
        let where_to = if topics.is_empty() { "the broker".to_owned() } else { topics.join(", ") };
        let exceptions = if self.errors == 1 { "exception" } else { "exceptions" };
        let first = self.first.as_deref().unwrap_or("not kept");
        Some(format!(
            "0 records reached {where_to}, {} {exceptions} logged; first: {first}",
            self.errors
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moves(lines: &[&str]) -> Moves {
        let mut moves = Moves { expected: vec!["users_created".to_owned()], ..Moves::default() };
        lines.iter().for_each(|line| moves.add(serde_json::from_str(line).unwrap()));
        moves
    }

    #[test]
    fn a_task_that_logged_errors_and_moved_nothing_has_failed() {
        let nothing = moves(&[
            r#"{"producers": 1, "topics": {}, "errors": 412, "first": "TypeError: x (a.py:3)"}"#,
        ]);
        assert_eq!(
            nothing.complaint().unwrap(),
            "0 records reached users_created, 412 exceptions logged; first: TypeError: x (a.py:3)"
        );
    }

    #[test]
    fn one_record_or_no_error_or_no_producer_is_no_complaint() {
        for line in [
            r#"{"producers": 1, "topics": {"t": [9, 1, 8]}, "errors": 8, "first": "x"}"#,
            r#"{"producers": 1, "topics": {}, "errors": 0, "first": null}"#,
            r#"{"producers": 0, "topics": {}, "errors": 3, "first": "x"}"#,
        ] {
            assert_eq!(moves(&[line]).complaint(), None, "{line}");
        }
    }

    #[test]
    fn what_the_client_does_not_know_the_broker_knows() {
        let line = r#"{"producers": 1, "topics": {"t": [5, 0, 0]}, "errors": 1, "first": "x"}"#;
        let mut unsure = moves(&[line]);
        assert!(unsure.complaint().is_some());
        unsure.grown.insert("t".to_owned(), 5);
        assert_eq!(unsure.complaint(), None);
        // Somebody else's records are not this task's.
        let mut silent = moves(&[&line.replace("5, 0, 0", "0, 0, 0")]);
        silent.grown.insert("t".to_owned(), 5);
        assert!(silent.complaint().is_some());
    }
}
