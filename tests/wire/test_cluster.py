#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A dataplane as a node of a cluster, from outside: delivery to contacts, relay, registrations, service addresses, and
the lease when either process is stopped. The control plane's part is played by feeder, as the test leads it.

    caller .2, phone .40 --- node "a" .1 (index 1) --- node "b" .3 (index 2), a host "c" .4 (index 3)"""
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import config
import lab
import sip

A, B, C, PHONE, CALLER, SERVICE = "10.88.0.1", "10.88.0.3", "10.88.0.4", "10.88.0.40", "10.88.0.2", "10.88.0.100"
CONTACT = f"sip:line1@{PHONE}:5062;ob"
BEAT = 7946


class Feeder:
    """One process; a command each line, answered by a line."""

    def __init__(self, l, node):
        self.process = node.start([os.path.join(lab.BUILD, "tests", "wire", "feeder"), node.config_file],
                                  f"{node.name}-feeder.log", stdin=subprocess.PIPE)
        self.log = os.path.join(l.dir, f"{node.name}-feeder.log")
        self.answers = 0
        lab.wait_for(lambda: "attached" in self.text(), 60, f"feeder of {node.name} attached")

    def text(self):
        with open(self.log) as f:
            return f.read()

    def lines(self, *starts):
        return [line for line in self.text().split("\n") if line.startswith(starts)]

    def post(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        self.answers += 1

    def tell(self, *lines):
        for line in lines:
            self.post(line)
            got = lab.wait_for(lambda: self.lines("ok", "refused", "counter")[self.answers - 1:], 90, line)
            assert got[0] != "refused", line
        return got[0]

    def counter(self, name):
        return int(self.tell(f"counter {name}").split()[2])


class Capture:
    """Every frame that a host's interface sees, with the time."""

    def __init__(self, host):
        self.socket = host.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind(("eth0", 0))
        self.socket.settimeout(0.1)
        self.frames, self.on = [], True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while self.on:
            try:
                self.frames.append((time.monotonic(), self.socket.recv(9000)))
            except (socket.timeout, TimeoutError):
                pass

    def stop(self):
        self.on = False
        self.thread.join()
        self.socket.close()

    def arp(self, op, sender, since=0.0, gratuitous=False):
        return [f for t, f in self.frames if t >= since and f[12:14] == b"\x08\x06" and f[21] == op and
                f[28:32] == socket.inet_aton(sender) and (not gratuitous or f[38:42] == f[28:32])]

    def udp(self, src, since=0.0):
        return [f for t, f in self.frames if t >= since and f[12:14] == b"\x08\x00" and f[23] == 17 and
                f[26:30] == socket.inet_aton(src)]


def arp_question(host, target):
    s = host.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind(("eth0", 0))
    mac = s.getsockname()[4]
    s.send(b"\xff" * 6 + mac + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + mac +
           socket.inet_aton(host.addresses[0]) + bytes(6) + socket.inet_aton(target))
    s.close()


class World:
    def __init__(self):
        l = self.l = lab.Lab()
        self.caller = l.host("caller", f"{CALLER}/24")
        self.phone = l.host("phone", f"{PHONE}/24")
        self.c = l.host("c", f"{C}/24")
        self.route = l.host("route", "10.88.0.11/24")
        self.route.start([sys.executable, os.path.join(lab.TOP, "tests", "lab", "uas.py"), "10.88.0.11", "5060"], "uas.log")
        self.node, self.feeder = {}, {}
        for name, address in (("a", A), ("b", B)):
            node = l.node(name, config.text(address=f"{address}/24", access=["10.88.0.0/24"],
                                            routes=[dict(name="four", pattern="4*", next_hop="10.88.0.11")]), redis=False)
            node.start_dp()
            self.node[name], self.feeder[name] = node, Feeder(l, node)
        self.a, self.b = self.feeder["a"], self.feeder["b"]
        users = ("user ours@example.com 1", "user theirs@example.com 2", "user far@example.com 3",
                 *(f"contacts {u}@example.com {PHONE}:5062 1000 {CONTACT}" for u in ("ours", "theirs")))
        self.a.tell(f"node 1 {A}:5060 self", f"node 2 {B}:5060 pair", f"node 3 {C}:5060", *users, "lease -1", "sync")
        self.b.tell(f"node 1 {A}:5060 pair", f"node 2 {B}:5060 self", f"node 3 {C}:5060", *users, "lease -1", "sync")
        self.line = self.phone.udp(5062)
        threading.Thread(target=self.pick_up, daemon=True).start()
        self.rings = []

    def pick_up(self):
        """The phone answers every request and notes it."""
        while True:
            try:
                raw, src = self.line.recvfrom(70000)
            except (socket.timeout, TimeoutError):
                continue
            m = sip.Message(raw)
            if m.method:
                self.rings.append((time.monotonic(), m, src[0]))
                self.line.sendto(sip.answer(m, 200, "OK"), src)

    def ask(self, user, method="MESSAGE", target=A, seconds=5.0, uri=None, headers=()):
        s = self.caller.udp(5070)
        try:
            raw = sip.request(method, uri or f"sip:{user}@example.com", CALLER, 5070, to=f"sip:{user}@example.com",
                              headers=headers)
            call = sip.Message(raw).get("call-id")
            end = time.monotonic() + seconds
            while time.monotonic() < end:  # as a client over UDP does
                s.sendto(raw, (target, 5060))
                m = sip.final(s, call, 0.5)
                if m:
                    return m
            return None
        finally:
            s.close()

    def status(self, *args, **kw):
        m = self.ask(*args, **kw)
        return m and m.status

    def until(self, status, *args, **kw):
        """Asks again and again until that is the answer."""
        return lab.wait_for(lambda: self.status(*args, seconds=1.0, **kw) == status, 30, f"{status} for {args}")


