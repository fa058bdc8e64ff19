"""kazoo (Python): what is stored, who is told, and all its recipes."""

import queue
import threading
import time

import pytest
from kazoo.client import KazooClient
from kazoo.exceptions import (BadVersionError, NoAuthError, NodeExistsError, NoNodeError, NotEmptyError,
                              NoChildrenForEphemeralsError, RolledBackError, RuntimeInconsistency)
from kazoo.protocol.states import KazooState, WatchedEvent
from kazoo.security import make_digest_acl

PATIENCE = 15


def eventually(holds, what):
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def in_thread(work):
    """Runs `work` beside; its result or error comes from the queue."""
    results = queue.Queue()

    def run():
        try:
            results.put(work())
        except Exception as error:  # handed to the asserting thread
            results.put(error)

    threading.Thread(target=run, daemon=True).start()
    return results


def test_a_nodes_stat_follows_what_is_done_to_it(zk):
    path, made = zk.create("/a", b"one", include_data=True)
    assert path == "/a"
    assert (made.version, made.cversion, made.aversion, made.dataLength, made.numChildren) == (0, 0, 0, 3, 0)
    assert made.czxid == made.mzxid == made.pzxid and made.ctime == made.mtime
    changed = zk.set("/a", b"longer")
    assert (changed.version, changed.dataLength) == (1, 6)
    assert changed.mzxid > made.mzxid and changed.pzxid == made.pzxid and changed.czxid == made.czxid
    zk.create("/a/b")
    parent = zk.exists("/a")
    assert (parent.cversion, parent.numChildren) == (1, 1)
    assert parent.pzxid == zk.exists("/a/b").czxid > changed.mzxid == parent.mzxid
    zk.delete("/a/b")
    assert zk.exists("/a").cversion == 2 and zk.exists("/a").pzxid > parent.pzxid


def test_errors_are_zookeepers(zk):
    zk.create("/a")
    zk.create("/a/e", ephemeral=True)
    for error, call in [
        (NodeExistsError, lambda: zk.create("/a")),
        (NoNodeError, lambda: zk.create("/b/c")),
        (NoNodeError, lambda: zk.get("/b")),
        (NotEmptyError, lambda: zk.delete("/a")),
        (BadVersionError, lambda: zk.set("/a", b"", version=3)),
        (BadVersionError, lambda: zk.delete("/a/e", version=3)),
        (NoChildrenForEphemeralsError, lambda: zk.create("/a/e/c")),
    ]:
        with pytest.raises(error):
            call()


def test_numbers_of_sequential_nodes_never_come_again(zk):
    zk.create("/s")
    names = [zk.create("/s/n-", sequence=True) for _ in range(3)]
    assert names == [f"/s/n-{n:010d}" for n in range(3)]
    zk.delete(names[-1])
    assert zk.create("/s/m-", sequence=True) == "/s/m-0000000003"


def test_a_transaction_is_all_or_nothing(zk):
    zk.create("/t")
    failed = zk.transaction()
    failed.create("/t/a")
    failed.set_data("/t", b"new")
    failed.check("/t", 7)
    failed.delete("/t/a")
    results = failed.commit()
    assert [type(result) for result in results] == [RolledBackError, RolledBackError, BadVersionError, RuntimeInconsistency]
    assert zk.get_children("/t") == [] and zk.get("/t")[0] == b""
    good = zk.transaction()
    good.create("/t/a", b"1")
    good.set_data("/t/a", b"2", version=0)
    good.check("/t/a", 1)
    good.create("/t/s-", sequence=True)
    good.delete("/t/a")
    created, stat, checked, sequential, deleted = good.commit()
    assert (created, stat.version, checked, deleted) == ("/t/a", 1, True, True)
    # Both nodes of the transaction have taken a number of their parent.
    assert zk.get_children("/t") == [sequential.rsplit("/", 1)[1]] == ["s-0000000001"]


