"""Airflow 2's spelling, as far as Airflow 3 still takes it; an operator of one's own."""

from datetime import datetime, timedelta

from airflow import DAG
from airflow.models.baseoperator import BaseOperator
from airflow.operators.bash import BashOperator
from airflow.operators.python import PythonOperator
from airflow.sensors.python import PythonSensor
from airflow.utils.trigger_rule import TriggerRule


class Greet(BaseOperator):
    template_fields = ("name",)

    def __init__(self, name, *, greeting="hi", **kwargs):
        super().__init__(**kwargs)
        self.name = name
        self.greeting = greeting

    def execute(self, context):
        return f"{self.greeting} {self.name}"


default_args = {
    "owner": "airflow",
    "depends_on_past": False,
    "email": ["a@example.com"],
    "email_on_failure": False,
    "email_on_retry": False,
    "retries": 1,
    "retry_delay": timedelta(minutes=5),
    "greeting": "yo",
    "start_date": datetime(2024, 1, 1),
}
dag = DAG(
    "classic",
    default_args=default_args,
    description="one of each",
    schedule="@weekly",
    catchup=False,
    max_active_tasks=4,
    tags=["z"],
    is_paused_upon_creation=True,
)
t1 = PythonOperator(task_id="t1", python_callable=lambda: "ada", dag=dag)
t2 = BashOperator(task_id="t2", bash_command="date", dag=dag, trigger_rule=TriggerRule.ONE_FAILED, retries=3)
t3 = Greet(task_id="t3", name="{{ ds }}", dag=dag)
t4 = PythonSensor(task_id="t4", python_callable=lambda: True, dag=dag, poke_interval=5)
t5 = Greet(task_id="t5", name=t1.output, dag=dag)
t1.set_downstream([t2, t3])
t4.set_upstream(t2)
t3 << t4
[t1, t2] >> t5
