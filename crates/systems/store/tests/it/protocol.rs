//! The protocol itself: versions, compression, limits, events, paging, prepared statements.

use std::sync::mpsc;

use bytes::Bytes;
use tidemill_cql_wire::frame::Compression;
use tidemill_cql_wire::request::*;
use tidemill_cql_wire::response::*;
use tidemill_cql_wire::{Request, Response, Version};
use tidemill_runtime::ByteSize;
use tidemill_store::{CommitlogSync, Config};

use crate::client::{Client, int, text, with_values};
use crate::server::Server;

const KEYSPACE: &str =
    "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}";

fn started() -> (tempfile::TempDir, Server, Client) {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let mut client = Client::new(server.address());
    client.run(KEYSPACE);
    (dir, server, client)
}

fn rows_of(response: Response) -> Rows {
    match response.body {
        ResponseBody::Result(ResultResponse::Rows(rows)) => rows,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_version_and_compression_writes_and_reads() {
    let (_dir, server, mut client) = started();
    client.run("CREATE TABLE ks.t (k int PRIMARY KEY, v text)");
    let long = "x".repeat(300_000);
    for (version, compression) in [
        (Version::V3, None),
        (Version::V3, Some(Compression::Snappy)),
        (Version::V4, None),
        (Version::V4, Some(Compression::Lz4)),
        (Version::V4, Some(Compression::Snappy)),
        (Version::V5, None),
        (Version::V5, Some(Compression::Lz4)),
    ] {
        let mut client = Client::open(server.address(), version, compression);
        let values = with_values(vec![int(1), text(&long)]);
        let answer = client.query_with("INSERT INTO ks.t (k, v) VALUES (?, ?)", values);
        assert_eq!(answer.body, ResponseBody::Result(ResultResponse::Void), "{version}");
        let rows = client.rows("SELECT v FROM ks.t WHERE k = 1");
        assert_eq!(rows, [[Some(Bytes::from(long.clone()))]], "{version} {compression:?}");
    }
}

#[test]
fn a_version_of_another_product_is_refused_in_words_drivers_step_down_on() {
    let (_dir, server, _) = started();
    for version in [66, 65, 6] {
        let mut client = Client::dial(server.address(), Version::V5);
        client.send_raw(&[version, 0, 0, 0, 5, 0, 0, 0, 0]);
        let envelope = client.receive().unwrap();
        assert_eq!(envelope.version, Version::V5);
        let ResponseBody::Error(error) = Response::decode(&envelope).unwrap().body else {
            panic!("no error");
        };
        assert_eq!(error.code, ErrorCode::ProtocolError);
        let text = format!(
            "Invalid or unsupported protocol version ({version}); supported versions are \
             (3/v3, 4/v4, 5/v5)"
        );
        assert_eq!(error.message, text);
        assert!(client.receive().is_none(), "the connection is closed");
    }
}

#[test]
fn a_statement_before_startup_is_refused() {
    let (_dir, server, _) = started();
    let mut client = Client::dial(server.address(), Version::V4);
    let ResponseBody::Error(error) = client.query("SELECT * FROM system.local").body else {
        panic!("no error");
    };
    assert_eq!(error.code, ErrorCode::ProtocolError);
    assert_eq!(error.message, "Unexpected message QUERY, expecting STARTUP or OPTIONS");
    let answer = client.ask(&Request::Options(Options));
    assert!(matches!(answer.body, ResponseBody::Supported(_)));
}

#[test]
fn a_frame_above_the_limit_is_refused_and_the_connection_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { frame_bytes_max: ByteSize::kib(64), ..Config::default() };
    let server = Server::with(dir.path(), config);
    for version in [Version::V4, Version::V5] {
        let mut client = Client::open(server.address(), version, None);
        let cql = format!("SELECT '{}' FROM system.local", "x".repeat(70_000));
        let ResponseBody::Error(error) = client.query(&cql).body else { panic!("no error") };
        assert!(error.message.starts_with("Request is too big: length 700"), "{}", error.message);
        assert_eq!(client.rows("SELECT key FROM system.local").len(), 1, "{version}");
    }
}

#[test]
fn garbage_bodies_are_answered_and_the_connection_goes_on() {
    let (_dir, server, _) = started();
    let mut client = Client::open(server.address(), Version::V4, None);
    // QUERY whose text is announced longer than the body.
    client.send_raw(&[4, 0, 0, 9, 7, 0, 0, 0, 4, 0, 0, 0, 99]);
    let envelope = client.receive().unwrap();
    assert_eq!(envelope.stream, 9);
    let ResponseBody::Error(error) = Response::decode(&envelope).unwrap().body else {
        panic!("no error");
    };
    assert_eq!(error.code, ErrorCode::ProtocolError);
    assert_eq!(client.rows("SELECT key FROM system.local").len(), 1);
}

#[test]
fn too_many_requests_in_the_works_are_answered_overloaded() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { requests_per_connection_max: 2, worker_threads: 1, ..Config::default() };
    let server = Server::with(dir.path(), config);
    let mut client = Client::new(server.address());
    let query = Request::Query(Query {
        query: "SELECT * FROM system_schema.columns".into(),
        parameters: QueryParameters::default(),
    });
    (0..64).for_each(|_| {
        client.send(&query);
    });
    let mut overloaded = 0;
    for _ in 0..64 {
        match Response::decode(&client.receive().unwrap()).unwrap().body {
            ResponseBody::Error(error) => {
                assert_eq!(error.code, ErrorCode::Overloaded);
                overloaded += 1;
            }
            body => assert!(matches!(body, ResponseBody::Result(ResultResponse::Rows(_)))),
        }
    }
    assert!(overloaded > 0 && overloaded < 64, "{overloaded}");
    // Nothing is stuck.
    assert_eq!(client.rows("SELECT key FROM system.local").len(), 1);
}

