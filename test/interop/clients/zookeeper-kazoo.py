"""kazoo and all of its recipes. `zookeeper-kazoo.py host:port`; prints RESTART when the server shall be killed and come back."""

import sys
import threading
from datetime import timedelta

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import BadVersionError, NoAuthError, NodeExistsError, NoNodeError, NotEmptyError, RolledBackError
from kazoo.recipe.cache import TreeCache
from kazoo.security import make_digest_acl

WAIT = 60
hosts = sys.argv[1]


def client():
    made = KazooClient(hosts=hosts, timeout=10)
    made.start()
    return made


def until(what, probe):
    """Events come when they come; a condition of threads would do no better."""
    ticker = threading.Event()
    for _ in range(WAIT * 100):
        if probe():
            return
        ticker.wait(0.01)
    raise SystemExit("not within %d s: %s" % (WAIT, what))


def refused(error, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error:
        return
    raise SystemExit("no %s from %s%s" % (error.__name__, call.__name__, args))


def in_threads(*calls):
    threads = [threading.Thread(target=call, daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
        assert not thread.is_alive()


one, two = client(), client()


def walk_operations():
    assert one.create("/ops", b"one") == "/ops"
    assert one.create("/ops/a/b/c", b"deep", makepath=True) == "/ops/a/b/c"
    path, stat = one.create("/ops/with-stat", b"xyz", include_data=True)
    assert path == "/ops/with-stat" and stat.data_length == 3 and stat.version == 0, stat
    assert one.create("/ops/s-", sequence=True) == "/ops/s-0000000002"
    assert one.get("/ops")[0] == b"one" and one.get("/ops")[1].numChildren == 3
    assert one.set("/ops", b"two", version=0).version == 1
    refused(BadVersionError, one.set, "/ops", b"", version=0)
    refused(NodeExistsError, one.create, "/ops", b"")
    refused(NoNodeError, one.get, "/none")
    refused(NotEmptyError, one.delete, "/ops")
    names, stat = one.get_children("/ops", include_data=True)
    assert sorted(names) == ["a", "s-0000000002", "with-stat"] and stat.cversion == 3, (names, stat)
    assert one.exists("/none") is None and one.exists("/ops").version == 1
    assert one.sync("/ops") == "/ops"
    one.ensure_path("/ops/x/y")
    one.delete("/ops/a", recursive=True)
    assert one.exists("/ops/a") is None
    chrooted = KazooClient(hosts=hosts + "/ops")
    chrooted.start()
    assert chrooted.get("/with-stat")[0] == b"xyz"
    chrooted.stop()


def walk_acls():
    secret = make_digest_acl("bob", "secret", all=True)
    one.create("/acl", b"hidden", acl=[secret])
    refused(NoAuthError, one.get, "/acl")
    one.add_auth("digest", "bob:secret")
    assert one.get("/acl")[0] == b"hidden"
    acls, stat = one.get_acls("/acl")
    assert acls == [secret] and stat.aversion == 0, (acls, stat)
    assert one.set_acls("/acl", [secret, make_digest_acl("eve", "x", read=True)]).aversion == 1
    refused(NoAuthError, two.get, "/acl")


def walk_transactions():
    one.create("/multi", b"0")
    good = one.transaction()
    good.create("/multi/a", b"a", ephemeral=True)
    good.create("/multi/s-", sequence=True)
    good.set_data("/multi", b"1")
    good.check("/multi", 1)
    good.delete("/multi/a")
    results = good.commit()
    assert results[0] == "/multi/a" and results[1] == "/multi/s-0000000001", results
    assert results[2].version == 1 and results[3:] == [True, True], results
    bad = one.transaction()
    bad.create("/multi/b", b"")
    bad.check("/multi", 7)
    bad.delete("/multi/s-0000000001")
    kinds = [type(result).__name__ for result in bad.commit()]
    assert kinds == ["RolledBackError", "BadVersionError", "RuntimeInconsistency"], kinds
    assert one.exists("/multi/b") is None


def walk_watches():
    seen = []
    note = lambda event: seen.append((event.type, event.path))  # noqa: E731
    one.exists("/w", watch=note)
    two.create("/w", b"")
    until("created", lambda: seen == [("CREATED", "/w")])
    one.get("/w", watch=note)
    two.set("/w", b"1")
    until("changed", lambda: seen[1:] == [("CHANGED", "/w")])
    one.get_children("/w", watch=note)
    two.create("/w/child")
    until("child", lambda: seen[2:] == [("CHILD", "/w")])
    one.exists("/w/child", watch=note)
    two.delete("/w/child")
    until("deleted", lambda: seen[3:] == [("DELETED", "/w/child")])
    two.set("/w", b"2")  # nobody watches any more
    data, children = [], []
    one.DataWatch("/watched", lambda value, stat: data.append(value))
    two.create("/watched", b"a")
    until("first value", lambda: data == [None, b"a"])
    two.set("/watched", b"b")
    until("second value", lambda: data == [None, b"a", b"b"])
    one.ChildrenWatch("/watched", lambda names: children.append(sorted(names)))
    two.create("/watched/x")
    until("a child", lambda: children == [[], ["x"]])
    two.create("/watched/y")
    until("two children", lambda: children == [[], ["x"], ["x", "y"]])
    assert len(seen) == 4, seen


def walk_locks():
    held = []
    lock, same = one.Lock("/lock", "first"), two.Lock("/lock", "second")
    assert lock.acquire() and not same.acquire(blocking=False)
    assert two.Lock("/lock", "third").contenders() == ["first"]
    waiting = threading.Thread(target=lambda: (same.acquire(), held.append("second")), daemon=True)
    waiting.start()
    until("second in the queue", lambda: lock.contenders() == ["first", "second"])
    assert held == []
    lock.release()
    waiting.join(WAIT)
    assert held == ["second"]
    same.release()

    readers = [one.ReadLock("/rw", "r1"), two.ReadLock("/rw", "r2")]
    writer = one.WriteLock("/rw", "w")
    for reader in readers:
        assert reader.acquire(timeout=WAIT)
    assert not writer.acquire(blocking=False)
    for reader in readers:
        reader.release()
    assert writer.acquire(timeout=WAIT) and not readers[1].acquire(blocking=False)
    writer.release()

    permits = [one.Semaphore("/semaphore", "a", max_leases=2), two.Semaphore("/semaphore", "b", max_leases=2)]
    more = two.Semaphore("/semaphore", "c", max_leases=2)
    for permit in permits:
        assert permit.acquire(timeout=WAIT)
    assert not more.acquire(blocking=False)
    assert sorted(more.lease_holders()) == ["a", "b"]
    permits[0].release()
    assert more.acquire(timeout=WAIT)
    more.release()
    permits[1].release()

    assert one.NonBlockingLease("/lease", timedelta(minutes=1), identifier="me")
    assert not two.NonBlockingLease("/lease", timedelta(minutes=1), identifier="you")


def walk_election():
    led, release = [], threading.Event()
    first, second = one.Election("/election", "first"), two.Election("/election", "second")

    def lead(name):
        led.append(name)
        release.wait(WAIT)

    threads = [threading.Thread(target=first.run, args=(lead, "first"), daemon=True)]
    threads[0].start()
    until("a leader", lambda: led == ["first"])
    threads.append(threading.Thread(target=second.run, args=(lead, "second"), daemon=True))
    threads[1].start()
    until("two contenders", lambda: second.contenders() == ["first", "second"])
    assert led == ["first"]
    release.set()
    for thread in threads:
        thread.join(WAIT)
    assert led == ["first", "second"]


def walk_groups():
    parties = [one.Party("/party", "ann"), two.Party("/party", "ben")]
    for party in parties:
        party.join()
    assert sorted(parties[0]) == ["ann", "ben"] and len(parties[1]) == 2
    parties[0].leave()
    assert list(parties[1]) == ["ben"]
    shallow = one.ShallowParty("/shallow", "ann")
    shallow.join()
    assert list(two.ShallowParty("/shallow", "ben")) == ["ann"]

    barrier, passed = one.Barrier("/barrier"), []
    barrier.create()
    waiting = threading.Thread(target=lambda: passed.append(two.Barrier("/barrier").wait(WAIT)), daemon=True)
    waiting.start()
    assert passed == []
    barrier.remove()
    waiting.join(WAIT)
    assert passed == [True]

    barriers = [each.DoubleBarrier("/double", 2) for each in (one, two)]
    in_threads(*[each.enter for each in barriers])
    assert all(each.participating for each in barriers)
    in_threads(*[each.leave for each in barriers])

    shares = {}
    partitioners = [
        each.SetPartitioner("/partitions", set(range(6)), identifier=name, time_boundary=0.5)
        for each, name in ((one, "one"), (two, "two"))
    ]

    def share(index):
        partitioner = partitioners[index]
        for _ in range(WAIT * 10):
            # Who came first has all of them, until it sees the other.
            shares[index] = list(partitioner) if partitioner.acquired else []
            if partitioner.failed or len(shares[index]) == 3:
                break
            if partitioner.release:
                partitioner.release_set()
            else:
                partitioner.wait_for_acquire(0.1)

    in_threads(lambda: share(0), lambda: share(1))
    assert sorted(shares[0] + shares[1]) == list(range(6)), shares
    for partitioner in partitioners:
        partitioner.finish()


def walk_queues():
    counter = one.Counter("/counter")
    in_threads(*[lambda each=each: [each + 1 for _ in range(20)] for each in (counter, two.Counter("/counter"))])
    assert one.Counter("/counter").value == 40
    queue = one.Queue("/queue")
    for index, priority in enumerate([100, 50, 100]):
        queue.put(b"%d" % index, priority)
    assert len(two.Queue("/queue")) == 3
    assert [two.Queue("/queue").get() for _ in range(4)] == [b"1", b"0", b"2", None]
    locking = one.LockingQueue("/locking")
    locking.put_all([b"a", b"b"])
    assert locking.get(WAIT) == b"a" and locking.holds_lock()
    other = two.LockingQueue("/locking")
    assert other.get(WAIT) == b"b"
    assert locking.consume() and other.consume() and len(one.LockingQueue("/locking")) == 0


def walk_cache():
    cache, events = TreeCache(one, "/cached"), []
    cache.listen(lambda event: events.append(event.event_type))
    cache.start()
    two.ensure_path("/cached/a/b")
    until("nodes in the cache", lambda: cache.get_data("/cached/a/b") is not None)
    two.set("/cached/a/b", b"new")
    until("the new value", lambda: cache.get_data("/cached/a/b").data == b"new")
    assert cache.get_children("/cached/a") == frozenset(["b"])
    two.delete("/cached/a", recursive=True)
    until("an empty cache", lambda: cache.get_children("/cached") == frozenset())
    cache.close()


def walk_sessions():
    three = client()
    three.create("/ephemeral", ephemeral=True)
    assert one.exists("/ephemeral").ephemeralOwner == three.client_id[0]
    three.stop()
    until("the ephemeral to go", lambda: one.exists("/ephemeral") is None)

    states, values = [], []
    one.add_listener(states.append)
    one.create("/alive", b"before", ephemeral=True)
    one.DataWatch("/alive", lambda value, stat: values.append(value))
    session = one.client_id[0]
    print("RESTART", flush=True)
    until("the connection to break", lambda: KazooState.SUSPENDED in states)
    until("the session to be back", lambda: states[-1] == KazooState.CONNECTED)
    assert one.client_id[0] == session and KazooState.LOST not in states, states
    assert one.exists("/alive").ephemeralOwner == session
    until("the other session", lambda: two.connected)
    two.retry(two.set, "/alive", b"after")
    until("the watch to be there again", lambda: values == [b"before", b"after"])


for walk in [
    walk_operations,
    walk_acls,
    walk_transactions,
    walk_watches,
    walk_locks,
    walk_election,
    walk_groups,
    walk_queues,
    walk_cache,
    walk_sessions,
]:
    walk()
    print(walk.__name__, flush=True)
one.stop()
two.stop()
