//! The map is drawn from facts: given what the boxes say, what does the page show?

use std::time::Duration;

use super::facts::{
    Committed, End, Facts, Group, Health, Latency, Moved, Mover, Partition, Pipeline, Run,
    Scheduler, Topic, Topics,
};
use super::flow;
use super::rates::Rates;
use super::snapshot::{Carries, Kind, Node, Snapshot, State};
use crate::error::Part;

fn topic(end: i64) -> Topic {
    let partition = Partition { partition: 0, leader: Some(1), start: 0, end };
    Topic { partitions: vec![partition], ..Topic::default() }
}

fn users() -> Pipeline {
    Pipeline {
        id: "users".into(),
        name: "insert-into_default_catalog.default_database.users".into(),
        state: "RUNNING".into(),
        source: End {
            connector: "kafka".into(),
            topic: Some("users_created".into()),
            ..End::default()
        },
        sink: End {
            connector: "cassandra".into(),
            keyspace: Some("spark_streams".into()),
            table: Some("created_users".into()),
            ..End::default()
        },
        records_in: 400,
        records_out: 398,
        dead_letters: 2,
        dead_letter_topic: Some("users_created.dlq".into()),
        latency_ms: Some(Latency { p50: 3.0, p99: 7.0, max: 9.0 }),
        ..Pipeline::default()
    }
}

fn automation(state: &str, produced: i64) -> Mover {
    Mover {
        dag_id: "user_automation".into(),
        topics: vec!["users_created".into()],
        urls: vec!["http://127.0.0.1:8899/api/?results=20".into()],
        running: state == "running",
        run: Some(Run {
            id: "scheduled__1".into(),
            state: state.into(),
            ended_ms_ago: (state != "running").then_some(60_000),
            moved: Some(Moved { fetched: produced, produced, rejected: 0 }),
            failure: (state == "failed").then(|| "Task fetch failed: 503".to_owned()),
        }),
        ..Mover::default()
    }
}

/// The example project in full flow: 20 records a second for 30 seconds.
fn flowing() -> (Facts, Rates) {
    let mut facts = Facts::default();
    let mut topics = Topics::new();
    topics.insert("users_created".into(), topic(400));
    topics.insert("users_created.dlq".into(), topic(2));
    topics.insert("__consumer_offsets".into(), Topic { internal: true, ..topic(9) });
    facts.topics.update(Ok(topics));
    facts.pipelines.update(Ok(vec![users()]));
    facts.scheduler.update(Ok(Scheduler { dags: 1, movers: vec![automation("running", 400)] }));
    facts.groups.update(Ok(Vec::new()));
    let mut rates = Rates::default();
    for second in 0..=30 {
        let at = Duration::from_secs(second);
        let total = second as i64 * 20;
        rates.observe(&flow::topic_id("users_created"), at, total);
        rates.observe(&flow::in_counter("users"), at, total);
        rates.observe(&flow::out_counter("users"), at, total);
        rates.observe(&flow::dead_counter("users"), at, 2);
    }
    (facts, rates)
}

fn look(facts: &Facts, rates: &Rates) -> Snapshot {
    Snapshot::of(facts, rates, 0, Duration::ZERO)
}

fn node<'a>(snapshot: &'a Snapshot, id: &str) -> &'a Node {
    let found = snapshot.nodes.iter().find(|node| node.id == id);
    found.unwrap_or_else(|| panic!("no {id} in {:#?}", snapshot.nodes))
}

fn arrows(snapshot: &Snapshot) -> Vec<(&str, &str)> {
    let mut arrows: Vec<_> =
        snapshot.edges.iter().map(|edge| (edge.from.as_str(), edge.to.as_str())).collect();
    arrows.sort_unstable();
    arrows
}

