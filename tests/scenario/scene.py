# SPDX-License-Identifier: BSD-2-Clause
"""The stage of the scenarios: one gateway of one core, one of two cores that stays in the path of dialogs, a host with
callers and a host with callees; user agents that are told every step, and calls between them. Timers are those of the RFC
where that can be waited for: a machine that stalls for a second must not look like a peer that is gone.

    callers .2 fd88::2 ---+--- gw .1 fd88::1 (timer C 6 s, two access networks)
    callees .11 to .16 ---+--- mc .3 fd88::3 (two cores, Record-Route)
"""
import os
import re
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import config
import lab
import sip

GW, GW6, MC, MC6 = "10.88.0.1", "fd88::1", "10.88.0.3", "fd88::3"
T1, T2, TIMER_C, FAILOVER = 0.5, 2.0, 6.0, 2.0
LIMIT = 60.0  # of a wait for something that must come
TIMERS = "t1 = 500; t2 = 2000; t4 = 2000; timer_c = 6000; failover = 2000; "
SO_TIMESTAMPNS = 35
ACCESS = ["10.88.0.0/24", "fd88::/64"]
NODES = 'nodes = ( { name = "far"; sip = "10.88.0.11:5060"; } );'


def route(name, pattern, last, **fields):
    hop = last if isinstance(last, str) else f"10.88.0.{last}"
    return dict(dict(name=name, pattern=pattern, next_hop=hop), **fields)


ROUTES = [route("stateless", "10*", 11, stateful=False),
          route("stateful", "20*", 11),
          route("strict", "strict.example.net", 11, type="domain"),
          route("s1", "30*", 11), route("s2", "30*", 12, priority=2), route("s3", "30*", 13, priority=3),
          route("p1", "40*", 11, parallel=True), route("p2", "40*", 12, parallel=True),
          route("p3", "40*", 13, parallel=True),
          route("q1", "41*", 11, parallel=True), route("q2", "41*", 12, parallel=True),
          route("q3", "41*", 13, priority=2),
          route("self", "63*", 1), route("self-stateless", "64*", 1, stateful=False),
          route("dead", "60*", 16), route("blocked", "61*", 16, block=True),
          route("six", "70*", "fd88::11"), route("six-stateless", "71*", "fd88::11", stateful=False),
          # for SIPp, which needs ports of its own
          route("sipp", "21*", 14, port=5080), route("sipp-stateless", "11*", 14, port=5080, stateful=False),
          route("sipp-tcp", "22*", 14, port=5080, protocol="TCP"),
          route("sipp-tcp-stateless", "12*", 14, port=5080, protocol="TCP", stateful=False),
          route("sipp-tcp-f1", "32*", 14, port=5080, protocol="TCP"), route("sipp-tcp-f2", "32*", 15, port=5080, priority=2),
          route("sipp-six", "72*", "fd88::14", port=5080),
          route("sipp-f1", "31*", 14, port=5080), route("sipp-f2", "31*", 15, port=5080, priority=2),
          route("sipp-p1", "42*", 14, port=5080, parallel=True), route("sipp-p2", "42*", 15, port=5080, parallel=True)]


def routes_with(peer):
    """50* and 51* go to the other gateway, which sends them back."""
    return ROUTES + [route("peer", "50*", peer), route("peer-stateless", "51*", peer, stateful=False)]


def listeners(*addresses):
    return [dict(address=a, protocol=p) for a in addresses for p in ("udp", "tcp")]


def gw_config(sip_items="", probe=config.NO_PROBES, **more):
    return config.text(address=GW + "/24", address6=GW6 + "/64", access=ACCESS, routes=routes_with(MC), probe=probe,
                       listeners=listeners(GW, GW6),
                       sip=TIMERS + 'user_mode = "stateful"; ' + sip_items, cluster=NODES, **more)


