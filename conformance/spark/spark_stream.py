"""A streaming script as the well-known tutorial's readers write it; only addresses come from outside."""

import logging
import os

from cassandra.cluster import Cluster
from pyspark.sql import SparkSession
from pyspark.sql.functions import col, from_json
from pyspark.sql.types import StringType, StructField, StructType

KEYSPACE = os.environ["KEYSPACE"]
FIELDS = ("id", "first_name", "last_name", "gender", "address", "post_code", "email", "username",
          "registered_date", "phone", "picture")
PACKAGES = ("com.datastax.spark:spark-cassandra-connector_2.13:3.4.1,"
            "org.apache.spark:spark-sql-kafka-0-10_2.13:3.4.1")


def connect_to_spark():
    session = None
    try:
        session = (
            SparkSession.builder.appName("SparkDataStreaming")
            .config("spark.jars.packages", PACKAGES)
            .config("spark.cassandra.connection.host", os.environ["CASSANDRA_HOST"])
            .config("spark.cassandra.connection.port", os.environ["CASSANDRA_PORT"])
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("ERROR")
    except Exception as error:
        logging.error(f"no log level: {error}")
    return session


def read_topic(session):
    return (
        session.readStream.format("kafka")
        .option("kafka.bootstrap.servers", os.environ["KAFKA"])
        .option("subscribe", os.environ["TOPIC"])
        .option("startingOffsets", "earliest")
        .load()
    )


def columns_of(frame):
    schema = StructType([StructField(name, StringType(), False) for name in FIELDS])
    parsed = frame.selectExpr("CAST(value AS STRING)").select(from_json(col("value"), schema).alias("data"))
    selected = parsed.select("data.*")
    print(selected)
    return selected


def make_table(session):
    session.execute(
        f"CREATE KEYSPACE IF NOT EXISTS {KEYSPACE} WITH replication = "
        "{'class': 'SimpleStrategy', 'replication_factor': '1'};"
    )
    texts = ", ".join(f"{name} TEXT" for name in FIELDS[1:])
    session.execute(f"CREATE TABLE IF NOT EXISTS {KEYSPACE}.created_users (id UUID PRIMARY KEY, {texts});")


if __name__ == "__main__":
    spark = connect_to_spark()
    users = columns_of(read_topic(spark))
    cluster = Cluster([os.environ["CASSANDRA_HOST"]], port=int(os.environ["CASSANDRA_PORT"]))
    make_table(cluster.connect())
    (
        users.writeStream.format("org.apache.spark.sql.cassandra")
        .option("checkpointLocation", os.environ["CHECKPOINT"])
        .option("keyspace", KEYSPACE)
        .option("table", "created_users")
        .start()
        .awaitTermination()
    )
