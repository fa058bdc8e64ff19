"""Starts the target once for all scenarios, on free ports, in a folder that goes with it."""

import dataclasses
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import threading
import uuid

import pytest
from peers import cassandra, kafka, registry
from peers.process import Server

ROOT = pathlib.Path(__file__).resolve().parent.parent
BOXES = ("BROKER", "STORE", "REGISTRY", "SCHEDULER", "CONSOLE", "ENGINE", "COORDINATION")


def free_ports(boxes=BOXES):
    """The variables by which each box takes a free port."""
    ports = {f"TIDEMILL__{box}__LISTEN": "127.0.0.1:0" for box in boxes}
    if "TIDEMILL__ENGINE__LISTEN" in ports:
        ports["TIDEMILL__ENGINE__SPARK_LISTEN"] = "127.0.0.1:0"
    return ports


@dataclasses.dataclass
class Target:
    """Where each part answers; empty where the target has none."""

    kind: str
    kafka: str = ""
    registry: str = ""
    cql: str = ""
    scheduler: str = ""
    console: str = ""
    engine: str = ""
    coordination: str = ""
    spark: str = ""
    project: pathlib.Path | None = None
    binary: str = ""


def pytest_addoption(parser):
    parser.addoption("--target", choices=["tidemill", "real", "external"], default="tidemill")
    for name in ("kafka", "cql", "registry"):
        parser.addoption(f"--{name}", help=f"where a {name} server runs already, instead of starting one")


def pytest_collection_modifyitems(config, items):
    # Tidemill beside real systems is a target of its own, with scenarios of its own.
    is_external = config.getoption("--target") == "external"
    others = [item for item in items if (item.path.parent.name == "external") != is_external]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]
    if config.getoption("--target") != "real":
        return
    for item in items:
        if item.get_closest_marker("tidemill_only"):
            item.add_marker(pytest.mark.skip(reason="the original does not have it"))


def start_tidemill(folder):
    """The shipped binary on the users project: the server and its target."""
    binary = os.environ["TIDEMILL_BIN"]
    project = folder / "users"
    shutil.copytree(ROOT / "examples" / "users", project)
    environment = free_ports()
    server = Server([binary, "up", project, "--json"], folder / "node", environment)

    def ready():
        lines = server.log.read_text(errors="replace").splitlines()
        return any(line.startswith('{"ready"') for line in lines)

    server.wait_until(ready, 30)
    lines = server.log.read_text().splitlines()
    endpoints = json.loads(next(line for line in lines if line.startswith('{"ready"')))["endpoints"]
    return server, Target("tidemill", project=project, binary=binary, **endpoints)


@pytest.fixture(scope="session")
def node(request, tmp_path_factory):
    """The whole of the tidemill target; real systems are started one by one, as they are asked for."""
    options = request.config.getoption
    if options("--target") == "real" or any(options(name) for name in ("--kafka", "--cql", "--registry")):
        yield None
        return
    server, target = start_tidemill(tmp_path_factory.mktemp("tidemill"))
    yield target
    server.stop()
    assert server.process.returncode == 0, server.log.read_text(errors="replace")[-2000:]


def part(name, launcher):
    """A fixture that gives one address of the target."""

    @pytest.fixture(scope="session", name=name)
    def address(request, node, tmp_path_factory):
        if request.config.getoption(name):
            yield request.config.getoption(name)
            return
        if node is not None:
            yield getattr(node, name)
            return
        server, where = launcher.start(tmp_path_factory.mktemp(name))
        yield where
        server.stop()

    return address


kafka_address = part("kafka", kafka)
cql_address = part("cql", cassandra)
registry_address = part("registry", registry)


@pytest.fixture
def name():
    """A name that no other scenario has: for topics, keyspaces, subjects, groups."""
    return "t" + uuid.uuid4().hex[:12]


@pytest.fixture(scope="session")
def tidemill(node):
    """Runs the command line of the node that is the target."""

    def run(*arguments, timeout=60):
        command = [node.binary, "-C", str(node.project), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout)

    return run


@pytest.fixture(scope="session")
def scheduler_url(node):
    return node.scheduler


@pytest.fixture(scope="session")
def users_api():
    """The shape of the users API, as little of it as the DAG reads."""
    people = http.server.ThreadingHTTPServer(("127.0.0.1", 0), People)
    threading.Thread(target=people.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{people.server_port}/api/"
    people.shutdown()


class People(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        person = {
            "gender": "female", "name": {"title": "Ms", "first": "Ada", "last": "Lovelace"},
            "location": {"street": {"number": 12, "name": "Mill Lane"}, "city": "London", "state": "England",
                         "country": "United Kingdom", "postcode": 12345},
            "email": "ada@example.com", "login": {"username": "countess"},
            "dob": {"date": "1990-12-10T00:00:00.000Z"}, "registered": {"date": "2020-01-01T00:00:00.000Z"},
            "phone": "555-0100", "picture": {"medium": "https://example.com/a.jpg"},
        }
        body = json.dumps({"results": [person], "info": {"seed": "s", "results": 1, "page": 1, "version": "1.4"}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
