"""cassandra-driver: what Python programs connect with."""

import datetime
import decimal
import ipaddress
import uuid

import pytest
from cassandra import AlreadyExists, InvalidRequest
from cassandra.cluster import Cluster
from cassandra.protocol import SyntaxException
from cassandra.query import BatchStatement, SimpleStatement, dict_factory


@pytest.fixture(scope="module", params=[5, 4], ids=["v5", "v4"])
def cluster(request, cql):
    host, port = cql.split(":")
    cluster = Cluster([host], port=int(port), protocol_version=request.param)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def session(cluster, name):
    session = cluster.connect()
    session.execute(
        f"CREATE KEYSPACE IF NOT EXISTS {name} WITH replication = "
        "{'class': 'SimpleStrategy', 'replication_factor': '1'}"
    )
    session.set_keyspace(name)
    yield session
    session.execute(f"DROP KEYSPACE {name}")
    session.shutdown()


def test_the_driver_sees_the_schema(cluster, session, name):
    session.execute("CREATE TABLE t (a int, b text, c double, PRIMARY KEY (a, b)) WITH CLUSTERING ORDER BY (b DESC)")
    table = cluster.metadata.keyspaces[name].tables["t"]
    assert [column.name for column in table.partition_key] == ["a"]
    assert [column.name for column in table.clustering_key] == ["b"]
    assert table.columns["b"].is_reversed
    with pytest.raises(AlreadyExists):
        session.execute("CREATE TABLE t (a int PRIMARY KEY)")
    session.execute("CREATE TABLE IF NOT EXISTS t (a int PRIMARY KEY)")


def test_native_types_come_back_as_they_went(session):
    now = datetime.datetime(2026, 1, 2, 3, 4, 5, 678000)
    values = {
        "an_ascii": "ascii", "a_bigint": -(2**63), "a_blob": b"\x00\xff", "a_boolean": True,
        "a_date": datetime.date(2026, 2, 28), "a_decimal": decimal.Decimal("-12.3400"),
        "a_double": 1.5e300, "a_float": 0.5, "an_inet": "127.0.0.1", "an_int": -(2**31),
        "a_smallint": -32768, "a_text": "grüße", "a_time": datetime.time(23, 59, 59),
        "a_timestamp": now, "a_timeuuid": uuid.uuid1(), "a_tinyint": -128, "a_uuid": uuid.uuid4(),
        "a_varint": 2**100,
    }
    columns = ", ".join(f"{column} {column.split('_')[1]}" for column in values)
    session.execute(f"CREATE TABLE every (id int PRIMARY KEY, {columns})")
    names = ", ".join(values)
    marks = ", ".join("?" for _ in values)
    insert = session.prepare(f"INSERT INTO every (id, {names}) VALUES (1, {marks})")
    session.execute(insert, list(values.values()))
    row = session.execute("SELECT * FROM every WHERE id = 1").one()
    for column, value in values.items():
        read = getattr(row, column)
        if column == "a_date":
            read = read.date()
        if column == "a_time":
            read = read.time()
        if column == "an_inet":
            read = str(ipaddress.ip_address(read))
        assert read == value, column


def test_pages_hold_every_row_once(session):
    session.execute("CREATE TABLE pages (p int, c int, v text, PRIMARY KEY (p, c))")
    insert = session.prepare("INSERT INTO pages (p, c, v) VALUES (?, ?, ?)")
    wanted = {(p, c) for p in range(10) for c in range(53)}
    for p, c in wanted:
        session.execute(insert, (p, c, f"{p}-{c}"))
    scan = SimpleStatement("SELECT p, c FROM pages", fetch_size=17)
    rows = [tuple(row) for row in session.execute(scan)]
    assert len(rows) == len(wanted) and set(rows) == wanted
    one = SimpleStatement("SELECT c FROM pages WHERE p = 3 AND c >= 10 AND c < 40", fetch_size=7)
    assert [row.c for row in session.execute(one)] == list(range(10, 40))
    descending = session.execute("SELECT c FROM pages WHERE p = 3 ORDER BY c DESC LIMIT 3")
    assert [row.c for row in descending] == [52, 51, 50]
    assert session.execute("SELECT count(*) FROM pages").one().count == len(wanted)


def test_updates_and_deletes_reach_what_they_name(session):
    session.execute("CREATE TABLE cells (p int, c int, v text, w text, PRIMARY KEY (p, c))")
    for c in range(5):
        session.execute("INSERT INTO cells (p, c, v, w) VALUES (1, %s, 'v', 'w')", (c,))
    session.execute("UPDATE cells SET v = 'new' WHERE p = 1 AND c = 0")
    session.execute("DELETE w FROM cells WHERE p = 1 AND c = 1")
    session.execute("DELETE FROM cells WHERE p = 1 AND c = 2")
    session.execute("DELETE FROM cells WHERE p = 1 AND c > 3")
    rows = [tuple(row) for row in session.execute("SELECT c, v, w FROM cells WHERE p = 1")]
    assert rows == [(0, "new", "w"), (1, "v", None), (3, "v", "w")]
    session.execute("DELETE FROM cells WHERE p = 1")
    assert session.execute("SELECT * FROM cells WHERE p = 1").one() is None


def test_the_later_timestamp_wins(session):
    session.execute("CREATE TABLE times (id int PRIMARY KEY, v text)")
    session.execute("INSERT INTO times (id, v) VALUES (1, 'late') USING TIMESTAMP 2000")
    session.execute("INSERT INTO times (id, v) VALUES (1, 'early') USING TIMESTAMP 1000")
    row = session.execute("SELECT v, writetime(v) AS at FROM times WHERE id = 1").one()
    assert (row.v, row.at) == ("late", 2000)


def test_a_batch_is_applied_whole(session):
    session.execute("CREATE TABLE batched (id int PRIMARY KEY, v int)")
    insert = session.prepare("INSERT INTO batched (id, v) VALUES (?, ?)")
    batch = BatchStatement()
    for n in range(20):
        batch.add(insert, (n, n * n))
    session.execute(batch)
    session.row_factory = dict_factory
    rows = {row["id"]: row["v"] for row in session.execute("SELECT id, v FROM batched")}
    assert rows == {n: n * n for n in range(20)}


def test_if_not_exists_is_applied_once(session):
    session.execute("CREATE TABLE once (id int PRIMARY KEY, v text)")
    first = session.execute("INSERT INTO once (id, v) VALUES (1, 'a') IF NOT EXISTS").one()
    again = session.execute("INSERT INTO once (id, v) VALUES (1, 'b') IF NOT EXISTS").one()
    assert first.applied is True
    assert (again.applied, again.v) == (False, "a")


@pytest.mark.parametrize(
    ("statement", "error", "said"),
    [
        ("SELEC * FROM t", SyntaxException, "no viable alternative"),
        ("SELECT * FROM missing", InvalidRequest, "missing"),
        ("SELECT nothing FROM wrong", InvalidRequest, "Undefined column name nothing"),
        ("SELECT * FROM wrong WHERE v = 1", InvalidRequest, "ALLOW FILTERING"),
        ("INSERT INTO wrong (v) VALUES (1)", InvalidRequest, "Some partition key parts are missing: id"),
        ("INSERT INTO wrong (id, v) VALUES (1, 'text')", InvalidRequest, "Invalid STRING constant"),
    ],
)
def test_a_wrong_statement_gets_cassandras_words(session, statement, error, said):
    session.execute("CREATE TABLE wrong (id int PRIMARY KEY, v int)")
    with pytest.raises(error) as raised:
        session.execute(statement)
    assert said in str(raised.value)
