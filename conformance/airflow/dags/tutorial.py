"""The shape of the well-known tutorial, Airflow 2's spelling: host name of the compose file, a producer
that is never flushed, exceptions that are logged and forgotten. `broken` is its published defect."""

import uuid
from datetime import datetime

from airflow import DAG
from airflow.operators.python_operator import PythonOperator

default_args = {"owner": "airscholar", "start_date": datetime(2023, 9, 3, 10, 00)}


def stream_data(broken, count):
    import json
    import logging

    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=["broker:29092"], max_block_ms=5000)
    for _ in range(count):
        try:
            record = {"id": uuid.uuid4() if broken else str(uuid.uuid4()), "name": "Ada"}
            producer.send("tutorial_users", json.dumps(record).encode("utf-8"))
        except Exception as e:
            logging.error(f"An error occured: {e}")
            continue


with DAG(
    "tutorial", default_args=default_args, schedule_interval="@daily", catchup=False, is_paused_upon_creation=True
) as dag:
    streaming_task = PythonOperator(
        task_id="stream_data_from_api",
        python_callable=stream_data,
        provide_context=True,
        op_kwargs={"broken": "{{ dag_run.conf.get('broken', '') }}", "count": 50},
    )
