"""The real systems, each started once, when the first scenario asks for it."""

import pytest
from peers import cassandra, kafka, postgres, registry, zookeeper

from . import users


def peer(name, start):
    @pytest.fixture(scope="session", name=f"real_{name}")
    def started(tmp_path_factory):
        server, where = start(tmp_path_factory.mktemp(name))
        yield where
        server.stop()

    return started


real_kafka = peer("kafka", kafka.start)
real_cassandra = peer("cassandra", cassandra.start)
real_registry = peer("registry", registry.start)
real_postgres = peer("postgres", postgres.start)
real_zookeeper = peer("zookeeper", zookeeper.start)


@pytest.fixture(scope="session")
def api():
    server, url = users.serve_api()
    yield url
    server.shutdown()


@pytest.fixture(scope="session")
def embedded_rows(tmp_path_factory, api):
    """What the table holds when nothing is external."""
    line = users.Line(tmp_path_factory.mktemp("embedded")).start()
    assert line.ended(line.trigger(api)) == "success"
    line.wait_for_rows()
    rows = line.rows()
    line.stop()
    assert len(rows) == users.PEOPLE
    return rows
