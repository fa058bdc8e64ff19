"""A server for all scenarios, and servers of their own for those that stop and kill them."""

import os
import pathlib
import signal

import pytest
from kazoo.client import KazooClient
from peers import zookeeper as real
from peers.process import HOST, Server, free_port


def binary():
    """Coordination alone: an example of its crate, built with the tests."""
    target = os.environ.get("CARGO_TARGET_DIR")
    if "TIDEMILL_BIN" in os.environ:
        debug = pathlib.Path(os.environ["TIDEMILL_BIN"]).parent
    else:
        debug = pathlib.Path(target or pathlib.Path(__file__).parents[2] / "target") / "debug"
    return debug / "examples" / "serve-coordination"


class Ensemble:
    """One server that can be stopped, killed and started again on the same data and port."""

    def __init__(self, kind, folder, data=None, settings=()):
        self.kind, self.folder, self.port = kind, folder, free_port()
        self.data = data or folder / "data"
        self.settings = settings
        self.address = f"{HOST}:{self.port}"
        self.starts = 0
        self.start()

    def start(self):
        self.starts += 1
        folder = self.folder / f"start-{self.starts}"
        if self.kind == "real":
            self.server, _ = real.start(folder, self.port, self.data)
            return
        words = '4lw_commands_whitelist=["*"]'
        command = [binary(), self.address, self.data, words, "tick_time=500ms", "max_session_timeout=40s",
                   "container_check_interval=1s", "max_client_cnxns=0", *self.settings]
        self.server = Server(command, folder).wait_until(lambda: real.serves(self.port), 30)

    def stop(self):
        self.server.stop()

    def kill(self):
        os.killpg(self.server.process.pid, signal.SIGKILL)
        self.server.process.wait()


@pytest.fixture(scope="session")
def zookeeper(request, tmp_path_factory):
    """Where ZooKeeper's protocol is spoken: by the node, or by the real server."""
    kind = request.config.getoption("--target")
    if kind == "tidemill" and "TIDEMILL_BIN" in os.environ:
        node = request.getfixturevalue("node")
        if node is not None and node.coordination:
            yield node.coordination
            return
    ensemble = Ensemble(kind, tmp_path_factory.mktemp("zookeeper"))
    yield ensemble.address
    ensemble.stop()


@pytest.fixture
def ensemble(request, tmp_path):
    """A server of one's own."""
    ensemble = Ensemble(request.config.getoption("--target"), tmp_path)
    yield ensemble
    ensemble.stop()


@pytest.fixture
def started():
    """Stops what a scenario has started, also if it fails."""
    servers = []
    yield servers
    for server in servers:
        server.stop()


@pytest.fixture
def tidemill_ensemble(started, tmp_path):
    """One of ours, whatever the target: for what is compared with the original."""

    def start(data, *settings):
        started.append(Ensemble("tidemill", tmp_path / "tidemill", data, settings))
        return started[-1]

    return start


@pytest.fixture
def real_ensemble(started, tmp_path):
    """One of the original."""

    def start(data):
        started.append(Ensemble("real", tmp_path / "real", data))
        return started[-1]

    return start


@pytest.fixture
def connect(zookeeper, name):
    """Makes kazoo clients in a tree that no other scenario has."""
    clients = []

    def client(**options):
        options = {"hosts": f"{zookeeper}/{name}", "timeout": 10, **options}
        made = KazooClient(**options)
        clients.append(made)
        made.start(timeout=15)
        made.ensure_path("/")
        return made

    yield client
    for made in clients:
        made.stop()
        made.close()


@pytest.fixture
def zk(connect):
    return connect()
