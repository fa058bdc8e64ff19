"""The Python wheel of the binary: built by maturin, installed where nothing else is, and it runs the demo."""

import json
import os
import pathlib
import subprocess
import sys
import venv

import pytest
from conftest import free_ports

WHEEL = pathlib.Path(__file__).resolve().parent.parent.parent / "deploy" / "wheel"

pytestmark = pytest.mark.tidemill_only


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The `tidemill` command of a fresh environment that holds the wheel and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    maturin = pathlib.Path(sys.executable).with_name("maturin")
    # The profile of the tests: what is looked at here is the packaging, not the speed.
    subprocess.run([maturin, "build", "--profile", "dev", "--out", folder, "--quiet"], cwd=WHEEL, check=True)
    (wheel,) = folder.glob("tidemill-*.whl")
    assert wheel.name.startswith("tidemill-") and "-py3-none-" in wheel.name
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, wheel], check=True)
    return environment / "bin" / "tidemill"


def test_the_installed_command_says_its_version(installed):
    said = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("tidemill ")


def test_the_demo_runs_from_a_wheel(installed, tmp_path):
    environment = os.environ | free_ports()
    demo = subprocess.run(
        [installed, "demo", "--for", "10s", "--json", "--dir", tmp_path / "demo"],
        env=environment, capture_output=True, text=True, timeout=120,
    )
    assert demo.returncode == 0, demo.stderr[-2000:]
    result = json.loads(demo.stdout.splitlines()[-1])["result"]
    topic, table = result["hops"]
    assert topic["records"] > 0 and table["distinct"] == topic["records"]
