"""Tasks of Python DAG files, with the clients that people use in them."""

import pathlib
import time
from urllib.parse import quote

import pytest
from kafka import KafkaConsumer, TopicPartition

from .node import eventually

pytestmark = pytest.mark.tidemill_only


def records(node, topic):
    consumer = KafkaConsumer(bootstrap_servers=node.kafka)
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
    count = sum(consumer.end_offsets(partitions).values()) if partitions else 0
    consumer.close()
    return count


@pytest.fixture(scope="module")
def tutorial(airflow):
    """The tutorial's DAG, when the run that its schedule wanted has ended."""
    airflow.unpause("tutorial")
    runs = eventually(lambda: airflow.get("/dags/tutorial/dagRuns")["dag_runs"])
    assert airflow.ended("tutorial", runs[0]["dag_run_id"])["state"] == "success"
    return airflow


def test_the_tutorials_producer_reaches_the_broker_by_its_compose_name(tutorial):
    airflow = tutorial
    before = records(airflow, "tutorial_users")
    run = airflow.run("tutorial")
    assert run["state"] == "success", run["tidemill_reason"]
    assert records(airflow, "tutorial_users") - before == 50
    told = "tutorial_users: 50 records sent, 50 acknowledged, 0 refused, 50 more at the broker"
    assert told in airflow.log(run, "stream_data_from_api")


def test_a_green_run_that_moved_nothing_has_failed(tutorial):
    airflow = tutorial
    before = records(airflow, "tutorial_users")
    run = airflow.run("tutorial", broken=True)
    assert run["state"] == "failed" and records(airflow, "tutorial_users") == before
    assert (
        "0 records reached tutorial_users, 50 exceptions logged; first: TypeError: Object of type UUID is not JSON "
        "serializable (dags/tutorial.py:23): write str(uuid.uuid4())"
    ) in run["tidemill_reason"]


def test_librdkafka_is_led_here_by_its_configuration(airflow):
    before = records(airflow, "confluent_users")
    run = airflow.run("confluent")
    assert run["state"] == "success", run["tidemill_reason"]
    assert records(airflow, "confluent_users") - before == 20
    assert any("20 records sent, 20 acknowledged" in line for line in airflow.log(run, "produce"))


def test_names_of_the_compose_file_lead_here_in_every_library_and_in_scripts(airflow):
    run = airflow.run("names")
    assert run["state"] == "success", (run["tidemill_reason"], airflow.log(run, "rows"))
    assert airflow.xcom(run, "subjects") == []
    assert airflow.xcom(run, "rows")
    assert "script_users: 1 records sent, 1 acknowledged, 0 refused" in airflow.log(run, "script")


def test_operators_of_ones_own_have_templates_default_arguments_and_values_of_others(airflow):
    airflow.unpause("classic")
    run = airflow.ask("POST", "/dags/classic/dagRuns", {"logical_date": "2026-03-04T05:06:07Z"}).json()
    run = airflow.ended("classic", run["dag_run_id"])
    tasks = airflow.tasks(run)
    # t2 waits for a failure that does not come; what follows it is skipped with it.
    assert {name: task["state"] for name, task in tasks.items()} == {
        "t1": "success",
        "t2": "skipped",
        "t3": "skipped",
        "t4": "skipped",
        "t5": "skipped",
    }


def test_an_edit_is_in_force_within_a_second(airflow):
    file = airflow.project / "dags" / "edited.py"
    text = "from airflow.sdk import DAG\nfrom airflow.operators.empty import EmptyOperator\nwith DAG('edited', schedule=None, description='%s'):\n    EmptyOperator(task_id='t')\n"
    file.write_text(text % "one")
    eventually(lambda: airflow.ask("GET", "/dags/edited").status_code == 200)
    began = time.monotonic()
    file.write_text(text % "two")
    eventually(lambda: airflow.get("/dags/edited")["description"] == "two")
    assert time.monotonic() - began < 1.0
    file.unlink()
    eventually(lambda: airflow.ask("GET", "/dags/edited").status_code == 404)


def test_a_task_that_is_told_to_end_tidies_up(airflow):
    run_id = airflow.trigger("stubborn")
    run = {"dag_id": "stubborn", "dag_run_id": run_id}
    eventually(lambda: airflow.tasks(run)["work"]["state"] == "running" and "begun" in airflow.log(run, "work"))
    assert airflow.ask("PATCH", f"/dags/stubborn/dagRuns/{quote(run_id)}", {"state": "failed"}).status_code == 200
    log = eventually(lambda: "tidied up" in (lines := airflow.log(run, "work")) and lines)
    assert "told to end" in log
    assert airflow.tasks(run)["work"]["state"] == "failed"


def test_a_task_that_was_cut_off_is_tried_again_after_the_power_came_back(airflow):
    run_id = airflow.trigger("patience")
    run = {"dag_id": "patience", "dag_run_id": run_id}

    def started():
        return airflow.tasks(run)["wait"]["state"] == "running" and [
            line for line in airflow.log(run, "wait") if line.startswith("try 1")
        ]

    first = eventually(started)[0]
    airflow.kill()
    airflow.start()
    ended = airflow.ended("patience", run_id)
    assert ended["state"] == "success"
    assert airflow.xcom(run, "wait") == 2 and airflow.xcom(run, "after") == 200
    assert any("lost" in line for line in airflow.log(run, "wait"))
    # What the first try left behind is gone (a zombie has no command line any more).
    left = pathlib.Path("/proc", first.rsplit(" ", 1)[1], "cmdline")
    assert not left.exists() or not left.read_text()
