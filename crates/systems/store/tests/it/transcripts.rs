//! Statements and what Cassandra 5.0.9 answered to them.
//!
//! `tests/transcripts/*.cql` holds a statement per line, `*.out` the statements with the answers.
//! The answers were recorded from Cassandra: with `CQL_RECORD=127.0.0.1:9042` these tests ask that
//! server and write the files anew. A line that starts with `~` is compared without values, one that
//! starts with `@` is run without being compared. Warnings
//! of our own, about what is accepted without effect, are left out.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::client::Client;
use crate::render;
use crate::server::Server;

fn file(name: &str, extension: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    dir.join(format!("{name}.{extension}"))
}

fn transcript(name: &str, address: SocketAddr) -> String {
    let mut client = Client::new(address);
    let mut out = String::new();
    for line in std::fs::read_to_string(file(name, "cql")).unwrap().lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with("--") {
            continue;
        }
        // What an earlier recording left behind goes silently.
        if let Some(statement) = line.strip_prefix('@') {
            client.query(statement);
            continue;
        }
        let (masked, statement) = match line.strip_prefix('~') {
            Some(statement) => (true, statement.trim()),
            None => (false, line),
        };
        out.push_str(&format!("> {line}\n"));
        out.push_str(&render::response(&client.query(statement), masked));
    }
    out
}

fn compare(name: &str) {
    if let Ok(target) = std::env::var("CQL_RECORD") {
        let recorded = transcript(name, target.parse().unwrap());
        return std::fs::write(file(name, "out"), recorded).unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let ours = transcript(name, server.address());
    server.stop();
    let cassandras = std::fs::read_to_string(file(name, "out")).unwrap();
    let is_own_warning = |line: &&str| {
        line.starts_with("WARN accepted and kept") || line.starts_with("WARN durable_writes")
    };
    let steps = |text: &str| -> Vec<String> {
        let lines: Vec<&str> = text.lines().filter(|line| !is_own_warning(line)).collect();
        let text = lines.join("\n");
        text.split("\n> ").map(|step| step.trim_start_matches("> ").trim_end().to_owned()).collect()
    };
    let (ours, cassandras) = (steps(&ours), steps(&cassandras));
    let different: Vec<String> = ours
        .iter()
        .zip(&cassandras)
        .filter(|(ours, cassandras)| ours != cassandras)
        .map(|(ours, cassandras)| format!("cassandra> {cassandras}\nours     > {ours}\n"))
        .collect();
    assert_eq!(ours.len(), cassandras.len());
    assert!(different.is_empty(), "{} differ\n{}", different.len(), different.join("\n"));
}

macro_rules! transcripts {
    ($($test:ident: $name:literal;)*) => {
        $(#[test]
        fn $test() {
            compare($name);
        })*
    };
}

transcripts! {
    keyspaces_and_tables_are_made_changed_and_dropped_like_cassandras: "schema";
    broken_statements_are_refused_in_cassandras_words: "errors";
    rows_are_found_by_key_and_clustering_like_cassandras: "clustering";
    values_of_every_type_read_back_like_cassandras: "types";
    collections_change_like_cassandras: "collections";
    user_types_and_tuples_work_like_cassandras: "user_types";
    static_columns_belong_to_partitions_like_cassandras: "statics";
    deletes_and_ttls_hide_what_cassandra_hides: "deletes";
    conditions_hold_and_fail_like_cassandras: "conditions";
    batches_are_made_whole_like_cassandras: "batches";
    functions_compute_like_cassandras: "functions";
    filters_find_what_cassandra_finds: "filtering";
    counters_count_like_cassandras: "counters";
    groups_and_limits_cut_like_cassandras: "groups";
}
