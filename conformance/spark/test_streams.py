"""PySpark over Spark Connect, frames that never end: queries, checkpoints, dead letters, windows."""

import json
import os
import pathlib
import subprocess
import sys
import time
import uuid

import pytest
from cassandra.cluster import Cluster
from kafka import KafkaConsumer, KafkaProducer
from pyspark.errors import AnalysisException, UnsupportedOperationException
from pyspark.sql import functions as F

pytestmark = pytest.mark.tidemill_only

SCRIPT = pathlib.Path(__file__).with_name("spark_stream.py")
COLUMNS = "id first_name last_name gender address post_code email username registered_date phone picture".split()


@pytest.fixture
def send(kafka):
    producer = KafkaProducer(bootstrap_servers=[kafka], max_block_ms=5000)

    def work(topic, *values):
        for value in values:
            producer.send(topic, value if isinstance(value, bytes) else json.dumps(value).encode())
        producer.flush()

    yield work
    producer.close()


@pytest.fixture
def table(cql):
    host, port = cql.split(":")
    cluster = Cluster([host], port=int(port))
    yield cluster.connect()
    cluster.shutdown()


def eventually(look, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("not in time")


def read_all(kafka, topic):
    options = {"auto_offset_reset": "earliest", "consumer_timeout_ms": 1500}
    consumer = KafkaConsumer(topic, bootstrap_servers=[kafka], **options)
    records = list(consumer)
    consumer.close()
    return records


def stream(spark, kafka, topic, schema):
    options = {"kafka.bootstrap.servers": kafka, "subscribe": topic, "startingOffsets": "earliest"}
    frame = spark.readStream.format("kafka").options(**options).load()
    return frame.select(F.from_json(F.col("value").cast("string"), schema).alias("d")).select("d.*")


def test_the_tutorials_script_fills_its_table_unchanged(node, kafka, cql, table, name, send, tmp_path):
    person = dict.fromkeys([*COLUMNS, "dob"], "x")
    people = [{**person, "id": str(uuid.uuid4()), "post_code": number} for number in range(50)]
    send(name, *people, b"no document", {"first_name": "without a key"})
    host, port = cql.split(":")
    environment = {
        **os.environ, "SPARK_REMOTE": f"sc://{node.spark}", "KAFKA": kafka, "CASSANDRA_HOST": host,
        "CASSANDRA_PORT": port, "TOPIC": name, "KEYSPACE": name, "CHECKPOINT": str(tmp_path / "checkpoint"),
    }
    script = subprocess.Popen([sys.executable, str(SCRIPT)], env=environment)

    def count():
        try:
            return table.execute(f"SELECT count(*) FROM {name}.created_users").one()[0]
        except Exception:  # the script makes the table
            return 0

    try:
        eventually(lambda: count() == 50)
        letters = eventually(lambda: read_all(kafka, f"{name}.dlq"))
        assert len(letters) == 2
        send(name, {**person, "id": str(uuid.uuid4())})
        eventually(lambda: count() == 51)
    finally:
        script.kill()
        script.wait()


def test_a_memory_table_is_read_by_sql_and_a_query_tells_how_it_is(spark, kafka, name, send):
    send(name, *({"id": number} for number in range(10)))
    query = stream(spark, kafka, name, "id int").filter("id % 2 = 0").writeStream.format("memory").queryName(name).start()
    query.processAllAvailable()
    assert [row.id for row in spark.sql(f"select id from {name} order by id").collect()] == [0, 2, 4, 6, 8]
    assert query.isActive and query.name == name and query.exception() is None
    assert query.lastProgress.numInputRows == 10
    assert [one.id for one in spark.streams.active] == [query.id] and spark.streams.get(query.id).name == name
    assert query.awaitTermination(1) is False
    query.stop()
    assert not query.isActive and spark.streams.active == []


def test_a_query_goes_on_where_its_checkpoint_is(spark, kafka, name, send, tmp_path):
    def run():
        frame = stream(spark, kafka, name, "id int").select(F.to_json(F.struct("id")).alias("value"))
        writer = frame.writeStream.format("kafka").option("kafka.bootstrap.servers", kafka).option("topic", f"{name}out")
        query = writer.option("checkpointLocation", str(tmp_path / "c")).trigger(availableNow=True).start()
        query.awaitTermination()
        return query.id, query.runId

    send(name, *({"id": number} for number in range(5)))
    first = run()
    send(name, {"id": 5})
    second = run()
    assert first[0] == second[0] and first[1] != second[1]
    assert [json.loads(record.value)["id"] for record in read_all(kafka, f"{name}out")] == list(range(6))


def test_event_time_closes_windows(spark, kafka, name, send):
    at = [{"id": n, "at": f"2024-01-01T00:00:{n:02}.000Z"} for n in range(10)]
    send(name, *at, {"id": 99, "at": "2024-01-01T00:10:00.000Z"})
    frame = stream(spark, kafka, name, "id int, at timestamp").withWatermark("at", "1 second")
    counts = frame.groupBy(F.window("at", "5 seconds")).agg(F.count("*").alias("n"), F.sum("id").alias("s"))
    query = counts.writeStream.format("memory").queryName(name).outputMode("append").start()
    closed = lambda: len(rows := spark.sql(f"select n, s from {name} order by window.start").collect()) == 2 and rows  # noqa: E731
    assert [tuple(row) for row in eventually(closed)] == [(5, 10), (5, 35)]
    query.stop()


def test_what_a_stream_cannot_do_is_told_before_it_starts(spark, kafka, name, send, tmp_path):
    send(name, {"id": 1})
    frame = stream(spark, kafka, name, "id int")
    memory = lambda frame: frame.writeStream.format("memory").queryName(name)  # noqa: E731
    with pytest.raises(AnalysisException):
        frame.collect()
    with pytest.raises(AnalysisException):
        memory(frame).outputMode("complete").start()
    with pytest.raises(AnalysisException):
        memory(spark.range(3)).start()
    with pytest.raises(UnsupportedOperationException, match="foreachBatch"):
        frame.writeStream.foreachBatch(print).option("checkpointLocation", str(tmp_path)).start()


def test_the_rate_source_counts(spark, name):
    frame = spark.readStream.format("rate").option("rowsPerSecond", 100).load()
    query = frame.writeStream.format("memory").queryName(name).start()
    rows = eventually(lambda: spark.sql(f"select value from {name} order by value limit 20").collect())
    assert [row.value for row in rows] == list(range(len(rows)))
    query.stop()