def delivered_to_the_contact(w):
    assert w.status("ours") == 200
    at, m, src = w.rings[-1]
    assert m.uri == CONTACT and src == A, (m.start, src)
    assert m.get("to").startswith("<sip:ours@example.com>")
    w.a.tell("contacts ours@example.com", "sync")
    assert w.status("ours") == 480
    w.a.tell(f"contacts ours@example.com {PHONE}:5062 1000 {CONTACT}", "sync")
    assert w.status("ours") == 200


def relayed_by_another_node(w):
    assert w.status("theirs") == 200
    at, m, src = w.rings[-1]
    assert src == B and m.uri == CONTACT, (src, m.start)
    vias = m.vias()
    assert len(vias) == 3 and "hg-hop=1" in vias[1] and "hg-hop" not in vias[0], vias
    w.a.tell("serving 2 1", "sync")  # the whole home fails over
    assert w.status("theirs") == 200 and w.rings[-1][2] == A
    w.a.tell("serving 2 0", "sync")
    m = w.ask("theirs")
    assert m.status == 503 and m.get("retry-after"), m.start
    w.a.tell("serving 2 2", "sync")


def at_most_two_hops(w):
    """The nodes point at each other: two hops, then 503; nothing goes round."""
    before = {n: f.counter("sip_relayed") for n, f in w.feeder.items()}
    w.a.tell("serving 1 2", "sync")
    w.b.tell("serving 1 1", "sync")
    s = w.caller.udp(5070)
    raw = sip.request("MESSAGE", "sip:ours@example.com", CALLER, 5070)
    s.sendto(raw, (A, 5060))
    m = sip.final(s, sip.Message(raw).get("call-id"), 10)
    s.close()
    assert m and m.status == 503, m and m.start
    relayed = {n: f.counter("sip_relayed") - before[n] for n, f in w.feeder.items()}
    assert relayed == {"a": 1, "b": 1}, relayed
    assert w.a.counter("sip_relay_loops") == 1 and w.a.counter("sip_loops") == 0
    w.a.tell("serving 1 1", "sync")
    assert w.status("ours", target=B) == 200 and w.rings[-1][2] == A


def registrations(w):
    """H01 to H03, and no registrar yet."""
    assert w.status("ours", "REGISTER", uri="sip:example.com") == 501
    assert w.status("theirs", "REGISTER", uri="sip:example.com") == 501  # relayed to the peer, which owns the user
    assert w.b.counter("sip_rx_register") == 1
    m = w.ask("far", "REGISTER", uri="sip:example.com")
    assert m.status == 302 and m.get("contact") == f"<sip:{C}:5060>", (m.start, m.get("contact"))
    w.a.tell(f"node 2 {B}:5060", "sync")
    m = w.ask("theirs", "REGISTER", uri="sip:example.com")
    assert m.status == 302 and m.get("contact") == f"<sip:{B}:5060>", (m.start, m.get("contact"))
    w.a.tell(f"node 2 {B}:5060 pair", "sync")


def arp_answers(w, seconds=3.0):
    """Whether somebody answers for the service address."""
    capture = Capture(w.caller)
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            arp_question(w.caller, SERVICE)
            time.sleep(0.2)
            if capture.arp(2, SERVICE):
                return True
        return False
    finally:
        capture.stop()


def service_address_only_while_held(w):
    assert not arp_answers(w)
    capture = Capture(w.caller)
    for f in (w.a, w.b):
        f.tell(f"service 1 {SERVICE}/24", "sync")
    lab.wait_for(lambda: len(capture.arp(1, SERVICE, gratuitous=True)) >= 3, 20, "announced again and again")
    macs = {f[6:12] for f in capture.arp(1, SERVICE)}
    assert len(macs) == 1, "one node only"
    assert arp_answers(w)
    assert w.status("ours", target=SERVICE) == 200
    assert w.rings[-1][2] == SERVICE, "the contact is asked from the address that its user knows"
    assert w.status("4711", target=SERVICE) == 200
    # B takes the users of A over: A gives the address back first
    w.a.tell("serving 1 2", "sync")
    assert not arp_answers(w)
    since = time.monotonic()
    w.b.tell("serving 1 2", "sync")
    lab.wait_for(lambda: capture.arp(1, SERVICE, since, gratuitous=True), 20, "B announces it")
    assert {f[6:12] for f in capture.arp(1, SERVICE, since)} != macs
    assert w.status("ours", target=SERVICE) == 200
    assert w.status("ours", target=A) == 200 and w.rings[-1][2] == B
    w.b.tell("serving 1 1", "sync")
    w.a.tell("serving 1 1", "sync")
    w.until(200, "ours", target=SERVICE)
    capture.stop()


