//! Jobs over topics and tables in memory, crashed at every step.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tidemill_connectors::memory::{Fuse, MemoryDeadLetters, MemoryTable, MemoryTopic};
use tidemill_runtime::Shutdown;
use tidemill_sim::SimWorld;

use super::checkpoint::CheckpointStore;
use super::job::{JobEnds, JobSettings, Schemas, run_job};
use super::status::{JobIdentity, JobState, JobStatus};
use crate::plan::stream::StreamPlan;
use crate::plan::tests::plan;

struct NoSchemas;

#[async_trait]
impl Schemas for NoSchemas {
    async fn schema(&self, id: u32) -> Result<Result<String, String>, String> {
        Ok(Err(format!("no schema {id}")))
    }
}

/// What outlives a crash of the engine, and how the job is run.
struct Line {
    topics: Vec<MemoryTopic>,
    table: MemoryTable,
    letters: MemoryDeadLetters,
    sql: &'static str,
    discard_state: bool,
}

/// Records per poll: small, so that there are many steps.
const BATCH: usize = 7;

impl Line {
    fn new(sql: &'static str, topics: usize, key: Vec<usize>) -> Line {
        Line {
            topics: (0..topics).map(|_| MemoryTopic::new(2)).collect(),
            table: MemoryTable::new(key),
            letters: MemoryDeadLetters::new(Fuse::never()),
            sql,
            discard_state: false,
        }
    }

    /// One life of the job, to its end or its crash.
    async fn run(&self, world: &SimWorld, fuse: &Fuse) -> JobStatus {
        let plan = plan(self.sql).unwrap_or_else(|error| panic!("{error}"));
        self.run_plan(plan, world, fuse, Shutdown::default()).await
    }

    async fn run_plan(
        &self,
        plan: StreamPlan,
        world: &SimWorld,
        fuse: &Fuse,
        shutdown: Shutdown,
    ) -> JobStatus {
        let identity =
            JobIdentity::new("job".into(), "job".into(), None, self.sql.into(), Some(&plan));
        let status = JobStatus::new(identity, 0, Duration::ZERO);
        let store = match CheckpointStore::open(world.disk.clone(), PathBuf::from("/data/jobs/job"))
        {
            Ok(store) => store,
            Err(error) => {
                status.fail(error.to_string());
                return status;
            }
        };
        let ends = JobEnds {
            sources: self
                .topics
                .iter()
                .map(|topic| Box::new(topic.source(BATCH, fuse.clone())) as _)
                .collect(),
            dead_letters: self
                .topics
                .iter()
                .map(|_| Some(Box::new(self.letters.with_fuse(fuse.clone())) as _))
                .collect(),
            schemas: self.topics.iter().map(|_| Arc::new(NoSchemas) as _).collect(),
            sink: Box::new(self.table.sink(fuse.clone())),
        };
        let settings = JobSettings {
            checkpoint_interval: Duration::ZERO,
            idle_timeout: None,
            discard_state: self.discard_state,
            groups_max: 1000,
            end_is_pause: false,
        };
        run_job(plan, ends, settings, status.clone(), store, world.ports(), shutdown).await;
        status
    }

    fn dead_offsets(&self) -> BTreeSet<(i32, i64)> {
        let letters = self.letters.letters();
        letters.iter().map(|letter| (letter.record.partition, letter.record.offset)).collect()
    }
}

const COPY: &str = "INSERT INTO people SELECT id, name.first, age FROM users";