#[test]
fn schema_changes_are_told_to_those_who_registered() {
    let (_dir, server, mut client) = started();
    let mut listener = Client::new(server.address());
    let answer = listener.ask(&Request::Register(Register {
        events: vec![EventKind::SchemaChange, EventKind::StatusChange],
    }));
    assert_eq!(answer.body, ResponseBody::Ready);
    let changed = client.run("CREATE TABLE ks.t (k int PRIMARY KEY)");
    let ResultResponse::SchemaChange(change) = changed else { panic!("{changed:?}") };
    let envelope = listener.receive().unwrap();
    assert_eq!(envelope.stream, -1);
    let event = Response::decode(&envelope).unwrap().body;
    assert_eq!(event, ResponseBody::Event(Event::Schema(change)));
}

#[test]
fn pages_hold_each_row_once_whatever_their_size() {
    let (_dir, _server, mut client) = started();
    client.run("CREATE TABLE ks.t (p int, c int, s int static, PRIMARY KEY (p, c))");
    for p in 0..7 {
        client.run(&format!("INSERT INTO ks.t (p, s) VALUES ({p}, 1)"));
        // Partitions of 0 to 6 rows: the first has only its static row.
        for c in 0..p {
            client.run(&format!("INSERT INTO ks.t (p, c) VALUES ({p}, {c})"));
        }
    }
    for statement in [
        "SELECT p, c FROM ks.t",
        "SELECT p, c FROM ks.t PER PARTITION LIMIT 2",
        "SELECT p, c FROM ks.t LIMIT 11",
        "SELECT p, c FROM ks.t WHERE p IN (6, 2, 5)",
        "SELECT p, c FROM ks.t WHERE p = 6 ORDER BY c DESC",
        "SELECT p, c FROM ks.t WHERE p = 6 AND c IN (1, 3, 5)",
        "SELECT DISTINCT p, s FROM ks.t",
        "SELECT p, c FROM ks.t WHERE c > 2 ALLOW FILTERING",
        "SELECT p, count(*) FROM ks.t GROUP BY p",
        "SELECT p, max(c) FROM ks.t GROUP BY p LIMIT 5",
    ] {
        let whole = client.rows(statement);
        for page_size in [1, 2, 3, 5, 100] {
            let mut parameters =
                QueryParameters { page_size: Some(page_size), ..QueryParameters::default() };
            let mut paged = Vec::new();
            loop {
                let rows = rows_of(client.query_with(statement, parameters.clone()));
                assert!(rows.count <= usize::try_from(page_size).unwrap());
                paged.extend(rows.iter().map(Result::unwrap));
                match rows.metadata.paging_state.clone() {
                    Some(state) => parameters.paging_state = Some(state),
                    None => break,
                }
            }
            assert_eq!(paged, whole, "{statement} in pages of {page_size}");
        }
    }
}

