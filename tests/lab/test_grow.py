#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/operations.md, 8 and 10, to the letter and under load: one node becomes a pair and then two, a node of the pair is
upgraded, a node goes away again. Phones that are asked for all the time say who was served and who was not."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cluster
import lab

USERS, RATE = 60, 200
PROFILE = ("ha = { heartbeat_interval = 200; heartbeat_timeout = 2000; init_timeout = 4000; lease = 4000; guard = 500; "
           "service_down_delay = 3000; users_moved_per_iteration = 0; };")


def setup():
    l = lab.Lab()
    phones = l.host("phones", "10.88.0.50/24")
    c = cluster.Cluster(l, 4, cluster=cluster.SECRET + PROFILE, access=["10.88.0.0/24"])
    c.start([1])
    probe = cluster.Probe(phones, USERS, 1)
    return c, probe


def begin(c, probe, *numbers):
    """Requests enter by these nodes from now on, and every user is served."""
    probe.begin([c[i].address for i in numbers], RATE)
    probe.reset()
    served(probe)
    probe.reset()


def served(probe):
    before = probe.report()[0]["ok"]
    lab.wait_for(lambda: probe.report()[0]["ok"] > before + 2 * RATE, 60, "every user is served")


def nothing_lost(probe, what):
    served(probe)
    k = probe.rest()[0]
    assert k["ok"] == k["sent"], f"{what}: {k['ok']} of {k['sent']}: {k}"


def few_lost(probe, what):
    """Users moved: for a moment a request meets a node that does not serve its user any more, or not yet. It is some
    milliseconds; a machine that stalls meanwhile has a second."""
    served(probe)
    k = probe.rest()[0]
    print(f"# {what}: {k['ok']} of {k['sent']} requests answered", flush=True)
    assert k["sent"] - k["ok"] < RATE, f"{what}: {k['ok']} of {k['sent']}: {k}"


def homes(c):
    count = {}
    for u in c[1].hgctl_json("user", "list", "--all")["users"]:
        count[u["node"]] = count.get(u["node"], 0) + 1
    return count


def join(c, *numbers):
    for i in numbers:
        c[i].start_cp()
        c[i].start_dp()
    for i in numbers:
        c[i].wait_ready()
        c[1].insist("node", "show", c[i].unique)


def a_node_alone_becomes_a_pair(c, probe):
    for i in range(USERS):
        c[1].hgctl("user", "add", f"user{i:06d}@example.com", "--contact", probe.contact)
    begin(c, probe, 1)
    c[1].hgctl("subcluster", "add", "s1")
    c[1].hgctl("node", "assign", c[1].unique, "s1", "--yes")
    served(probe)
    join(c, 2)
    c[1].insist("node", "assign", c[2].unique, "s1", "--yes")
    c[1].insist("ha", "enable", "s1", "--yes")
    assert c.rows() == {"s1": "F01"}, "ha enable returns when it runs"
    nothing_lost(probe, "a peer came")
    assert homes(c) == {c[1].unique: USERS}
    begin(c, probe, 1, 2)
    c[1].hgctl("user", "rebalance", "--yes")
    assert homes(c) == {c[1].unique: USERS // 2, c[2].unique: USERS // 2}
    few_lost(probe, "half of the users moved")


def a_second_pair_comes(c, probe):
    begin(c, probe, 1, 2)
    c[1].hgctl("subcluster", "add", "s2")
    c[1].hgctl("node", "add", c[3].unique)
    join(c, 3, 4)
    for i in (3, 4):
        c[1].insist("node", "assign", c[i].unique, "s2", "--yes")
    c[1].insist("ha", "enable", "s2", "--yes")
    assert c.rows() == {"s1": "F01", "s2": "F01"}, c.rows()
    nothing_lost(probe, "a second pair came")
    begin(c, probe, 1, 2, 3, 4)
    c[1].hgctl("user", "rebalance", "--yes")
    assert set(homes(c).values()) == {USERS // 4} and len(homes(c)) == 4, homes(c)
    few_lost(probe, "half of the users moved to the second pair")


def a_node_of_a_pair_is_upgraded(c, probe):
    """Chapter 8: the peer serves its users meanwhile; who sends does not use the node that is down."""
    begin(c, probe, 1, 3, 4)
    c[1].hgctl("ha", "failover", c[2].unique, "--yes")
    assert c.rows()["s1"] == "F03"
    few_lost(probe, "failover by hand")
    begin(c, probe, 1, 3, 4)
    c.lab.end(c[2].dp, signal.SIGTERM)
    c.lab.end(c[2].cp, signal.SIGTERM)
    served(probe)
    join(c, 2)
    nothing_lost(probe, "stop, upgrade and start")
    begin(c, probe, 1, 3, 4)
    c[1].insist("ha", "fallback", c[2].unique, "--yes")
    assert c.rows()["s1"] == "F01"
    few_lost(probe, "fallback by hand")


def a_node_goes_away(c, probe):
    begin(c, probe, 1, 2, 3)
    c[1].hgctl("user", "assign", "--from", c[4].unique, "--to", c[3].unique, "--yes")
    few_lost(probe, "its users went to the peer")
    begin(c, probe, 1, 2, 3)
    c[1].hgctl("ha", "disable", "s2", "--yes")
    c[1].hgctl("node", "unassign", c[4].unique, "--yes")
    c.lab.end(c[4].dp, signal.SIGTERM)
    c.lab.end(c[4].cp, signal.SIGTERM)
    c[1].hgctl("node", "remove", c[4].unique, "--yes")
    nothing_lost(probe, "it went away")
    assert homes(c) == {c[1].unique: 15, c[2].unique: 15, c[3].unique: 30}, homes(c)
    assert c[4].unique not in c[1].hgctl("node", "list").stdout


if __name__ == "__main__":
    sys.exit(lab.run_tests([a_node_alone_becomes_a_pair, a_second_pair_comes, a_node_of_a_pair_is_upgraded, a_node_goes_away],
                           setup()))