def test_watches_are_told_once_and_before_the_answer_that_shows_the_change(connect):
    zk, other = connect(), connect()
    zk.create("/w")
    events = queue.Queue()
    zk.get("/w", watch=events.put)
    zk.get_children("/w", watch=events.put)
    assert zk.exists("/w/made", watch=events.put) is None
    other.set("/w", b"x")
    other.create("/w/made")
    other.set("/w", b"y")
    kinds = sorted((e.type, e.path) for e in (events.get(timeout=PATIENCE) for _ in range(3)))
    assert kinds == [("CHANGED", "/w"), ("CHILD", "/w"), ("CREATED", "/w/made")]
    told = []
    zk.get("/w", watch=told.append)
    zk.set("/w", b"z")
    # kazoo hands events to another thread; the next answer comes after it was handed over.
    eventually(lambda: told, "the own change is told too")
    zk.delete("/w", recursive=True)
    assert events.empty()


def test_ephemeral_nodes_go_with_their_session(connect):
    zk, other = connect(), connect()
    other.create("/e", ephemeral=True)
    gone = threading.Event()
    zk.exists("/e", watch=lambda _: gone.set())
    assert zk.exists("/e").ephemeralOwner == other.client_id[0]
    other.stop()
    assert gone.wait(PATIENCE)
    assert zk.exists("/e") is None


def test_who_has_not_the_password_sees_nothing(connect, zookeeper, name):
    zk = connect()
    owner = connect(auth_data=[("digest", "ada:secret")])
    owner.create("/hers", b"x", acl=[make_digest_acl("ada", "secret", all=True)])
    assert owner.get("/hers")[0] == b"x"
    with pytest.raises(NoAuthError):
        zk.get("/hers")
    with pytest.raises(NoAuthError):
        zk.set_acls("/hers", [make_digest_acl("eve", "guess", all=True)])
    zk.add_auth("digest", "ada:secret")
    assert zk.get("/hers")[0] == b"x"


def test_a_lock_has_one_holder(connect):
    clients = [connect() for _ in range(4)]
    held, most, rounds = [], [], []

    def work(client):
        for _ in range(5):
            with client.Lock("/lock", "me"):
                held.append(client)
                most.append(len(held))
                held.remove(client)
                rounds.append(client)

    for results in [in_thread(lambda client=client: work(client)) for client in clients]:
        assert results.get(timeout=60) is None
    assert max(most) == 1 and len(rounds) == 20


def test_a_lock_passes_on_when_its_holder_goes(connect):
    one, two = connect(), connect()
    assert one.Lock("/lock").acquire(timeout=PATIENCE)
    waiting = in_thread(lambda: two.Lock("/lock").acquire(timeout=PATIENCE))
    eventually(lambda: len(one.get_children("/lock")) == 2, "both are in the queue")
    one.stop()
    assert waiting.get(timeout=PATIENCE) is True


def test_an_election_has_one_leader_at_a_time(connect):
    one, two = connect(), connect()
    leads, release = queue.Queue(), threading.Event()
    for name, client in (("one", one), ("two", two)):
        in_thread(lambda n=name, c=client: c.Election("/election", n).run(lambda: (leads.put(n), release.wait(PATIENCE))))
    first = leads.get(timeout=PATIENCE)
    eventually(lambda: len(one.get_children("/election")) == 2, "both are candidates")
    assert leads.empty()
    release.set()
    assert {first, leads.get(timeout=PATIENCE)} == {"one", "two"}


def test_barriers_hold_back_until_they_are_lifted(connect):
    one, two = connect(), connect()
    barrier = one.Barrier("/barrier")
    barrier.create()
    waiting = in_thread(lambda: two.Barrier("/barrier").wait(PATIENCE))
    assert not one.Barrier("/barrier").wait(0.2)
    barrier.remove()
    assert waiting.get(timeout=PATIENCE) is True

    def both(client):
        double = client.DoubleBarrier("/double", 2)
        double.enter()
        inside = double.participating
        double.leave()
        return inside

    entered = [in_thread(lambda c=client: both(c)) for client in (one, two)]
    assert [results.get(timeout=PATIENCE) for results in entered] == [True, True]


