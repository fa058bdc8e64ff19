"""A node of its own with the DAG files beside this file, and host names as a compose file has them."""

import pathlib
import shutil

import pytest

from . import node

HERE = pathlib.Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def airflow(request, tmp_path_factory):
    if request.config.getoption("--target") != "tidemill":
        pytest.skip("Tidemill's scheduler")
    folder = tmp_path_factory.mktemp("airflow")
    shutil.copytree(HERE / "dags", folder / "project" / "dags")
    started = node.Node(folder).start()
    yield started
    started.stop()
