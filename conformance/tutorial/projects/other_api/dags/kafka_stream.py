import json
import os
import time
import uuid
from datetime import datetime

import requests
from airflow import DAG
from airflow.operators.python import PythonOperator
from kafka import KafkaProducer


def as_record(user):
    address = user["address"]
    return {
        "id": str(uuid.uuid4()),
        "first_name": user["firstName"],
        "last_name": user["lastName"],
        "gender": user["gender"],
        "address": f"{address['address']}, {address['city']}, {address['state']}",
        "post_code": address["postalCode"],
        "email": user["email"],
        "username": user["username"],
        "dob": user["birthDate"],
        "registered_date": None,
        "phone": user["phone"],
        "picture": user["image"],
    }


def stream_data():
    producer = KafkaProducer(
        bootstrap_servers="broker:29092",
        value_serializer=lambda record: json.dumps(record).encode("utf-8"),
    )
    for page in range(4):
        answer = requests.get(os.environ["USERS_API"], params={"limit": 5, "skip": 5 * page}, timeout=10)
        for user in answer.json()["users"]:
            producer.send("users_created", value=as_record(user))
        time.sleep(0.2)
    producer.flush()


with DAG("user_automation", start_date=datetime(2023, 9, 3), schedule="@daily", catchup=False) as dag:
    PythonOperator(task_id="stream_data_from_api", python_callable=stream_data)