#[test]
fn the_whole_line_is_drawn_from_what_the_boxes_say() {
    let (facts, rates) = flowing();
    let seen = look(&facts, &rates);
    assert_eq!(
        arrows(&seen),
        [
            ("dag:user_automation", "topic:users_created"),
            ("pipeline:users", "table:spark_streams.created_users"),
            ("pipeline:users", "topic:users_created.dlq"),
            ("source:http://127.0.0.1:8899/api/?results=20", "dag:user_automation"),
            ("topic:users_created", "pipeline:users"),
        ]
    );
    assert!(seen.edges.iter().filter(|e| e.kind == Carries::Flow).all(|e| e.rate == Some(20.0)));
    assert!(seen.problems.is_empty(), "{:?}", seen.problems);
    assert_eq!(
        node(&seen, "source:http://127.0.0.1:8899/api/?results=20").name,
        "127.0.0.1:8899/api/"
    );
    assert_eq!(node(&seen, "topic:users_created.dlq").kind, Kind::DeadLetters);
    let totals = seen.totals;
    assert_eq!((totals.records_in, totals.rows_out, totals.rejected), (400, 398, 2));
    assert_eq!((totals.rate_in, totals.rate_out), (20.0, 20.0));
    assert_eq!(totals.latency_ms.map(|latency| latency.p99), Some(7.0));
}

#[test]
fn a_pipeline_that_failed_is_red_with_the_engines_reason() {
    let (mut facts, rates) = flowing();
    let failed =
        Pipeline { state: "FAILED".into(), failure: Some("no contact point".into()), ..users() };
    facts.pipelines.update(Ok(vec![failed]));
    let seen = look(&facts, &rates);
    let pipeline = node(&seen, "pipeline:users");
    assert_eq!(
        (pipeline.state, pipeline.reason.as_deref()),
        (State::Bad, Some("no contact point"))
    );
    assert_eq!(seen.problems[0].title, "Pipeline users stopped");
    let into_table = seen.edges.iter().find(|edge| edge.to.starts_with("table:")).unwrap();
    assert_eq!(into_table.state, State::Bad);
}

#[test]
fn a_pipeline_that_stands_still_while_records_wait_is_red() {
    let (mut facts, _) = flowing();
    facts.pipelines.update(Ok(vec![Pipeline { lag: 1200, ..users() }]));
    let mut rates = Rates::default();
    for second in 0..=30 {
        rates.observe(&flow::in_counter("users"), Duration::from_secs(second), 400);
    }
    let seen = look(&facts, &rates);
    let reason = node(&seen, "pipeline:users").reason.clone().unwrap();
    assert_eq!(reason, "It reads nothing although 1,200 records wait.");
}

#[test]
fn a_group_that_reads_slower_than_records_arrive_is_told_in_numbers() {
    let (mut facts, mut rates) = flowing();
    let committed = Committed { topic: "users_created".into(), partition: 0, offset: 100 };
    let mailer = Group {
        group: "mailer".into(),
        state: "Stable".into(),
        protocol_type: "consumer".into(),
        members: 1,
        committed: vec![committed],
    };
    let topics = Topics::from([("users_created".to_owned(), topic(5100))]);
    facts.topics.update(Ok(topics));
    facts
        .groups
        .update(Ok(vec![mailer.clone(), Group { group: "users".into(), ..mailer.clone() }]));
    for second in 0..=30 {
        let (at, passed) = (Duration::from_secs(second), second as i64);
        rates.observe(&flow::read_counter("mailer", "users_created"), at, passed * 12);
        rates.observe_level(
            &flow::group_lag_level("mailer", "users_created"),
            at,
            4000 + passed * 8,
        );
    }
    let seen = look(&facts, &rates);
    let reason = node(&seen, "consumer:mailer").reason.clone().unwrap();
    assert_eq!(reason, "Reads 12.0/s while 20.0/s arrive: 5,000 records behind and growing.");
    assert!(
        !seen.nodes.iter().any(|node| node.id == "consumer:users"),
        "the pipeline's own offsets"
    );
}

