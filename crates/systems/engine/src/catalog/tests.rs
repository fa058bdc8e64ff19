use super::options::{Connector, Format, Startup};
use super::*;
use crate::sql::{self, statement::Statement};

fn create(text: &str) -> Result<Arc<Table>, SqlError> {
    let mut catalog = Catalog::default();
    for located in sql::parse(text)? {
        if let Statement::CreateTable(table) = located.statement {
            catalog.create_table(&table, located.at)?;
        }
    }
    match catalog.get("t") {
        Some(Relation::Table(table)) => Ok(Arc::clone(table)),
        _ => panic!("no table t"),
    }
}

#[test]
fn kafka_options_have_flinks_names_and_defaults() {
    let table = create(
        "CREATE TABLE t (a INT, ts TIMESTAMP(3) METADATA FROM 'timestamp') WITH (
           'connector'='kafka', 'topic'='users', 'format'='json', 'json.ignore-parse-errors'='true',
           'scan.startup.mode'='timestamp', 'scan.startup.timestamp-millis'='5',
           'properties.group.id'='g', 'properties.linger.ms'='5')",
    )
    .unwrap();
    let Connector::Kafka(kafka) = &table.connector else { panic!("not kafka") };
    assert_eq!(kafka.dead_letter_topic, "users.dlq");
    assert_eq!(kafka.startup, Startup::Timestamp(5));
    assert!(matches!(&kafka.format, Format::Json(json) if json.ignore_parse_errors));
    assert_eq!(table.scan[1].origin, ScanOrigin::Metadata(MetadataKey::Timestamp));
}

#[test]
fn wrong_options_are_told_with_their_place() {
    let kafka = "CREATE TABLE t (a INT) WITH ('connector'='kafka',\n";
    let cassandra = "CREATE TABLE t (a INT, PRIMARY KEY (a) NOT ENFORCED) WITH \
                     ('connector'='cassandra', 'keyspace'='k',\n";
    for (head, tail, line, words) in [
        ("CREATE TABLE t (a INT)", "", 1, "option key 'connector'"),
        (
            "CREATE TABLE t (a INT) WITH ('connector'='jdbc')",
            "",
            1,
            "Available factory identifiers",
        ),
        (kafka, "'format'='json')", 1, "Missing required options are:\n\ntopic"),
        (kafka, "'topic'='x')", 1, "value format must be specified"),
        (kafka, "'topic'='x', 'format'='xml')", 2, "avro-confluent\njson\nraw"),
        (kafka, "'topic'='x', 'format'='json', 'jsn.x'='1')", 2, "Unsupported options:\n\njsn.x"),
        (kafka, "'topic'='x', 'format'='json', 'jsn.x'='1')", 2, "json.ignore-parse-errors\n"),
        (kafka, "'topic'='x', 'format'='json', 'scan.startup.mode'='now')", 2, "earliest-offset"),
        (kafka, "'topic'='x', 'format'='json', 'scan.startup.mode'='timestamp')", 1, "required in"),
        (
            kafka,
            "'topic'='x', 'format'='raw', 'properties.security.protocol'='SSL')",
            2,
            "security",
        ),
        (kafka, "'topic'='x', 'format'='json', 'json.ignore-parse-errors'='yes')", 2, "'true'"),
        (
            kafka,
            "'topic'='x', 'format'='json', 'sink.delivery-guarantee'='exactly-once')",
            1,
            "at-le",
        ),
        (cassandra, "'table'='x', 'tidemill.cql.type.b'='uuid')", 2, "names no column"),
        (cassandra, "'table'='x', 'tidemill.in-flight.max'='0')", 1, "1 to 4096"),
        (
            "CREATE TABLE t (a INT) WITH ('connector'='cassandra', 'keyspace'='k', 'table'='t')",
            "",
            1,
            "PRIMARY KEY",
        ),
        (
            "CREATE TABLE t (a INT METADATA) WITH ('connector'='blackhole')",
            "",
            1,
            "metadata key 'a'",
        ),
        (
            "CREATE TABLE t (`offset` INT METADATA) WITH ('connector'='kafka','topic'='x','format'='json')",
            "",
            1,
            "cannot be declared as 'INT'",
        ),
        (
            "CREATE TABLE t (a INT, b INT) WITH ('connector'='kafka','topic'='x','format'='raw')",
            "",
            1,
            "single physical column",
        ),
        (
            "CREATE TABLE t (a INT, PRIMARY KEY (a) NOT ENFORCED) WITH \
          ('connector'='kafka','topic'='x','format'='json')",
            "",
            1,
            "doesn't support defining",
        ),
    ] {
        let text = format!("{head}{tail}");
        let error = create(&text).expect_err(&text);
        assert!(error.message.contains(words), "{text}: {error}");
        assert_eq!(error.at.line, line, "{text}: {error}");
    }
}

#[test]
fn a_name_is_taken_once() {
    let table = "CREATE TABLE t (a INT) WITH ('connector'='blackhole');";
    assert!(create(&format!("{table}{table}")).unwrap_err().message.contains("already exists"));
    let lenient = "CREATE TABLE IF NOT EXISTS t (b INT) WITH ('connector'='blackhole')";
    assert_eq!(create(&format!("{table}{lenient}")).unwrap().scan[0].name, "a");
}
