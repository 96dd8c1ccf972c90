#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bad input from outside: strangers, floods, random and mutated datagrams, oversized headers. Good traffic goes on."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import config
import lab
import load
import sip

GW = "10.88.0.1"
SEED = int(os.environ.get("HG_SEED", "20261"))


def setup():
    l = lab.Lab()
    caller = l.host("caller", "10.88.0.2/24")
    callee = l.host("callee", "10.88.0.11/24")
    stranger = l.host("stranger", "10.88.0.66/24")
    callee.uas()
    # .2 is a neighbour (exempt from the bucket), .64/28 is an allowed network with a small bucket, nobody else is known.
    node = l.node("gw", config.text(access=["10.88.0.64/28"], neighbours=[dict(host="10.88.0.2")],
                                    sip="source_rate = 50; source_burst = 100;",
                                    routes=[dict(name="four", pattern="4*", next_hop="10.88.0.11")]))
    node.start_both()
    return l, caller, stranger, node


def good_traffic(caller):
    return load.Load(caller, GW, lambda n: f"sip:4{n}@example.com", rate=200)


def all_answered(flow):
    lab.wait_for(lambda: len(flow.sent) > 100, 60, "enough good requests to show anything")
    missing = flow.stop()
    assert not missing, f"{len(missing)} of {len(flow.sent)} good requests lost"
    assert set(flow.statuses()) == {200}, flow.statuses()


def strangers_get_nothing(l, caller, stranger, node):
    """K11: closed by default, one counter, no answer that a spoofed source could be hit with."""
    unknown = l.host("unknown", "10.88.0.200/24")
    s = unknown.udp(5060)
    before = node.settled_counters().get("drop_acl_denied", 0)
    for uri in ("sip:4711@example.com", "sip:x@10.88.0.11", f"sip:{GW}"):
        for method in ("OPTIONS", "INVITE", "REGISTER", "MESSAGE"):
            s.sendto(sip.request(method, uri, "10.88.0.200"), (GW, 5060))
    m, _ = sip.receive(s, timeout=1.0)
    assert m is None, f"a stranger was answered: {m.start}"
    s.close()
    assert node.settled_counters()["drop_acl_denied"] == before + 12


def no_open_relay(l, caller, stranger, node):
    """A known source cannot use us to reach an address that is in no list."""
    s = caller.udp(5072)
    for headers, uri in (([], "sip:x@192.0.2.77"), (["Route: <sip:192.0.2.77;lr>"], "sip:4711@example.com")):
        raw = sip.request("MESSAGE", uri, "10.88.0.2", 5072, headers=headers)
        s.sendto(raw, (GW, 5060))
        m = sip.final(s, sip.Message(raw).get("call-id"))
        assert m and m.status in (403, 404, 480), m and m.start
    s.close()


def caught_up(caller):
    """Nothing is lost because the port's ring is full: the gateway has come to what was sent last."""
    assert sip.alive(caller, GW, 5062), "the gateway no longer answers"


def flood_from_one_source_is_shed(l, caller, stranger, node):
    flow = good_traffic(caller)
    before = node.counters().get("drop_source_rate", 0)
    s = stranger.udp(5060)
    raw = sip.request("MESSAGE", "sip:4711@example.com", "10.88.0.66")
    begin, sent = time.monotonic(), 5000
    for i in range(sent):
        s.sendto(raw, (GW, 5060))
        if i % 500 == 499:
            caught_up(caller)
    allowed = 100 + 50 * (time.monotonic() - begin + 1)
    s.close()
    all_answered(flow)
    dropped = node.settled_counters()["drop_source_rate"] - before
    assert sent - allowed <= dropped < sent, f"{dropped} of {sent} were shed, {allowed:.0f} had tokens"


