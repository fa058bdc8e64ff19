"""A DAG file means here what it means to Airflow: `expected.json` was printed by its own SDK, and
`--target real` prints it again."""

import json
import pathlib
import subprocess

import pytest
from peers import airflow as real

HERE = pathlib.Path(__file__).resolve().parent
EXPECTED = json.loads((HERE / "expected.json").read_text())


@pytest.mark.parametrize("dag_id", sorted(EXPECTED))
def test_a_file_means_what_it_means_to_airflow(request, dag_id):
    if request.config.getoption("--target") == "real":
        found = real.described(HERE / "dags")[dag_id]
    else:
        found = described(request.getfixturevalue("airflow"), dag_id)
    assert found == EXPECTED[dag_id]


def described(node, dag_id):
    dag = node.get(f"/dags/{dag_id}/details")
    tasks = node.get(f"/dags/{dag_id}/tasks")["tasks"]
    return {
        "schedule": dag["timetable_summary"],
        "start_date": dag["start_date"],
        "catchup": dag["catchup"],
        "max_active_runs": dag["max_active_runs"],
        "max_active_tasks": dag["max_active_tasks"],
        "description": dag["description"],
        "tags": [tag["name"] for tag in dag["tags"]],
        "params": {name: param["value"] for name, param in dag["params"].items()},
        "tasks": {
            task["task_id"]: {
                "downstream": sorted(task["downstream_task_ids"]),
                "trigger_rule": task["trigger_rule"],
                "retries": task["retries"],
                "retry_delay": seconds(task["retry_delay"]),
                "execution_timeout": seconds(task["execution_timeout"]),
                "owner": task["owner"],
                "operator": task["operator_name"],
            }
            for task in tasks
        },
    }


def seconds(delta):
    return None if delta is None else delta["days"] * 86400.0 + delta["seconds"] + delta["microseconds"] / 1e6


@pytest.mark.tidemill_only
def test_airflow_2s_spelling_that_airflow_3_refuses_is_taken(airflow):
    dag = airflow.get("/dags/tutorial/details")
    assert dag["timetable_summary"] == "@daily" and dag["owners"] == ["airscholar"]
    # Airflow 2's data interval: the run of a day starts when the day has ended.
    start, end = dag["next_dagrun_data_interval_start"], dag["next_dagrun_data_interval_end"]
    assert start is None or start < end


@pytest.mark.tidemill_only
@pytest.mark.parametrize(
    "text, told",
    [
        (
            "from airflow.providers.http.operators.http import HttpOperator  # dag",
            "airflow.providers.http.operators.http.HttpOperator (dags/broken.py:1) is not in Tidemill's airflow package",
        ),
        (
            "from airflow.operators.python import PythonVirtualenvOperator  # dag",
            "airflow.operators.python.PythonVirtualenvOperator (dags/broken.py:1) is not in Tidemill's airflow package",
        ),
        (
            "from airflow.sdk import DAG, task\n@task\ndef f(x): pass\nwith DAG('b', schedule=None):\n    f.expand(x=[1])",
            "f.expand(): dynamic task mapping (dags/broken.py:5) is not supported",
        ),
        ("import nosuchmodule_x  # airflow dag", "-m pip install nosuchmodule_x"),
        ("from airflow import DAG\nDAG('b', shedule='@daily')", "unexpected keyword argument 'shedule'"),
    ],
)
def test_what_is_missing_is_named_with_its_place(airflow, text, told):
    from .node import eventually

    file = airflow.project / "dags" / "broken.py"
    file.write_text(text)
    try:
        errors = eventually(
            lambda: [
                e["stack_trace"] for e in airflow.get("/importErrors")["import_errors"] if told in e["stack_trace"]
            ],
            20,
        )
        assert errors[0].startswith("broken.py:")
        listed = subprocess.run(
            [airflow.server.process.args[0], "-C", airflow.project, "dag", "ls"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert told in listed.stdout + listed.stderr
    finally:
        file.unlink()
        eventually(lambda: not airflow.get("/importErrors")["import_errors"], 20)
