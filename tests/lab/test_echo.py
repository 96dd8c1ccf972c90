#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The echo service of a running node against the kernel's TCP, over veth and over TAP: bytes both ways, half-close, resets,
HTTP, thousands of connections, both families, two cores."""
import errno
import os
import resource
import selectors
import socket
import struct
import sys
import time

import config
import lab

PORT = 7007
MANY = 10000


class Place:
    """A node and where its clients stand: a host on the LAN, or the node's own namespace behind a TAP."""

    def __init__(self, node, client, v4, v6):
        self.node, self.client, self.v4, self.v6 = node, client, v4, v6

    def connect(self, address, timeout=30):
        s = self.client.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        s.settimeout(timeout)
        s.connect((address, PORT))
        return s

    def both(self):
        return (self.v4, self.v6)

    def connections(self):
        return self.node.counters().get("tcp_connections", 0)


def listeners(*addresses):
    tcp = [dict(address=a, port=PORT, protocol="tcp", service="echo") for a in addresses]
    return [dict(address=a) for a in addresses[:1]] + tcp


def all_cores():
    return ",".join(str(c) for c in sorted(os.sched_getaffinity(0))[:2])


def over_veth(l):
    client = l.host("client", "10.88.0.2/24", "fd88::2/64")
    node = l.node("gw", config.text(address6="fd88::1/64", access=["10.88.0.0/24"], cores=all_cores(), device="net_af_packet0,iface=hg0",
                                    listeners=listeners("10.88.0.1", "fd88::1")))
    node.start_both()
    return Place(node, client, "10.88.0.1", "fd88::1")


def over_tap(l):
    node = l.node("tap", config.text(address="10.89.0.1/24", address6="fd89::1/64", device="net_tap0,iface=hgtap",
                                     listeners=listeners("10.89.0.1", "fd89::1")))
    node.start_cp()
    node.start_dp()
    def there():
        """The driver makes it in the namespace and then sets it up: what it is given before is lost."""
        return "state UP" in node.ip("link show hgtap", check=False) or "UNKNOWN" in node.ip("link show hgtap", check=False)
    lab.wait_for(there, 60, "the TAP is there")
    lab.sh(f"ip netns exec {node.ns} sysctl -qw net.ipv6.conf.hgtap.disable_ipv6=0")
    node.ip("addr add 10.89.0.2/24 dev hgtap")
    node.ip("addr add fd89::2/64 dev hgtap nodad")
    node.ip("link set hgtap up")
    node.wait_ready()
    return Place(node, node, "10.89.0.1", "fd89::1")


def receive(s, n):
    got = bytearray()
    while len(got) < n:
        part = s.recv(min(1 << 18, n - len(got)))
        assert part, f"closed after {len(got)} of {n} bytes"
        got += part
    return bytes(got)


def what_is_sent_comes_back(place):
    for address in place.both():
        with place.connect(address) as s:
            for text in (b"hello", b"x", b"GET", bytes(range(256)) * 20):
                s.sendall(text)
                assert receive(s, len(text)) == text
        with place.connect(address) as s:  # it might have become a request
            for text in (b"G", b"E", b"RMANY"):
                s.sendall(text)
            assert receive(s, 7) == b"GERMANY"


def bulk_both_ways(place, size=8 << 20):
    data = bytes((i * 7 + (i >> 8) * 13) & 255 for i in range(1 << 16))
    for address in place.both():
        with place.connect(address) as s:
            s.setblocking(False)
            sent = got = 0
            end = time.monotonic() + 120
            with selectors.DefaultSelector() as sel:
                sel.register(s, selectors.EVENT_READ | selectors.EVENT_WRITE)
                while got < size:
                    assert time.monotonic() < end, (sent, got)
                    sel.modify(s, selectors.EVENT_READ | (selectors.EVENT_WRITE if sent < size else 0))
                    for _, mask in sel.select(1):
                        if mask & selectors.EVENT_WRITE:
                            at = sent % len(data)
                            sent += s.send(data[at:at + min(len(data) - at, size - sent)])
                        if mask & selectors.EVENT_READ:
                            part = s.recv(1 << 18)
                            assert part
                            at = got % len(data)
                            assert (data * 6)[at:at + len(part)] == part, got
                            got += len(part)


def a_reader_that_is_late_holds_the_sender(place):
    """What nobody reads closes the windows, here and there, and goes on when it is read."""
    with place.connect(place.v4) as s:
        s.setblocking(False)
        sent, end = 0, time.monotonic() + 60
        block = bytes(1 << 16)
        quiet = time.monotonic()
        while time.monotonic() - quiet < 3:
            assert time.monotonic() < end and sent < 1 << 28
            try:
                sent += s.send(block)
                quiet = time.monotonic()
            except BlockingIOError:
                time.sleep(0.05)
        s.settimeout(60)
        assert receive(s, sent) == bytes(sent)
        s.sendall(b"still")
        assert receive(s, 5) == b"still"


def half_close(place):
    for address in place.both():
        with place.connect(address) as s:
            s.sendall(b"a" * 100000)
            s.shutdown(socket.SHUT_WR)
            assert receive(s, 100000) == b"a" * 100000
            assert s.recv(1) == b""


def resets_end_connections(place):
    lab.wait_for(lambda: place.connections() == 0, 60, "no connection is open")
    many = [place.connect(place.v4) for _ in range(50)]
    for s in many:
        s.sendall(b"x")
        receive(s, 1)
    lab.wait_for(lambda: place.connections() == 50, 60, "50 connections are counted")
    for s in many:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    lab.wait_for(lambda: place.connections() == 0, 60, "resets have ended them")