#[test]
fn a_paging_state_nobody_gave_out_is_refused() {
    let (_dir, _server, mut client) = started();
    let parameters = QueryParameters {
        page_size: Some(5),
        paging_state: Some(Bytes::from_static(b"\xFFgarbage")),
        ..QueryParameters::default()
    };
    let answer = client.query_with("SELECT * FROM system_schema.tables", parameters);
    let ResponseBody::Error(error) = answer.body else { panic!("no error") };
    assert_eq!(error.code, ErrorCode::ProtocolError);
}

#[test]
fn a_prepared_statement_is_described_and_run_with_values() {
    let (_dir, _server, mut client) = started();
    client.run("CREATE TABLE ks.t (a int, b text, c int, v int, PRIMARY KEY ((a, b), c))");
    let insert = client.prepare("INSERT INTO ks.t (v, b, a, c) VALUES (?, ?, ?, :c)");
    let names: Vec<&str> = insert.metadata.columns.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["v", "b", "a", "c"]);
    assert_eq!(insert.metadata.partition_key, [2, 1]);
    // MD5 of keyspace and text, as Cassandra makes it; here there is no keyspace.
    assert_eq!(insert.id.len(), 16);
    let again = client.prepare("INSERT INTO ks.t (v, b, a, c) VALUES (?, ?, ?, :c)");
    assert_eq!(again.id, insert.id);
    let values = with_values(vec![int(7), text("x"), int(1), int(2)]);
    client.execute(&insert, values);
    // An unset value leaves the column as it is.
    let values = with_values(vec![Value::Unset, text("x"), int(1), int(2)]);
    client.execute(&insert, values);
    let select = client.prepare("SELECT v FROM ks.t WHERE a = ? AND b = ? AND c IN ? LIMIT ?");
    let list = Value::Set(Bytes::from_static(&[0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 2]));
    let values = with_values(vec![int(1), text("x"), list, int(5)]);
    let rows = rows_of(client.execute(&select, values));
    let found: Vec<_> = rows.iter().map(Result::unwrap).collect();
    assert_eq!(found, [[Some(Bytes::from_static(&[0, 0, 0, 7]))]]);
    let wrong = client.execute(&insert, with_values(vec![int(1)]));
    let ResponseBody::Error(error) = wrong.body else { panic!("no error") };
    assert_eq!(error.message, "there were 4 markers(?) in CQL but 1 bound variables");
}

#[test]
fn values_may_be_bound_by_name() {
    let (_dir, _server, mut client) = started();
    client.run("CREATE TABLE ks.t (a int PRIMARY KEY, b int, c int)");
    let values = Values::Named(vec![("n".into(), int(5)), ("key".into(), int(1))]);
    let parameters = QueryParameters { values, ..QueryParameters::default() };
    client.query_with("INSERT INTO ks.t (a, b, c) VALUES (:key, :n, :n)", parameters);
    let five = Some(Bytes::from_static(&[0, 0, 0, 5]));
    assert_eq!(client.rows("SELECT b, c FROM ks.t WHERE a = 1"), [[five.clone(), five]]);
}

#[test]
fn an_unknown_id_is_answered_unprepared() {
    let (_dir, _server, mut client) = started();
    let id = Bytes::from_static(b"0123456789abcdef");
    let execute = Execute {
        id: id.clone(),
        result_metadata_id: Some(id.clone()),
        parameters: QueryParameters::default(),
    };
    let ResponseBody::Error(error) = client.ask(&Request::Execute(execute)).body else {
        panic!("no error");
    };
    assert_eq!(error.code, ErrorCode::Unprepared);
    assert_eq!(error.detail, ErrorDetail::Unprepared(id));
}

