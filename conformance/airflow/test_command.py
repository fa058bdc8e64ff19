"""The `airflow` command, as entrypoint scripts and people call it."""

import json
import signal
import subprocess

import pytest

pytestmark = pytest.mark.tidemill_only


@pytest.mark.parametrize(
    "arguments",
    [
        ["db", "init"],
        ["db", "upgrade"],
        ["db", "migrate"],
        ["db", "check"],
        [
            "users",
            "create",
            "--username",
            "admin",
            "--firstname",
            "a",
            "--lastname",
            "b",
            "--role",
            "Admin",
            "--email",
            "a@b.c",
            "--password",
            "admin",
        ],
        ["version"],
        ["info"],
    ],
)
def test_what_entrypoint_scripts_call_succeeds_twice(airflow, arguments):
    for _ in range(2):
        done = airflow.command(*arguments)
        assert done.returncode == 0 and done.stdout.strip(), done


@pytest.mark.parametrize("name", ["webserver", "scheduler"])
def test_what_runs_for_ever_stays_until_it_is_stopped(airflow, name):
    import os

    home = next((airflow.project / ".tidemill").rglob("bin/airflow"))
    environment = {**os.environ, "PYTHONPATH": str(home.parent.parent / "lib"), "TIDEMILL_SCHEDULER_URL": airflow.url}
    child = subprocess.Popen([home, name], stdout=subprocess.PIPE, text=True, env=environment)
    assert airflow.url in child.stdout.readline()
    assert child.poll() is None
    child.send_signal(signal.SIGTERM)
    assert child.wait(10) == 0


def test_dags_are_listed_triggered_and_paused(airflow):
    listed = json.loads(airflow.command("dags", "list", "-o", "json").stdout)
    assert {"dag_id": "confluent", "owners": "airflow", "is_paused": "False"}.items() <= next(
        dag for dag in listed if dag["dag_id"] == "confluent"
    ).items()
    assert airflow.command("dags", "pause", "confluent").returncode == 0
    assert airflow.get("/dags/confluent")["is_paused"] is True
    assert airflow.command("dags", "unpause", "confluent").returncode == 0
    done = airflow.command("dags", "trigger", "confluent", "--conf", '{"n": 1}', "--run-id", "by_hand")
    assert done.returncode == 0 and "by_hand" in done.stdout
    assert airflow.ended("confluent", "by_hand")["conf"] == {"n": 1}
    runs = airflow.command("dags", "list-runs", "-d", "confluent").stdout
    assert "by_hand" in runs and "success" in runs
    assert airflow.command("dags", "trigger", "nosuch").returncode == 1


def test_tasks_are_listed_and_tried_out(airflow):
    assert airflow.command("tasks", "list", "classic").stdout.split() == ["t1", "t2", "t3", "t4", "t5"]
    done = airflow.command("tasks", "test", "classic", "t3", "2026-03-04")
    assert done.returncode == 0, done


def test_variables_and_connections_are_kept(airflow, tmp_path):
    for value in ("one", "two"):
        assert airflow.command("variables", "set", "word", value).returncode == 0
    assert airflow.command("variables", "get", "word").stdout.strip() == "two"
    file = tmp_path / "variables.json"
    file.write_text('{"word": "three", "map": {"a": 1}}')
    assert airflow.command("variables", "import", str(file)).returncode == 0
    assert json.loads(airflow.command("variables", "get", "map").stdout) == {"a": 1}
    for _ in range(2):
        done = airflow.command("connections", "add", "db", "--conn-uri", "postgres://ada:secret@db:5432/users")
        assert done.returncode == 0, done
    shown = json.loads(airflow.command("connections", "get", "db", "-o", "json").stdout)[0]
    assert (shown["host"], shown["login"], shown["schema"], shown["port"]) == ("db", "ada", "users", "5432") or shown[
        "port"
    ] == 5432
