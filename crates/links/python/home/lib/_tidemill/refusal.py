"""Says which name of Airflow's is missing here, who asks for it, and what to do instead."""

import ast
import os
import sys

from _tidemill.exceptions import NotInTidemill

#: By the beginning of the name; the first that fits.
INSTEAD = (
    ("airflow.providers.http", "call requests or urllib in a PythonOperator or @task"),
    ("airflow.providers.postgres", "use psycopg in a PythonOperator or @task"),
    ("airflow.providers.mysql", "use a MySQL client in a PythonOperator or @task"),
    ("airflow.providers.sqlite", "use sqlite3 in a PythonOperator or @task"),
    ("airflow.providers.common.sql", "use the database's own client in a PythonOperator or @task"),
    ("airflow.providers.apache.spark", "run the script in a BashOperator: `python spark_job.py`"),
    ("airflow.providers.apache.kafka", "use kafka-python or confluent-kafka in a PythonOperator or @task"),
    ("airflow.providers.apache.cassandra", "use cassandra-driver in a PythonOperator or @task"),
    ("airflow.providers.amazon", "use boto3 in a PythonOperator or @task"),
    ("airflow.providers.google", "use Google's own client in a PythonOperator or @task"),
    ("airflow.providers.docker", "call the command in a BashOperator"),
    ("airflow.providers.cncf", "call kubectl in a BashOperator"),
    ("airflow.providers.ssh", "call ssh in a BashOperator"),
    ("airflow.operators.subdag", "use a TaskGroup"),
    ("airflow.operators.python.Python", "install the packages for the interpreter and use a PythonOperator"),
    ("airflow.contrib", "import it from where Airflow 2 has it"),
)
OTHERWISE = "write that step as a PythonOperator or @task"


def asking_frame():
    """The frame of the file that asks: the first outside of us and of Python's own import system."""
    frame = sys._getframe(1)
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith("<frozen") and not file.startswith(here) and "importlib" not in file:
            return frame
        frame = frame.f_back
    return None


def shown_place(file, line):
    """`dags/x.py:7`, as people write it."""
    base = os.environ.get("TIDEMILL_PROJECT") or os.getcwd()
    relative = os.path.relpath(file, base) if os.path.isabs(file) else file
    return f"{file if relative.startswith('..') else relative}:{line}"


def imported_names(frame):
    """What the import statement of a frame's line names in full: `a.b.C`, ..."""
    import linecache

    try:
        tree = ast.parse("".join(linecache.getlines(frame.f_code.co_filename, frame.f_globals)))
    except SyntaxError:
        return []
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        if not node.lineno <= frame.f_lineno <= (node.end_lineno or node.lineno):
            continue
        if isinstance(node, ast.ImportFrom):
            return [f"{node.module}.{alias.name}" for alias in node.names]
        return [alias.name for alias in node.names]
    return []


def refused(name, is_module):
    """The exception for a name that is not here. `name` is as far as the import system came."""
    frame = asking_frame()
    place = ""
    if frame is not None:
        place = f" ({shown_place(frame.f_code.co_filename, frame.f_lineno)})"
        whole = [full for full in imported_names(frame) if full == name or full.startswith(f"{name}.")]
        if is_module and whole:
            name = whole[0]
    instead = next((text for start, text in INSTEAD if name.startswith(start)), OTHERWISE)
    error = NotInTidemill(f"{name}{place} is not in Tidemill's airflow package: {instead}")
    error.name = name
    if frame is not None:
        error.place = (frame.f_code.co_filename, frame.f_lineno)
    return error


def unsupported(what, instead=None):
    """The exception for something that Airflow has and we do not: a parameter, a method."""
    from _tidemill.exceptions import AirflowException

    frame = asking_frame()
    place = ""
    if frame is not None:
        place = f" ({shown_place(frame.f_code.co_filename, frame.f_lineno)})"
    tail = f": {instead}" if instead else ""
    return AirflowException(f"{what}{place} is not supported by Tidemill's airflow package{tail}")