#[test]
fn metadata_that_changed_come_with_their_new_id() {
    let (_dir, _server, mut client) = started();
    client.run("CREATE TABLE ks.t (k int PRIMARY KEY, a int)");
    client.run("INSERT INTO ks.t (k, a) VALUES (1, 2)");
    let mut select = client.prepare("SELECT * FROM ks.t");
    let skipping = QueryParameters { skip_metadata: true, ..QueryParameters::default() };
    let rows = rows_of(client.execute(&select, skipping.clone()));
    assert!(rows.metadata.no_metadata);
    client.run("ALTER TABLE ks.t ADD b text");
    let rows = rows_of(client.execute(&select, skipping.clone()));
    assert_eq!(rows.metadata.columns.len(), 3);
    select.result_metadata_id = rows.metadata.new_metadata_id.clone();
    assert!(select.result_metadata_id.is_some());
    let rows = rows_of(client.execute(&select, skipping));
    assert!(rows.metadata.no_metadata);
}

#[test]
fn a_batch_message_mixes_texts_and_prepared_statements() {
    let (_dir, _server, mut client) = started();
    client.run("CREATE TABLE ks.t (k int PRIMARY KEY, v int)");
    let insert = client.prepare("INSERT INTO ks.t (k, v) VALUES (?, ?)");
    let statement =
        |statement, values| BatchStatement { statement, values: Values::Positional(values) };
    let batch = Batch {
        kind: BatchKind::Logged,
        statements: vec![
            statement(Statement::Prepared(insert.id.clone()), vec![int(1), int(1)]),
            statement(Statement::Query("DELETE FROM ks.t WHERE k = 9".into()), vec![]),
            statement(Statement::Query("UPDATE ks.t SET v = ? WHERE k = 2".into()), vec![int(2)]),
        ],
        parameters: QueryParameters { timestamp: Some(77), ..QueryParameters::default() },
    };
    let answer = client.ask(&Request::Batch(batch));
    assert_eq!(answer.body, ResponseBody::Result(ResultResponse::Void));
    let stamp = Some(Bytes::copy_from_slice(&77_i64.to_be_bytes()));
    assert_eq!(
        client.rows("SELECT writetime(v) FROM ks.t WHERE k IN (1, 2)"),
        [[stamp.clone()], [stamp]]
    );
}

/// One row, many clients, each adding one if nobody else did: no addition is lost.
#[test]
fn conditional_updates_of_one_row_are_made_one_after_the_other() {
    let (_dir, server, mut client) = started();
    client.run("CREATE TABLE ks.t (k int PRIMARY KEY, v int)");
    client.run("INSERT INTO ks.t (k, v) VALUES (1, 0)");
    let (sender, receiver) = mpsc::sync_channel(1000);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (sender, address) = (sender.clone(), server.address());
            scope.spawn(move || {
                let mut client = Client::new(address);
                for _ in 0..25 {
                    loop {
                        let known = client.rows("SELECT v FROM ks.t WHERE k = 1");
                        let raw = known[0][0].as_deref().unwrap().try_into().unwrap();
                        let v = i32::from_be_bytes(raw);
                        let cql = format!("UPDATE ks.t SET v = {} WHERE k = 1 IF v = {v}", v + 1);
                        if client.rows(&cql)[0][0].as_deref() == Some(&[1]) {
                            sender.send(()).unwrap();
                            break;
                        }
                    }
                }
            });
        }
    });
    drop(sender);
    assert_eq!(receiver.iter().count(), 100);
    let hundred = Some(Bytes::copy_from_slice(&100_i32.to_be_bytes()));
    assert_eq!(client.rows("SELECT v FROM ks.t WHERE k = 1"), [[hundred]]);
}

#[test]
fn truncate_and_drop_under_writes_never_answer_with_a_fault() {
    let (_dir, server, mut client) = started();
    client.run("CREATE TABLE ks.t (k int PRIMARY KEY, v int)");
    std::thread::scope(|scope| {
        let address = server.address();
        let writers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(move || {
                    let mut client = Client::new(address);
                    for k in 0..200 {
                        match client.query(&format!("INSERT INTO ks.t (k, v) VALUES ({k}, 1)")).body
                        {
                            ResponseBody::Result(_) => {}
                            ResponseBody::Error(error) => {
                                assert_eq!(error.code, ErrorCode::Invalid, "{}", error.message);
                                assert_eq!(error.message, "table t does not exist");
                            }
                            other => panic!("{other:?}"),
                        }
                    }
                })
            })
            .collect();
        for _ in 0..5 {
            client.run("TRUNCATE ks.t");
            client.run("DROP TABLE ks.t");
            client.run("CREATE TABLE ks.t (k int PRIMARY KEY, v int)");
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    });
    client.run("TRUNCATE ks.t");
    assert!(client.rows("SELECT * FROM ks.t").is_empty());
}

