#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two real nodes, a pair: what kills, stops and cuts do to them, and every row of the seed's table (F01-F23).

    mgmt  n1 .1, n2 .2, Redis .101          lan  n1 .1, n2 .2, caller .20, the users' device .21

The rows that a pair goes through are read from the stream of events: each of them was written by the node that moved."""
import contextlib
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cluster
import lab
import sip

HA = ("heartbeat_interval = 200; heartbeat_timeout = 1500; init_timeout = 3000; lease = 4000; guard = 200; "
      "service_down_delay = 2500; users_moved_per_iteration = 1; iteration = 600; {more}")
SECRET = 'id = "lab"; secret = "of the laboratory"; ha = {{ {ha} }};'
USERS = 6
ENTRY, EVENTS = "hg:{lab}:ha", "hg:{lab}:events"
REACHED = set()


class Pair:
    def __init__(self, l, more="", **settings):
        self.lab = l
        self.c = cluster.Cluster(l, 2, cluster=SECRET.format(ha=HA.format(more=more)), access=["10.88.0.0/24"],
                                 bad_wires=True, **settings)
        self.caller = l.host("caller", "10.88.0.20/24")
        device = l.host("device", "10.88.0.21/24")
        device.start([sys.executable, os.path.join(lab.TOP, "tests", "lab", "uas.py"), "10.88.0.21", "5080"], "uas.log")
        self.c.start()
        self.n1, self.n2 = self.c[1], self.c[2]
        lab.wait_for(lambda: len(self.n1.hgctl_json("node", "list")["nodes"]) == 2, 60, "both nodes are known")
        self.n1.hgctl("subcluster", "add", "s")
        for n in (self.n1, self.n2):
            self.n1.insist("node", "assign", n.unique, "s", "--yes")
        self.n1.hgctl("ha", "enable", "s", "--yes")
        for i in range(USERS):
            self.n1.hgctl("user", "add", f"u{i}@example.com", "--node", self.n1.unique, "--contact",
                          "sip:u@10.88.0.21:5080")
        self.socket = self.caller.udp(5060)

    def entry(self):
        text = self.c.stores[0].cli("HGET", ENTRY, "s", check=False)
        return dict(re.findall(r"(\w+)=(\S+)", text))

    def row(self):
        return self.entry().get("row", "")[:3]

    def names(self):
        return f"n1={self.n1.unique} n2={self.n2.unique}"

    def rows_seen(self):
        lines = self.c.stores[0].cli("XRANGE", EVENTS, "-", "+").split("\n")
        return [b for a, b in zip(lines, lines[1:]) if a == "what" and re.fullmatch(r"F\d\d", b)]

    def wait(self, row, seconds=60):
        """Until the entry stands in that row."""
        try:
            lab.wait_for(lambda: self.row() == row, seconds, row)
        except AssertionError as e:
            raise AssertionError(f"{e}; {self.entry()}; so far {self.rows_seen()[-8:]}\n"
                                 f"{self.n1.hgctl('ha', 'status', check=False, timeout=20).stdout}"
                                 f"{self.n2.hgctl('ha', 'status', check=False, timeout=20).stdout}{self.n2.logs(12)}")
        REACHED.add(row)

    def passed(self, row, seconds=60):
        """Until the pair was in that row since the last mark, however shortly."""
        try:
            lab.wait_for(lambda: row in self.rows_seen()[self.mark:], seconds, f"{row} was passed")
        except AssertionError as e:
            raise AssertionError(f"{e}; {self.rows_seen()[self.mark:]}\n{self.n1.logs(20)}{self.n2.logs(20)}")
        REACHED.add(row)

    def begin(self):
        self.mark = len(self.rows_seen())

    def answered(self, node, user="u0"):
        """The status of a request for the user that enters at this node; None: no answer."""
        raw = sip.request("MESSAGE", f"sip:{user}@example.com", "10.88.0.20")
        self.socket.sendto(raw, (node.address, 5060))
        m = sip.final(self.socket, sip.Message(raw).get("call-id"), 1.0)
        return m.status if m else None

    def served(self, node, seconds=60):
        lab.wait_for(lambda: self.answered(node) == 200, seconds, f"u0 is served by way of {node.name}")

    def both(self, *args, check=True):
        return self.n1.hgctl(*args, check=check, timeout=90)

    @contextlib.contextmanager
    def items(self, **items):
        """Items of cluster.ha of another value for a while, on both nodes."""
        def put(items):
            for name, value in items.items():
                self.n1.hgctl("set", f"cluster.ha.{name}", value)
            for n in (self.n1, self.n2):
                lab.wait_for(lambda n=n: all(self.item(n, name) == value for name, value in items.items()), 60,
                             f"{n.name} has {items}")
        before = {name: self.item(self.n1, name) for name in items}
        put(items)
        try:
            yield
        finally:
            self.whole()
            put(before)

    @staticmethod
    def item(node, name):
        return node.hgctl_json("config", "show", f"cluster.ha.{name}")["items"][0]["value"]

    def whole(self):
        """Nothing is cut, every process runs."""
        for n in (self.n1, self.n2):
            for wire in (n.mgmt, n.service_wire):
                wire.set()
            for p in (n.cp, n.dp):
                if p and p.poll() is None:
                    os.kill(p.pid, signal.SIGCONT)
            if n.cp is None or n.cp.poll() is not None:
                n.start_cp()
            if n.dp is None or n.dp.poll() is not None:
                n.start_dp()
        for n in (self.n1, self.n2):
            n.wait_ready(60)

    def normal(self):
        """Whatever a test left: both nodes run, nothing is cut, each serves its own."""
        self.whole()
        end = time.monotonic() + 150
        while self.row() != "F01":
            assert time.monotonic() < end, f"it does not heal: {self.entry()}\n{self.n1.hgctl('ha', 'status', check=False).stdout}"
            for n in (self.n1, self.n2):
                for action in ("fallback", "recover"):
                    self.n2.hgctl("ha", action, n.unique, "--yes", check=False, timeout=90)
            time.sleep(0.3)
        for n in (self.n1, self.n2):
            n.wait_ready(60)
            self.served(n)
        self.begin()


def service(node, name):
    """A critical service as that node sees it."""
    return next(s for s in node.hgctl_json("ha", "status")["services"] if s["service"] == name)


def restart_cp(p, node):
    p.lab.end(node.cp, signal.SIGKILL)
    node.start_cp()


# ---- manual ----

def rows_01_to_04_manual(p):
    p.normal()
    p.wait("F01")
    assert "G06" in p.both("ha", "fallback", p.n1.unique, "--yes", check=False).stdout
    p.both("ha", "failover", p.n1.unique, "--yes")
    p.passed("F02")
    p.wait("F03")
    p.served(p.n2)
    p.served(p.n1)  # which passes it on
    refused = p.both("ha", "failover", p.n1.unique, "--yes", check=False)
    assert refused.returncode == 1 and "G01" in refused.stdout, refused.stdout
    p.both("ha", "fallback", p.n1.unique, "--yes")
    p.passed("F04")
    p.wait("F01")
    p.served(p.n1)


def rows_05_to_07_restarts_when_idle(p):
    p.normal()
    p.both("ha", "failover", p.n1.unique, "--yes")
    restart_cp(p, p.n2)
    p.wait("F07")
    p.served(p.n2)
    restart_cp(p, p.n1)
    p.wait("F06")
    p.normal()
    p.both("ha", "failover", p.n1.unique, "--yes")
    restart_cp(p, p.n1)
    p.wait("F05")


def background(p, node, *args):
    return node.start([os.path.join(lab.BUILD, "controlplane", "hgctl"), "--socket", node.socket_path, *args],
                      "hgctl.log", env=node.env)


def row_08_restart_while_taking_over(p):
    p.normal()
    background(p, p.n1, "ha", "failover", p.n1.unique, "--yes")
    p.wait("F02")
    restart_cp(p, p.n2)
    p.passed("F08")
    p.served(p.n1)
    p.served(p.n2)


def row_09_restart_while_taking_back(p):
    p.normal()
    p.both("ha", "failover", p.n1.unique, "--yes")
    background(p, p.n2, "ha", "fallback", p.n1.unique, "--yes")
    p.wait("F04")
    restart_cp(p, p.n1)
    p.passed("F09")
    p.wait("F01")


# ---- services ----

def rows_11_and_12_service_down(p):
    p.normal()
    p.lab.end(p.n1.dp, signal.SIGKILL)
    p.wait("F12")
    p.served(p.n2)
    p.n1.start_dp()
    p.wait("F11")


def row_23_service_dies_on_the_backup(p):
    if p.row() != "F11":
        rows_11_and_12_service_down(p)
    p.begin()
    p.lab.end(p.n2.dp, signal.SIGKILL)
    p.passed("F23")
    p.served(p.n1)


def row_13_record_lost_by_one(p):
    """The management network of n1 is cut: no record, but heartbeats by the service network."""
    p.normal()
    p.n1.mgmt.set(ab="cut", ba="cut")
    p.wait("F13")
    p.served(p.n2)
    p.n1.mgmt.set()
    p.served(p.n1)
    p.served(p.n2)


def row_22_record_lost_by_the_backup(p):
    p.normal()
    p.lab.end(p.n1.dp, signal.SIGKILL)
    p.wait("F12")
    p.n1.start_dp()
    p.wait("F11")
    p.begin()
    p.n2.mgmt.set(ab="cut", ba="cut")
    p.passed("F22")
    p.served(p.n1)


def row_14_services_do_not_start(p):
    p.normal()
    p.both("ha", "failover", p.n1.unique, "--yes")
    p.lab.end(p.n1.dp, signal.SIGKILL)
    lab.wait_for(lambda: not service(p.n2, "cores")["peer_has"], 60, "n2 knows that the cores of n1 do not run")
    refused = p.n2.hgctl("ha", "fallback", p.n1.unique, "--yes", check=False).stdout
    assert "G07" in refused, refused
    p.n1.start_dp()
    p.n1.wait_ready()
    background(p, p.n2, "ha", "fallback", p.n1.unique, "--yes")
    p.wait("F04")
    p.lab.end(p.n1.dp, signal.SIGKILL)
    p.passed("F14")


def rows_15_and_21_both_lack_services(p):
    p.normal()
    p.lab.end(p.n1.dp, signal.SIGKILL)
    p.wait("F12")
    p.lab.end(p.n2.dp, signal.SIGKILL)
    p.wait("F15")
    restart_cp(p, p.n1)
    p.wait("F21")


# ---- moves that do not end, because no core says that it has what it was told ----

# Hung cores shall not be a service first that is down, or does not start.
PATIENT = dict(service_down_delay="600000", init_timeout="60000")


def row_19_taking_over_fails(p):
    p.normal()
    with p.items(**PATIENT):
        p.c.pause(p.n2.dp)
        background(p, p.n1, "ha", "failover", p.n1.unique, "--yes")
        p.wait("F19", 60)
        p.c.resume(p.n2.dp)
        p.n1.insist("ha", "recover", p.n1.unique, "--yes")
        p.served(p.n1)


def row_20_taking_back_fails(p):
    p.normal()
    p.both("ha", "failover", p.n1.unique, "--yes")
    with p.items(**PATIENT):
        p.c.pause(p.n1.dp)
        background(p, p.n2, "ha", "fallback", p.n1.unique, "--yes")
        p.wait("F20", 60)
        p.c.resume(p.n1.dp)
        p.n1.insist("ha", "recover", p.n1.unique, "--yes")
        p.served(p.n1)


# ---- automatic fallback (D43-D45) ----

QUIET = dict(automatic_fallback="true", fallback_quiet="4000")


def row_10_back_after_a_quiet_period(p):
    p.normal()
    with p.items(**QUIET):
        p.lab.end(p.n1.dp, signal.SIGKILL)
        p.wait("F12")
        p.n1.start_dp()
        p.passed("F10", 60)
        p.wait("F01")
        p.served(p.n1)


def back_after_a_reboot(p):
    """D44"""
    p.normal()
    with p.items(**QUIET):
        p.n1.kill()
        p.wait("F16")
        p.served(p.n2)
        p.begin()
        p.n1.start_cp()
        p.n1.start_dp()
        p.passed("F10", 60)
        p.wait("F01")
        p.served(p.n1)


# ---- nodes that die, hang, and are cut off ----

def row_16_both_processes_killed(p):
    p.normal()
    p.n1.kill()
    died = time.monotonic()
    p.served(p.n2)
    print(f"# served by the peer {time.monotonic() - died:.1f} s after the kill", flush=True)
    p.wait("F16")


def row_17_shut_down(p):
    p.normal()
    for process in (p.n1.dp, p.n1.cp):
        p.lab.end(process, signal.SIGTERM)
    p.wait("F17")
    p.served(p.n2)


def row_18_peer_not_seen_at_the_start(p):
    p.normal()
    for n in (p.n1, p.n2):
        n.kill()
    p.n2.start_cp()
    p.n2.start_dp()
    p.served(p.n2, 60)
    p.n1.start_cp()
    p.wait("F18")


def control_plane_killed_nobody_notices(p):
    p.normal()
    before = p.entry()["epoch"]
    for _ in range(3):
        restart_cp(p, p.n1)
        end = time.monotonic() + 2
        while time.monotonic() < end:
            status = p.answered(p.n1)
            assert status == 200, f"{status} {p.entry()}"
            time.sleep(0.05)
    assert p.entry()["epoch"] == before and p.row() == "F01", p.entry()


def control_plane_starts_without_redis(p):
    """It knows its peer from the copy in its file, and the peer extends its lease of four seconds."""
    p.normal()
    redis = p.c.stores[0].redis
    p.c.pause(redis)
    try:
        restart_cp(p, p.n1)
        end = time.monotonic() + 15
        while time.monotonic() < end:
            status = p.answered(p.n1)
            assert status == 200, f"{status} {15 - (end - time.monotonic()):.1f} s after the start {p.n1.logs(20)}"
            time.sleep(0.05)
    finally:
        p.c.resume(redis)
    lab.wait_for(lambda: all(n.hgctl_json("ha", "status")["manager"]["record"] for n in (p.n1, p.n2)), 40, "it is read")
    lab.wait_for(lambda: p.row() == "F01", 40, "the pair is as it was")
    p.served(p.n1)


def control_plane_stopped(p):
    """Its lease runs out before the peer serves; when it goes on it does not serve again by itself."""
    p.normal()
    p.c.pause(p.n1.cp)
    p.wait("F16")
    p.served(p.n2)
    assert p.answered(p.n1, "u1") != 200, "the dataplane of a node without a lease served its user"
    p.c.resume(p.n1.cp)
    lab.wait_for(lambda: p.row() in ("F34", "F32", "F11"), 60, "it is back")
    p.served(p.n1)  # passed on to n2
    assert p.entry()["serves"] in ("1,1", "0,0")


def dataplane_stopped(p):
    p.normal()
    p.c.pause(p.n1.dp)
    p.wait("F12")
    p.served(p.n2)
    p.c.resume(p.n1.dp)
    p.wait("F11")


def management_network_cut_between_the_nodes(p):
    """Of one node alone it costs the record (F13); here the service network carries heartbeats and nobody moves before
    the delay of a critical service."""
    p.normal()
    epoch = p.entry()["epoch"]
    p.n1.mgmt.set(ab="cut", ba="cut")
    time.sleep(1.5)
    assert p.entry()["epoch"] == epoch
    p.n1.mgmt.set()
    lab.wait_for(lambda: p.answered(p.n1) == 200, 60, "nothing happened")
    assert p.row() == "F01"


def service_network_cut_of_one(p):
    """Both see the other by the management network only: neither has what the other lacks, nobody moves; the cable's
    link would say more."""
    p.normal()
    epoch = p.entry()["epoch"]
    p.n1.service_wire.set(ab="cut", ba="cut")
    lab.wait_for(lambda: not service(p.n2, "peer")["runs"], 60, "the probe over the service network fails")
    assert p.entry()["epoch"] == epoch
    p.n1.service_wire.set()


def both_networks_cut_and_healed(p):
    """D42: nobody but the node that serves answers, and it heals without an administrator."""
    p.normal()
    p.n1.mgmt.set(ab="cut", ba="cut")
    p.n1.service_wire.set(ab="cut", ba="cut")
    p.wait("F16")
    p.served(p.n2)
    p.n1.mgmt.set()
    p.n1.service_wire.set()
    p.served(p.n1)
    p.served(p.n2)
    assert p.entry()["serves"] == "1,1" or p.row() == "F01", p.entry()


# ---- operators ----

def two_ways_of_seeing_it(p):
    p.normal()
    p.n1.hgctl("node", "ping", p.n2.unique)
    alarms = p.n1.hgctl_json("alarm", "list")["alarms"]
    assert not [a for a in alarms if a["alarm"].startswith("ha_")], alarms
    healthy = p.n1.hgctl("troubleshoot", check=False)
    assert healthy.returncode == 0 and "BAD" not in healthy.stdout and "OK     high availability" in healthy.stdout, healthy.stdout
    follow = background(p, p.n1, "--json", "event", "--follow")
    p.n2.hgctl("ha", "failover", p.n2.unique, "--yes")
    log = os.path.join(p.lab.dir, "hgctl.log")
    lab.wait_for(lambda: '"F03"' in open(log).read(), 60, "the event is followed")
    p.lab.end(follow)
    assert "F03" in p.n1.hgctl("event", "--count", "30").stdout
    garbage = p.n1.hgctl("event", "--after", "garbage", check=False)
    assert garbage.returncode and "not the id of an event" in garbage.stdout, garbage.stdout
    status = p.n1.hgctl("ha", "status").stdout
    assert "Running in Backup Mode" in status and "fallback" in status, status
    trouble = p.n1.hgctl("troubleshoot", check=False)
    assert trouble.returncode == 4 and "F03" in trouble.stdout, trouble.stdout
    key = "hg:{lab}:counters:" + p.n1.unique
    lab.wait_for(lambda: int(p.c.stores[0].cli("HGET", key, "ha_transitions") or 0) > 0, 60, "transitions are exported")
    p.n2.hgctl("ha", "fallback", p.n2.unique, "--yes")


def peer_cannot_be_read_at_the_start(p):
    """The peer serves the users of a node that starts and finds garbage where the peer should stand: it is not alone."""
    p.normal()
    p.both("ha", "failover", p.n1.unique, "--yes")
    p.wait("F03")
    store, nodes = p.c.stores[0], "hg:{lab}:nodes"
    good = store.cli("HGET", nodes, p.n2.unique).strip()
    for process in (p.n1.cp, p.n1.dp):
        p.lab.end(process, signal.SIGKILL)
    try:
        store.cli("HSET", nodes, p.n2.unique, "9-9 what?")
        p.n1.start_dp()
        p.n1.start_cp()
        lab.wait_for(lambda: "it serves no longer" in p.n1.logs(200), 40, "it says what it does")
        end = time.monotonic() + 8  # the lease and what the clocks may differ by are 4.2 s
        while time.monotonic() < end:
            assert p.answered(p.n1) != 200, f"two nodes serve u0 {p.n1.logs(20)}"
        p.served(p.n2)
    finally:
        store.cli("HSET", nodes, p.n2.unique, good)
    restart_cp(p, p.n1)
    p.normal()


def off_makes_them_homed(p):
    """D09: users that the backup serves stay with it."""
    p.normal()
    p.both("ha", "failover", p.n1.unique, "--yes")
    p.n2.hgctl("ha", "disable", "s", "--yes")
    lab.wait_for(lambda: p.n2.hgctl_json("user", "find", "u0@example.com")["node"] == p.n2.unique, 60, "u0 is homed at n2")
    p.served(p.n2)
    p.served(p.n1)
    for i in range(USERS):
        p.n1.hgctl("user", "set", f"u{i}@example.com", p.n1.unique)
    p.n1.hgctl("ha", "enable", "s", "--yes")
    p.wait("F01")


def every_row_was_reached(p):
    REACHED.update(p.rows_seen())
    missing = [f"F{i:02}" for i in range(1, 24) if f"F{i:02}" not in REACHED]
    assert not missing, missing


TESTS = [rows_01_to_04_manual, rows_05_to_07_restarts_when_idle, row_08_restart_while_taking_over,
         row_09_restart_while_taking_back, rows_11_and_12_service_down, row_23_service_dies_on_the_backup,
         row_13_record_lost_by_one, row_22_record_lost_by_the_backup, row_14_services_do_not_start,
         rows_15_and_21_both_lack_services, row_19_taking_over_fails, row_20_taking_back_fails,
         row_10_back_after_a_quiet_period, back_after_a_reboot, row_16_both_processes_killed, row_17_shut_down,
         row_18_peer_not_seen_at_the_start, control_plane_killed_nobody_notices, control_plane_starts_without_redis,
         control_plane_stopped,
         dataplane_stopped, management_network_cut_between_the_nodes, service_network_cut_of_one,
         both_networks_cut_and_healed, two_ways_of_seeing_it, peer_cannot_be_read_at_the_start,
         off_makes_them_homed, every_row_was_reached]

if __name__ == "__main__":
    chosen = [t for t in TESTS if len(sys.argv) < 2 or t.__name__ in sys.argv[1:]]
    sys.exit(lab.run_tests(chosen, (Pair(lab.Lab()),)))
