#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A node whose record has a million users, each with a contact: how long from the start of both processes until every
request for a user reaches the contact. HG_BUILD is where both were built.

  figure node_start_s       the worst of BENCH_STARTS (3) starts: until the last request that was not answered was sent"""
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import cluster
import lab

USERS = int(os.environ.get("USERS", "1000000"))
STARTS = int(os.environ.get("BENCH_STARTS", "3"))
RATE = 1000


def fill(store, home, contact):
    """The users as a record has them, by the protocol that redis-cli --pipe reads."""
    key = b"hg:{StandaloneCluster}:users"
    value = f"0-0 {home} {contact}".encode()
    pipe = subprocess.Popen(["ip", "netns", "exec", store.ns, "redis-cli", "-h", store.address, "--pipe"],
                            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    for first in range(0, USERS, 1000):
        words = [b"HSET", key]
        for i in range(first, min(first + 1000, USERS)):
            words += [b"user%06d@example.com" % i, value]
        pipe.stdin.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
    pipe.stdin.close()
    assert pipe.wait() == 0, "redis-cli --pipe failed"


def stand_up(l):
    host = l.host("phones", "10.88.0.50/24")
    c = cluster.Cluster(l, 1, cluster=cluster.SECRET, access=["10.88.0.0/24"], users_max=USERS + 1000,
                        dataplane=f"contacts_max = {USERS + 1000};")
    c.start()
    lab.wait_for(lambda: c[1].unique in c[1].hgctl("node", "list").stdout, 60, "the node is in the record")
    probe = cluster.Probe(host, USERS, 1)
    fill(c.stores[0], c[1].unique, probe.contact)
    return c, probe


def stop(node):
    for p in (node.cp, node.dp):
        node.lab.end(p)


def start(c, probe):
    """Seconds until everybody is served."""
    stop(c[1])
    probe.begin([c[1].address], RATE)
    time.sleep(0.2)  # requests are under way when it starts
    at = time.monotonic_ns()
    c[1].start_cp()
    c[1].start_dp()
    c[1].wait_ready()
    ready = (time.monotonic_ns() - at) / 1e9
    served = lambda: (lambda k: k["ok"] > RATE and k["last_bad_ns"] and k["now_ns"] - k["last_bad_ns"] > 3e9)(
        dict(probe.report()[0], now_ns=time.monotonic_ns()))
    lab.wait_for(served, 120, "every user is served")
    account = probe.rest()[0]
    seconds = (account["last_bad_ns"] - at) / 1e9
    print(f"# in service after {seconds:.2f} s (hgctl status says so after {ready:.2f} s); answered: {account['status']}",
          flush=True)
    return seconds


def main():
    l = lab.Lab()
    c, probe = stand_up(l)
    times = [start(c, probe) for _ in range(STARTS)]
    print(f"# median {statistics.median(times):.2f} s of {STARTS} starts with {USERS} users, each with a contact")
    print(f"figure node_start_s {max(times):.2f} s", flush=True)
    if os.environ.get("BENCH_VERBOSE"):
        print(c[1].logs(20))
    l.close()


if __name__ == "__main__":
    main()
