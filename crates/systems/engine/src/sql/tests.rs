use super::statement::{ColumnKind, Statement};
use super::*;

fn one(text: &str) -> Statement {
    let mut statements = parse(text).unwrap_or_else(|error| panic!("{error}\nin {text}"));
    assert_eq!(statements.len(), 1, "{text}");
    statements.remove(0).statement
}

#[test]
fn a_table_has_physical_metadata_and_computed_columns() {
    let Statement::CreateTable(table) =
        one("CREATE TABLE IF NOT EXISTS default_catalog.default_database.`users created` (
           id STRING NOT NULL COMMENT 'the key',
           name ROW<first STRING, `last` VARCHAR(20), tags ARRAY<MAP<STRING, ARRAY<INT>>>>,
           price DECIMAL(10, 2),
           at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
           `offset` BIGINT METADATA,
           ts AS TO_TIMESTAMP(CONCAT(id, ',')) COMMENT 'when',
           WATERMARK FOR ts AS ts - INTERVAL '5' SECOND,
           PRIMARY KEY (id) NOT ENFORCED
         ) COMMENT 'x' WITH ('connector' = 'kafka', 'topic' = 'it''s')")
    else {
        panic!("not a table")
    };
    assert_eq!(table.name, "users created");
    assert!(table.if_not_exists);
    assert_eq!(table.primary_key, ["id"]);
    assert_eq!(table.watermark.unwrap().text, "ts - INTERVAL '5' SECOND");
    assert_eq!(table.options[1].1, "it's");
    let shown: Vec<String> = table
        .columns
        .iter()
        .map(|column| match &column.kind {
            ColumnKind::Physical { sql_type, not_null } => {
                format!("{} {sql_type} {not_null}", column.name)
            }
            ColumnKind::Metadata { sql_type, key, is_virtual } => {
                format!("{} {sql_type} from {key} {is_virtual}", column.name)
            }
            ColumnKind::Computed { text, .. } => format!("{} as {text}", column.name),
        })
        .collect();
    assert_eq!(
        shown,
        [
            "id STRING true",
            "name ROW<`first` STRING, `last` STRING, `tags` ARRAY<MAP<STRING, ARRAY<INT>>>> false",
            "price DECIMAL(10, 2) false",
            "at TIMESTAMP_LTZ(3) from timestamp true",
            "offset BIGINT from offset false",
            "ts as TO_TIMESTAMP(CONCAT(id, ','))",
        ]
    );
}

#[test]
fn statements_keep_their_place_and_text() {
    let text = "SET 'pipeline.name' = 'users';\n\n-- the line\nINSERT INTO a (x)\n  SELECT y FROM b;\n\
                EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1 FROM b; INSERT INTO c SELECT 2 \
                FROM b; END;";
    let statements = parse(text).unwrap();
    assert_eq!(statements.len(), 3);
    assert_eq!(statements[1].at, Location { line: 4, column: 1 });
    assert_eq!(statements[1].text, "INSERT INTO a (x)\n  SELECT y FROM b");
    let Statement::StatementSet(inserts) = &statements[2].statement else { panic!("no set") };
    assert_eq!(inserts[1].text, "INSERT INTO c SELECT 2 FROM b");
}

#[test]
fn a_window_table_function_becomes_a_name() {
    for text in [
        "SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' MINUTES)) w",
        "SELECT COUNT(*) FROM TABLE(TUMBLE(DATA => TABLE bid, TIMECOL => DESCRIPTOR(ts), \
         SIZE => INTERVAL '10' MINUTE)) w",
    ] {
        let Statement::Select(query) = one(text) else { panic!("not a query") };
        assert_eq!(query.ast.to_string(), "SELECT COUNT(*) FROM `$tumble0` w");
        let window = &query.windows[0];
        assert_eq!((window.table.as_str(), window.size_ms), ("bid", 600_000));
    }
}

/// What Flink 2.x refuses is refused, with the place; the wording follows its parser.
#[test]
fn errors_name_the_place() {
    let mut wrong = Vec::new();
    for (text, line, column, words) in [
        ("SELEC 1", 1, 1, "Encountered \"SELEC\" at line 1, column 1."),
        ("SELECT a FROM\nt WHERE", 2, 8, "Was expecting: an expression"),
        ("SELECT a FROM t extra junk", 1, 23, "Encountered \"junk\""),
        ("SELECT \"a\" FROM t", 1, 8, "backticks"),
        ("SELECT 'a FROM t", 1, 8, "Lexical error"),
        ("CREATE TABLE t (a STRNG)", 1, 19, "Encountered \"STRNG\""),
        ("CREATE TABLE t (a DECIMAL(39))", 1, 19, "between 1 and 38"),
        ("CREATE TABLE t (a INT, a INT)", 1, 24, "already exists"),
        ("CREATE TABLE t (a INT, PRIMARY KEY (a))", 1, 24, "NOT ENFORCED"),
        ("CREATE TABLE t (a INT, PRIMARY KEY (b) NOT ENFORCED)", 1, 17, "'b' is not defined"),
        ("CREATE TABLE t (a INT, WATERMARK FOR ts AS ts)", 1, 24, "rowtime attribute"),
        ("CREATE TABLE t (a INT) WITH ('a'='b', 'a'='c')", 1, 39, "Duplicate option"),
        ("CREATE TABLE t (a INT) WITH (a='b')", 1, 30, "<QUOTED_STRING>"),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1", 1, 8, "CREATE MATERIALIZED"),
        ("INSERT OVERWRITE t SELECT 1", 1, 1, "OVERWRITE"),
        ("DELETE FROM t", 1, 1, "DELETE statements"),
        ("SELECT * FROM TABLE(HOP(TABLE t, DESCRIPTOR(a), INTERVAL '1' DAY))", 1, 21, "HOP"),
        (
            "SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(a), INTERVAL '0' DAY))",
            1,
            52,
            "positive",
        ),
        ("SELECT * FROM TABLE(TUMBLE(TABLE t, a, INTERVAL '1' DAY))", 1, 37, "DESCRIPTOR"),
        ("EXECUTE STATEMENT SET BEGIN END", 1, 32, "at least one"),
        ("SHOW NOTHING", 1, 6, "\"TABLES\""),
        ("DESCRIBE a.b.c", 1, 10, "default_catalog"),
        ("SELECT 1 SELECT 2", 1, 10, ""),
    ] {
        let error = parse(text).expect_err(text);
        let ok = error.at == Location { line, column } && error.to_string().contains(words);
        if !ok {
            wrong.push(format!("{text}\n  => {} {error}", error.at));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_stream_cannot_do_is_refused_with_its_place() {
    use super::query::{Mode, check};
    for (text, line, column, words) in [
        ("SELECT a FROM t\nJOIN u ON t.a = u.a", 2, 6, "joins"),
        ("SELECT a FROM t ORDER BY a", 1, 26, "ORDER BY"),
        ("SELECT a FROM t LIMIT 1", 1, 1, "LIMIT"),
        ("SELECT DISTINCT a FROM t", 1, 1, "DISTINCT"),
        ("SELECT a FROM t UNION SELECT a FROM u", 1, 23, "UNION ALL"),
        ("SELECT 1", 1, 1, "without FROM"),
        ("SELECT a FROM (SELECT a FROM t LIMIT 2)", 1, 1, "LIMIT"),
    ] {
        let Statement::Select(query) = one(text) else { panic!("{text}") };
        let error = check(&query, Mode::Streaming).expect_err(text);
        assert!(error.to_string().contains(words), "{text}: {error}");
        assert_eq!(error.at, Location { line, column }, "{text}: {error}");
    }
}
