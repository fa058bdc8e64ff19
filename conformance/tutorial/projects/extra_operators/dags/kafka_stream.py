import json
import logging
import uuid
from datetime import datetime, timedelta

from airflow.decorators import dag, task
from airflow.models import Variable
from airflow.operators.bash import BashOperator
from airflow.operators.empty import EmptyOperator
from airflow.operators.python import BranchPythonOperator
from airflow.utils.task_group import TaskGroup
from airflow.utils.trigger_rule import TriggerRule

default_args = {"owner": "mill", "retries": 2, "retry_delay": timedelta(seconds=1)}


@dag(dag_id="user_automation", default_args=default_args, start_date=datetime(2023, 9, 3), schedule_interval="@daily",
     catchup=False, tags=["tutorial"])
def user_automation():
    start = EmptyOperator(task_id="start")
    say = BashOperator(task_id="say", bash_command="echo working on {{ ds }}")

    @task
    def fetch(count=20):
        import requests

        people = requests.get("https://randomuser.me/api/", params={"results": count}, timeout=10).json()["results"]
        return [as_record(person) for person in people]

    @task
    def send(people):
        from kafka import KafkaProducer

        producer = KafkaProducer(bootstrap_servers=["broker:29092"])
        for person in people:
            producer.send(Variable.get("topic"), json.dumps(person).encode("utf-8"))
        producer.flush()
        logging.info("sent %d", len(people))
        return len(people)

    with TaskGroup("checks") as checks:
        choose = BranchPythonOperator(task_id="choose", python_callable=lambda: "checks.many")
        many, few = EmptyOperator(task_id="many"), EmptyOperator(task_id="few")
        choose >> [many, few]

    end = EmptyOperator(task_id="end", trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    start >> say
    sent = send(fetch())
    say >> sent >> checks >> end


def as_record(person):
    home = person["location"]
    return {
        "id": str(uuid.uuid4()), "first_name": person["name"]["first"], "last_name": person["name"]["last"],
        "gender": person["gender"], "address": f"{home['street']['number']} {home['street']['name']}, {home['city']}",
        "post_code": str(home["postcode"]), "email": person["email"], "username": person["login"]["username"],
        "dob": person["dob"]["date"], "registered_date": person["registered"]["date"], "phone": person["phone"],
        "picture": person["picture"]["medium"],
    }


user_automation()
