//! The flow map, from facts alone: no box registers itself here.
//!
//! An arrow exists because somebody who must know says so: the scheduler's assets (a task writes a
//! topic), the engine's listing (a pipeline reads and writes), the broker's committed offsets (a
//! group reads). What moves a topic without being known by any of them shows as *clients*.

use std::collections::BTreeSet;

use super::facts::{End, Facts, Group, Mover, Pipeline, Topic, Topics};
use super::rates::Rates;
use super::snapshot::{Carries, Edge, Kind, Node, State};
use crate::error::Part;

/// Topics on the map; those with arrows come first.
const TOPICS_MAX: usize = 40;
/// Consumer groups on the map.
const GROUPS_MAX: usize = 30;
/// Records behind from which a lag that grows is worth a word.
const LAG_WORTH_SAYING: i64 = 500;
/// How long after its end a run still explains what its topic received.
const RUN_GRACE_MS: i64 = 8000;

/// Nodes and arrows.
#[derive(Debug, Default)]
pub(crate) struct Map {
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
}

pub(crate) fn topic_id(name: &str) -> String {
    format!("topic:{name}")
}
pub(crate) fn in_counter(pipeline: &str) -> String {
    format!("in:{pipeline}")
}
pub(crate) fn out_counter(pipeline: &str) -> String {
    format!("out:{pipeline}")
}
pub(crate) fn dead_counter(pipeline: &str) -> String {
    format!("dead:{pipeline}")
}
pub(crate) fn lag_level(pipeline: &str) -> String {
    format!("lag:{pipeline}")
}
pub(crate) fn read_counter(group: &str, topic: &str) -> String {
    format!("read:{group}\0{topic}")
}
pub(crate) fn group_lag_level(group: &str, topic: &str) -> String {
    format!("behind:{group}\0{topic}")
}

/// The topic whose dead letters this one holds, by Tidemill's and Connect's naming.
pub(crate) fn dead_letters_of(name: &str, topics: &Topics) -> Option<String> {
    let of = name.strip_suffix(".dlq").or_else(|| name.strip_prefix("dlq."))?;
    topics.contains_key(of).then(|| of.to_owned())
}

/// Draws what is known.
pub(crate) fn map(facts: &Facts, rates: &Rates) -> Map {
    let none = Topics::new();
    let mut drawing = Drawing {
        facts,
        rates,
        topics: facts.topics.last.as_deref().unwrap_or(&none),
        map: Map::default(),
        fed: BTreeSet::new(),
    };
    let pipelines = facts.pipelines.last.iter().flat_map(|list| list.iter());
    for pipeline in pipelines.clone() {
        drawing.pipeline(pipeline);
    }
    let movers = facts.scheduler.last.iter().flat_map(|scheduler| scheduler.movers.iter());
    for mover in movers {
        drawing.dag(mover);
    }
    let own: Vec<&str> = pipelines.map(|pipeline| pipeline.id.as_str()).collect();
    for group in facts.groups.last.iter().flat_map(|list| list.iter()).take(GROUPS_MAX) {
        if !is_pipelines_own(&group.group, &own) {
            drawing.group(group);
        }
    }
    drawing.topics();
    drawing.clients();
    drawing.map
}

/// Offsets that the engine commits for its own pipelines show as the pipeline, not as a reader.
fn is_pipelines_own(group: &str, pipelines: &[&str]) -> bool {
    pipelines.iter().any(|id| {
        group == *id
            || group.strip_suffix(id).is_some_and(|rest| {
                rest.starts_with("tidemill") && rest.ends_with(['.', '-', ':', '/', '_'])
            })
    })
}

struct Drawing<'a> {
    facts: &'a Facts,
    rates: &'a Rates,
    topics: &'a Topics,
    map: Map,
    /// Topics that somebody known writes.
    fed: BTreeSet<String>,
}