#[test]
fn everything_is_there_after_a_restart() {
    let (dir, server, mut client) = started();
    client.run("CREATE TYPE ks.addr (street text, tags frozen<set<text>>)");
    client.run(
        "CREATE TABLE ks.t (p int, c text, s int static, a addr, l list<int>, \
         PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC) AND comment = 'kept'",
    );
    client.run("INSERT INTO ks.t (p, c, s, a, l) VALUES (1, 'x', 5, {street: 'y'}, [1, 2])");
    client.run("INSERT INTO ks.t (p, c) VALUES (1, 'z')");
    client.run("DELETE FROM ks.t WHERE p = 1 AND c > 'y'");
    client.run("ALTER TABLE ks.t ADD late text");
    let ask = |client: &mut Client| {
        [
            "SELECT * FROM ks.t",
            "DESCRIBE KEYSPACE ks",
            "SELECT host_id, tokens, schema_version FROM system.local",
            "SELECT id FROM system_schema.tables WHERE keyspace_name = 'ks'",
        ]
        .map(|cql| client.rows(cql))
    };
    let before = ask(&mut client);
    assert_eq!(before[0].len(), 1);
    drop(client);
    server.stop();
    let config = Config { commitlog_sync: CommitlogSync::Batch, ..Config::default() };
    let server = Server::with(dir.path(), config);
    assert_eq!(ask(&mut Client::new(server.address())), before);
}

#[test]
fn a_directory_is_served_by_one_store_at_a_time() {
    let (dir, server, _) = started();
    let error = server.runtime().block_on(tidemill_store::Store::start(
        Config { listen: "127.0.0.1:0".parse().unwrap(), ..Config::default() },
        dir.path().to_owned(),
        tidemill_runtime::World::real(),
    ));
    let error = error.unwrap_err().to_string();
    assert!(error.ends_with("is in use by another process"), "{error}");
}

/// Each of these would take for ever if every choice were tried or every digit written.
#[test]
fn statements_made_to_be_slow_are_refused_at_once() {
    let (_dir, _server, mut client) = started();
    client.run("CREATE TABLE ks.t (k int PRIMARY KEY, n int, d decimal)");
    let nested = format!("{}1{}", "abs(".repeat(40), ")".repeat(40));
    let error = client.error(&format!("INSERT INTO ks.t (k, n) VALUES (1, {nested} + 'x')"));
    assert_eq!(error.code, ErrorCode::Invalid);
    let nested = format!("{}now(){}", "toTimestamp(".repeat(40), ")".repeat(40));
    let error = client.error(&format!("SELECT k FROM ks.t WHERE k = {nested}"));
    assert_eq!(error.code, ErrorCode::Invalid);
    client.run("INSERT INTO ks.t (k, d) VALUES (1, 1e1000000000)");
    assert_eq!(client.rows("SELECT d FROM ks.t").len(), 1);
    for cql in ["SELECT CAST(d AS text) FROM ks.t", "SELECT sum(d), avg(d) FROM ks.t"] {
        assert!(client.error(cql).message.contains("scale beyond"), "{cql}");
    }
    let list = (0..300).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    client.run("CREATE TABLE ks.w (a int, b int, c int, PRIMARY KEY ((a, b), c))");
    let cql = format!("SELECT * FROM ks.w WHERE a IN ({list}) AND b IN ({list})");
    assert!(client.error(&cql).message.contains("combine to more than"));
}

#[test]
fn a_wrong_statement_carries_cassandras_code() {
    let (_dir, _server, mut client) = started();
    for (cql, code) in [
        ("SELEC", ErrorCode::SyntaxError),
        ("SELECT * FROM ks.nope", ErrorCode::Invalid),
        (KEYSPACE, ErrorCode::AlreadyExists),
        ("LIST ROLES", ErrorCode::Unauthorized),
        ("CREATE KEYSPACE x WITH replication = {'class': 'Nope'}", ErrorCode::ConfigError),
    ] {
        assert_eq!(client.error(cql).code, code, "{cql}");
    }
}
