use std::sync::Arc;

use tidemill_runtime::SystemClock;

use super::functions::Functions;
use super::insert::plan_insert;
use super::stream::StreamPlan;
use crate::catalog::Catalog;
use crate::sql::{self, SqlError, statement::Statement};

/// Tables that the tests read and write.
pub(crate) const TABLES: &str = "
CREATE TABLE users (
  id STRING, name ROW<first STRING, `last` STRING>, post_code STRING, age INT, at STRING,
  ts AS TO_TIMESTAMP(at),
  made TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector'='kafka', 'topic'='users', 'format'='json', 'scan.startup.mode'='earliest-offset');
CREATE TABLE other (id STRING, age BIGINT)
  WITH ('connector'='kafka', 'topic'='other', 'format'='json', 'scan.startup.mode'='earliest-offset');
CREATE TABLE people (id STRING, name STRING, age BIGINT, PRIMARY KEY (id) NOT ENFORCED)
  WITH ('connector'='cassandra', 'keyspace'='k', 'table'='people');
CREATE TABLE counts (window_start TIMESTAMP(3), code STRING, n BIGINT, s BIGINT, a DOUBLE,
  PRIMARY KEY (window_start, code) NOT ENFORCED)
  WITH ('connector'='cassandra', 'keyspace'='k', 'table'='counts');
CREATE VIEW adults AS SELECT id, post_code, age, ts FROM users WHERE age >= 18;
";

pub(crate) fn functions() -> Functions {
    let clock: Arc<dyn tidemill_runtime::Clock> = Arc::new(SystemClock::new());
    Functions::new(&clock)
}

/// The tables above and the last `INSERT` of `text`.
pub(crate) fn plan(text: &str) -> Result<StreamPlan, SqlError> {
    let mut catalog = Catalog::default();
    for located in sql::parse(TABLES).expect("the tables parse") {
        match located.statement {
            Statement::CreateTable(table) => catalog.create_table(&table, located.at)?,
            Statement::CreateView(view) => catalog.create_view(&view, located.at)?,
            other => panic!("{other:?}"),
        }
    }
    match sql::parse(text)?.pop().expect("a statement").statement {
        Statement::Insert(insert) => plan_insert(&catalog, &functions(), &insert),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_needed_columns_are_decoded() {
    let plan = plan("INSERT INTO people SELECT id, name.first, age + 1 FROM users WHERE age > 17");
    insta::assert_snapshot!(plan.unwrap().explain(), @r#"
    == Optimized Execution Plan ==
    Sink(cassandra:k.people, fields=[id, name, age])
    +- Calc(select=[id, get_field(name@1, first) AS name, CAST(age@2 AS Int64) + 1 AS age])
       +- Calc(where=[age@2 > 17])
          +- Calc(select=[id, name, age])
             +- Source(kafka:users, fields=[id, name, age, at], watermark=[ts - INTERVAL '5' SECOND])
    "#);
}

#[test]
fn a_window_over_a_view_keeps_its_time_attribute() {
    let plan = plan(
        "INSERT INTO counts SELECT window_start, post_code, COUNT(*), SUM(age), AVG(CAST(age AS DOUBLE))
         FROM TABLE(TUMBLE(TABLE adults, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
         GROUP BY window_start, window_end, post_code HAVING COUNT(*) > 1",
    )
    .unwrap();
    insta::assert_snapshot!(plan.explain(), @r#"
    == Optimized Execution Plan ==
    Sink(cassandra:k.counts, fields=[window_start, code, n, s, a])
    +- Calc(select=[window_start, post_code@1 AS code, count(Int64(1))@2 AS n, sum($tumble0.age)@3 AS s, avg($tumble0.age)@4 AS a])
       +- Calc(where=[count(Int64(1))@2 > 1])
          +- Calc(select=[window_start, post_code, count(Int64(1)), sum($tumble0.age), avg($tumble0.age)])
             +- WindowAggregate(groupBy=[window_start, window_end, post_code@0], select=[count(*), sum(age), avg(age)])
                +- WindowTableFunction(window=[TUMBLE(time_col=[ts], size=[60000 ms])])
                   +- Calc(select=[post_code, age, to_timestamp(at@2) AS ts])
                      +- Calc(where=[age@1 >= 18])
                         +- Source(kafka:users, fields=[post_code, age, at], watermark=[ts - INTERVAL '5' SECOND])
    "#);
    insta::assert_snapshot!(plan.state_descriptions().join("\n"), @r#"TUMBLE(60000 ms, offset 0 ms) BY [post_code Utf8] COMPUTE [count(*), sum(age), avg(age)]"#);
}

#[test]
fn a_union_has_two_sources_and_a_missing_column_is_null() {
    let plan = plan(
        "INSERT INTO people (id, age) SELECT id, age FROM users UNION ALL SELECT id, age FROM other",
    );
    insta::assert_snapshot!(plan.unwrap().explain(), @r#"
    == Optimized Execution Plan ==
    Sink(cassandra:k.people, fields=[id, name, age])
    +- Calc(select=[id, NULL AS name, age])
       +- Union(all=[true])
          +- Calc(select=[id, CAST(age@1 AS Int64) AS age])
             +- Calc(select=[id, age])
                +- Source(kafka:users, fields=[id, age, at], watermark=[ts - INTERVAL '5' SECOND])
          +- Source(kafka:other, fields=[id, age])
    "#);
}

#[test]
fn wrong_statements_are_refused_in_flinks_words() {
    let mut wrong = Vec::new();
    for (text, line, column, words) in [
        (
            "INSERT INTO people SELECT id, nme, age FROM users",
            1,
            31,
            "Column 'nme' not found in any",
        ),
        ("INSERT INTO people SELECT id,\n u.x, age FROM users u", 2, 2, "not found in table 'u'"),
        ("INSERT INTO people SELECT id FROM users", 1, 13, "Different number of columns"),
        (
            "INSERT INTO people SELECT id, age, age FROM users",
            1,
            13,
            "sink column 'name' at position 1",
        ),
        ("INSERT INTO people SELECT id, id, id FROM nobody", 1, 43, "Object 'nobody' not found"),
        ("INSERT INTO nobody SELECT id FROM users", 1, 13, "Object 'nobody' not found"),
        ("INSERT INTO people SELECT id, id, age FROM people", 1, 44, "can only be used as a sink"),
        ("INSERT INTO people SELECT id, FOO(id), age FROM users", 1, 31, "function signature FOO"),
        ("INSERT INTO people SELECT id, id, CAST(age AS STRNG) FROM users", 1, 20, "no type"),
        (
            "INSERT INTO people SELECT id, id, COUNT(*) FROM users GROUP BY id",
            1,
            20,
            "GroupAggregate",
        ),
        ("INSERT INTO people (id, zz) SELECT id, age FROM users", 1, 13, "Unknown target column"),
        ("INSERT INTO people SELECT id, name.middle, age FROM users", 1, 20, "middle"),
        (
            "INSERT INTO people SELECT id, id, SUM(age) OVER (PARTITION BY id) FROM users",
            1,
            20,
            "Window",
        ),
        ("INSERT INTO adults SELECT id, id, 1, made FROM users", 1, 13, "View"),
        (
            "INSERT INTO counts SELECT window_start, id, COUNT(*), 1, 1.0E0
             FROM TABLE(TUMBLE(TABLE other, DESCRIPTOR(age), INTERVAL '1' MINUTE))
             GROUP BY window_start, window_end, id",
            2,
            19,
            "time attribute",
        ),
        (
            "INSERT INTO counts SELECT window_start, id, COUNT(DISTINCT age), 1, 1.0E0
             FROM TABLE(TUMBLE(TABLE users, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
             GROUP BY window_start, window_end, id",
            1,
            20,
            "DISTINCT",
        ),
    ] {
        match plan(text) {
            Ok(plan) => wrong.push(format!("{text}\n  => {}", plan.explain())),
            Err(error)
                if error.message.contains(words)
                    && (error.at.line, error.at.column) == (line, column) => {}
            Err(error) => wrong.push(format!("{text}\n  => {} {error}", error.at)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_filter_changes_neither_shape_nor_state() {
    let one = plan("INSERT INTO people SELECT id, id, age FROM users").unwrap();
    let two = plan("INSERT INTO people SELECT id, post_code, 2 FROM users WHERE age > 3").unwrap();
    assert_eq!(one.shape(), two.shape());
}
