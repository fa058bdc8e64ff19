"""Host names lead to Tidemill in scripts that a task starts, too, with libraries that nobody patched."""

from airflow.operators.bash import BashOperator
from airflow.operators.dummy import DummyOperator
from airflow.sdk import DAG, task
from airflow.utils.dates import days_ago


@task
def rows():
    from cassandra.cluster import Cluster

    with Cluster(["cassandra"], port=9042) as cluster:
        return cluster.connect().execute("SELECT cluster_name FROM system.local").one()[0]


@task
def subjects():
    import requests

    return requests.get("http://schema-registry:8081/subjects", timeout=10).json()


@task
def registered():
    from confluent_kafka.schema_registry import SchemaRegistryClient

    return SchemaRegistryClient({"url": "http://schema-registry:8081"}).get_subjects()


SCRIPT = "import json; from kafka import KafkaProducer; p = KafkaProducer(bootstrap_servers='broker:29092'); p.send('script_users', b'1'); p.flush()"

with DAG("names", schedule=None, start_date=days_ago(1)):
    DummyOperator(task_id="begin") >> [
        rows(),
        subjects(),
        registered(),
        BashOperator(task_id="script", bash_command=f'$TIDEMILL_PYTHON -c "{SCRIPT}"'),
    ]