def nobody_listens_there(place):
    s = place.client.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.settimeout(30)
    with s:
        assert s.connect_ex((place.v4, PORT + 1)) == errno.ECONNREFUSED


def http(place):
    for host in (place.v4, f"[{place.v6}]"):
        url = f"http://{host}:{PORT}/"
        assert place.client.run(["curl", "-gsS", "-m", "30", url, url]).stdout == "heliograph\nheliograph\n"
        head = place.client.run(["curl", "-gsS", "-m", "30", "-I", "-0", url]).stdout
        assert head.startswith("HTTP/1.1 200"), head
    with place.connect(place.v4) as s:  # a byte at a time, and a second request behind the first
        for b in b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":
            s.sendall(bytes([b]))
            time.sleep(0.001)
        text = b""
        while part := s.recv(4096):
            text += part
        assert text.count(b"200 OK") == 2 and text.endswith(b"heliograph\n"), text
    with place.connect(place.v4) as s:
        s.sendall(b"GET / HTTP/1.1\r\nX: " + b"y" * 9000)
        assert b" 400 " in s.recv(4096)


def ten_thousand_at_a_time(place, n=MANY):
    """All are open together, each is heard, all go."""
    open_ones = []
    try:
        for i in range(n):
            open_ones.append(place.connect(place.both()[i & 1]))
        lab.wait_for(lambda: place.connections() == n, 120, f"{n} connections are counted")
        for i, s in enumerate(open_ones):
            s.sendall(b"%08d" % i)
        for i, s in enumerate(open_ones):
            assert receive(s, 8) == b"%08d" % i
    finally:
        for s in open_ones:
            s.close()
    lab.wait_for(lambda: place.connections() == 0, 120, "all are gone")


def hgctl_shows_and_ends_them(place):
    lab.wait_for(lambda: place.connections() == 0, 60, "no connection is open")
    many = [place.connect(place.both()[i % 3 == 0]) for i in range(30)]
    try:
        lab.wait_for(lambda: place.connections() == 30, 60, "30 connections are counted")
        node = place.node
        rows = node.hgctl_json("connections")["connections"]
        assert len(rows) == 30 and {r["state"] for r in rows} == {"established"}, rows
        mine = {"%s:%d" % s.getsockname()[:2] for s in many if s.family == socket.AF_INET}
        assert mine == {r["remote"].split("/")[0] for r in rows if "[" not in r["remote"]}
        four = many[1].getsockname()[0]
        assert len(node.hgctl_json("connections", "--address", four)["connections"]) == 20
        assert len(node.hgctl_json("connections", "--listener", f"[{place.v6}]:{PORT}")["connections"]) == 10
        assert not node.hgctl_json("connections", "--state", "close_wait")["connections"]
        few = node.hgctl_json("connections", "--limit", "7")
        assert len(few["connections"]) == 7 and few["more"]
        assert node.hgctl("connections", "close", check=False).returncode == 1
        assert "established" in node.hgctl("connections").stdout
        one = many[1].getsockname()[1]
        which = next(r["id"] for r in rows if r["remote"].split("/")[0] == f"{four}:{one}")
        assert len(node.hgctl_json("connections", "close", "--id", which)["closed"]) == 1
        assert ended(many[1]) and not ended(many[2])
        assert len(node.hgctl_json("connections", "close", "--address", four)["closed"]) == 19
        for i, s in enumerate(many):
            assert i == 1 or ended(s) == (i % 3 != 0), i  # the first was told already
    finally:
        for s in many:
            s.close()


def ended(s):
    s.settimeout(0.2)
    try:
        s.recv(1)
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    raise AssertionError("it was closed, and not reset")


def short_ones(place, n=5000):
    for i in range(n):
        with place.connect(place.v4) as s:
            s.sendall(b"ping")
            assert receive(s, 4) == b"ping"


def every_segment_has_one_disposition(place):
    c = place.node.settled_counters()
    drops = sum(v for k, v in c.items() if k in TCP_DROPS)
    ends = ("tcp_taken", "tcp_opening", "tcp_refused")
    assert c["net_up_segments"] == sum(c[e] for e in ends) + drops, {e: c[e] for e in ends} | {
        "up": c["net_up_segments"], "drops": {k: v for k, v in c.items() if k in TCP_DROPS and v}}


def read_drops(layer):
    with open(os.path.join(lab.TOP, "include", "hg", "drops.def")) as f:
        return {line.split("(")[1].split(",")[0] for line in f if line.startswith("HG_DROP(") and f", {layer}," in line}


TCP_DROPS = {"drop_" + name for name in read_drops("tcp")}
CASES = [what_is_sent_comes_back, bulk_both_ways, a_reader_that_is_late_holds_the_sender, half_close, resets_end_connections,
         nobody_listens_there, http, hgctl_shows_and_ends_them, ten_thousand_at_a_time, short_ones, every_segment_has_one_disposition]


def run(where):
    l = lab.Lab()
    try:
        return lab.run_tests(CASES, (where(l),))
    finally:
        l.close()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (MANY + 1000, MANY + 1000))
    wanted = sys.argv[1:] or ["veth", "tap"]
    sys.exit(max(run({"veth": over_veth, "tap": over_tap}[w]) for w in wanted))
