#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Ports that send and receive nothing. A deaf node soon looks from outside as if it were its peer that does not hear it,
for nobody answers its ARP: two pairs, each of whose nodes hears three others by the management network.

    mgmt  n1 .1 ... n4 .4, Redis .101          lan  n1 .1 ... n4 .4, caller .20, the users' device .21

And a node that stands alone, whose gateway (.254 of another LAN) falls silent."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cluster
import config
import lab
import sip

HA = ("ha = { heartbeat_interval = 200; heartbeat_timeout = 1500; init_timeout = 3000; lease = 4000; guard = 200; "
      "service_down_delay = 2500; users_moved_per_iteration = 0; };")


class Pairs:
    def __init__(self, l):
        self.lab = l
        self.c = cluster.Cluster(l, 4, cluster=cluster.SECRET + HA, access=["10.88.0.0/24"], bad_wires=True)
        self.caller = l.host("caller", "10.88.0.20/24")
        l.host("device", "10.88.0.21/24").uas("10.88.0.21", 5080)
        self.c.start(seconds=180)
        self.c.form()
        for n in self.c.nodes:
            self.c[1].hgctl("user", "add", f"u{n.number}@example.com", "--node", n.unique, "--contact", "sip:u@10.88.0.21:5080")
        self.socket = self.caller.udp(5060)

    def answered(self, node, user):
        raw = sip.request("MESSAGE", f"sip:u{user}@example.com", "10.88.0.20")
        self.socket.sendto(raw, (node.address, 5060))
        m = sip.final(self.socket, sip.Message(raw).get("call-id"), 1.0)
        return m.status if m else None

    def served(self, node, user):
        lab.wait_for(lambda: self.answered(node, user) == 200, 60, f"u{user} is served by way of {node.name}")

    def row(self, subcluster="S1"):
        return self.c.rows()[subcluster]

    def entry(self):
        """Epoch and row of S1."""
        return [w for w in self.c.record("ha")["S1"].split() if w.startswith(("epoch=", "row="))]

    def wait(self, row, seconds=60):
        lab.wait_for(lambda: self.row() == row, seconds, f"S1 is in {row}, not in {self.row()}\n{self.c[2].logs(15)}")

    def alarm(self, node, name="service_network"):
        return next((a["text"] for a in node.hgctl_json("alarm", "list")["alarms"] if a["alarm"] == name), None)


def service(node, name):
    return next(s for s in node.hgctl_json("ha", "status")["services"] if s["service"] == name)


def hears_all(node):
    return all(way["service"].get("heard_ms", 9999) < 3000 for way in node.hgctl_json("ha", "status")["ways"])


def action(node, of):
    """What is offered for that node."""
    pairs = node.hgctl_json("ha", "status")["pairs"]
    return next(n["action"] for p in pairs for n in p["nodes"] if n["name"] == of.unique)


def a_deaf_node_is_not_given_its_users_back(p):
    n1, n2 = p.c[1], p.c[2]
    n1.service_wire.set(ba="cut")
    p.wait("F12")
    p.served(n2, 1)
    # From now on n2 does not hear n1 either, because n1 does not get to know where n2 is.
    lab.wait_for(lambda: not service(n2, "peer")["runs"], 90, "n1 has gone dumb")
    assert service(n2, "network")["runs"] and not service(n1, "network")["runs"]
    end = time.monotonic() + 8
    while time.monotonic() < end:
        assert p.row() == "F12" and action(n2, n1) is None, (p.row(), action(n2, n1))
        time.sleep(0.5)
    for node in (n2, p.c[3]):  # of the pair, and of another one
        refused = node.hgctl("ha", "fallback", n1.unique, "--yes", check=False)
        assert refused.returncode == 1 and "G06" in refused.stdout, refused.stdout
        assert f"{n1.unique} lacks network" in refused.stdout and "hgctl ha status" in refused.stdout, refused.stdout
    assert "critical services of this node are down: network" in p.alarm(n1, "ha_service"), p.alarm(n1, "ha_service")
    lab.wait_for(lambda: p.alarm(n1), 60, "n1 says that it hears nothing")
    assert "ALARM" in n1.hgctl("status", check=False).stdout and p.alarm(n2) is None
    assert p.row("S2") == "F01"
    p.served(n2, 1)
    n1.service_wire.set()
    p.wait("F11")
    n2.insist("ha", "fallback", n1.unique, "--yes")
    p.wait("F01")
    p.served(n1, 1)
    lab.wait_for(lambda: not p.alarm(n1), 60, "the alarm is over")


def a_node_that_starts_deaf_is_not_given_its_users_back(p):
    """A restart is what an operator tries first. It does not heal the cable."""
    n1, n2 = p.c[1], p.c[2]
    n1.service_wire.set(ba="cut")
    p.wait("F12")
    n1.kill()
    n1.start_cp()
    n1.start_dp()
    n1.wait_ready()
    end = time.monotonic() + 10
    while time.monotonic() < end:
        refused = n2.hgctl("ha", "fallback", n1.unique, "--yes", check=False)
        assert refused.returncode == 1 and p.row() != "F01", refused.stdout
    assert f"{n1.unique} lacks network" in refused.stdout, refused.stdout
    n1.service_wire.set()
    n2.insist("ha", "fallback", n1.unique, "--yes")
    p.wait("F01")
    p.served(n1, 1)


def two_deaf_nodes_stay_where_they_are(p):
    """Down only if the peer still has it: nobody could do better. Both say that they hear nothing."""
    n1, n2 = p.c[1], p.c[2]
    before = p.entry()
    for n in (n1, n2):
        lab.wait_for(lambda n=n: hears_all(n), 60, f"{n.name} hears everybody")
    for n in (n1, n2):
        n.service_wire.set(ba="cut")
    for n in (n1, n2):
        lab.wait_for(lambda n=n: not service(n, "network")["runs"], 60, f"{n.name} hears nothing")
        lab.wait_for(lambda n=n: p.alarm(n), 60, f"{n.name} says so")  # long after the delay
    assert p.entry() == before, f"{before} {p.entry()}\n{n1.logs(30)}{n2.logs(30)}"
    for n in (n1, n2):
        n.service_wire.set()
    for n in (n1, n2):
        p.served(n, n.number)
    assert p.entry() == before, f"{before} {p.entry()}\n{n1.logs(30)}{n2.logs(30)}"


def a_node_that_stands_alone_says_so(p):
    gateway = p.lab.host("router", "10.88.9.254/24")
    text = config.text(address="10.88.9.1/24", gateway="10.88.9.254", access=["10.88.9.0/24"])
    node = p.lab.node("alone", text, bad_wire=True)
    node.start_both()
    assert not p.alarm(node)
    node.service_wire.set(ba="cut")
    text = lab.wait_for(lambda: p.alarm(node), 90, "the gateway does not answer")
    assert "the ports receive nothing" in text and "gateway" in text, text
    status = node.hgctl("status", check=False).stdout
    assert "the ports receive nothing" in status, status
    node.service_wire.set()
    lab.wait_for(lambda: not p.alarm(node), 60, "it is over")
    assert sip.alive(gateway, "10.88.9.1")


TESTS = [a_deaf_node_is_not_given_its_users_back, a_node_that_starts_deaf_is_not_given_its_users_back,
         two_deaf_nodes_stay_where_they_are, a_node_that_stands_alone_says_so]

if __name__ == "__main__":
    chosen = [t for t in TESTS if len(sys.argv) < 2 or t.__name__ in sys.argv[1:]]
    sys.exit(lab.run_tests(chosen, (Pairs(lab.Lab()),)))