#[test]
fn a_green_run_that_moved_nothing_is_amber() {
    let (mut facts, rates) = flowing();
    facts.scheduler.update(Ok(Scheduler { dags: 1, movers: vec![automation("success", 0)] }));
    let seen = look(&facts, &rates);
    assert_eq!(node(&seen, "dag:user_automation").state, State::Warn);
    assert_eq!(seen.problems[0].title, "DAG user_automation moved nothing");
}

#[test]
fn a_dag_whose_newest_run_failed_tells_the_task_and_the_reason() {
    let (mut facts, rates) = flowing();
    facts.scheduler.update(Ok(Scheduler { dags: 1, movers: vec![automation("failed", 0)] }));
    let seen = look(&facts, &rates);
    assert_eq!(seen.problems[0].title, "DAG user_automation failed");
    assert_eq!(seen.problems[0].reason, "Task fetch failed: 503");
}

#[test]
fn records_that_no_known_box_writes_come_from_producers() {
    let (mut facts, rates) = flowing();
    // The run ended a minute ago, and still records arrive: somebody else writes them.
    facts.scheduler.update(Ok(Scheduler { dags: 1, movers: vec![automation("success", 400)] }));
    let seen = look(&facts, &rates);
    let from_clients =
        seen.edges.iter().find(|edge| edge.from == "producer:users_created").unwrap();
    assert_eq!(from_clients.rate, Some(20.0));
    let from_dag = seen.edges.iter().find(|edge| edge.from == "dag:user_automation").unwrap();
    assert_eq!(from_dag.rate, Some(0.0));
}

#[test]
fn a_run_by_hand_that_ended_does_not_hide_one_that_goes_on() {
    let (mut facts, rates) = flowing();
    let mover = Mover { running: true, ..automation("success", 20) };
    facts.scheduler.update(Ok(Scheduler { dags: 1, movers: vec![mover] }));
    let seen = look(&facts, &rates);
    assert_eq!(node(&seen, "dag:user_automation").rate, Some(20.0));
    assert!(!seen.edges.iter().any(|edge| edge.from.starts_with("producer:")));
}

#[test]
fn a_box_that_stops_answering_leaves_the_map_with_what_it_last_said() {
    let (mut facts, rates) = flowing();
    facts.pipelines.update(Err("connection refused".into()));
    facts.health.insert(Part::Store, Health::new(Part::Store, "cql", "127.0.0.1:9042".into()));
    facts.health.get_mut(&Part::Store).unwrap().update(Err("connection refused".into()), 0.0);
    let seen = look(&facts, &rates);
    assert_eq!(node(&seen, "pipeline:users").state, State::Unknown);
    assert_eq!(node(&seen, "table:spark_streams.created_users").state, State::Bad);
    let titles: Vec<&str> = seen.problems.iter().map(|problem| problem.title.as_str()).collect();
    assert!(titles.contains(&"Store is down"), "{titles:?}");
}

#[test]
fn lag_counts_what_can_still_be_read() {
    let partition = |partition, start, end| Partition { partition, leader: None, start, end };
    let log =
        Topic { partitions: vec![partition(0, 50, 100), partition(1, 0, 10)], ..Topic::default() };
    let at = |partition, offset| Committed { topic: "t".into(), partition, offset };
    for (committed, lag) in [
        (vec![at(0, 90), at(1, 10)], 10),
        // Retention removed 0..50 before it was read.
        (vec![at(0, 0)], 50),
        // A log that was made anew is shorter than what was committed.
        (vec![at(1, 99)], 0),
        (vec![], 0),
    ] {
        let group = Group {
            group: "g".into(),
            state: String::new(),
            protocol_type: String::new(),
            members: 0,
            committed,
        };
        assert_eq!(group.lag_in("t", &log), lag, "{group:?}");
    }
}

#[test]
fn nothing_known_is_an_empty_map() {
    let seen = look(&Facts::default(), &Rates::default());
    assert!(seen.nodes.is_empty() && seen.edges.is_empty() && seen.problems.is_empty());
}
