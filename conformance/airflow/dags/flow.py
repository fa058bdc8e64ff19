"""TaskFlow: names that repeat, values that are passed on, groups made by functions."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import dag, task, task_group


@dag(schedule=timedelta(hours=2), start_date=datetime(2024, 1, 1), catchup=False, is_paused_upon_creation=True)
def flow(word="w"):
    @task
    def first() -> dict:
        return {"x": 1}

    @task(retries=5, task_id="second")
    def again(value, weight=1):
        return value

    @task.branch
    def choose(value):
        return "left"

    @task.short_circuit
    def circuit():
        return True

    @task.bash
    def shell():
        return "echo"

    left = EmptyOperator(task_id="left")
    out = first()
    one = again(out["x"])
    two = again(out, weight=one)
    again.override(task_id="third", trigger_rule="none_failed")([two, {"k": one}])
    choose(two) >> [left, circuit()]

    @task_group
    def group(value):
        return again(value)

    group(one) >> shell()
    group(two)

    @task_group(group_id="named")
    def other_group():
        first() >> again(1)

    left >> other_group()


flow()
