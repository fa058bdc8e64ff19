"""`tidemill up <folder>` on projects of the well-known shape: from the compose file to rows in the table.

The projects are ours, in miniature; each variant is the original with some files of its own laid over it.
The API they poll is answered by the look-alike in the binary (`--offline`).
"""

import collections
import http.server
import json
import os
import pathlib
import shutil
import signal
import sys
import threading
import time

import pytest
import requests
from cassandra import InvalidRequest
from cassandra.cluster import Cluster
from cassandra.policies import RoundRobinPolicy
from peers.process import Server

pytestmark = pytest.mark.tidemill_only

PROJECTS = pathlib.Path(__file__).resolve().parent / "projects"
TABLE = "spark_streams.created_users"
# A loaded machine takes its time; what is measured is printed.
PATIENCE_S = 90


class Project:
    """A copy of one project, and the node that runs it."""

    def __init__(self, name, folder, environment=None):
        self.folder = folder / name
        shutil.copytree(PROJECTS / "original", self.folder)
        if name != "original":
            shutil.copytree(PROJECTS / name, self.folder, dirs_exist_ok=True)
        for path in self.folder.rglob("*.py"):
            # Two projects on one machine share /tmp, as two containers do not.
            path.write_text(path.read_text().replace("/tmp/checkpoint", f"/tmp/checkpoint-{os.getpid()}-{folder.name}"))
        self.before = self.files()
        # The interpreter of the tests has what the projects import.
        path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = {"PATH": path, **(environment or {})}
        self.logs = folder
        self.starts = 0
        self.session = None

    def files(self):
        own = (path for path in self.folder.rglob("*") if path.is_file() and ".tidemill" not in path.parts)
        return {path.relative_to(self.folder): path.read_bytes() for path in own}

    def up(self, *options):
        self.starts += 1
        command = [os.environ["TIDEMILL_BIN"], "up", self.folder, "--offline", "--ports", "auto", "--json", *options]
        self.begun = time.monotonic()
        self.server = Server(command, self.logs / f"node-{self.starts}", self.environment)
        self.server.wait_until(lambda: self.line("ready") and self.line("compose"), 60)
        self.endpoints = self.line("ready")["endpoints"]
        return self

    def lines(self):
        for line in self.server.log.read_text(errors="replace").splitlines():
            if line.startswith("{"):
                yield json.loads(line)

    def line(self, key):
        return next((line for line in self.lines() if key in line), None)

    def said(self):
        return "\n".join(line["line"] for line in self.lines() if "script" in line)

    def rows(self):
        """All rows of the table; none while there is no table."""
        if self.session is None:
            host, port = self.endpoints["cql"].split(":")
            balancing = RoundRobinPolicy()
            self.cluster = Cluster([host], port=int(port), protocol_version=5, load_balancing_policy=balancing)
            self.session = self.cluster.connect()
        try:
            return list(self.session.execute(f"SELECT * FROM {TABLE}"))
        except InvalidRequest:
            return []

    def forget(self):
        """The node is another one, or none."""
        if self.session is not None:
            self.cluster.shutdown()
        self.session = None

    def wait_for(self, look):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            found = look()
            if found:
                return found
            assert self.server.process.poll() is None, self.server.log.read_text(errors="replace")[-3000:]
            time.sleep(0.1)
        raise AssertionError("not in time:\n" + self.server.log.read_text(errors="replace")[-3000:])

    def runs(self):
        answer = requests.get(f"{self.endpoints['scheduler']}/api/v2/dags/user_automation/dagRuns", timeout=10)
        return answer.json().get("dag_runs", [])

    def ended(self):
        return self.wait_for(lambda: [run for run in self.runs() if run["state"] in ("success", "failed")])

    def memory_mb(self):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1000

    def down(self):
        self.forget()
        self.server.stop()
        assert self.files() == self.before, "a file of the user's was changed"


@pytest.fixture
def start(tmp_path):
    projects = []

    def begin(name, environment=None):
        project = Project(name, tmp_path, environment)
        projects.append(project)
        return project.up()

    yield begin
    for project in projects:
        project.down()


