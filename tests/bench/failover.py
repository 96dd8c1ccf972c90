#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Failover from outside: a pair, 45,000 users with a contact, a probe that asks for them all the time, and a node of the
pair killed with SIGKILL again and again (both processes). failover.py [fast] [redis] [paced] [KILLS]

  failover_fast_p100_ms      fast profile: until the last request for a user of the killed node that was not served
  failover_lost_unaffected   requests for users of the other node that were not served meanwhile
  failover_with_redis_ms     the same with the Redis master killed in the same moment
  failover_default_users_per_s   default profile: how fast silent users are moved
  node_start_s               from the start of a node with a million users until it is in service (with start)"""
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


def pair(profile, **redis):
    l = lab.Lab()
    host = l.host("phones", "10.88.0.50/24")
    c = cluster.Cluster(l, 2, cluster=cluster.SECRET + profile, access=["10.88.0.0/24"], **redis)
    c.start()
    c.form()
    probe = cluster.Probe(host, USERS, 2)
    c.import_users(USERS, probe.contact)
    return l, c, probe


def kill(c, probe, victim, redis=None):
    """One kill under load. Returns (ms until the victim's users were all served, requests lost of the others)."""
    survivor = c[3 - victim]
    probe.begin([survivor.address], RATE)
    lab.wait_for(lambda: min(k["ok"] for k in probe.report()) > RATE // 4, 60, "both nodes' users are served")
    probe.reset()
    time.sleep(0.3)
    if redis:
        os.kill(redis.redis.pid, signal.SIGKILL)
    at = time.monotonic_ns()
    c[victim].kill()
    lab.wait_for(lambda: any(s["ip"] == survivor.address for s in probe.report()[victim - 1]["servers"]), 60,
                 "the peer serves the users of the killed node")
    time.sleep(1.5)
    account = probe.rest()
    mine, other = account[victim - 1], account[2 - victim]
    assert mine["back_and_forth"] == 0, "two nodes served one user"
    lost = other["sent"] - other["ok"]
    return (mine["last_bad_ns"] - at) / 1e6 if mine["last_bad_ns"] else 0.0, lost


def back(c, victim):
    c[victim].start_both()
    name = c[victim].unique
    c[1].insist("ha", "fallback", name, "--yes")
    c.wait_rows("F01")


def fast(kills):
    l, c, probe = pair(cluster.FAST)
    times, unaffected = [], 0
    for i in range(kills):
        victim = 1 + i % 2
        ms, lost = kill(c, probe, victim)
        times.append(ms)
        unaffected += lost
        print(f"# kill {i + 1}: {ms:.0f} ms, {lost} of the others lost", flush=True)
        back(c, victim)
    print(f"# median {statistics.median(times):.0f} ms of {kills} kills, {USERS} users, {RATE} requests/s")
    print(f"figure failover_fast_p100_ms {max(times):.0f} ms")
    print(f"figure failover_lost_unaffected {unaffected} requests", flush=True)
    l.close()


def with_redis(kills):
    times, unaffected = [], 0
    for i in range(kills):
        l, c, probe = pair(cluster.FAST, replicas=2, sentinels=3, down_after_ms=500)
        ms, lost = kill(c, probe, 1, redis=c.master())
        times.append(ms)
        unaffected += lost
        print(f"# kill {i + 1} with the master of Redis: {ms:.0f} ms, {lost} of the others lost", flush=True)
        l.close()
    print(f"figure failover_with_redis_ms {max(times):.0f} ms")
    # The survivor has neither peer nor record until the promotion: its own users may wait for that. That other
    # pairs notice nothing is what tests/lab/test_cluster.py asserts.
    print(f"# {unaffected} requests for the survivor's own users were lost", flush=True)


def moved(c, node):
    text = node.hgctl("ha", "status", check=False).stdout
    found = re.search(r"(\d+) done, (\d+) left", text)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def paced():
    """The seeds' pace: every user is served at once when it knocks, silent ones are moved 25 at a time."""
    global USERS
    USERS = min(USERS, 2000)
    l, c, probe = pair("")
    ms, lost = kill(c, probe, 1)
    print(f"# default profile: {ms:.0f} ms until everybody who knocks is served, {lost} of the others lost", flush=True)
    first, began = moved(c, c[2])[0], time.monotonic()
    time.sleep(20)
    last, ended = moved(c, c[2])[0], time.monotonic()
    print(f"figure failover_default_users_per_s {(last - first) / (ended - began):.1f} users/s", flush=True)
    l.close()


def main():
    words = [w for w in sys.argv[1:] if not w.isdigit()] or ["fast", "redis", "paced"]
    numbers = [int(w) for w in sys.argv[1:] if w.isdigit()]
    for w in words:
        if w == "fast":
            fast(numbers[0] if numbers else 50)
        elif w == "redis":
            with_redis(numbers[0] if numbers else 3)
        elif w == "paced":
            paced()
        else:
            sys.exit(f"failover.py: unknown part '{w}'; there are: fast redis paced")


if __name__ == "__main__":
    main()