def mc_config(transactions=4096, sip_items="record_route = true; overload_offer = true;"):
    return config.text(address=MC + "/24", address6=MC6 + "/64", access=ACCESS, routes=routes_with(GW), probe=config.NO_PROBES,
                       listeners=listeners(MC, MC6),
                       sip=TIMERS + sip_items, cluster=NODES, cores="0,1", dataplane=f"transactions_max = {transactions};")


class World:
    def __init__(self):
        self.l = lab.Lab()
        self.callers = self.l.host("callers", "10.88.0.2/24", "10.88.0.4/24", "fd88::2/64")
        self.callees = self.l.host("callees", *[f"10.88.0.{n}/24" for n in range(11, 17)], "fd88::11/64", "fd88::14/64")
        self.gw = self.l.node("gw", gw_config())
        self.mc = self.l.node("mc", mc_config())
        for node in (self.gw, self.mc):
            node.start_cp()
            node.start_dp()
        for node in (self.gw, self.mc):
            node.wait_ready()
        self.gw.hgctl("user", "set", "faruser@example.com", "far")
        self.a = Ua(self.callers, "10.88.0.2")
        self.other = Ua(self.callers, "10.88.0.4")
        self.a6 = Ua(self.callers, "fd88::2")
        self.b, self.c, self.d = (Ua(self.callees, f"10.88.0.{n}") for n in (11, 12, 13))
        self.b6 = Ua(self.callees, "fd88::11")
        self.silent = Ua(self.callees, "10.88.0.16")

    def call(self, uri, method="INVITE", ua=None, target=GW, **fields):
        call = Call(ua or self.a, uri, method, target, **fields)
        call.send(call.raw)
        return call

    def caught_up(self, ua, target=GW):
        """The gateway (of one core) has worked off all that ua had sent. Returns the time."""
        call = self.call(f"sip:{sip.host_form(target)}", "OPTIONS", ua=ua, target=target)
        return call.get(200).at


def describe(m):
    return m.start if m else "nothing"


class Ua:
    """A user agent that does only what it is told. A thread reads; messages wait for whoever asks for them by call, with
    the time at which the kernel got them (`at`), so that nobody measures how late a test looks."""

    def __init__(self, host, address, port=5060):
        self.address, self.port = address, port
        self.sock = host.udp(port, address, timeout=0.3)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.waiting, self.raw, self.closed = [], [], False
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    @property
    def contact(self):
        return f"sip:{sip.host_form(self.address)}:{self.port}"

    def close(self):
        self.closed = True
        self.reader.join()
        self.sock.close()

    def send(self, raw, to):
        self.sock.sendto(raw, to)

    def _read(self):
        while not self.closed:
            try:
                raw, extra, _, source = self.sock.recvmsg(70000, 256)
            except (TimeoutError, socket.timeout, OSError):
                continue
            seconds, ns = struct.unpack("qq", next(data for _, kind, data in extra if kind == SO_TIMESTAMPNS))
            with self.news:
                if raw[:1].isalpha():
                    m = sip.Message(raw)
                    m.source, m.at = source, seconds + ns / 1e9
                    self.waiting.append(m)
                else:
                    self.raw.append(raw)
                self.news.notify_all()

    def wait(self, look, timeout):
        """What look() finds, which is asked again whenever something came; None in the end."""
        end = time.monotonic() + timeout
        with self.news:
            while True:
                found, left = look(), end - time.monotonic()
                if found or left <= 0:
                    return found
                self.news.wait(left)

    def _take(self, wanted):
        m = next((m for m in self.waiting if wanted(m)), None)
        if m:
            self.waiting.remove(m)
        return m

    def next(self, wanted, timeout=LIMIT):
        """The next message that wanted() likes, of any call."""
        return self.wait(lambda: self._take(wanted), timeout)

    def next_raw(self, wanted, timeout=LIMIT):
        """The next datagram that is no SIP message."""
        def take():
            self.raw[:], found = [r for r in self.raw if not wanted(r)], [r for r in self.raw if wanted(r)]
            return found[0] if found else None
        return self.wait(take, timeout)

    def maybe(self, call, what, timeout):
        """The next message of the call that is `what`: a status, a method, or None for anything but a 100."""
        call_id = call if isinstance(call, str) else call.id
        return self.next(lambda m: m.get("call-id") == call_id and matches(m, what), timeout)

    def get(self, call, what, timeout=LIMIT):
        m = self.maybe(call, what, timeout)
        call_id = call if isinstance(call, str) else call.id
        assert m, f"{self.address} waits for {what}, has {[m.start for m in self.waiting if m.get('call-id') == call_id]}"
        return m

    def quiet(self, call, seconds, what=None, since=0.0):
        """Nothing such comes; what came before `since`, and what was under way then, does not count."""
        end = time.monotonic() + seconds
        while True:
            m = self.maybe(call, what, end - time.monotonic())
            if m is None:
                return
            assert m.at < since + 0.2, f"{self.address} got {describe(m)} {m.at - since:.3f} s later"

    def answer(self, request, status, **fields):
        """Answers to where the request came from; returns the bytes, to be sent again."""
        if 200 <= status < 300 and "contact" not in fields:
            fields["contact"] = self.contact
        raw = sip.answer(request, status, **fields)
        self.send(raw, request.source)
        return raw

    def forget(self, call=None):
        with self.news:
            self.waiting = [m for m in self.waiting if call and m.get("call-id") != call.id]


