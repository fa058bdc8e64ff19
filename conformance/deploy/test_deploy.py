"""What `deploy/` holds is read by the tools that will read it: Compose's own parser, a Dockerfile linter.

No container engine is needed: images are neither pulled nor built here.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COMPOSE_FILES = sorted((ROOT / "deploy" / "compose").glob("*.yml"))

pytestmark = pytest.mark.tidemill_only


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    """Each compose file as Compose itself resolves it."""
    if shutil.which("go") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Go is needed to build the compose parser")
        pytest.skip("NOT RUN: Go is needed to build the compose parser")
    program = tmp_path_factory.mktemp("compose") / "compose_check"
    source = pathlib.Path(__file__).parent / "compose_check"
    subprocess.run(["go", "build", "-o", program, "."], cwd=source, check=True)
    environment = os.environ | {"POSTGRES_PASSWORD": "chosen"}
    read = subprocess.run([program, *COMPOSE_FILES], env=environment, capture_output=True, text=True)
    assert read.returncode == 0, read.stderr
    return dict(zip((file.stem for file in COMPOSE_FILES), map(json.loads, read.stdout.splitlines()), strict=True))


def services(projects):
    return [(file, name, service) for file, project in projects.items() for name, service in project["services"].items()]


def test_there_are_three_ways_to_run_it(projects):
    assert set(projects) == {"tidemill", "mixed", "real"}
    assert set(projects["tidemill"]["services"]) == {"tidemill"}
    assert set(projects["mixed"]["services"]) == {"tidemill", "kafka"}


def test_every_image_is_pinned_to_a_version(projects):
    for file, name, service in services(projects):
        assert re.search(r":\d+\.\d+", service["image"]), f"{file}: {name} is {service['image']}"


def test_every_port_is_published_on_loopback_only(projects):
    for file, name, service in services(projects):
        for port in service.get("ports", []):
            assert port.get("host_ip") == "127.0.0.1", f"{file}: {name} publishes {port}"


def test_what_keeps_data_has_a_volume_and_a_health_check(projects):
    for file, name, service in services(projects):
        volumes = [volume for volume in service.get("volumes", []) if volume["type"] == "volume"]
        # The image of tidemill brings its own health check; the registry keeps its data in Kafka.
        assert volumes or name == "registry", f"{file}: {name} loses its data with its container"
        assert "healthcheck" in service or name == "tidemill", f"{file}: {name} cannot be waited for"


def test_nothing_starts_before_what_it_needs_is_healthy(projects):
    for file, name, service in services(projects):
        if name == "tidemill":
            others = set(projects[file]["services"]) - {"tidemill"}
            waits = service.get("depends_on") or {}
            assert set(waits) == others, f"{file}: waits for {sorted(waits)}"
            assert all(wait["condition"] == "service_healthy" for wait in waits.values())


def test_a_password_is_asked_for_and_not_invented():
    text = (ROOT / "deploy" / "compose" / "real.yml").read_text()
    assert "POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?" in text


def test_the_dockerfile_passes_its_linter():
    hadolint = pathlib.Path(sys.executable).with_name("hadolint")
    linted = subprocess.run([hadolint, ROOT / "deploy" / "Dockerfile"], capture_output=True, text=True)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_the_container_does_not_run_as_root():
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users and users[-1] not in ("root", "0")
