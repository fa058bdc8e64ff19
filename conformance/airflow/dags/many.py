"""Airflow 3's spelling: groups in groups and every kind of arrow."""

from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import BranchPythonOperator, PythonOperator, ShortCircuitOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.sdk import DAG, Label, Param, TaskGroup, chain, cross_downstream


def work(*args, **kwargs):
    pass


with DAG(
    "many",
    schedule="0 6 * * 1-5",
    start_date=pendulum.datetime(2024, 1, 1, tz="Europe/Berlin"),
    catchup=False,
    tags=["b", "a"],
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1), "owner": "me"},
    params={"n": 3, "s": Param("x", type="string")},
    max_active_runs=3,
    is_paused_upon_creation=True,
):
    start = EmptyOperator(task_id="start")
    with TaskGroup("g") as g:
        p = EmptyOperator(task_id="p")
        with TaskGroup("inner", default_args={"retries": 7}) as inner:
            q = EmptyOperator(task_id="q")
            r = PythonOperator(task_id="r", python_callable=work, retries=9)
            q >> r
        p >> inner
    with TaskGroup("flat", prefix_group_id=False) as flat:
        EmptyOperator(task_id="x1")
        EmptyOperator(task_id="x2")
    e = BashOperator(
        task_id="e", bash_command="echo {{ ds }}", trigger_rule="all_done", execution_timeout=timedelta(seconds=5)
    )
    start >> Label("go") >> g >> flat >> e
    branch = BranchPythonOperator(task_id="branch", python_callable=work)
    circuit = ShortCircuitOperator(task_id="circuit", python_callable=work)
    file = FileSensor(task_id="file", filepath="/nowhere")
    other = TriggerDagRunOperator(task_id="other", trigger_dag_id="flow")
    chain(e, [branch, circuit], [file, other], EmptyOperator(task_id="last"))
    cross_downstream([branch, circuit], [EmptyOperator(task_id="c1"), EmptyOperator(task_id="c2")])