def matches(m, what):
    if what is None:
        return m.status != 100
    return m.status == what if isinstance(what, int) else m.method == what


class Call:
    """What a caller needs to know of a call to go on with it."""

    def __init__(self, ua, uri, method, target, branch=None, **fields):
        self.ua, self.uri, self.method, self.target = ua, uri, method, target
        self.id = fields.pop("call_id", None) or f"{os.urandom(8).hex()}@scenario"
        self.branch = branch or f"z9hG4bK{os.urandom(8).hex()}"
        self.fields = fields
        self.raw = self.build(method, uri, branch=self.branch)

    def build(self, method, uri, **changes):
        return sip.request(method, uri, self.ua.address, self.ua.port, call_id=self.id, **dict(self.fields, **changes))

    def send(self, raw=None):
        self.ua.send(raw or self.raw, (self.target, 5060))

    def get(self, what, timeout=LIMIT):
        return self.ua.get(self, what, timeout)

    def quiet(self, seconds, what=None, since=0.0):
        self.ua.quiet(self, seconds, what, since)

    def cancel(self):
        self.send(self.build("CANCEL", self.uri, branch=self.branch, body=b"", headers=self.routes_of_request()))

    def routes_of_request(self):
        return [h for h in self.fields.get("headers", ()) if h.startswith("Route:")]

    def ack_failure(self, m):
        self.send(self.build("ACK", self.uri, branch=self.branch, to_tag=tag_of(m.get("to")), body=b"",
                             headers=self.routes_of_request()))

    def within(self, method, m, cseq=None, **fields):
        """A request of the dialog that the 2xx m opened: remote target and route set (12.2.1.1)."""
        headers = [f"Route: {r}" for r in reversed(elements(m, "record-route"))] + list(fields.pop("headers", ()))
        number = cseq or (self.fields.get("cseq", 1) if method == "ACK" else self.fields.get("cseq", 1) + 1)
        raw = self.build(method, re.search(r"<(.*)>", m.get("contact")).group(1), to=self.uri, to_tag=tag_of(m.get("to")),
                         headers=headers, cseq=number, **dict(dict(body=b""), **fields))
        self.send(raw)
        return raw


def elements(m, name):
    return [v.strip() for line in m.all(name) for v in line.split(",")]


def tag_of(value):
    return re.search(r";tag=([^;>\s]+)", value).group(1)
