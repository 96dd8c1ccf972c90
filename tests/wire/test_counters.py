#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Z09, AE01: the counters against a capture of the cable, the sums of the dispositions, and every way to read them."""
import json
import os
import re
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import config
import lab
import load
import sip
from test_net import NET_DROPS, SIP_DROPS

GW = "10.88.0.1"


class World:
    def __init__(self):
        self.l = lab.Lab()
        self.caller = self.l.host("caller", "10.88.0.2/24", "fd88::2/64")
        self.callee = self.l.host("callee", "10.88.0.11/24")
        self.callee.uas()
        self.node = self.l.node("gw", config.text(
            address6="fd88::1/64", access=["10.88.0.0/24"], probe="enabled = false;",
            routes=[dict(name="stateful", pattern="4*", next_hop="10.88.0.11"),
                    dict(name="stateless", pattern="5*", next_hop="10.88.0.11", stateful=False),
                    dict(name="nobody", pattern="6*", next_hop="10.88.0.99")]))
        self.cable = f"p{self.l.lan.ports}"  # the bridge's end of the node's cable
        self.node.start_both()

    def capture(self, direction):
        """tcpdump on the bridge's end; 'out' is what the node receives. Returns a function that stops it and gives the
        times of all frames, in ms as Redis has them."""
        path = os.path.join(self.l.dir, f"{direction}.pcap")
        p = self.l.lan.start_capture(f"cap-{direction}.log", "-i", self.cable, "-Q", direction, "-U", "-B", "8192", "-w", path)

        def stop():
            self.l.end(p)
            out = subprocess.run(["tcpdump", "-ttnr", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
            return [float(line.split()[0]) * 1000 for line in out.splitlines()]
        return stop


def capture_agrees(w):
    """Every frame on the cable is a frame in the counters, both ways, and ends once. Only frames between the two exports
    that show a node at rest (neighbour discovery never sleeps) may be on either side."""
    stops = [w.capture("out"), w.capture("in")]
    before = w.node.settled_counters()
    flow = load.Load(w.caller, GW, lambda n: f"sip:{4 + n % 2}{n}@example.com", rate=200)
    w.caller.run(["ping", "-c", "5", "-i", "0.2", "-W", "20", GW])
    w.caller.run(["ping", "-c", "5", "-i", "0.2", "-W", "20", "-s", "3000", "fd88::1"])
    lab.wait_for(lambda: len(flow.sent) > 600, 60, "enough requests")
    missing = flow.stop()
    assert not missing, f"{len(missing)} lost"
    after = w.node.settled_counters()
    for stop, name in zip(stops, ("rx_frames", "tx_frames")):
        times, counted = stop(), after[name] - before[name]
        least = sum(before["exported_ms"] < t < after["exported_before"] for t in times)
        most = sum(before["exported_before"] <= t <= after["exported_ms"] for t in times)
        assert counted > 1000 and least <= counted <= most, f"capture {least} to {most}, {name} {counted}"


def agree(ask, node, seconds=60):
    """ask(counters at rest) gives pairs that are equal once nothing moved between the two readings."""
    pairs = []

    def equal():
        pairs[:] = ask(node.settled_counters())
        return all(a == b for a, b in pairs)
    try:
        lab.wait_for(equal, seconds, "two ways to read them agree")
    except AssertionError as e:
        raise AssertionError(f"{e}: {pairs}")


def dispositions_add_up(w):
    c = w.node.settled_counters()
    net = {k: c[k] for k in ("net_up_datagrams", "net_control", "net_answered", "net_absorbed", "net_handed_over", "net_parked_fragments")}
    drops = {k: v for k, v in c.items() if k in NET_DROPS and k != "drop_frag_timeout" and v}
    assert c["rx_frames"] == sum(net.values()) + sum(drops.values()), (c["rx_frames"], net, drops)
    s = {k: c[k] for k in ("sip_forwarded", "sip_answered", "sip_absorbed", "sip_handed_over")}
    drops = {k: v for k, v in c.items() if k in SIP_DROPS and v}
    assert c["net_up_datagrams"] == sum(s.values()) + sum(drops.values()), (c["net_up_datagrams"], s, drops)


def per_core_fields_sum(w):
    c = w.node.settled_counters()
    assert c["rx_frames"] == sum(v for k, v in c.items() if re.fullmatch(r"core\d+\.rx_frames", k)), c


def per_route_and_hop(w):
    rows = {r["name"]: r for r in w.node.hgctl_json("route", "list")["routes"]}
    assert rows["stateful"]["requests"] > 100 and rows["stateless"]["requests"] > 100, rows
    assert rows["stateful"]["answered"] == rows["stateful"]["requests"], rows["stateful"]
    hops = {h["endpoint"]: h for h in w.node.hgctl_json("hop", "list")["hops"]}
    assert hops["10.88.0.11:5060/udp"]["requests"] > 200, hops
    keys = w.node.redis_cli("KEYS", "hg:*counters*")
    assert ":routes" in keys and ":hops" in keys, keys


def hgctl_counters_match_redis(w):
    def ask(c):
        rows = {r["name"]: r["value"] for r in w.node.hgctl_json("counters")["counters"]}
        return [(rows[name], c[name]) for name in ("rx_frames", "sip_requests", "sip_forwarded", "net_up_datagrams")]
    agree(ask, w.node)


def prometheus(w):
    """AE01: text format, HELP and TYPE, counters, gauges, histograms."""
    text = w.node.run(["python3", "-c", "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9464/metrics').read().decode())"]).stdout
    assert re.search(r"^# TYPE \S*rx_frames\S* counter$", text, re.M), text[:2000]
    assert re.search(r"^# TYPE \S+ gauge$", text, re.M) and re.search(r"^# TYPE \S+ histogram$", text, re.M)
    assert re.search(r'^\S*rx_frames\S*\{[^}]*core="0"[^}]*\} \d+', text, re.M)
    for line in text.splitlines():
        assert not line or line.startswith("#") or re.fullmatch(r"[a-zA-Z_:][\w:]*(\{[^}]*\})? \S+", line), line


def dpdk_telemetry(w):
    """The same counters by DPDK's own socket, all and per core; a core that is none is no number."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(30)
        s.connect(f"/var/run/dpdk/hg-{w.node.unique}/dpdk_telemetry.v2")
        s.recv(65536)

        def ask(command):
            s.send(command.encode())
            return json.loads(s.recv(65536))[command.split(",")[0]]

        def both(c):
            total, first = ask("/heliograph/counters"), ask("/heliograph/counters,0")
            names = ("sip_requests", "sip_forwarded", "net_up_datagrams")
            return [(total[n], c[n]) for n in names] + [(first[n], c["core0." + n]) for n in names]
        agree(both, w.node)
        assert ask("/heliograph/cores")["core0"]["heartbeat"] > 0
        assert not ask("/heliograph/counters,77") and not ask("/heliograph/counters,x")


def every_counter_is_documented(w):
    with open(os.path.join(lab.TOP, "docs", "counters.md")) as f:
        doc = f.read()
    rows = [r["name"] for r in w.node.hgctl_json("counters", "--zero")["counters"]]
    assert len(rows) > 60, rows
    missing = [n for n in rows if n not in doc]
    assert not missing, missing


def trace_shows_messages(w):
    path = os.path.join(w.l.dir, "trace.pcap")
    p = subprocess.Popen(["ip", "netns", "exec", w.node.ns, os.path.join(lab.BUILD, "controlplane", "hgctl"), "--socket",
                          w.node.socket_path, "trace", "--count", "4", "--seconds", "60", "--pcap", path],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    flow = load.Load(w.caller, GW, "sip:4711@example.com", rate=20)
    out = p.communicate(timeout=90)[0]
    flow.stop()
    assert p.returncode == 0, out
    shown = subprocess.run(["tcpdump", "-nr", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    assert len(shown.splitlines()) == 4 and "SIP" in shown, shown


def drain_refuses_new_and_ends(w):
    done = w.node.hgctl("drain")
    s = w.caller.udp(5077)
    raw = sip.request("MESSAGE", "sip:4711@example.com", "10.88.0.2", 5077)
    s.sendto(raw, (GW, 5060))
    m = sip.final(s, sip.Message(raw).get("call-id"))
    assert m and m.status == 503 and m.get("retry-after"), (done.stdout, m and m.raw)
    assert w.node.hgctl("status", check=False).returncode == 4
    w.node.hgctl("undrain")
    raw = sip.request("MESSAGE", "sip:4711@example.com", "10.88.0.2", 5077)
    s.sendto(raw, (GW, 5060))
    m = sip.final(s, sip.Message(raw).get("call-id"))
    s.close()
    assert m and m.status == 200, m and m.start


if __name__ == "__main__":
    sys.exit(lab.run_tests([capture_agrees, dispositions_add_up, per_core_fields_sum, per_route_and_hop,
                            hgctl_counters_match_redis, prometheus, dpdk_telemetry, every_counter_is_documented, trace_shows_messages,
                            drain_refuses_new_and_ends], (World(),)))
