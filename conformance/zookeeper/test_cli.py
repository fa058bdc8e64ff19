"""zkCli.sh, ZooKeeper's own command line (Java)."""

import re
import shutil
import time

from kazoo.client import KazooClient
from peers.zookeeper import cli

if shutil.which("java") is None or shutil.which("mvn") is None:
    raise RuntimeError("zkCli needs java and mvn: apt-get install openjdk-17-jdk-headless maven")

def test_a_script_of_the_command_line_runs(zookeeper, name):
    said = cli(
        zookeeper,
        f"create /{name} one",
        f"addWatch -m PERSISTENT_RECURSIVE /{name}",
        f"create -s /{name}/s- two",
        f"create -c /{name}/box",
        f"create -t 60000 /{name}/old",
        f"set -s /{name} three",
        f"get -s /{name}",
        f"ls -R /{name}",
        "addauth digest ada:secret",
        f"setAcl /{name}/box auth:ada:crwda",
        f"getAcl /{name}/box",
        f"getAllChildrenNumber /{name}",
        f"sync /{name}",
        "whoami",
        f"setquota -N 10 /{name}",
        f"listquota /{name}",
        f"delquota /{name}",
        f"deleteall /{name}",
        f"stat /{name}",
    )
    assert f"Created /{name}/s-0000000000" in said
    assert f"type:NodeCreated path:/{name}/box" in said and f"type:NodeDeleted path:/{name}/box" in said, said
    assert re.search(r"dataVersion = 1", said) and "three" in said
    assert f"/{name}/box" in said and f"/{name}/old" in said
    assert "'digest,'ada:" in said and ": cdrwa" in said
    assert re.search(r"^3$", said, re.M), said
    assert "Sync is OK" in said
    assert re.search(r"digest\s*: ada", said), said
    assert "countHardLimit=10" in said and "count=4" in said, said
    assert f"Node does not exist: /{name}" in said


def test_containers_and_old_nodes_go_by_themselves(ensemble):
    cli(ensemble.address, "create -c /box", "create /box/a", "delete /box/a", "create -t 300 /old", "create -c /new")
    zk = KazooClient(ensemble.address)
    zk.start()
    end = time.monotonic() + 15
    while {"box", "old"} & set(zk.get_children("/")):
        assert time.monotonic() < end, zk.get_children("/")
        time.sleep(0.05)
    # It has never had a child: whoever made it is about to make one.
    assert zk.exists("/new")
    zk.stop()
    zk.close()
