#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Failover from outside: 45,000 users with a contact, a probe that asks for them all the time, and a node killed with
SIGKILL again and again (both processes). failover.py [fast] [redis] [paced] [restart] [KILLS]

  failover_fast_p100_ms      fast profile: until the last request for a user of the killed node that was not served
  failover_with_redis_ms     the same with the Redis master killed in the same moment
  failover_default_users_per_s   default profile: how fast silent users are moved
  control_plane_restart_lost     default profile: requests lost while control planes are killed and started again
  failover_lost_unaffected   requests for users of the nodes that were not killed that were not served, in all of these"""
import os
import re
import signal
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import cluster
import lab

USERS = int(os.environ.get("BENCH_USERS", "45000"))
RATE = int(os.environ.get("BENCH_RATE", "2000"))


def stand_up(profile, nodes=2, **redis):
    l = lab.Lab()
    host = l.host("phones", "10.88.0.50/24")
    c = cluster.Cluster(l, nodes, cluster=cluster.SECRET + profile, access=["10.88.0.0/24"], **redis)
    c.start()
    c.form()
    probe = cluster.Probe(host, USERS, nodes)
    c.import_users(USERS, probe.contact)
    return l, c, probe


def under_load(c, probe, entries):
    probe.begin([n.address for n in entries], RATE)
    lab.wait_for(lambda: min(k["ok"] for k in probe.report()) > RATE // (2 * len(c.nodes)), 60, "every node's users are served")
    probe.reset()
    time.sleep(0.3)


def lost(account, numbers):
    return sum(account[i - 1]["sent"] - account[i - 1]["ok"] for i in numbers)


def kill(c, probe, victim, redis=None):
    """One kill under load. Returns (ms until the victim's users were all served, the account of all nodes)."""
    peer = c[victim + 1 if victim % 2 else victim - 1]
    under_load(c, probe, [n for n in c.nodes if n.number != victim])
    at = time.monotonic_ns()
    if redis:
        os.kill(redis.redis.pid, signal.SIGKILL)
    c[victim].kill()
    lab.wait_for(lambda: any(s["ip"] == peer.address for s in probe.report()[victim - 1]["servers"]), 60,
                 "the peer serves the users of the killed node")
    time.sleep(1.5)
    account = probe.rest()
    assert not any(k["back_and_forth"] for k in account), "two nodes served one user"
    worst = account[victim - 1]["last_bad_ns"]
    return (worst - at) / 1e6 if worst else 0.0, account


def back(c, victim):
    c[victim].start_both()
    c[1].insist("ha", "fallback", c[victim].unique, "--yes")
    c.wait_rows("F01")


def fast(kills):
    l, c, probe = stand_up(cluster.FAST)
    times, unaffected = [], 0
    for i in range(kills):
        victim = 1 + i % 2
        ms, account = kill(c, probe, victim)
        times.append(ms)
        others = lost(account, [3 - victim])
        unaffected += others
        print(f"# kill {i + 1}: {ms:.0f} ms, {others} of the others lost", flush=True)
        back(c, victim)
    print(f"# median {statistics.median(times):.0f} ms of {kills} kills, {USERS} users, {RATE} requests/s")
    print(f"figure failover_fast_p100_ms {max(times):.0f} ms", flush=True)
    l.close()
    return unaffected


def with_redis(kills):
    """Two pairs. The survivor of the killed node's pair has neither peer nor record until the promotion: it cannot tell
    that from being cut off itself, so its own users wait for it as well. The other pair must notice nothing."""
    times, survivors, unaffected = [], 0, 0
    for i in range(kills):
        l, c, probe = stand_up(cluster.FAST, 4, replicas=2, sentinels=3, as_shipped=True)
        ms, account = kill(c, probe, 1, redis=c.master())
        times.append(ms)
        survivors += lost(account, [2])
        others = lost(account, [3, 4])
        unaffected += others
        print(f"# kill {i + 1} with the master of Redis: {ms:.0f} ms, {others} of the other pair lost", flush=True)
        l.close()
    print(f"# median {statistics.median(times):.0f} ms of {kills} kills; {survivors} requests for the survivor's own users "
          "were lost until the promotion")
    print(f"figure failover_with_redis_ms {max(times):.0f} ms", flush=True)
    return unaffected


def moved(node):
    found = re.search(r"(\d+) done, (\d+) left", node.hgctl("ha", "status", check=False).stdout)
    return int(found.group(1)) if found else 0


def next_step(node):
    """(users moved, when) right after it grew."""
    before = moved(node)
    lab.wait_for(lambda: moved(node) > before, 60, "users are moved")
    return moved(node), time.monotonic()


def paced(_):
    """The seeds' pace: every user is served at once when it knocks, silent ones are moved 25 at a time."""
    l, c, probe = stand_up("")
    ms, account = kill(c, probe, 1)
    print(f"# default profile: {ms:.0f} ms until everybody who knocks is served", flush=True)
    first, began = next_step(c[2])
    time.sleep(20)
    last, ended = next_step(c[2])
    print(f"figure failover_default_users_per_s {(last - first) / (ended - began):.1f} users/s", flush=True)
    l.close()
    return lost(account, [2])


def restart(kills):
    """Control planes killed and started again by turns, half a second later, as systemd does it."""
    l, c, probe = stand_up("")
    under_load(c, probe, c.nodes)
    for i in range(kills):
        node = c[1 + i % 2]
        l.end(node.cp, signal.SIGKILL)
        time.sleep(0.5)
        node.start_cp()
        node.wait_ready()
        time.sleep(1)
    account = probe.rest()
    assert not any(k["back_and_forth"] for k in account) and set(c.rows().values()) == {"F01"}, (account, c.rows())
    unserved = lost(account, [1, 2])
    print(f"# {kills} control planes killed and started again: {unserved} of {sum(k['sent'] for k in account)} requests lost, "
          f"every row is still F01\nfigure control_plane_restart_lost {unserved} requests", flush=True)
    l.close()
    return unserved


PARTS = {"fast": (fast, 50), "redis": (with_redis, 10), "paced": (paced, 1), "restart": (restart, 6)}


def main():
    words = [w for w in sys.argv[1:] if not w.isdigit()] or list(PARTS)
    numbers = [int(w) for w in sys.argv[1:] if w.isdigit()]
    unknown = [w for w in words if w not in PARTS]
    if unknown:
        sys.exit(f"failover.py: unknown part '{unknown[0]}'; there are: {' '.join(PARTS)}")
    unaffected = 0
    for w in words:
        run, kills = PARTS[w]
        unaffected += run(numbers[0] if numbers else kills)
    print(f"figure failover_lost_unaffected {unaffected} requests", flush=True)


if __name__ == "__main__":
    main()
