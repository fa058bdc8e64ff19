"""The data directory is ZooKeeper's own: its tools read it, its server goes on from it, and ours goes
on from one of ZooKeeper's."""

import shutil

import pytest
from kazoo.client import KazooClient
from kazoo.security import make_digest_acl
from peers import zookeeper as peer

pytestmark = [
    pytest.mark.tidemill_only,
    pytest.mark.skipif(shutil.which("java") is None, reason="compares with ZooKeeper, which needs java"),
]


def fill(zk, address):
    """Some of everything that can be stored."""
    zk.create("/a", b"one")
    zk.set("/a", b"two")
    zk.create("/a/b", b"")
    zk.create("/a/gone")
    zk.delete("/a/gone")
    zk.create("/hers", b"x", acl=[make_digest_acl("ada", "secret", all=True)])
    peer.cli(address, "create -c /box", "create -t 60000 /old")
    for _ in range(3):
        zk.create("/a/s-", sequence=True)
    both = zk.transaction()
    both.create("/multi", b"1")
    both.set_data("/multi", b"2")
    both.commit()


def content(zk, path="/"):
    """All nodes below, with what of them does not depend on the moment."""
    data, stat = zk.get(path) if path != "/hers" else (None, zk.get_acls(path)[1])
    found = {path: (data, stat._replace(numChildren=0), sorted(map(str, zk.get_acls(path)[0])))}
    for name in sorted(zk.get_children(path)) if path != "/hers" else []:
        found |= content(zk, f"{path.rstrip('/')}/{name}")
    return found


def connected(ensemble):
    zk = KazooClient(ensemble.address, timeout=10, auth_data=[("digest", "ada:secret")])
    zk.start()
    return zk


def moved(source, target):
    """Fills one, starts the other on its directory, and compares."""
    zk = connected(source)
    fill(zk, source.address)
    before = content(zk)
    zk.stop()
    source.stop()
    ensemble = target(source.data)
    zk = connected(ensemble)
    assert content(zk) == before
    assert zk.create("/a/s-", sequence=True).endswith("0000000005")
    zk.stop()
    ensemble.stop()


def test_zookeeper_goes_on_from_our_log(tidemill_ensemble, real_ensemble, tmp_path):
    moved(tidemill_ensemble(tmp_path / "data"), real_ensemble)


def test_zookeeper_goes_on_from_our_snapshot(tidemill_ensemble, real_ensemble, tmp_path):
    moved(tidemill_ensemble(tmp_path / "data", "snap_count=4"), real_ensemble)


def test_we_go_on_from_zookeepers_log(tidemill_ensemble, real_ensemble, tmp_path):
    moved(real_ensemble(tmp_path / "data"), tidemill_ensemble)


def test_zookeepers_tools_read_our_files(tidemill_ensemble, tmp_path):
    ensemble = tidemill_ensemble(tmp_path / "data", "snap_count=8")
    zk = connected(ensemble)
    fill(zk, ensemble.address)
    zk.stop()
    ensemble.stop()
    folder = tmp_path / "data" / "version-2"
    snapshots = sorted(folder.glob("snapshot.*"), key=lambda path: int(path.suffix[1:], 16))
    assert len(snapshots) > 1, "a snapshot was written on the way"
    shown = peer.tool("org.apache.zookeeper.server.SnapshotFormatter", str(snapshots[-1]))
    assert shown.returncode == 0 and "/a" in shown.stdout, shown.stdout + shown.stderr
    for log in folder.glob("log.*"):
        shown = peer.tool("org.apache.zookeeper.server.persistence.TxnLogToolkit", "-d", str(log))
        assert shown.returncode == 0 and "EOF reached after" in shown.stdout, shown.stdout + shown.stderr
        assert "CRC ERROR" not in shown.stdout