impl Drawing<'_> {
    fn edge(&mut self, from: &str, to: &str, rate: Option<f64>, state: State, kind: Carries) {
        let edge = Edge { from: from.to_owned(), to: to.to_owned(), rate, state, kind };
        if !self.map.edges.iter().any(|known| known.from == edge.from && known.to == edge.to) {
            self.map.edges.push(edge);
        }
    }

    fn has(&self, id: &str) -> bool {
        self.map.nodes.iter().any(|node| node.id == id)
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        let id = format!("pipeline:{}", pipeline.id);
        let rate_in = self.rates.per_second(&in_counter(&pipeline.id));
        let rate_out = self.rates.per_second(&out_counter(&pipeline.id));
        let (state, reason) = self.pipeline_state(pipeline);
        let mut node = Node::new(id.clone(), Kind::Pipeline, pipeline.short_name());
        node.state = state;
        node.reason = reason;
        node.total = Some(pipeline.records_out);
        node.rate = Some(rate_out.unwrap_or(0.0));
        node.lag = Some(pipeline.lag);
        self.map.nodes.push(node);
        let broken = if state == State::Bad { State::Bad } else { State::Ok };
        if let Some(from) = self.source(&pipeline.source, rate_in) {
            self.edge(&from, &id, rate_in, broken, Carries::Flow);
        }
        if let Some(to) = self.sink(pipeline, rate_out, state) {
            self.edge(&id, &to, rate_out, broken, Carries::Flow);
        }
        if let Some(dead) = pipeline.dead_letter_topic.clone() {
            self.fed.insert(dead.clone());
            let rate = self.rates.per_second(&dead_counter(&pipeline.id));
            if pipeline.dead_letters > 0 || self.topics.contains_key(&dead) {
                self.dead_letters(pipeline, &dead, rate);
                self.edge(&id, &topic_id(&dead), rate, State::Ok, Carries::DeadLetters);
            }
        }
    }

    fn pipeline_state(&self, pipeline: &Pipeline) -> (State, Option<String>) {
        if let Some(error) = &self.facts.pipelines.error {
            return (State::Unknown, Some(format!("The engine does not answer: {error}")));
        }
        let lag = pipeline.lag;
        match pipeline.state.as_str() {
            "FAILED" | "FAILING" => {
                let why = pipeline.failure.clone();
                return (State::Bad, Some(why.unwrap_or_else(|| "The engine gave it up.".into())));
            }
            "FINISHED" => return (State::Idle, Some("It has read all there was.".into())),
            "CANCELED" | "CANCELLED" => return (State::Idle, Some("It was cancelled.".into())),
            _ => {}
        }
        let per_second = self.rates.per_second(&in_counter(&pipeline.id)).unwrap_or(0.0);
        if let Some(why) = &pipeline.failure {
            // It runs, and says that it is retrying something.
            return (State::Bad, Some(why.clone()));
        }
        if let Some(what) = &pipeline.waiting {
            return (State::Idle, Some(format!("It waits: {what}.")));
        }
        if lag > 0 && self.rates.stands_still(&in_counter(&pipeline.id)) {
            let waiting = format!("It reads nothing although {} wait.", records(lag));
            return (State::Bad, Some(waiting));
        }
        let growing = self.rates.trend(&lag_level(&pipeline.id)).is_some_and(|change| change > 1.0);
        if lag >= LAG_WORTH_SAYING && growing {
            return (State::Warn, Some(format!("{} behind and growing.", records(lag))));
        }
        (if per_second > 0.0 || lag > 0 { State::Ok } else { State::Idle }, None)
    }

    /// The node a pipeline reads from.
    fn source(&mut self, source: &End, rate: Option<f64>) -> Option<String> {
        if let Some(topic) = &source.topic {
            return Some(topic_id(topic));
        }
        let name = source.url.clone().unwrap_or_else(|| source.connector.clone());
        if name.is_empty() {
            return None;
        }
        Some(self.url(&name, rate))
    }

    fn url(&mut self, url: &str, rate: Option<f64>) -> String {
        let id = format!("source:{url}");
        if !self.has(&id) {
            let shown = url.split_once("://").map_or(url, |(_, rest)| rest);
            let shown = shown.split(['?', '#']).next().unwrap_or(shown);
            let mut node = Node::new(id.clone(), Kind::Source, shown);
            node.detail = url.split_once("://").map(|(scheme, _)| scheme.to_uppercase());
            node.rate = rate;
            node.state = if rate.unwrap_or(0.0) > 0.0 { State::Ok } else { State::Idle };
            self.map.nodes.push(node);
        }
        id
    }

    /// The node a pipeline writes to.
    fn sink(&mut self, pipeline: &Pipeline, rate: Option<f64>, state: State) -> Option<String> {
        let sink = &pipeline.sink;
        if let Some(topic) = &sink.topic {
            self.fed.insert(topic.clone());
            return Some(topic_id(topic));
        }
        let (keyspace, table) =
            (sink.keyspace.as_deref().unwrap_or_default(), sink.table.as_deref()?);
        let id = format!("table:{keyspace}.{table}");
        if self.has(&id) {
            return Some(id);
        }
        let mut node = Node::new(id.clone(), Kind::Table, table);
        node.detail = Some(keyspace.to_owned()).filter(|name| !name.is_empty());
        node.total = Some(pipeline.records_out);
        node.rate = Some(rate.unwrap_or(0.0));
        let moving = rate.unwrap_or(0.0) > 0.0;
        node.state = if moving { State::Ok } else { State::Idle };
        if let Some(error) = self.down(Part::Store) {
            node = node.because(State::Bad, format!("The table store does not answer: {error}"));
        } else if state == State::Unknown {
            node.state = State::Unknown;
        }
        self.map.nodes.push(node);
        Some(id)
    }

    fn down(&self, part: Part) -> Option<String> {
        let health = self.facts.health.get(&part).filter(|health| health.status == "down")?;
        Some(health.error.clone().unwrap_or_default())
    }

    fn dead_letters(&mut self, pipeline: &Pipeline, topic: &str, rate: Option<f64>) {
        let id = topic_id(topic);
        if self.has(&id) {
            return;
        }
        let mut node = Node::new(id, Kind::DeadLetters, topic);
        let kept = self.topics.get(topic).map(Topic::end);
        node.total = Some(kept.unwrap_or(pipeline.dead_letters));
        node.rate = Some(rate.unwrap_or(0.0));
        node.state = State::Idle;
        if let Some(rate) = rate.filter(|rate| *rate > 0.0) {
            let first = pipeline.first_error.as_deref().unwrap_or("see its headers for why");
            node =
                node.because(State::Warn, format!("{rate:.1}/s are rejected. The first: {first}"));
        }
        self.map.nodes.push(node);
    }

    fn dag(&mut self, mover: &Mover) {
        let id = format!("dag:{}", mover.dag_id);
        let run = mover.run.as_ref();
        let just_ended = run.and_then(|run| run.ended_ms_ago).is_some_and(|ago| ago < RUN_GRACE_MS);
        let running = mover.running || just_ended;
        let written = mover.topics.iter().filter_map(|name| self.rates.per_second(&topic_id(name)));
        let rate: f64 = if running { written.sum() } else { 0.0 };
        let (state, reason) = self.dag_state(mover, running);
        let mut node = Node::new(id.clone(), Kind::Dag, mover.dag_id.clone());
        node.state = state;
        node.reason = reason;
        node.detail = mover.schedule.clone();
        node.total = run.and_then(|run| run.moved).map(|moved| moved.produced);
        node.rate = Some(rate);
        self.map.nodes.push(node);
        for url in &mover.urls {
            let from = self.url(url, Some(rate));
            self.edge(&from, &id, Some(rate), State::Ok, Carries::Flow);
        }
        let broken = if state == State::Bad { State::Bad } else { State::Ok };
        for topic in &mover.topics {
            let rate = self.rates.per_second(&topic_id(topic)).filter(|_| running);
            if running || self.rates.per_second(&topic_id(topic)).unwrap_or(0.0) == 0.0 {
                self.fed.insert(topic.clone());
            }
            self.edge(&id, &topic_id(topic), Some(rate.unwrap_or(0.0)), broken, Carries::Flow);
        }
    }

    fn dag_state(&self, mover: &Mover, running: bool) -> (State, Option<String>) {
        if let Some(error) = &self.facts.scheduler.error {
            return (State::Unknown, Some(format!("The scheduler does not answer: {error}")));
        }
        match &mover.run {
            Some(run) if run.state == "failed" => {
                let why = run.failure.clone();
                (State::Bad, Some(why.unwrap_or_else(|| format!("Run {} failed.", run.id))))
            }
            Some(run)
                if run.state == "success" && run.moved.is_some_and(|moved| moved.produced == 0) =>
            {
                (State::Warn, Some("Its newest run is green and moved no record.".to_owned()))
            }
            _ if running => (State::Ok, None),
            _ if mover.paused => (State::Idle, Some("Paused.".to_owned())),
            None => (State::Idle, Some("It has not run yet.".to_owned())),
            _ => (State::Idle, None),
        }
    }

    fn group(&mut self, group: &Group) {
        let mut drawn = false;
        for name in group.topics() {
            let Some(topic) = self.topics.get(&name).filter(|topic| !topic.internal) else {
                continue;
            };
            let id = format!("consumer:{}", group.group);
            let rate = self.rates.per_second_of_jumps(&read_counter(&group.group, &name));
            let (state, reason) = self.group_state(group, &name, topic, rate.unwrap_or(0.0));
            if !drawn {
                drawn = true;
                let mut node = Node::new(id.clone(), Kind::Consumer, group.group.clone());
                node.state = state;
                node.reason = reason;
                node.detail = Some(match group.members {
                    0 => "nobody connected".to_owned(),
                    1 => "1 member".to_owned(),
                    n => format!("{n} members"),
                });
                node.total = Some(group.committed.iter().map(|one| one.offset).sum());
                node.rate = Some(rate.unwrap_or(0.0));
                node.lag = group.lag(self.topics);
                self.map.nodes.push(node);
            }
            self.edge(&topic_id(&name), &id, rate, state.max(State::Ok), Carries::Flow);
        }
    }

    fn group_state(
        &self,
        group: &Group,
        name: &str,
        topic: &Topic,
        read: f64,
    ) -> (State, Option<String>) {
        let lag = group.lag_in(name, topic);
        if group.members == 0 && read == 0.0 {
            let waiting = format!("Nobody is connected; {} wait.", records(lag));
            return (State::Idle, (lag > 0).then_some(waiting));
        }
        let level = group_lag_level(&group.group, name);
        let growing = self.rates.trend(&level).is_some_and(|change| change > 1.0);
        if lag >= LAG_WORTH_SAYING && growing {
            let arrive = self.rates.per_second(&topic_id(name)).unwrap_or(0.0);
            let reason = format!(
                "Reads {read:.1}/s while {arrive:.1}/s arrive: {} behind and growing.",
                records(lag)
            );
            return (State::Warn, Some(reason));
        }
        (if read > 0.0 { State::Ok } else { State::Idle }, None)
    }

    /// Topics with arrows, and others as far as there is room.
    fn topics(&mut self) {
        let touched: BTreeSet<String> = self
            .map
            .edges
            .iter()
            .flat_map(|edge| [&edge.from, &edge.to])
            .filter_map(|id| id.strip_prefix("topic:").map(str::to_owned))
            .collect();
        let others = self
            .topics
            .iter()
            .filter(|(name, topic)| !topic.internal && !touched.contains(*name) && topic.end() > 0);
        let room = TOPICS_MAX.saturating_sub(touched.len());
        let others: Vec<String> = others.map(|(name, _)| name.clone()).take(room).collect();
        for name in touched.iter().chain(&others) {
            if !self.has(&topic_id(name)) {
                let node = self.topic(name);
                self.map.nodes.push(node);
            }
        }
    }

    fn topic(&self, name: &str) -> Node {
        let known = self.topics.get(name);
        let dead = dead_letters_of(name, self.topics).is_some();
        let kind = if dead { Kind::DeadLetters } else { Kind::Topic };
        let mut node = Node::new(topic_id(name), kind, name);
        let rate = self.rates.per_second(&topic_id(name)).unwrap_or(0.0);
        node.rate = Some(rate);
        node.total = known.map(Topic::records);
        node.state = if rate > 0.0 { State::Ok } else { State::Idle };
        node.detail = known.filter(|_| !dead).map(|topic| match topic.partitions.len() {
            1 => "1 partition".to_owned(),
            n => format!("{n} partitions"),
        });
        if let Some(error) = &self.facts.topics.error {
            return node.because(State::Unknown, format!("The broker does not answer: {error}"));
        }
        if known.is_none() {
            return node.because(State::Idle, "This topic does not exist yet.");
        }
        node
    }

    /// Who writes what nobody known writes.
    fn clients(&mut self) {
        let fed_by_clients: Vec<(String, f64)> = self
            .map
            .nodes
            .iter()
            .filter(|node| node.kind == Kind::Topic && node.total.unwrap_or(0) > 0)
            .filter(|node| !self.fed.contains(&node.name))
            .map(|node| (node.name.clone(), node.rate.unwrap_or(0.0)))
            .collect();
        for (topic, rate) in fed_by_clients {
            let id = format!("producer:{topic}");
            let mut node = Node::new(id.clone(), Kind::Producer, "producers");
            node.rate = Some(rate);
            node.state = if rate > 0.0 { State::Ok } else { State::Idle };
            self.map.nodes.push(node);
            self.edge(&id, &topic_id(&topic), Some(rate), State::Ok, Carries::Flow);
        }
    }
}

fn records(n: i64) -> String {
    if n == 1 { "1 record".to_owned() } else { format!("{} records", grouped(n)) }
}

/// `18204` as `18,204`.
fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if n < 0 { format!("-{text}") } else { text }
}
