"""The users project: one copy for a run, started, fed by an API that always says the same, and what lies in its table."""

import http.server
import json
import os
import shutil
import subprocess
import threading
import time
import uuid

import requests
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import RoundRobinPolicy
from conftest import BOXES, ROOT, free_ports
from peers.process import Server

PEOPLE = 200
TOPIC = "users_created"
KEYSPACE = "spark_streams"
TABLE = f"{KEYSPACE}.created_users"
DAG = "user_automation"


def person(number):
    """The same person for the same number, with what is hard to carry: other scripts, quotes, postcodes of both kinds."""
    first = ("Ada", "Søren", "李", "O'Neill", "Zoë \"Z\"")[number % 5]
    return {
        "gender": ("female", "male")[number % 2],
        "name": {"title": "Ms", "first": first, "last": f"Number{number}"},
        "location": {"street": {"number": number, "name": "Mill Lane"}, "city": "London", "state": "England",
                     "country": "United Kingdom", "postcode": number if number % 2 else f"W{number}"},
        "email": f"user{number}@example.com",
        "login": {"uuid": str(uuid.UUID(int=number + 1, version=4)), "username": f"user{number}"},
        "dob": {"date": "1990-12-10T00:00:00.000Z"}, "registered": {"date": "2020-01-01T00:00:00.000Z"},
        "phone": "555-0100", "picture": {"medium": f"https://example.com/{number}.jpg"},
    }


class Api(http.server.BaseHTTPRequestHandler):
    """One page with everybody on it."""

    protocol_version = "HTTP/1.1"
    body = json.dumps({"results": [person(number) for number in range(PEOPLE)]}).encode()

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


def serve_api():
    """The API: its server and its URL."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/api/"


def eventually(look, seconds=60, what="it"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come within {seconds} s; last seen: {found!r}")


class Line:
    """A node on a copy of the project, with `settings` laid over it (`{"broker": {"use": "external", …}}`)."""

    def __init__(self, folder, settings=None):
        self.folder, self.settings = folder, settings or {}
        self.project = folder / "users"
        if not self.project.exists():
            shutil.copytree(ROOT / "examples" / "users", self.project)
            dag = self.project / "dags" / "user_automation.yaml"
            # Every run shall write the same rows: the people's own ids instead of fresh ones.
            dag.write_text(dag.read_text().replace("{{ uuid4() }}", "{{ record.login.uuid }}"))
        lines = []
        for section, keys in self.settings.items():
            lines.append(f"[profile.real.{section}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        with (self.project / "tidemill.toml").open("a") as file:
            file.write("\n" + "\n".join(lines) + "\n")
        self.server = None

    def start(self, seconds=60):
        environment = free_ports()
        environment["TIDEMILL_PROFILE"] = "real" if self.settings else ""
        command = [os.environ["TIDEMILL_BIN"], "up", self.project, "--json"]
        self.server = Server(command, self.folder / "node", environment)

        def ready():
            lines = self.server.log.read_text(errors="replace").splitlines()
            return any(line.startswith('{"ready"') for line in lines)

        self.server.wait_until(ready, seconds)
        lines = self.server.log.read_text().splitlines()
        self.ready = json.loads(next(line for line in lines if line.startswith('{"ready"')))
        self.endpoints = self.ready["endpoints"]
        return self

    def stop(self):
        self.server.stop()
        log = self.server.log.read_text(errors="replace")
        assert self.server.process.returncode == 0, log[-3000:]
        return log

    def command(self, *arguments, code=0):
        """Runs a command of the binary on this project: what it printed."""
        profile = ["--profile", "real"] if self.settings else []
        done = subprocess.run([os.environ["TIDEMILL_BIN"], "-C", self.project, *profile, *arguments],
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def trigger(self, api, duration="1s", rate="2/s"):
        conf = {"url": api, "duration": duration, "rate": rate}
        path = f"{self.endpoints['scheduler']}/api/v2/dags/{DAG}/dagRuns"
        run = requests.post(path, json={"logical_date": None, "conf": conf}, timeout=10)
        assert run.status_code == 200, run.text
        return f"{path}/{run.json()['dag_run_id']}"

    def ended(self, run, seconds=60):
        def state():
            state = requests.get(run, timeout=10).json()["state"]
            return state if state in ("success", "failed") else None

        return eventually(state, seconds, "the end of the run")

    def pipeline(self):
        listed = requests.get(f"{self.endpoints['engine']}/v1/pipelines", timeout=10).json()["pipelines"]
        return listed[0]

    def wait_for_rows(self, seconds=60):
        """Until all records are in the table: nothing lags, and everybody is there."""
        def done():
            seen = self.pipeline()
            return seen if seen["lag"] == 0 and seen["records_out"] >= PEOPLE else None

        return eventually(done, seconds, "the last row")

    def rows(self, credentials=None):
        """All rows of the table, in an order that does not depend on the server."""
        with session(self.endpoints["cql"], credentials) as cql:
            return sorted(tuple(map(str, row)) for row in cql.execute(f"SELECT * FROM {TABLE}"))


class session:
    """A session with the store, for a `with`."""

    def __init__(self, address, credentials=None):
        host, port = address.split(",")[0].split(":")
        profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=30)
        self.cluster = Cluster(
            [host], port=int(port), connect_timeout=20, execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            auth_provider=PlainTextAuthProvider(*credentials) if credentials else None)

    def __enter__(self):
        return self.cluster.connect()

    def __exit__(self, *_):
        self.cluster.shutdown()
