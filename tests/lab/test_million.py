#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A million users, each with a contact, and a lease of 300 ms (docs/ha.md, profile "fast"): whatever happens to all of
them at once is done in pieces, between which heartbeats and leases have their turn.

    mgmt  n1 .1, n2 .2 (a pair), Redis .101          lan  the same

The length of a turn is judged by its own CPU time (loop_longest_cpu_us): what else the machine does is nobody's fault here.
A machine that stands still longer than the lease bears loses the lease: that is looked at, too, and said."""
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cluster
import lab

USERS = int(os.environ.get("USERS", "1000000"))
HA = ("ha = { heartbeat_interval = 100; heartbeat_timeout = 300; init_timeout = 1000; lease = 300; guard = 50; "
      "service_down_delay = 600000; users_moved_per_iteration = 0; };")
CONTACT = "sip:phone@10.88.0.50:5080"
BOUND_US = 45000  # seen: 15,000 (51,000 to 70,000 before turns were bounded); CI machines are three times slower
STALL_MS = 100  # a third of the lease


class Stalls:
    """How long this machine lets somebody wait for a CPU."""

    def __init__(self):
        self.longest = 0.0
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while True:
            at = time.monotonic()
            time.sleep(0.01)
            self.longest = max(self.longest, (time.monotonic() - at - 0.01) * 1000)


class World:
    def __init__(self):
        self.lab = lab.Lab()
        self.c = cluster.Cluster(self.lab, 2, cluster=cluster.SECRET + HA, access=["10.88.0.0/24"], users_max=USERS + 1000,
                                 dataplane=f"contacts_max = {USERS + 1000};")
        self.c.start()
        self.c.form()
        self.gaps = {n.name: self.counters(n)["ha_lease_gaps"] for n in self.c.nodes}
        self.stalls = Stalls()

    def counters(self, node):
        lines = self.c.stores[0].cli("HGETALL", "hg:{StandaloneCluster}:counters:" + node.unique).split("\n")
        return {k: int(v) for k, v in zip(lines[0::2], lines[1::2]) if k.startswith(("loop_", "ha_", "users"))}

    def exported(self, node):
        """Counters of now: those of two exports from here."""
        key = "hg:{StandaloneCluster}:counters:" + node.unique
        for _ in range(2):
            self.c.stores[0].cli("HDEL", key, "ha_row")
            lab.wait_for(lambda: "ha_row" in self.counters(node), 60, "counters are exported")
        return self.counters(node)

    def in_turns(self, what, since):
        """No turn was long, and no lease was lost that the machine did not lose."""
        for n in self.c.nodes:
            k = self.exported(n)
            print(f"# {what}, {time.monotonic() - since:.0f} s: {n.name} longest turn {k['loop_longest_us']} us, of its own CPU "
                  f"{k['loop_longest_cpu_us']}; late {k['loop_late']}, gaps {k['ha_lease_gaps']}; stall {self.stalls.longest:.0f} ms")
            assert k["loop_longest_cpu_us"] < BOUND_US, (n.name, k)
            assert k["ha_lease_gaps"] == self.gaps[n.name] or self.stalls.longest > STALL_MS, (n.name, k)
            self.gaps[n.name] = k["ha_lease_gaps"]
        self.stalls.longest = 0.0

    def known(self):
        for n in self.c.nodes:
            lab.wait_for(lambda n=n: self.counters(n).get("users") == USERS, 240, f"the cores of {n.name} have every user")


def a_million_is_read(w):
    """Written past everybody, so that the record is read again whole."""
    since = time.monotonic()
    store, homes = w.c.stores[0], [n.unique for n in w.c.nodes]
    pipe = subprocess.Popen(["ip", "netns", "exec", store.ns, "redis-cli", "-h", store.address, "--pipe"],
                            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    for first in range(0, USERS, 1000):
        words = [b"HSET", b"hg:{StandaloneCluster}:users"]
        for i in range(first, min(first + 1000, USERS)):
            words += [b"user%06d@example.com" % i, f"0-0 {homes[i % 2]} {CONTACT}".encode()]
        pipe.stdin.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(x), x) for x in words))
    pipe.stdin.close()
    assert pipe.wait() == 0, "redis-cli --pipe failed"
    read_again(w)
    w.known()
    w.in_turns("read and fed", since)


def some_are_imported(w):
    since = time.monotonic()
    w.c.import_users(USERS // 10, CONTACT, 240)
    w.in_turns("import", since)


def assigned_and_rebalanced(w):
    since = time.monotonic()
    one, two = w.c[1], w.c[2]
    one.hgctl("--timeout", "240", "user", "assign", "--all", "--to", one.unique, "--yes", timeout=250)
    one.hgctl("--timeout", "240", "user", "rebalance", timeout=250)
    homes = lambda n: sorted(x["users"] for x in n.hgctl_json("node", "list")["nodes"])
    lab.wait_for(lambda: homes(one) == homes(two) == [USERS // 2, USERS - USERS // 2], 120, "both nodes know their users")
    w.in_turns("assign and rebalance", since)


def read_again(w):
    loads = lambda: [n.logs(100000).count(" record_loaded: ") for n in w.c.nodes]
    before = loads()
    w.c.stores[0].cli("DEL", "hg:{StandaloneCluster}:log")  # nobody may go on where he was
    w.c.stores[0].cli("CLIENT", "KILL", "TYPE", "normal", check=False)
    lab.wait_for(lambda: all(a > b for a, b in zip(loads(), before)), 240, "the record was read again")


def and_once_more(w):
    """Everybody is known, and nothing is new."""
    since = time.monotonic()
    read_again(w)
    w.in_turns("read again", since)


def fed_to_a_new_dataplane(w):
    since = time.monotonic()
    two = w.c[2]
    w.lab.end(two.dp)
    two.start_dp()
    two.wait_ready(240)
    w.known()
    w.in_turns("feed", since)


def a_node_starts(w):
    since = time.monotonic()
    two = w.c[2]
    two.kill()
    two.start_both()
    two.wait_ready(240)
    w.gaps[two.name] = 0
    w.known()
    w.in_turns("start", since)


TESTS = [a_million_is_read, assigned_and_rebalanced, some_are_imported, and_once_more, fed_to_a_new_dataplane, a_node_starts]

if __name__ == "__main__":
    chosen = [t for t in TESTS if len(sys.argv) < 2 or t.__name__ in sys.argv[1:]]
    sys.exit(lab.run_tests(chosen, (World(),)))
