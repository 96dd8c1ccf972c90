#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `hgctl whatif` says beforehand, and what then happens (C15, C16, C20, D09, D50, A23).

    mgmt  n1 .1, n2 .2 (a pair), n3 .3 (alone), Redis .101          lan  the same, caller .20, the users' device .21"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cluster
import lab
import sip

HA = "heartbeat_interval = 200; heartbeat_timeout = 1500; init_timeout = 3000; lease = 3000; guard = 200; users_moved_per_iteration = 0;"
USERS = 30


class World:
    def __init__(self):
        self.lab = lab.Lab()
        self.c = cluster.Cluster(self.lab, 3, cluster=f'id = "lab"; secret = "of the laboratory"; ha = {{ {HA} }};',
                                 access=["10.88.0.0/24"])
        self.caller = self.lab.host("caller", "10.88.0.20/24")
        self.lab.host("device", "10.88.0.21/24").uas(port=5080)
        self.c.start()
        self.socket = self.caller.udp(5060)
        n1, n2, n3 = self.n = self.c.nodes
        lab.wait_for(lambda: len(n1.hgctl_json("node", "list")["nodes"]) == 3, 60, "all nodes are known")
        for name, nodes in (("pair", (n1, n2)), ("single", (n3,))):
            n1.hgctl("subcluster", "add", name)
            for n in nodes:
                n1.insist("node", "assign", n.unique, name, "--yes")
        n1.insist("ha", "enable", "pair", "--yes")
        for i in range(USERS):
            n1.hgctl("user", "add", f"u{i}@example.com", "--node", n1.unique, "--contact", "sip:u@10.88.0.21:5080")

    def forecast(self, *words):
        answer = self.n[1].hgctl_json("whatif", *words)
        return answer, {n["node"]: n["after"] for n in answer["nodes"]}

    def users(self, at):
        return at.hgctl_json("user", "list", "--all")["users"]

    def served(self, at):
        """By the node that serves them, as one node sees it."""
        count = {n.unique: 0 for n in self.n}
        for u in self.users(at):
            count[u.get("served_by", u["node"])] += 1
        return count

    def status(self, node, user):
        raw = sip.request("MESSAGE", f"sip:{user}", "10.88.0.20")
        self.socket.sendto(raw, (node.address, 5060))
        m = sip.final(self.socket, sip.Message(raw).get("call-id"), 1.0)
        return m.status if m else None

    def reached(self, node, user, seconds=30):
        lab.wait_for(lambda: self.status(node, user) == 200, seconds, f"{user} is reached by way of {node.name}")


