"""kill -9 under load, again and again: what was acknowledged is there, and no ephemeral node is
there without its session."""

import random
import threading
import time

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException

ROUNDS = 12
WRITERS = 3


class Writer(threading.Thread):
    """Makes nodes one after the other until the server is gone; knows which were acknowledged."""

    def __init__(self, address, name):
        super().__init__(daemon=True)
        self.zk = KazooClient(address, timeout=10)
        self.zk.start(timeout=15)
        self.name, self.acknowledged = name, []

    def run(self):
        for n in range(10_000):
            path = f"/{self.name}-{n}"
            try:
                both = self.zk.transaction()
                both.create(path, b"x")
                both.create(path + "/below", b"y")
                made = both.commit()
            except KazooException:
                return
            if path not in made:
                return
            self.acknowledged.append(path)


def test_kill_9_loses_nothing_that_was_acknowledged(ensemble):
    chance = random.Random(4)
    acknowledged, owners = [], {}
    for kill in range(ROUNDS):
        writers = [Writer(ensemble.address, f"r{kill}w{n}") for n in range(WRITERS)]
        for n, writer in enumerate(writers):
            writer.zk.create(f"/e{kill}-{n}", ephemeral=True)
            owners[f"e{kill}-{n}"] = writer.zk.client_id[0]
            writer.start()
        time.sleep(chance.uniform(0.05, 0.4))
        ensemble.kill()
        for writer in writers:
            writer.zk.stop()
            writer.zk.close()
            writer.join(10)
            acknowledged += writer.acknowledged
        ensemble.start()
    zk = KazooClient(ensemble.address, timeout=10)
    zk.start(timeout=15)
    there = set(zk.get_children("/"))
    lost = [path for path in acknowledged if path[1:] not in there]
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged nodes are missing"
    assert len(acknowledged) > ROUNDS, "the load moved nothing"
    print(f"{len(acknowledged)} nodes acknowledged in {ROUNDS} rounds")
    halves = [name for name in there if name.startswith("r") and zk.get_children(f"/{name}") != ["below"]]
    assert not halves, "a transaction is there by half"
    # The sessions of the killed rounds end, and their nodes with them.
    end = time.monotonic() + 40
    while any(name in owners for name in zk.get_children("/")):
        for name in zk.get_children("/"):
            stat = zk.exists(f"/{name}") if name in owners else None
            assert stat is None or stat.ephemeralOwner == owners[name]
        assert time.monotonic() < end, "ephemeral nodes outlive their sessions"
        time.sleep(0.2)
    zk.stop()
    zk.close()
