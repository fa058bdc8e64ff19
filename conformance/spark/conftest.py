"""A session of PySpark over Spark Connect, without a JVM."""

import pytest


@pytest.fixture
def spark(node):
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(f"sc://{node.spark}").create()
    yield session
    session.stop()