def rebalance(w):
    """C15: by the mode of the cluster, over all three."""
    ahead, after = w.forecast("rebalance")
    assert ahead["dry_run"] and w.served(w.n[0])[w.n[0].unique] == USERS
    done = w.n[1].hgctl_json("user", "rebalance")
    assert {n["node"]: n["after"] for n in done["nodes"]} == after and done["moved"] == ahead["moved"] == done["written"]
    lab.wait_for(lambda: all(w.served(n) == after for n in w.n), 30, f"every node sees {after}")
    assert set(after.values()) == {USERS // 3}
    again, _ = w.forecast("rebalance")
    assert again["moved"] == 0, again


def a_node_alone_fails(w):
    """C20: nobody protects it."""
    n1, n2, n3 = w.n
    mine = [u["user"] for u in w.users(n1) if u["node"] == n3.unique]
    ahead, after = w.forecast("fail", n3.unique)
    assert ahead["without_service"] == len(mine) and ahead["moved"] == 0 and "no_protection" in [x["rule"] for x in ahead["warnings"]]
    for user in mine[:3]:
        w.reached(n1, user)
    n3.kill()
    end = time.monotonic() + 4  # longer than lease and guard: nobody takes them over
    while time.monotonic() < end:
        for user in mine[:3]:
            assert w.status(n1, user) != 200, f"{user} is served"
    assert after[n1.unique] == w.served(n1)[n1.unique] and after[n2.unique] == w.served(n1)[n2.unique]
    n3.start_both()
    for user in mine[:3]:
        w.reached(n1, user)


def a_node_of_a_pair_fails(w):
    """D50: its users bear a mark until they are back."""
    n1, n2, n3 = w.n
    mine = [u["user"] for u in w.users(n2) if u["node"] == n1.unique]
    lab.wait_for(lambda: w.forecast("fail", n1.unique)[0]["without_service"] == 0, 30, "the pair is whole")
    ahead, after = w.forecast("fail", n1.unique)
    assert ahead["backup"] == n2.unique and ahead["moved"] == len(mine) and ahead["silent_users_s"] == 0, ahead
    n1.hgctl("set", "cluster.ha.users_moved_per_iteration", "4")  # Y10: the silent ones at that pace, a second each
    paced = lambda: n2.hgctl_json("whatif", "fail", n1.unique)["silent_users_s"]
    lab.wait_for(lambda: paced() == (len(mine) + 3) // 4, 10, "the pace is counted")
    n1.hgctl("set", "cluster.ha.users_moved_per_iteration", "0")
    lab.wait_for(lambda: paced() == 0, 10, "no pace")
    assert not [u for u in w.users(n2) if u.get("failed_over")]
    n1.kill()
    for n in (n2, n3):
        lab.wait_for(lambda: w.served(n) == after, 60, f"{n.name} sees {after}")
    for user in mine[:3]:
        w.reached(n2, user)
        w.reached(n3, user)
    assert sorted(u["user"] for u in w.users(n3) if u.get("failed_over")) == sorted(mine)
    detail = n3.hgctl_json("node", "show", n1.unique)["node"]
    assert detail["failed_over"] == len(mine) and detail["served_by"] == n2.unique and detail["state"] != "Normal", detail
    nobody, _ = w.forecast("fail", n2.unique)  # both nodes' users depend on it now
    assert nobody["without_service"] == 2 * len(mine), nobody


def and_comes_back(w):
    n1, n2, n3 = w.n
    n1.start_both()
    lab.wait_for(lambda: n2.hgctl("ha", "fallback", n1.unique, "--yes", check=False, timeout=90).returncode == 0, 90, "fallback")
    lab.wait_for(lambda: not [u for u in w.users(n3) if u.get("failed_over")], 30, "no mark is left")
    detail = lambda: n3.hgctl_json("node", "show", n1.unique)["node"]
    assert detail()["failed_over"] == 0 and (detail()["state"], detail()["reason"]) == ("Normal", "Normal"), detail()
    lab.wait_for(lambda: {"service": "cores", "monitored": True, "runs": True} in detail()["services"], 30, "n1 tells n3 again")


def a_removed_node_notices(w):
    """Nobody hears it any more, and its own administrator is told."""
    n1, n2, n3 = w.n
    n1.hgctl("user", "assign", "--from", n3.unique, "--to", "pair", "--yes")
    n1.insist("node", "unassign", n3.unique, "--yes")
    n1.insist("node", "remove", n3.unique, "--yes")
    lab.wait_for(lambda: any(a["alarm"] == "node_not_joined" for a in n3.hgctl_json("alarm", "list")["alarms"]), 30, "the alarm")
    for n in (n1, n2):
        lab.wait_for(lambda: len(n.hgctl_json("node", "list")["nodes"]) == 2, 30, "it is in no list")
        assert n3.unique not in [x["node"] for x in n.hgctl_json("ha", "status")["ways"]]
    assert n3.hgctl("user", "assign", "--all", "--to", n3.unique, "--yes", check=False).returncode == 1
    assert n3.hgctl("status", check=False).returncode == 4
    w.reached(n1, "u0@example.com")


TESTS = [rebalance, a_node_alone_fails, a_node_of_a_pair_fails, and_comes_back, a_removed_node_notices]

if __name__ == "__main__":
    chosen = [t for t in TESTS if len(sys.argv) < 2 or t.__name__ in sys.argv[1:]]
    sys.exit(lab.run_tests(chosen, (World(),)))
