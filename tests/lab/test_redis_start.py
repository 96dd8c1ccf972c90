#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""deploy/redis/heliograph-redis, which the units call: a server starts as what the Sentinels take it for, and what is on
its disk from an earlier time does not become the record."""
import os
import re
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cluster
import lab

SECONDS = 150  # after a stall of the machine Sentinels do nothing for 30 ("tilt")


def log_of(l, name):
    with open(os.path.join(l.dir, f"{name}.log"), errors="replace") as f:
        return f.read()


def role(store):
    return store.cli("ROLE", check=False).split("\n")[0]


def priority(store):
    return store.cli("CONFIG", "GET", "replica-priority", check=False).split("\n")[1:2]


def one_comes_before_the_sentinels(l, c):
    """No majority names the master yet: the server waits, and says for what."""
    first, second = c.stores[:2]
    first.write_sentinel(first.address, 2, **cluster.QUICK_SENTINEL)
    known = [f"sentinel known-sentinel heliograph {s.address} 26379 {'0' * 39}{i}" for i, s in enumerate(c.stores[1:])]
    with open(first.sentinel_conf, "a") as f:
        f.write("\n".join(known) + "\n")
    first.start_as_shipped()
    lab.wait_for(lambda: "0 of 3 Sentinels answer" in log_of(l, first.name), 60, "it waits for the Sentinels")
    assert "Server initialized" not in log_of(l, first.name)
    os.unlink(second.sentinel_conf) if os.path.exists(second.sentinel_conf) else None
    for s in c.stores:
        s.start_sentinel(first.address, 2, **cluster.QUICK_SENTINEL)
    lab.wait_for(lambda: role(first) == "master", SECONDS, "it starts as the master")


def a_second_one_starts_as_its_replica(l, c):
    first, second = c.stores[:2]
    second.start_as_shipped()
    lab.wait_for(lambda: role(second) == "slave" and priority(second) == ["100"], SECONDS, "it follows and may be promoted")
    lab.wait_for(lambda: "connected_slaves:1" in first.cli("INFO", "replication"), SECONDS, "the master has it")
    first.cli("SET", "value", "old")
    assert first.cli("WAIT", "1", "10000").strip() == "1"
    for s in c.stores:
        lab.wait_for(lambda s=s: "num-slaves\n1" in s.cli("SENTINEL", "MASTER", "heliograph", port=26379), SECONDS,
                     "each Sentinel knows the replica")
        lab.wait_for(lambda s=s: "num-other-sentinels\n2" in s.cli("SENTINEL", "MASTER", "heliograph", port=26379), SECONDS,
                     "each Sentinel knows the others")


def a_sentinel_looks_for_a_new_master_at_once(l, c):
    for s in c.stores:
        lab.wait_for(lambda s=s: "PING-PERIOD\n200" in s.cli("SENTINEL", "DEBUG", port=26379).upper(), SECONDS, "the period is set")


def old_data_do_not_become_the_record(l, c):
    """The master dies; what the new one acknowledged is on its disk only when it dies as well. The first comes up alone."""
    first, second = c.stores[:2]
    l.end(first.redis, signal.SIGKILL)
    lab.wait_for(lambda: role(second) == "master", SECONDS, "the second is promoted")
    lab.wait_for(lambda: all(second.address in s.cli("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "heliograph", port=26379)
                             for s in c.stores), SECONDS, "all Sentinels say so")
    second.cli("SET", "value", "new")
    second.cli("CONFIG", "SET", "appendfsync", "always")
    second.cli("SET", "value", "newest")
    l.end(second.redis, signal.SIGKILL)
    first.start_as_shipped()
    lab.wait_for(lambda: role(first) == "slave", SECONDS, "it starts as a replica")
    refusals = "-failover-abort-no-good-slave"
    lab.wait_for(lambda: any(refusals in log_of(l, f"{s.name}-sentinel") for s in c.stores), SECONDS,
                 "the Sentinels look for a server to promote and find none")
    assert role(first) == "slave" and first.cli("GET", "value").strip() == "old"
    second.start_as_shipped()
    lab.wait_for(lambda: role(second) == "master", SECONDS, "the second is the master still")
    lab.wait_for(lambda: first.cli("GET", "value").strip() == "newest", SECONDS, "the first has what was acknowledged")
    lab.wait_for(lambda: priority(first) == ["100"], SECONDS, "and may be promoted again")
    assert not any(re.search(r"\+promoted-slave slave " + re.escape(first.address), log_of(l, f"{s.name}-sentinel")) for s in c.stores)


def nothing_of_it_stays_behind(l, c):
    """Who waits for a server in the background ends with it."""
    third = c.stores[2]
    for s in c.stores[:2]:
        l.end(s.redis, signal.SIGKILL)
    third.start_as_shipped()
    lab.wait_for(lambda: role(third) == "slave", SECONDS, "a replica of nobody who lives")
    l.end(third.redis, signal.SIGKILL)
    lab.wait_for(lambda: not third.processes("heliograph-redis server"), 60, "its script has ended")


if __name__ == "__main__":
    laboratory = lab.Lab()
    sys.exit(lab.run_tests([one_comes_before_the_sentinels, a_second_one_starts_as_its_replica,
                            a_sentinel_looks_for_a_new_master_at_once, old_data_do_not_become_the_record, nothing_of_it_stays_behind],
                           (laboratory, cluster.Stores(laboratory, 3))))