def test_queues_give_each_entry_once(connect):
    one, two = connect(), connect()
    plain = one.Queue("/queue")
    for n in range(6):
        plain.put(b"%d" % n)
    taken = [client.Queue("/queue").get() for client in (one, two) * 3]
    assert sorted(taken) == [b"%d" % n for n in range(6)] and len(plain) == 0

    locking = one.LockingQueue("/locking")
    locking.put_all([b"a", b"b"])
    assert locking.get(timeout=PATIENCE) == b"a"
    assert two.LockingQueue("/locking").get(timeout=PATIENCE) == b"b"
    assert locking.consume()
    two.stop()
    # What was taken and not consumed is given again when its taker goes.
    assert locking.get(timeout=PATIENCE) == b"b"
    assert locking.consume()


def test_a_party_knows_its_members(connect):
    one, two = connect(), connect()
    parties = [client.Party("/party", name) for client, name in ((one, "ada"), (two, "bob"))]
    for party in parties:
        party.join()
    assert sorted(parties[0]) == ["ada", "bob"] and len(parties[1]) == 2
    two.stop()
    eventually(lambda: list(parties[0]) == ["ada"], "one has left")


def test_a_counter_counts_every_step(connect):
    clients = [connect() for _ in range(3)]

    def count(client):
        counter = client.Counter("/counter")
        for _ in range(10):
            counter += 1

    for results in [in_thread(lambda c=client: count(c)) for client in clients]:
        assert results.get(timeout=60) is None
    assert clients[0].Counter("/counter").value == 30


def test_a_semaphore_has_so_many_holders(connect):
    one, two, three = connect(), connect(), connect()
    first, second, third = (client.Semaphore("/semaphore", max_leases=2) for client in (one, two, three))
    assert first.acquire(timeout=PATIENCE) and second.acquire(timeout=PATIENCE)
    assert not third.acquire(blocking=False)
    one.stop()
    assert third.acquire(timeout=PATIENCE)


def test_data_and_children_watchers_follow(connect):
    zk, other = connect(), connect()
    zk.create("/d")
    data, children = queue.Queue(), queue.Queue()
    zk.DataWatch("/d", lambda value, stat: data.put(value))
    zk.ChildrenWatch("/d", lambda names: children.put(sorted(names)))
    assert (data.get(timeout=PATIENCE), children.get(timeout=PATIENCE)) == (b"", [])
    other.set("/d", b"1")
    assert data.get(timeout=PATIENCE) == b"1"
    other.create("/d/a")
    assert children.get(timeout=PATIENCE) == ["a"]


def test_four_letter_words_are_answered(zk):
    assert zk.command(b"ruok") == "imok"
    assert "Mode: standalone" in zk.command(b"srvr")
    assert "zk_znode_count" in zk.command(b"mntr")
    assert zk.command(b"isro") == "rw"
    assert "tickTime=" in zk.command(b"conf")
    assert zk.server_version() >= (3, 9)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_session_goes_on_after_a_restart_of_the_server(ensemble, how):
    zk = KazooClient(ensemble.address, timeout=20)
    states, events = queue.Queue(), queue.Queue()
    zk.add_listener(states.put)
    zk.start()
    assert states.get(timeout=PATIENCE) == KazooState.CONNECTED
    session = zk.client_id
    zk.create("/mine", b"x", ephemeral=True)
    zk.create("/kept", b"y")
    zk.get("/kept", watch=events.put)
    getattr(ensemble, how)()
    assert states.get(timeout=PATIENCE) == KazooState.SUSPENDED
    ensemble.start()
    assert states.get(timeout=30) == KazooState.CONNECTED
    assert zk.client_id == session
    assert zk.get("/mine")[0] == b"x" and zk.get("/kept")[0] == b"y"
    zk.set("/kept", b"z")
    assert isinstance(events.get(timeout=PATIENCE), WatchedEvent)
    zk.stop()
    zk.close()
