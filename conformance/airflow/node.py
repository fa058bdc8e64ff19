"""A scheduler with its neighbours, asked over Airflow's REST interface."""

import json
import os
import subprocess
import sys
import time
from urllib.parse import quote

import requests
from conftest import BOXES, free_ports
from peers.process import Server, free_port

#: Seconds within which anything here happens.
PATIENCE = 60


class Node:
    """`tidemill up` on a project in a folder; it can be killed and started again."""

    def __init__(self, folder):
        self.folder, self.project = folder, folder / "project"
        self.ports = {box: free_port() for box in BOXES}
        hosts = {
            "broker:29092": "BROKER",
            "kafka:29092": "BROKER",
            "cassandra:9042": "STORE",
            "schema-registry:8081": "REGISTRY",
        }
        lines = ["[scheduler]", f"python = {json.dumps(sys.executable)}", "[scheduler.hosts]"]
        lines += [f'"{name}" = "127.0.0.1:{self.ports[box]}"' for name, box in hosts.items()]
        self.project.mkdir(exist_ok=True)
        (self.project / "tidemill.toml").write_text("\n".join(lines) + "\n")
        self.starts = 0

    def start(self):
        self.starts += 1
        listen = free_ports() | {f"TIDEMILL__{box}__LISTEN": f"127.0.0.1:{port}" for box, port in self.ports.items()}
        command = [os.environ["TIDEMILL_BIN"], "up", self.project, "--json"]
        self.server = Server(command, self.folder / f"node-{self.starts}", listen)
        self.server.wait_until(lambda: '{"ready"' in self.server.log.read_text(errors="replace"), 30)
        self.url = f"http://127.0.0.1:{self.ports['SCHEDULER']}"
        self.kafka = f"127.0.0.1:{self.ports['BROKER']}"
        return self

    def stop(self):
        self.server.stop()

    def kill(self):
        """As the power goes: nothing is told, nothing is written any more."""
        self.server.process.kill()
        self.server.process.wait(20)

    def ask(self, method, path, body=None):
        return requests.request(method, f"{self.url}/api/v2{path}", json=body, timeout=PATIENCE)

    def get(self, path):
        answer = self.ask("GET", path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    def unpause(self, dag_id):
        assert self.ask("PATCH", f"/dags/{dag_id}", {"is_paused": False}).status_code == 200

    def trigger(self, dag_id, **conf):
        answer = self.ask("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        assert answer.status_code == 200, answer.text
        return answer.json()["dag_run_id"]

    def run(self, dag_id, **conf):
        """Triggers a DAG and waits for the end of the run."""
        return self.ended(dag_id, self.trigger(dag_id, **conf))

    def ended(self, dag_id, run_id):
        path = f"/dags/{dag_id}/dagRuns/{quote(run_id)}"
        return eventually(lambda: (run := self.get(path))["state"] in ("success", "failed") and run)

    def tasks(self, run):
        path = f"/dags/{run['dag_id']}/dagRuns/{quote(run['dag_run_id'])}/taskInstances"
        return {task["task_id"]: task for task in self.get(path)["task_instances"]}

    def xcom(self, run, task_id, key="return_value"):
        path = f"/dags/{run['dag_id']}/dagRuns/{quote(run['dag_run_id'])}/taskInstances/{task_id}/xcomEntries/{key}"
        return self.get(path)["value"]

    def log(self, run, task_id, number=1):
        path = f"/dags/{run['dag_id']}/dagRuns/{quote(run['dag_run_id'])}/taskInstances/{task_id}/logs/{number}"
        return [line.get("event", "") for line in self.get(path)["content"]]

    def command(self, *arguments, timeout=PATIENCE):
        """The `airflow` command as a script of the project finds it."""
        home = next((self.project / ".tidemill").rglob("bin/airflow"))
        environment = {
            **os.environ,
            "PATH": f"{home.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(home.parent.parent / "lib"),
            "TIDEMILL_SCHEDULER_URL": self.url,
            "TIDEMILL_PYTHON": sys.executable,
            "TIDEMILL_PROJECT": str(self.project),
            "TIDEMILL_DAGS_FOLDER": str(self.project / "dags"),
        }
        return subprocess.run(["airflow", *arguments], capture_output=True, text=True, timeout=timeout, env=environment)


def eventually(look, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("not in time")
