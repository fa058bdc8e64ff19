//! What the page shows of one moment. Field names are those of `web/src/api/types.ts`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::facts::{Facts, Health, Latency, Pipeline};
use super::flow;
use super::rates::Rates;
use crate::error::Part;

/// One moment of the whole line.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Snapshot {
    pub(crate) at_ms: i64,
    pub(crate) boxes: Vec<Health>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) totals: Totals,
    pub(crate) problems: Vec<Problem>,
    /// Records per second appended to each topic that moves.
    pub(crate) topic_rates: BTreeMap<String, f64>,
}

/// What a node of the map is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Source,
    Dag,
    Producer,
    Topic,
    Pipeline,
    Table,
    Consumer,
    DeadLetters,
}

/// How a node does. Ordered: the worse of two is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Moves nothing and should not.
    Idle,
    Ok,
    /// The box that knows does not answer.
    Unknown,
    Warn,
    /// Should move and does not.
    Bad,
}

/// A box of the map.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) state: State,
    /// One sentence.
    pub(crate) reason: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) total: Option<i64>,
    pub(crate) rate: Option<f64>,
    pub(crate) lag: Option<i64>,
}

impl Node {
    pub(crate) fn new(id: String, kind: Kind, name: impl Into<String>) -> Node {
        Node {
            id,
            kind,
            name: name.into(),
            state: State::Ok,
            reason: None,
            detail: None,
            total: None,
            rate: None,
            lag: None,
        }
    }

    /// With a state that has a reason.
    pub(crate) fn because(mut self, state: State, reason: impl Into<String>) -> Node {
        self.state = state;
        self.reason = Some(reason.into());
        self
    }
}

/// What an edge carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Carries {
    Flow,
    DeadLetters,
}

/// An arrow of the map.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Edge {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) rate: Option<f64>,
    pub(crate) state: State,
    pub(crate) kind: Carries,
}

/// The line in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Totals {
    pub(crate) records_in: i64,
    pub(crate) rows_out: i64,
    pub(crate) rejected: i64,
    pub(crate) lag: i64,
    pub(crate) rate_in: f64,
    pub(crate) rate_out: f64,
    pub(crate) rate_rejected: f64,
    pub(crate) latency_ms: Option<Latency>,
}

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    pub(crate) severity: State,
    /// Id of a node, or `box:<name>`.
    pub(crate) subject: String,
    pub(crate) title: String,
    pub(crate) reason: String,
}

/// Problems told at once; the map shows the rest.
const PROBLEMS_MAX: usize = 20;

impl Snapshot {
    /// Of what is known now.
    pub(crate) fn of(facts: &Facts, rates: &Rates, at_ms: i64, _now: Duration) -> Snapshot {
        let map = flow::map(facts, rates);
        let topics = facts.topics.last.as_deref();
        let topic_rates = topics
            .into_iter()
            .flat_map(|topics| topics.keys())
            .filter_map(|name| Some((name.clone(), rates.per_second(&flow::topic_id(name))?)))
            .filter(|(_, rate)| *rate > 0.0)
            .collect();
        Snapshot {
            at_ms,
            boxes: facts.health.values().cloned().collect(),
            totals: totals(facts, rates),
            problems: problems(facts, &map.nodes),
            nodes: map.nodes,
            edges: map.edges,
            topic_rates,
        }
    }
}

fn totals(facts: &Facts, rates: &Rates) -> Totals {
    let none = Vec::new();
    let pipelines = facts.pipelines.last.as_deref().unwrap_or(&none);
    let mut totals = Totals::default();
    // What enters the line: topics that no pipeline writes.
    if let Some(topics) = facts.topics.last.as_deref() {
        let written: Vec<&str> = pipelines.iter().flat_map(written_topics).collect();
        let entering = topics.iter().filter(|(name, topic)| {
            !topic.internal
                && !written.contains(&name.as_str())
                && flow::dead_letters_of(name, topics).is_none()
        });
        for (name, topic) in entering {
            totals.records_in += topic.end();
            totals.rate_in += rates.per_second(&flow::topic_id(name)).unwrap_or(0.0);
        }
    }
    // What leaves it: rows, or records where no pipeline writes a table.
    let to_table = |p: &&Pipeline| p.sink.table.is_some();
    let any_table = pipelines.iter().any(|p| to_table(&p));
    for pipeline in pipelines {
        if !any_table || to_table(&pipeline) {
            totals.rows_out += pipeline.records_out;
            totals.rate_out += rates.per_second(&flow::out_counter(&pipeline.id)).unwrap_or(0.0);
        }
        totals.rejected += pipeline.dead_letters;
        totals.rate_rejected += rates.per_second(&flow::dead_counter(&pipeline.id)).unwrap_or(0.0);
        totals.lag += pipeline.lag;
        // The slowest line is the one that users feel.
        if let Some(latency) = pipeline.latency_ms
            && totals.latency_ms.is_none_or(|worst| latency.p99 > worst.p99)
        {
            totals.latency_ms = Some(latency);
        }
    }
    totals
}

/// Topics that a pipeline writes, dead letters included.
pub(crate) fn written_topics(pipeline: &Pipeline) -> impl Iterator<Item = &str> {
    pipeline.sink.topic.as_deref().into_iter().chain(pipeline.dead_letter_topic.as_deref())
}

fn problems(facts: &Facts, nodes: &[Node]) -> Vec<Problem> {
    let down =
        facts.health.values().filter(|health| health.status == "down").map(|health| Problem {
            severity: State::Bad,
            subject: format!("box:{}", name_of(health.part).to_lowercase()),
            title: format!("{} is down", name_of(health.part)),
            reason: health.error.clone().unwrap_or_default(),
        });
    let nodes = nodes.iter().filter(|node| node.state >= State::Warn).map(|node| Problem {
        severity: node.state,
        subject: node.id.clone(),
        title: title_of(node),
        reason: node.reason.clone().unwrap_or_default(),
    });
    let mut problems: Vec<Problem> = down.chain(nodes).collect();
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    problems.truncate(PROBLEMS_MAX);
    problems
}

fn title_of(node: &Node) -> String {
    let bad = node.state == State::Bad;
    match node.kind {
        Kind::Pipeline if bad => format!("Pipeline {} stopped", node.name),
        Kind::Pipeline => format!("Pipeline {} falls behind", node.name),
        Kind::Consumer => format!("Group {} falls behind", node.name),
        Kind::Dag if bad => format!("DAG {} failed", node.name),
        Kind::Dag => format!("DAG {} moved nothing", node.name),
        Kind::Table => format!("Table {} cannot be written", node.name),
        Kind::DeadLetters => format!("Records go to {}", node.name),
        Kind::Source | Kind::Producer | Kind::Topic => node.name.clone(),
    }
}

pub(crate) fn name_of(part: Part) -> &'static str {
    match part {
        Part::Broker => "Broker",
        Part::Registry => "Registry",
        Part::Scheduler => "Scheduler",
        Part::Engine => "Engine",
        Part::Store => "Store",
        Part::Console => "Console",
    }
}