/// 60 good records, and four that are bad in different ways.
fn users_line() -> Line {
    let line = Line::new(COPY, 1, vec![0]);
    for n in 0..60 {
        let json = format!(r#"{{"id": "u{n}", "name": {{"first": "f{n}"}}, "age": {n}}}"#);
        line.topics[0].append(n % 2, 1000 + i64::from(n), json);
        match n {
            10 => line.topics[0].append(0, 1000, "{"),
            20 => line.topics[0].append(1, 1000, r#"{"name": {}}"#),
            30 => line.topics[0].append(0, 1000, r#"{"id": "x", "age": "many"}"#),
            40 => line.topics[0].append(1, 1000, r#"{"id": "reject-me"}"#),
            _ => 0,
        };
    }
    line.topics[0].close();
    line
}

fn check_users(line: &Line, context: &str) {
    let rows = line.table.rows();
    assert_eq!(rows.len(), 60, "{context}");
    for row in rows {
        let n = row[0].trim_start_matches('u');
        assert_eq!(row, [format!("u{n}"), format!("f{n}"), n.to_owned()], "{context}");
    }
    assert_eq!(line.dead_offsets().len(), 4, "{context}: {:?}", line.dead_offsets());
}

#[tokio::test]
async fn bad_records_go_to_the_dead_letters_with_their_reason_and_the_line_goes_on() {
    let line = users_line();
    let status = line.run(&SimWorld::new(1), &Fuse::never()).await;
    assert_eq!(status.state(), JobState::Finished);
    check_users(&line, "one life");
    let letters = line.letters.letters();
    let reasons: Vec<_> =
        letters.iter().map(|letter| (letter.stage.name(), letter.message.as_str())).collect();
    for (stage, words) in [
        ("VALUE_CONVERTER", "expected a field name in quotes, found the end"),
        ("TASK_PUT", "Column 'id' is NOT NULL"),
        ("VALUE_CONVERTER", "\"many\" is no INT"),
        ("TASK_PUT", "the table refuses it"),
    ] {
        let found = reasons.iter().any(|(at, reason)| *at == stage && reason.contains(words));
        assert!(found, "{stage} {words}: {reasons:?}");
    }
    let malformed = letters.iter().find(|letter| letter.record.value.as_deref() == Some(b"{"));
    assert_eq!(malformed.unwrap().topic, "users");
    let json = status.to_json();
    assert_eq!(json["records_in"], 64);
    assert_eq!(json["records_out"], 60);
    assert_eq!(json["dead_letters"], 4);
    assert_eq!(json["lag"], 0);
    assert!(json["first_error"].as_str().unwrap().starts_with("users-0@"), "{json}");
}

/// Whatever port fails at whatever step: after a restart the rows are the distinct ids.
#[tokio::test]
async fn a_crash_at_every_step_loses_no_row_and_doubles_none() {
    for step in 0.. {
        let (line, world, fuse) = (users_line(), SimWorld::new(step), Fuse::after(step as i64));
        line.run(&world, &fuse).await;
        let world = world.crash(step);
        let status = line.run(&world, &Fuse::never()).await;
        assert_eq!(status.state(), JobState::Finished, "step {step}: {}", status.to_json());
        check_users(&line, &format!("crashed at step {step}"));
        assert_eq!(status.to_json()["records_in"], 64, "step {step}: counters go back too");
        if !fuse.burnt() {
            assert!(step > 10, "only {step} steps");
            return;
        }
    }
}

/// The power goes at every change of the disk, then once more during the recovery.
#[tokio::test]
async fn a_power_cut_at_every_write_of_a_checkpoint_is_survived() {
    for change in 1.. {
        let (line, world) = (users_line(), SimWorld::new(change));
        world.disk.cut_power_at(change);
        line.run(&world, &Fuse::never()).await;
        let cut = world.disk.changes() >= change;
        let world = world.crash(change);
        world.disk.cut_power_at(5);
        line.run(&world, &Fuse::never()).await;
        let world = world.crash(change + 1);
        let status = line.run(&world, &Fuse::never()).await;
        assert_eq!(status.state(), JobState::Finished, "change {change}: {}", status.to_json());
        check_users(&line, &format!("power cut at change {change}"));
        if !cut {
            assert!(change > 20, "only {change} changes");
            return;
        }
    }
}

const COUNT: &str = "INSERT INTO counts
    SELECT window_start, post_code, COUNT(*), SUM(age), AVG(CAST(age AS DOUBLE))
    FROM TABLE(TUMBLE(TABLE users, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
    GROUP BY window_start, window_end, post_code";

/// Three minutes, two codes, out of order by less than the watermark's five seconds.
fn counted_line() -> Line {
    let line = Line::new(COUNT, 1, vec![0, 1]);
    for n in 0..90_i64 {
        let second = n * 2 + if n % 3 == 0 { 3 } else { 0 };
        let at = format!("2026-01-01 10:{:02}:{:02}", second / 60, second % 60);
        let json = format!(r#"{{"post_code": {}, "age": {}, "at": "{at}"}}"#, n % 2, n);
        line.topics[0].append((n / 2 % 2) as i32, 1000, json);
    }
    line.topics[0].close();
    line
}

/// The same counts, computed by hand.
fn expected_counts() -> Vec<Vec<String>> {
    let mut groups = std::collections::BTreeMap::new();
    for n in 0..90_i64 {
        let second = n * 2 + if n % 3 == 0 { 3 } else { 0 };
        let group = groups.entry((second / 60, n % 2)).or_insert((0_i64, 0_i64));
        *group = (group.0 + 1, group.1 + n);
    }
    let row = |((minute, code), (count, sum)): (&(i64, i64), &(i64, i64))| {
        vec![
            format!("2026-01-01T10:{minute:02}:00"),
            code.to_string(),
            count.to_string(),
            sum.to_string(),
            format!("{:?}", *sum as f64 / *count as f64),
        ]
    };
    groups.iter().map(row).collect()
}

#[tokio::test]
async fn window_counts_are_exact_after_a_crash_at_every_step() {
    for step in 0.. {
        let (line, world, fuse) = (counted_line(), SimWorld::new(step), Fuse::after(step as i64));
        line.run(&world, &fuse).await;
        let world = world.crash(step);
        let status = line.run(&world, &Fuse::never()).await;
        assert_eq!(status.state(), JobState::Finished, "step {step}: {}", status.to_json());
        assert_eq!(line.table.rows(), expected_counts(), "crashed at step {step}");
        assert_eq!(status.to_json()["late_records"], 0);
        if !fuse.burnt() {
            assert!(step > 10, "only {step} steps");
            return;
        }
    }
}

#[tokio::test]
async fn a_union_reads_both_topics_and_a_cast_error_is_one_dead_letter() {
    let line = Line::new(
        "INSERT INTO people SELECT id, post_code, CAST(post_code AS INT) FROM users
         UNION ALL SELECT id, CAST(NULL AS STRING), age FROM other",
        2,
        vec![0],
    );
    for n in 0..20 {
        let code = if n == 13 { "\"B-13\"".to_owned() } else { n.to_string() };
        line.topics[0].append(0, 1, format!(r#"{{"id": "a{n}", "post_code": {code}}}"#));
        line.topics[1].append(0, 1, format!(r#"{{"id": "b{n}", "age": {n}}}"#));
    }
    line.topics.iter().for_each(MemoryTopic::close);
    let status = line.run(&SimWorld::new(1), &Fuse::never()).await;
    assert_eq!(status.state(), JobState::Finished, "{}", status.to_json());
    assert_eq!(line.table.rows().len(), 39);
    let letters = line.letters.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].record.offset, letters[0].stage.name()), (13, "TRANSFORMATION"));
    assert!(letters[0].message.contains("B-13"), "{}", letters[0].message);
}

#[tokio::test]
async fn the_last_record_of_a_key_wins_also_after_a_replay() {
    let line = Line::new("INSERT INTO people SELECT id, name.first, age FROM users", 1, vec![0]);
    for n in 0..50 {
        // The same millisecond for all: the order is that of the offsets.
        let json = format!(r#"{{"id": "u", "name": {{"first": "{n}"}}, "age": {n}}}"#);
        line.topics[0].append(0, 1000, json);
    }
    line.topics[0].close();
    let world = SimWorld::new(1);
    line.run(&world, &Fuse::after(9)).await;
    line.run(&world, &Fuse::never()).await;
    assert_eq!(line.table.rows(), [["u", "49", "49"]]);
}

#[tokio::test]
async fn state_of_another_statement_is_refused_with_the_ways_out() {
    let mut line = counted_line();
    let world = SimWorld::new(1);
    line.run(&world, &Fuse::after(9)).await;
    line.sql = "INSERT INTO counts
        SELECT window_start, post_code, COUNT(*), SUM(age), AVG(CAST(age AS DOUBLE))
        FROM TABLE(TUMBLE(TABLE users, DESCRIPTOR(ts), INTERVAL '2' MINUTE))
        GROUP BY window_start, window_end, post_code";
    let status = line.run(&world, &Fuse::never()).await;
    assert_eq!(status.state(), JobState::Failed);
    let failure = status.to_json()["failure"].as_str().unwrap().to_owned();
    for words in ["TUMBLE(60000 ms", "TUMBLE(120000 ms", "pipeline.name", "'discard'"] {
        assert!(failure.contains(words), "{failure}");
    }
    line.discard_state = true;
    assert_eq!(line.run(&world, &Fuse::never()).await.state(), JobState::Finished);

    // A filter that comes later keeps the state.
    let mut line = counted_line();
    let world = SimWorld::new(2);
    line.run(&world, &Fuse::after(9)).await;
    line.sql = "INSERT INTO counts
        SELECT window_start, post_code, COUNT(*), SUM(age), AVG(CAST(age AS DOUBLE))
        FROM TABLE(TUMBLE(TABLE users, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) WHERE id IS NULL
        GROUP BY window_start, window_end, post_code";
    assert_eq!(line.run(&world, &Fuse::never()).await.state(), JobState::Finished);
    assert_eq!(line.table.rows(), expected_counts());
}

#[tokio::test]
async fn a_job_that_is_stopped_goes_on_where_it_was() {
    let line = Line::new(COPY, 1, vec![0]);
    let world = SimWorld::new(1);
    for n in 0..10 {
        line.topics[0].append(0, 1000, format!(r#"{{"id": "u{n}"}}"#));
    }
    let shutdown = Shutdown::default();
    let stop = async {
        while line.table.writes() < 10 {
            tokio::task::yield_now().await;
        }
        shutdown.request();
    };
    let plan = plan(COPY).unwrap();
    let fuse = Fuse::never();
    let (status, ()) = tokio::join!(line.run_plan(plan, &world, &fuse, shutdown.clone()), stop);
    assert_eq!(status.state(), JobState::Running, "a stop is no end");
    line.topics[0].append(0, 1000, r#"{"id": "u10"}"#);
    line.topics[0].close();
    let status = line.run(&world, &Fuse::never()).await;
    assert_eq!(status.state(), JobState::Finished);
    assert_eq!(line.table.writes(), 11, "nothing was written twice");
    assert_eq!(line.topics[0].committed().unwrap().next[&0], 11, "others see how far it is");
}

#[tokio::test]
async fn a_recreated_topic_is_read_from_its_beginning_and_said_so() {
    let line = Line::new(COPY, 1, vec![0]);
    let world = SimWorld::new(1);
    line.topics[0].append(0, 1000, r#"{"id": "old"}"#);
    line.topics[0].append(0, 1000, r#"{"id": "older"}"#);
    line.run(&world, &Fuse::after(4)).await;
    line.topics[0].recreate();
    line.topics[0].append(0, 1000, r#"{"id": "new"}"#);
    line.topics[0].close();
    let status = line.run(&world, &Fuse::never()).await;
    assert_eq!(status.state(), JobState::Finished);
    assert!(line.table.rows().iter().any(|row| row[0] == "new"), "{:?}", line.table.rows());
    assert!(status.to_json()["notice"].as_str().unwrap().contains("recreated"));
}

#[tokio::test]
async fn too_many_groups_fail_the_job_with_the_setting_to_change() {
    let line = Line::new(COUNT, 1, vec![0, 1]);
    for n in 0..1200 {
        let json = format!(r#"{{"post_code": {n}, "age": 1, "at": "2026-01-01 10:00:00"}}"#);
        line.topics[0].append(0, 1000, json);
    }
    line.topics[0].close();
    let status = line.run(&SimWorld::new(1), &Fuse::never()).await;
    assert_eq!(status.state(), JobState::Failed);
    let failure = status.to_json()["failure"].as_str().unwrap().to_owned();
    assert!(failure.contains("window_groups_max = 1000"), "{failure}");
}
