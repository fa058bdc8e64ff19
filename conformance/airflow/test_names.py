"""Every name that the package says it has is there, under every path it is known by."""

import os
import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.tidemill_only
LIB = pathlib.Path(__file__).resolve().parents[2] / "crates" / "links" / "python" / "home" / "lib"

LOOK = """
import importlib
from airflow._names import MODULES

for module, names in MODULES.items():
    found = importlib.import_module(module)
    for name in names:
        getattr(found, name)
print(sum(map(len, MODULES.values())))
"""


def python(text):
    environment = {**os.environ, "PYTHONPATH": str(LIB), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=False, cwd="/", env=environment
    )


def test_every_name_of_the_table_is_there():
    done = python(LOOK)
    assert done.returncode == 0 and int(done.stdout) > 200, done.stderr


@pytest.mark.parametrize("light", ["from airflow import DAG", "from airflow.sdk import dag, task"])
def test_importing_a_dag_loads_nothing_heavy(light):
    heavy = ["jinja2", "pendulum", "inspect", "asyncio", "subprocess", "urllib.request", "http.client"]
    done = python(f"import sys\n{light}\nprint([name for name in {heavy} if name in sys.modules])")
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
