"""Apache Airflow's own SDK: what it makes of DAG files. No server is started."""

import functools
import json
import os
import pathlib
import subprocess
import sys

from .process import CACHE

PACKAGES = ("apache-airflow-core==3.3.2", "apache-airflow-providers-standard==1.21.0")

#: Runs under Airflow's interpreter; prints one JSON object, DAG id to what it is.
DESCRIBE = """
import datetime, importlib.util, json, os, sys, warnings
warnings.simplefilter("ignore")
from airflow.sdk import DAG
from airflow.sdk.definitions._internal.contextmanager import DagContext

def seconds(value):
    return value.total_seconds() if isinstance(value, datetime.timedelta) else value

def loaded(path):
    name = "file_" + os.path.basename(path)[:-3]
    DagContext.current_autoregister_module_name = name
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = {value.dag_id: value for value in vars(module).values() if isinstance(value, DAG)}
    found.update({dag.dag_id: dag for dag, _ in DagContext.autoregistered_dags})
    DagContext.autoregistered_dags.clear()
    return found.values()

def instant(value):
    return value and value.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")

def described(dag):
    return {
        "schedule": None if dag.schedule is None else str(dag.schedule), "start_date": instant(dag.start_date),
        "catchup": dag.catchup, "max_active_runs": dag.max_active_runs, "max_active_tasks": dag.max_active_tasks,
        "description": dag.description, "tags": sorted(dag.tags), "params": dag.params.dump(),
        "tasks": {task.task_id: {
            "downstream": sorted(task.downstream_task_ids), "trigger_rule": str(getattr(task.trigger_rule, "value", task.trigger_rule)),
            "retries": task.retries, "retry_delay": seconds(task.retry_delay), "execution_timeout": seconds(task.execution_timeout),
            "owner": task.owner, "operator": task.operator_name,
        } for task in dag.tasks},
    }

sys.stdout, told = sys.stderr, sys.stdout
found = {}
for path in sys.argv[1:]:
    try:
        found.update({dag.dag_id: described(dag) for dag in loaded(path)})
    except Exception as error:
        print(path, type(error).__name__, error, file=sys.stderr)
json.dump(found, told, indent=1, sort_keys=True)
"""


def python():
    """The interpreter of an environment that has Airflow."""
    folder = CACHE / "airflow"
    interpreter, stamp = folder / "bin" / "python", folder / "complete"
    if not stamp.exists() or stamp.read_text() != "\n".join(PACKAGES):
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([interpreter, "-m", "pip", "install", "-q", *PACKAGES], check=True)
        stamp.write_text("\n".join(PACKAGES))
    return interpreter


@functools.cache
def described(folder):
    """DAG id to what Airflow makes of the files in a folder; files it refuses are left out."""
    files = sorted(pathlib.Path(folder).glob("*.py"))
    home = CACHE / "airflow" / "home"
    home.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    # Not where we are: a folder called airflow would stand in for the library.
    done = subprocess.run(
        [python(), "-c", DESCRIBE, *files], capture_output=True, text=True, check=True, env=environment, cwd=home
    )
    return json.loads(done.stdout)
