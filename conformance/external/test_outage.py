"""A real system goes away in the middle: the line waits, says where and why, and afterwards nothing is lost or doubled."""

import json
import uuid

import pytest
from peers import cassandra, kafka

from . import users

RECORDS = 500


def records(first, count):
    """One JSON record a line, each with an id of its own."""
    for number in range(first, first + count):
        person = {name: f"{name} {number}" for name in (
            "first_name last_name gender address post_code email username dob registered_date phone picture").split()}
        yield json.dumps({"id": str(uuid.UUID(int=number + 1, version=4)), **person})


def ids(line):
    with users.session(line.endpoints["cql"]) as cql:
        return {str(row.id) for row in cql.execute(f"SELECT id FROM {users.TABLE}")}


def wait_for(line, count):
    def there():
        seen = line.pipeline()
        return seen if seen["records_out"] >= count and seen["lag"] == 0 else None

    return users.eventually(there, 120, f"{count} rows")


@pytest.mark.parametrize("held", [False, True], ids=["stopped and started again", "silent for a while"])
def test_cassandra_goes_away_and_comes_back(tmp_path, held):
    server, address = cassandra.start(tmp_path / "cassandra", heap="768m")
    line = users.Line(tmp_path, {"store": {"use": "external", "contact_points": [address]}}).start()
    try:
        line.command("topic", "produce", users.TOPIC, *records(0, RECORDS))
        wait_for(line, RECORDS)
        if held:
            server.hold()
        else:
            server.stop()
        line.command("topic", "produce", users.TOPIC, *records(RECORDS, RECORDS))
        stuck = users.eventually(lambda: (line.pipeline()["failure"] and line.pipeline()), 90, "the reason why it waits")
        assert stuck["state"] == "RUNNING" and stuck["lag"] > 0 and "cassandra" in stuck["failure"], stuck
        status = json.loads(line.command("status", "--json"))
        assert status["flow"][0]["problem"], status
        if held:
            server.hold(False)
        else:
            server, _ = cassandra.start(tmp_path / "cassandra", heap="768m", port=int(address.split(":")[1]))
        seen = wait_for(line, 2 * RECORDS)
        assert seen["failure"] is None and seen["dead_letters"] == 0, seen
        assert len(ids(line)) == 2 * RECORDS
    finally:
        line.stop()
        server.stop()


def test_kafka_is_stopped_and_comes_back(tmp_path):
    server, address = kafka.start(tmp_path / "kafka")
    line = users.Line(tmp_path, {"broker": {"use": "external", "bootstrap_servers": address}}).start()
    try:
        line.command("topic", "produce", users.TOPIC, *records(0, RECORDS))
        wait_for(line, RECORDS)
        server.stop()
        stuck = users.eventually(lambda: (line.pipeline()["failure"] and line.pipeline()), 90, "the reason why it waits")
        assert stuck["state"] == "RUNNING" and address in stuck["failure"], stuck
        server, _ = kafka.start(tmp_path / "kafka", port=int(address.split(":")[1]))
        line.command("topic", "produce", users.TOPIC, *records(RECORDS, RECORDS))
        seen = wait_for(line, 2 * RECORDS)
        assert seen["failure"] is None and seen["dead_letters"] == 0, seen
        assert len(ids(line)) == 2 * RECORDS
        assert seen["records_in"] == 2 * RECORDS, "none was read twice"
    finally:
        line.stop()
        server.stop()
