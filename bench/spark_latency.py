"""Produced to readable in the table, through a PySpark query: milliseconds, at a steady rate.

    python spark_latency.py SPARK KAFKA CQL [RATE] [SECONDS]

Every 20th record is looked for in the table from the moment it is acknowledged; the time from its
production to the read that finds it is one sample. The reading is part of the figure.
"""

import json
import statistics
import sys
import tempfile
import threading
import time
import uuid

from cassandra.cluster import Cluster
from kafka import KafkaProducer
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

PROBED = 20
GIVEN_UP = 10.0


def start_query(spark, kafka, cql, topic, keyspace, checkpoint):
    host, port = cql.split(":")
    options = {"kafka.bootstrap.servers": kafka, "subscribe": topic, "startingOffsets": "earliest"}
    frame = spark.readStream.format("kafka").options(**options).load()
    parsed = frame.select(F.from_json(F.col("value").cast("string"), "id string, name string").alias("d")).select("d.*")
    writer = parsed.writeStream.format("org.apache.spark.sql.cassandra").options(keyspace=keyspace, table="users")
    writer = writer.option("spark.cassandra.connection.host", host).option("spark.cassandra.connection.port", port)
    return writer.option("checkpointLocation", checkpoint).start()


def measure(remote, kafka, cql, rate, seconds):
    """Milliseconds of all samples."""
    name = "l" + uuid.uuid4().hex[:12]
    host, port = cql.split(":")
    cluster = Cluster([host], port=int(port))
    session = cluster.connect()
    session.execute(f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
    session.execute(f"CREATE TABLE {name}.users (id uuid PRIMARY KEY, name text)")
    find = session.prepare(f"SELECT id FROM {name}.users WHERE id = ?")
    spark = SparkSession.builder.remote(f"sc://{remote}").create()
    producer = KafkaProducer(bootstrap_servers=[kafka], linger_ms=0)
    producer.send(name, json.dumps({"id": str(uuid.uuid4()), "name": "first"}).encode()).get(10)
    query = start_query(spark, kafka, cql, name, name, tempfile.mkdtemp())
    query.processAllAvailable()
    samples, probes = [], []

    def probe(identifier, begun):
        while time.perf_counter() - begun < GIVEN_UP:
            if session.execute(find, (identifier,)).one():
                samples.append((time.perf_counter() - begun) * 1000)
                return
            time.sleep(0.001)
        samples.append(GIVEN_UP * 1000)

    begun = time.perf_counter()
    for number in range(rate * seconds):
        time.sleep(max(0.0, begun + number / rate - time.perf_counter()))
        identifier = uuid.uuid4()
        at = time.perf_counter()
        producer.send(name, json.dumps({"id": str(identifier), "name": "x"}).encode())
        if number % PROBED == 0:
            probes.append(threading.Thread(target=probe, args=(identifier, at)))
            probes[-1].start()
    for thread in probes:
        thread.join()
    query.stop()
    spark.stop()
    cluster.shutdown()
    return samples


if __name__ == "__main__":
    remote, kafka, cql, *rest = sys.argv[1:]
    rate, seconds = (int(text) for text in (*rest, *("1000", "20")[len(rest):]))
    found = sorted(measure(remote, kafka, cql, rate, seconds))
    cut = statistics.quantiles(found, n=100)
    print(json.dumps({"samples": len(found), "p50": cut[49], "p99": cut[98], "max": found[-1]}))
