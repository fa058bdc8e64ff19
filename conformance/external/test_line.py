"""The users example with each system real and the rest embedded, and with all real: the same rows."""

import pytest
from kafka.admin import KafkaAdminClient
from kafka.errors import UnknownTopicOrPartitionError

from . import users


@pytest.fixture
def where(request):
    """The address of a real system by its name; started when it is first asked for."""
    return lambda name: request.getfixturevalue(f"real_{name}")


def settings(where, names):
    sections = {
        "kafka": lambda: ("broker", {"use": "external", "bootstrap_servers": where("kafka")}),
        "cassandra": lambda: ("store", {"use": "external", "contact_points": [where("cassandra")]}),
        "registry": lambda: ("registry", {"use": "external", "url": where("registry")}),
        "postgres": lambda: ("scheduler", {"database": where("postgres")}),
        "zookeeper": lambda: ("coordination", {"use": "external", "connect": where("zookeeper")}),
    }
    return dict(sections[name]() for name in names)


def wipe(where, names):
    """What an earlier scenario left in the real systems goes."""
    if "kafka" in names:
        admin = KafkaAdminClient(bootstrap_servers=where("kafka"))
        try:
            admin.delete_topics([users.TOPIC])
        except UnknownTopicOrPartitionError:
            pass
        users.eventually(lambda: users.TOPIC not in admin.list_topics(), 30, "the end of the topic")
        admin.close()
    if "cassandra" in names:
        with users.session(where("cassandra")) as cql:
            cql.execute(f"DROP KEYSPACE IF EXISTS {users.KEYSPACE}", timeout=60)


ALL = ("kafka", "cassandra", "registry", "postgres", "zookeeper")
EXTERNAL = {"kafka": "kafka", "cassandra": "cql", "registry": "registry"}


@pytest.mark.parametrize("names", [*((name,) for name in ALL), ALL], ids="+".join)
def test_the_rows_are_those_of_the_embedded_line(where, names, api, embedded_rows, tmp_path):
    wipe(where, names)
    line = users.Line(tmp_path, settings(where, names)).start()
    try:
        for name in set(names) & set(EXTERNAL):
            assert EXTERNAL[name] in line.ready["external"]
            assert line.endpoints[EXTERNAL[name]] == where(name)
        assert line.ended(line.trigger(api)) == "success"
        line.wait_for_rows()
        rows = line.rows()
        checked = line.command("profile", "check", "--json")
    finally:
        line.stop()
    different = set(rows) ^ set(embedded_rows)
    assert len(different) == 0, f"{len(different)} rows differ, such as {next(iter(different))}"
    assert '"bad"' not in checked, checked
