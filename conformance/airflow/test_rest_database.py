"""The scheduler's metadata in a real PostgreSQL, over TLS, and what happens when that is away for a while."""

import time

import pytest
from peers import certificates, postgres

from . import node

DAG = """
dag_id: line
tasks:
  - {task_id: a, bash: 'echo a >> seen; while test ! -e go; do sleep 0.05; done'}
  - {task_id: b, bash: 'echo b >> seen', upstream: [a]}
"""


def eventually(answers, what, seconds=node.PATIENCE):
    end = time.monotonic() + seconds
    while not answers():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@pytest.mark.tidemill_only
def test_a_run_survives_that_its_database_is_away(tmp_path, monkeypatch):
    authority = certificates.authority(tmp_path / "authority")
    server, address = postgres.start(tmp_path / "postgres", server_pem=authority.server)
    port = int(address.rsplit(":", 1)[1].split("/")[0])
    database = f"{address}?sslmode=verify-full&sslrootcert={authority.ca}"
    monkeypatch.setenv("TIDEMILL__SCHEDULER__DATABASE", database)
    dags = tmp_path / "node" / "project" / "dags"
    dags.mkdir(parents=True)
    (dags / "line.yaml").write_text(DAG)
    one = node.Node(tmp_path / "node").start()
    try:
        seen = one.project / "seen"
        run = {"dag_run_id": "r", "logical_date": None}
        assert one.ask("POST", "/dags/line/dagRuns", run).status_code == 200
        eventually(seen.exists, "the first task begins")
        one.ask("POST", "/variables", {"key": "k", "value": "v"})
        server.stop()
        # The task ends while nobody can be told.
        (one.project / "go").touch()
        for method, path, body in [("GET", "/dags/line/dagRuns/r", None), ("GET", "/variables", None),
                                   ("POST", "/dags/line/dagRuns", {"dag_run_id": "s", "logical_date": None})]:
            answer = one.ask(method, path, body)
            assert answer.status_code == 503 and "database" in answer.json()["detail"], answer.text
        server, _ = postgres.start(tmp_path / "postgres", port=port, server_pem=authority.server)
        path = "/dags/line/dagRuns/r"
        eventually(lambda: one.ask("GET", path).json().get("state") == "success", "the run ends")
        assert seen.read_text().split() == ["a", "b"], "nothing ran twice"
        assert one.get("/variables/k")["value"] == "v"
        assert server.query("select count(*) from tidemill.dag_run where run_id = 'r'").stdout.strip() == "1"
        assert not (one.project / ".tidemill" / "scheduler" / "scheduler.sqlite").exists()
    finally:
        one.stop()
        server.stop()