class Users(http.server.BaseHTTPRequestHandler):
    """Another API than the tutorial's: pages of users under other names."""

    def do_GET(self):
        user = {
            "firstName": "Grace", "lastName": "Hopper", "gender": "female", "email": "g@example.com",
            "username": "amazing", "birthDate": "1906-12-9", "phone": "1", "image": "https://example.com/g.png",
            "address": {"address": "1 Navy Yard", "city": "Arlington", "state": "Virginia", "postalCode": "22202"},
        }
        body = json.dumps({"users": [user] * 5, "total": 20}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def other_api():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Users)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/users"
    server.shutdown()


def test_the_compose_file_is_understood_and_its_defects_are_told(start):
    project = start("original")
    told = project.line("compose")["compose"]
    boxes = {service["service"]: service["box"] for service in told["services"]}
    assert boxes == {
        "zookeeper": "coordination", "broker": "broker", "schema-registry": "registry", "control-center": "console",
        "webserver": "scheduler", "scheduler": "scheduler", "postgres": None, "spark-master": "engine",
        "spark-worker": "engine", "cassandra_db": "store",
    }
    places = [notice["place"] for notice in told["notices"] if notice["breaks"]]
    assert places == ["dags/kafka_stream.py:24", "spark_stream.py:39"], told["notices"]
    texts = " ".join(notice["what"] for notice in told["notices"])
    for part in ("UUID", "dob", "/tmp", "AIRFLOW_WEBSERVER_SECRET_KEY", "airflow 2.7.0", "schedule_interval", "volume"):
        assert part.lower() in texts.lower(), part


def test_the_original_fails_loudly_with_its_reason(start):
    project = start("original")
    run = project.ended()[0]
    assert run["state"] == "failed"
    path = f"{project.endpoints['scheduler']}/api/v2/dags/user_automation/dagRuns/{run['dag_run_id']}"
    log = requests.get(
        f"{path}/taskInstances/stream_data_from_api/logs/1", headers={"Accept": "application/json"}, timeout=10,
    ).text
    assert "UUID" in log and "JSON" in log
    assert project.rows() == []


@pytest.mark.parametrize("name", ["fixed", "hourly", "string_ids", "other_topic", "extra_operators"])
def test_up_alone_leads_to_rows(start, name):
    project = start(name)
    rows = project.wait_for(project.rows)
    first_s = time.monotonic() - project.begun
    assert project.ended()[0]["state"] == "success"
    memory = project.memory_mb()
    print(f"\n{name}: first row {first_s:.1f} s after up, {memory:.0f} MB")
    assert rows[0].first_name and rows[0].email


def test_another_api_leads_to_rows(start, other_api):
    project = start("other_api", {"USERS_API": other_api})
    project.wait_for(lambda: len(project.rows()) == 20)
    assert {row.first_name for row in project.rows()} == {"Grace"}


def sent_ids(project):
    """The ids of all records in the topic."""
    from kafka import KafkaConsumer

    consumer = KafkaConsumer(
        "users_created", bootstrap_servers=[project.endpoints["kafka"]], auto_offset_reset="earliest",
        consumer_timeout_ms=2000,
    )
    ids = collections.Counter(json.loads(record.value)["id"] for record in consumer)
    consumer.close()
    return ids


def test_a_kill_at_any_moment_loses_and_doubles_nothing(start):
    project = start("fixed")
    rounds = int(os.environ.get("TIDEMILL_KILLS", "3"))
    for kill in range(rounds):
        seen = len(project.wait_for(project.rows))
        api = f"{project.endpoints['scheduler']}/api/v2/dags/user_automation/dagRuns"
        requests.post(api, json={"logical_date": None}, timeout=10)
        project.wait_for(lambda: len(project.rows()) > seen)
        time.sleep(0.13 * kill)
        project.forget()
        os.kill(project.server.process.pid, signal.SIGKILL)
        project.server.process.wait()
        project.up()
    ids = project.wait_for(lambda: (ids := sent_ids(project)) and len(project.rows()) >= len(ids) and ids)
    rows = project.rows()
    print(f"\n{rounds} kills: {len(ids)} distinct ids sent, {len(rows)} rows")
    assert sorted(str(row.id) for row in rows) == sorted(ids)
