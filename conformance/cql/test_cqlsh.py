"""cqlsh: the shell that comes with Cassandra."""

import os
import pathlib
import subprocess
import sys

CQLSH = pathlib.Path(sys.executable).parent / "cqlsh"


def cqlsh(cql, statements):
    host, port = cql.split(":")
    environment = {**os.environ, "CQLSH_NO_BUNDLED": "1", "LANG": "C.UTF-8"}
    command = [sys.executable, CQLSH, host, port, "--no-color", "-e", statements.strip()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_session_creates_fills_and_reads_a_table(cql, name):
    out = cqlsh(cql, f"""
        CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}};
        CREATE TABLE {name}.users (id int PRIMARY KEY, name text);
        INSERT INTO {name}.users (id, name) VALUES (1, 'Ada');
        SELECT * FROM {name}.users;
        SELECT count(*) FROM {name}.users;
    """)
    assert "Ada" in out and "(1 rows)" in out


def test_describe_prints_the_schema(cql, name):
    cqlsh(cql, f"""
        CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}};
        CREATE TABLE {name}.events (day text, at timeuuid, what text, PRIMARY KEY (day, at)) WITH CLUSTERING ORDER BY (at DESC);
    """)
    assert name in cqlsh(cql, "DESCRIBE KEYSPACES;")
    assert "events" in cqlsh(cql, f"USE {name}; DESCRIBE TABLES;")
    described = cqlsh(cql, f"DESCRIBE TABLE {name}.events;")
    assert f"CREATE TABLE {name}.events" in described
    assert "PRIMARY KEY (day, at)" in described
    assert "CLUSTERING ORDER BY (at DESC)" in described