def mutate(rng, raw):
    raw = bytearray(raw)
    for _ in range(rng.randint(1, 12)):
        kind = rng.randrange(6)
        at = rng.randrange(len(raw)) if raw else 0
        if kind == 0 and raw:
            raw[at] = rng.randrange(256)
        elif kind == 1:
            del raw[at:at + rng.randint(1, 40)]
        elif kind == 2:
            raw[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 20)))
        elif kind == 3:
            raw[at:at] = rng.choice([b"\r\n", b"\r\n ", b"\0", b";", b",", b"\"", b"<", b"%00", b"[::", b"999999999999"])
        elif kind == 4:
            piece = bytes(raw[at:at + rng.randint(1, 200)])
            raw[at:at] = piece * rng.randint(1, 5)
        else:
            del raw[at:]
        if len(raw) > 60000:
            del raw[60000:]
    return bytes(raw)


def random_and_mutated_datagrams(l, caller, stranger, node):
    rng = random.Random(SEED)
    flow = good_traffic(caller)
    s = caller.udp(5073)
    seeds = [sip.request(m, u, "10.88.0.2", 5073, headers=h, body=b"v=0\r\n") for m in ("INVITE", "MESSAGE", "CANCEL", "ACK", "BYE")
             for u in ("sip:4711@example.com", "sips:4@[fd00::1]:5061;transport=udp?a=b", "tel:+4711;phone-context=x")
             for h in ([], ["Route: <sip:10.88.0.1;lr>, <sip:a@10.88.0.11;lr>"], ["Require: x", "Proxy-Require: y"])]
    seeds.append(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.88.0.1;branch=z9hG4bKx\r\nVia: SIP/2.0/UDP 10.88.0.2:5073\r\n"
                 b"From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n")
    for i in range(4000):
        raw = mutate(rng, rng.choice(seeds)) if i % 4 else bytes(rng.randrange(256) for _ in range(rng.randrange(1, 600)))
        try:
            s.sendto(raw, (GW, 5060))
        except OSError:
            pass
        if i % 300 == 299:
            caught_up(caller)
    s.close()
    all_answered(flow)
    assert node.dp.poll() is None, f"the dataplane ended, seed {SEED}\n{node.logs()}"


def oversized_headers(l, caller, stranger, node):
    flow = good_traffic(caller)
    s = caller.udp(5074)
    big = ["X-Big: " + "a" * 50000]
    many = [f"X-{i}: b" for i in range(3000)]
    vias = ["Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx" for _ in range(1000)]
    routes = ["Route: " + ",".join("<sip:10.88.0.1;lr>" for _ in range(2000))]  # 38 kB
    long_user = "sip:4" + "7" * 20000 + "@example.com"
    for headers, uri in ((big, "sip:4711@example.com"), (many, "sip:4711@example.com"), (vias, "sip:4711@example.com"),
                         (routes, "sip:4711@example.com"), ([], long_user)):
        raw = sip.request("MESSAGE", uri, "10.88.0.2", 5074, headers=headers)
        s.sendto(raw, (GW, 5060))
        m = sip.final(s, sip.Message(raw).get("call-id"))
        assert m is not None, f"no answer to {uri[:30]} with {len(headers)} headers"
    s.close()
    all_answered(flow)


def every_datagram_ended_once(l, caller, stranger, node):
    """DESIGN 4, after all of the above."""
    c = node.settled_counters()
    from test_net import SIP_DROPS
    drops = sum(v for k, v in c.items() if k in SIP_DROPS)
    ends = {e: c[e] for e in ("sip_forwarded", "sip_answered", "sip_absorbed", "sip_handed_over")}
    assert c["net_up_datagrams"] == sum(ends.values()) + drops, (c["net_up_datagrams"], ends, drops)


def logs_were_not_flooded(l, caller, stranger, node):
    text = ""
    for what in ("cp", "dp"):
        with open(os.path.join(l.dir, f"gw-{what}.log"), errors="replace") as f:
            text += f.read()
    assert text.count("\n") < 500, f"{text.count(chr(10))} log lines"


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    sys.exit(lab.run_tests([strangers_get_nothing, no_open_relay, flood_from_one_source_is_shed, random_and_mutated_datagrams,
                            oversized_headers, every_datagram_ended_once, logs_were_not_flooded], setup()))