def hung_control_plane(w):
    """serve_until passes, because nobody writes it any more: users and service addresses are over, the rest goes on."""
    w.a.tell("renew 2000")
    assert w.status("ours") == 200 and arp_answers(w)
    os.kill(w.a.process.pid, signal.SIGSTOP)
    try:
        lab.wait_for(lambda: w.status("ours", seconds=0.5) == 503, 30, "refused once the lease is over")
        rings = len(w.rings)
        capture = Capture(w.caller)
        m = w.ask("ours")
        assert m.status == 503 and m.get("retry-after"), m.start
        assert w.status("4711") == 200, "static routes go on"
        assert w.status("theirs") == 200, "and what is only passed on"
        assert w.rings[-1][2] == B
        assert w.ask("ours", target=SERVICE, seconds=1.5) is None
        assert not arp_answers(w)
        assert len(w.rings) == rings + 1 and not capture.udp(SERVICE) and not capture.arp(1, SERVICE)
    finally:
        os.kill(w.a.process.pid, signal.SIGCONT)
    lab.wait_for(lambda: capture.arp(1, SERVICE, gratuitous=True), 20, "announced, because others may have spoken since")
    capture.stop()
    w.until(200, "ours")
    assert w.status("ours", target=SERVICE) == 200
    w.a.tell("lease -1")


def stopped_dataplane(w):
    """SIGSTOP of the dataplane past its deadline, with requests waiting for it: nothing fenced leaves afterwards."""
    pid = w.node["a"].dp.pid
    assert w.status("ours") == 200 and w.status("ours", target=SERVICE) == 200
    s = w.caller.udp(5075)
    rings, raws = len(w.rings), []
    w.a.tell("lease 1500")
    os.kill(pid, signal.SIGSTOP)
    over = time.monotonic() + 1.6
    capture, at_phone = Capture(w.caller), Capture(w.phone)
    try:
        for i in range(40):
            raw = sip.request("MESSAGE", "sip:ours@example.com", CALLER, 5075)
            raws.append(sip.Message(raw).get("call-id"))
            s.sendto(raw, ((A, SERVICE)[i % 2], 5060))
            arp_question(w.caller, SERVICE)
        lab.wait_for(lambda: time.monotonic() > over, 30, "the lease is over")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert w.status("4711", seconds=20) == 200  # it has gone through what waited
    assert sip.alive(w.caller, A)
    assert len(w.rings) == rings, "a request was delivered after the lease"
    assert not at_phone.udp(A) and not at_phone.udp(SERVICE)
    assert not capture.udp(SERVICE) and not capture.arp(2, SERVICE) and not capture.arp(1, SERVICE)
    answers = set()
    while True:
        m, _ = sip.receive(s, timeout=0.5)
        if not m:
            break
        answers.add(m.status)
    assert answers <= {503}, answers
    w.a.tell("lease -1")
    w.until(200, "ours")
    w.until(200, "ours", target=SERVICE)
    for x in (capture, at_phone):
        x.stop()
    s.close()


def datagrams_of_the_control_planes(w):
    w.a.tell(f"send {B}:{BEAT} hello-b")
    lab.wait_for(lambda: w.b.lines(f"datagram {A}:{BEAT}/udp hello-b"), 20, "heard by the other node")
    w.b.tell("lease 0")  # heartbeats are never fenced
    w.b.tell(f"send {A}:{BEAT} hello-a")
    lab.wait_for(lambda: w.a.lines(f"datagram {B}:{BEAT}/udp hello-a"), 20, "and back")
    w.b.tell("lease -1")
    denied = w.a.counter("drop_control_denied")
    s = w.caller.udp(BEAT)
    s.sendto(b"forged", (A, BEAT))
    lab.wait_for(lambda: w.a.counter("drop_control_denied") == denied + 1, 20, "a stranger is counted")
    s.close()
    s = w.c.udp(BEAT)
    s.sendto(b"x" * 1201, (A, BEAT))
    lab.wait_for(lambda: w.a.counter("drop_control_rate") == 1, 20, "too long")
    for i in range(3000):
        s.sendto(b"flood %d" % i, (A, BEAT))
    lab.wait_for(lambda: w.a.counter("drop_control_rate") > 500, 20, "the flood is cut")
    s.close()
    assert w.status("ours") == 200
    assert not w.a.lines("datagram 10.88.0.2")


TESTS = [delivered_to_the_contact, relayed_by_another_node, at_most_two_hops, registrations, service_address_only_while_held,
         hung_control_plane, stopped_dataplane, datagrams_of_the_control_planes]

if __name__ == "__main__":
    sys.exit(lab.run_tests(TESTS, [World()]))
