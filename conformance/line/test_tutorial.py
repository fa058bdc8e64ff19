"""The well-known tutorial's own producer and inserts, against the topic and the table of the line."""

import json
import time
import uuid

import pytest
import requests
from cassandra.cluster import Cluster
from kafka import KafkaProducer

pytestmark = pytest.mark.tidemill_only

COLUMNS = ("id first_name last_name gender address post_code email username registered_date phone picture").split()


@pytest.fixture
def session(cql):
    host, port = cql.split(":")
    cluster = Cluster([host], port=int(port))
    yield cluster.connect()
    cluster.shutdown()


def a_person(identifier):
    return {
        "id": identifier, "first_name": "Ada", "last_name": "Lovelace", "gender": "female",
        "address": "12 St James's Square, London, England, United Kingdom", "post_code": 12345,
        "email": "ada@example.com", "username": "countess", "dob": "1815-12-10T00:00:00.000Z",
        "registered_date": "2020-01-01T00:00:00.000Z", "phone": "555-0100", "picture": "https://example.com/a.jpg",
    }


def eventually(look, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("not in time")


def test_what_the_tutorials_producer_sends_arrives_in_its_table(kafka, session):
    identifier = uuid.uuid4()
    producer = KafkaProducer(bootstrap_servers=[kafka], max_block_ms=5000)
    producer.send("users_created", json.dumps(a_person(str(identifier))).encode("utf-8"))
    producer.flush()
    query = "SELECT * FROM spark_streams.created_users WHERE id = %s"

    def row():
        try:
            return session.execute(query, (identifier,)).one()
        except Exception:  # the pipeline makes the table when the first record comes
            return None

    found = eventually(row)
    assert found.post_code == "12345" and found.first_name == "Ada"


def test_the_tutorials_own_statements_work(session):
    session.execute(
        "CREATE KEYSPACE IF NOT EXISTS spark_streams "
        "WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '1'};"
    )
    others = ", ".join(f"{column} TEXT" for column in COLUMNS[1:])
    session.execute(f"CREATE TABLE IF NOT EXISTS spark_streams.created_users (id UUID PRIMARY KEY, {others});")
    identifier = uuid.uuid4()
    person = {**a_person(identifier), "post_code": "12345"}
    marks = ", ".join("%s" for _ in COLUMNS)
    session.execute(
        f"INSERT INTO spark_streams.created_users({', '.join(COLUMNS)}) VALUES ({marks})",
        tuple(person[column] for column in COLUMNS),
    )
    row = session.execute("SELECT * FROM spark_streams.created_users WHERE id = %s", (identifier,)).one()
    assert row.username == "countess"


def test_the_scheduler_answers_as_airflow_does(scheduler_url):
    api = f"{scheduler_url}/api/v2"
    listed = requests.get(f"{api}/dags", timeout=10).json()
    assert listed["total_entries"] == 1
    dag = listed["dags"][0]
    assert dag["dag_id"] == "user_automation" and dag["is_paused"] is False
    missing = requests.get(f"{api}/dags/nothing", timeout=10)
    assert missing.status_code == 404 and "detail" in missing.json()
    assert requests.get(f"{scheduler_url}/health", timeout=10).status_code == 200


def test_a_run_moves_records_and_says_how_many(scheduler_url, users_api, session):
    api = f"{scheduler_url}/api/v2"
    conf = {"url": users_api, "duration": "1s", "rate": "30/s"}
    run = requests.post(f"{api}/dags/user_automation/dagRuns", json={"logical_date": None, "conf": conf}, timeout=10)
    assert run.status_code == 200, run.text
    path = f"{api}/dags/user_automation/dagRuns/{run.json()['dag_run_id']}"

    def ended():
        state = requests.get(path, timeout=10).json()["state"]
        return state if state in ("success", "failed") else None

    assert eventually(ended, 30) == "success"
    task = requests.get(f"{path}/taskInstances", timeout=10).json()["task_instances"][0]
    assert task["state"] == "success" and task["task_id"] == "stream_data_from_api"
    xcom = requests.get(f"{path}/taskInstances/stream_data_from_api/xcomEntries/return_value", timeout=10).json()
    counts = xcom["value"] if isinstance(xcom["value"], dict) else json.loads(xcom["value"])
    assert counts["produced"] == counts["fetched"] > 10 and counts["rejected"] == 0
    log = requests.get(f"{path}/taskInstances/stream_data_from_api/logs/1", headers={"Accept": "application/json"}, timeout=10).json()
    assert log["content"]
