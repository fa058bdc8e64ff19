//! What was said, by whom, and whether it is old.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::error::Part;

/// The newest answer of a box, kept when it stops answering.
#[derive(Debug)]
pub(crate) struct Seen<T> {
    /// What it last said.
    pub(crate) last: Option<Arc<T>>,
    /// Why `last` is old, or why there is none.
    pub(crate) error: Option<String>,
}

impl<T> Default for Seen<T> {
    fn default() -> Seen<T> {
        Seen { last: None, error: None }
    }
}

impl<T> Seen<T> {
    /// Takes in an answer or the lack of one.
    pub(crate) fn update(&mut self, answer: Result<T, String>) {
        match answer {
            Ok(value) => *self = Seen { last: Some(Arc::new(value)), error: None },
            Err(error) => self.error = Some(error),
        }
    }

    /// The answer, if it is not old.
    pub(crate) fn fresh(&self) -> Option<&Arc<T>> {
        self.last.as_ref().filter(|_| self.error.is_none())
    }
}

/// All that is known.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) topics: Seen<Topics>,
    pub(crate) groups: Seen<Vec<Group>>,
    pub(crate) pipelines: Seen<Vec<Pipeline>>,
    pub(crate) scheduler: Seen<Scheduler>,
    /// Of the boxes this node has.
    pub(crate) health: BTreeMap<Part, Health>,
}

/// By name.
pub(crate) type Topics = BTreeMap<String, Topic>;

/// A topic with the ends of its partitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Topic {
    pub(crate) id: Uuid,
    pub(crate) internal: bool,
    pub(crate) partitions: Vec<Partition>,
}

impl Topic {
    /// Records between the log starts and the ends.
    pub(crate) fn records(&self) -> i64 {
        self.partitions.iter().map(|p| (p.end - p.start).max(0)).sum()
    }

    /// Offsets given out so far, in all partitions.
    pub(crate) fn end(&self) -> i64 {
        self.partitions.iter().map(|p| p.end).sum()
    }
}

/// Where a partition begins and ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Partition {
    pub(crate) partition: i32,
    pub(crate) leader: Option<i32>,
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// A consumer group with what it committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) group: String,
    pub(crate) state: String,
    pub(crate) protocol_type: String,
    pub(crate) members: usize,
    pub(crate) committed: Vec<Committed>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

impl Group {
    /// Topics it has offsets in, by name.
    pub(crate) fn topics(&self) -> Vec<String> {
        let mut names: Vec<String> = self.committed.iter().map(|one| one.topic.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Records of a topic it has not read yet, where ends are known.
    pub(crate) fn lag_in(&self, name: &str, topic: &Topic) -> i64 {
        let of_topic = self.committed.iter().filter(|one| one.topic == name);
        of_topic
            .filter_map(|one| {
                let found = topic.partitions.iter().find(|p| p.partition == one.partition)?;
                // What retention removed before it was read waits for nobody.
                Some((found.end - one.offset.max(found.start)).max(0))
            })
            .sum()
    }

    /// The same over all its topics; `None` while no end is known.
    pub(crate) fn lag(&self, topics: &Topics) -> Option<i64> {
        let known: Vec<i64> = self
            .topics()
            .iter()
            .filter_map(|name| Some(self.lag_in(name, topics.get(name)?)))
            .collect();
        (!known.is_empty()).then(|| known.iter().sum())
    }
}

/// The engine's listing, and only what the map needs of it; pages get the original.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Pipeline {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) source: End,
    pub(crate) sink: End,
    pub(crate) records_in: i64,
    pub(crate) records_out: i64,
    pub(crate) dead_letters: i64,
    pub(crate) dead_letter_topic: Option<String>,
    pub(crate) first_error: Option<String>,
    pub(crate) lag: i64,
    pub(crate) latency_ms: Option<Latency>,
    pub(crate) failure: Option<String>,
    /// What it waits for that does not exist yet.
    pub(crate) waiting: Option<String>,
    /// All that the engine said, for the pages.
    #[serde(flatten)]
    pub(crate) rest: serde_json::Map<String, Value>,
}

impl Pipeline {
    /// Its name as people say it. Flink calls an unnamed job after all of its sink's path:
    /// `insert-into_default_catalog.default_database.created_users`.
    pub(crate) fn short_name(&self) -> &str {
        match self.name.strip_prefix("insert-into_") {
            Some(sink) => sink.rsplit('.').next().unwrap_or(sink),
            None => &self.name,
        }
    }
}

/// A source or a sink.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct End {
    pub(crate) connector: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keyspace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) table: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

/// DAGs that move records.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Scheduler {
    pub(crate) dags: usize,
    pub(crate) movers: Vec<Mover>,
}

/// A DAG that writes topics, with its newest run.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Mover {
    pub(crate) dag_id: String,
    pub(crate) schedule: Option<String>,
    pub(crate) paused: bool,
    /// Topics its tasks say they write.
    pub(crate) topics: Vec<String>,
    /// URLs its tasks say they read.
    pub(crate) urls: Vec<String>,
    /// Whether any of its runs is under way; not always the newest.
    pub(crate) running: bool,
    pub(crate) run: Option<Run>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) state: String,
    /// Since the run ended, when it was last asked for; `None` while it runs.
    pub(crate) ended_ms_ago: Option<i64>,
    /// What its tasks returned: records fetched, produced, rejected. `None` until it is over.
    pub(crate) moved: Option<Moved>,
    /// Which task failed, and why.
    pub(crate) failure: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Moved {
    pub(crate) fetched: i64,
    pub(crate) produced: i64,
    pub(crate) rejected: i64,
}

/// Whether a box answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Health {
    #[serde(rename = "box")]
    pub(crate) part: Part,
    pub(crate) protocol: &'static str,
    pub(crate) address: String,
    pub(crate) status: &'static str,
    pub(crate) latency_ms: Option<f64>,
    pub(crate) detail: Option<String>,
    pub(crate) error: Option<String>,
}

impl Health {
    /// Not asked yet.
    pub(crate) fn new(part: Part, protocol: &'static str, address: String) -> Health {
        let status = "checking";
        Health { part, protocol, address, status, latency_ms: None, detail: None, error: None }
    }

    /// Takes in what the newest question led to and how long it took.
    pub(crate) fn update(&mut self, answer: Result<Option<String>, String>, took_ms: f64) {
        match answer {
            Ok(detail) => {
                self.status = "up";
                self.latency_ms = Some(took_ms);
                self.detail = detail;
                self.error = None;
            }
            Err(error) => {
                self.status = "down";
                self.latency_ms = None;
                self.error = Some(error);
            }
        }
    }
}
