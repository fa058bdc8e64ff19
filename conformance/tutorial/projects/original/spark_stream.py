import logging

from cassandra.cluster import Cluster
from pyspark.sql import SparkSession
from pyspark.sql.functions import col, from_json
from pyspark.sql.types import StringType, StructField, StructType

COLUMNS = ["id", "first_name", "last_name", "gender", "address", "post_code", "email", "username",
           "registered_date", "phone", "picture"]


def make_keyspace(session):
    session.execute("""
        CREATE KEYSPACE IF NOT EXISTS spark_streams
        WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '1'};
    """)


def make_table(session):
    session.execute("""
        CREATE TABLE IF NOT EXISTS spark_streams.created_users (
            id UUID PRIMARY KEY,
            first_name TEXT,
            last_name TEXT,
            gender TEXT,
            address TEXT,
            post_code TEXT,
            email TEXT,
            username TEXT,
            registered_date TEXT,
            phone TEXT,
            picture TEXT);
    """)


def insert_person(session, **person):
    # Nobody calls it, and it names a column that the table lacks.
    session.execute("""
        INSERT INTO spark_streams.created_users(id, first_name, last_name, dob)
            VALUES (%s, %s, %s, %s)
    """, (person.get('id'), person.get('first_name'), person.get('last_name'), person.get('dob')))


def connect_spark():
    connection = None
    try:
        connection = SparkSession.builder \
            .appName('SparkDataStreaming') \
            .config('spark.jars.packages', "com.datastax.spark:spark-cassandra-connector_2.13:3.4.1,"
                                           "org.apache.spark:spark-sql-kafka-0-10_2.13:3.4.1") \
            .config('spark.cassandra.connection.host', 'localhost') \
            .getOrCreate()
        connection.sparkContext.setLogLevel("ERROR")
    except Exception as error:
        logging.error(f"no spark session: {error}")
    return connection


def read_topic(spark):
    return spark.readStream \
        .format('kafka') \
        .option('kafka.bootstrap.servers', 'localhost:9092') \
        .option('subscribe', 'users_created') \
        .option('startingOffsets', 'earliest') \
        .load()


def as_rows(stream):
    schema = StructType([StructField(column, StringType(), False) for column in COLUMNS])
    return stream.selectExpr("CAST(value AS STRING)") \
        .select(from_json(col('value'), schema).alias('data')).select("data.*")


if __name__ == "__main__":
    spark = connect_spark()
    if spark is not None:
        rows = as_rows(read_topic(spark))
        session = Cluster(['localhost']).connect()
        make_keyspace(session)
        make_table(session)
        query = (rows.writeStream.format("org.apache.spark.sql.cassandra")
                 .option('checkpointLocation', '/tmp/checkpoint')
                 .option('keyspace', 'spark_streams')
                 .option('table', 'created_users')
                 .start())
        query.awaitTermination()
