#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Overload by CPU load (docs/sip.md): new requests are shed with 503 and Retry-After; dialogs and answers go on.

    caller .2 --- gateway .1 (sheds from 1 % on) --- callee .11        flood .66, messages of 20 kB for the silent .12

The flood grows until the gateway sheds, however fast the machine is."""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
import config
import lab
import sip
from scene import Call, Ua

GW = "10.88.0.1"


class Flood:
    """Stateless requests, so many at a time and then a pause of 10 ms; the gateway never has to wait for them."""

    def __init__(self, host):
        self.sock, self.burst, self.running = host.udp(5060), 1, True
        self.thread = threading.Thread(target=self._send, daemon=True)
        self.thread.start()

    def _send(self):
        body = b"x" * 20000
        raws = [sip.request("MESSAGE", "sip:5000@example.com", "10.88.0.66", body=body) for _ in range(300)]
        n = 0
        while self.running:
            for _ in range(self.burst):
                n += 1
                try:
                    self.sock.sendto(raws[n % len(raws)], (GW, 5060))
                except OSError:  # its queue is full
                    pass
            time.sleep(0.01)

    def grow(self):
        self.burst = min(self.burst * 2, 512)

    def stop(self):
        self.running = False
        self.thread.join()
        self.sock.close()


class World:
    def __init__(self):
        self.l = lab.Lab()
        self.callers = self.l.host("callers", "10.88.0.2/24")
        self.callees = self.l.host("callees", "10.88.0.11/24", "10.88.0.12/24")
        self.flooder = self.l.host("flooder", "10.88.0.66/24")
        self.gw = self.l.node("gw", config.text(
            access=["10.88.0.0/24"], sip="overload_high = 1; record_route = true;",
            routes=[dict(name="four", pattern="4*", next_hop="10.88.0.11"),
                    dict(name="five", pattern="5*", next_hop="10.88.0.12", stateful=False)]))
        self.gw.start_both()
        self.ahead_of_others()
        self.a, self.b = Ua(self.callers, "10.88.0.2"), Ua(self.callees, "10.88.0.11")

    def ahead_of_others(self):
        """Cycles count as busy while the kernel runs somebody else in the middle of a turn: a machine at work would be
        load without calls."""
        for thread in os.listdir(f"/proc/{self.gw.dp.pid}/task"):
            os.setpriority(os.PRIO_PROCESS, int(thread), -20)

    def counter(self, name):
        rows = self.gw.hgctl_json("counters", "--zero")["counters"]
        return next(r["value"] for r in rows if r["name"] == name)

    def asked(self, raw, call, call_ua, answered_by, method, seconds=60):
        """Sends raw again and again, as over UDP one has to, answers it at the callee, returns the caller's final answer.
        What the flood pushed out of a ring is lost, not refused."""
        cseq, end = sip.Message(raw).get("cseq"), time.monotonic() + seconds
        mine = lambda m: m.get("call-id") == call.id and m.get("cseq") == cseq
        while time.monotonic() < end:
            call_ua.send(raw, (GW, 5060))
            m = answered_by.next(lambda m: mine(m) and m.method == method, 0.2)
            if m:
                answered_by.answer(m, 200)
            final = call_ua.next(lambda m: mine(m) and m.status and m.status >= 200, 0.3)
            if final:
                return final
        raise AssertionError(f"no answer to {method}")

    def new(self):
        call = Call(self.a, "sip:400@example.com", "MESSAGE", GW)
        return self.asked(call.raw, call, self.a, self.b, "MESSAGE")


def without_load_nothing_is_shed(w):
    """20 in a row, once nobody else takes the core's CPU."""
    lab.wait_for(lambda: all(w.new().status == 200 for _ in range(20)), 90, "all are taken")


def open_dialog(w):
    """Not shed: a stall of the machine is load, too, and passes."""
    def opened():
        call = Call(w.a, "sip:400@example.com", "INVITE", GW, headers=["Contact: <sip:caller@10.88.0.2:5060>"])
        final = w.asked(call.raw, call, w.a, w.b, "INVITE")
        if final.status == 200:
            return call, final
        call.ack_failure(final)
        return None
    call, ok = lab.wait_for(opened, 90, "a dialog is opened")
    call.within("ACK", ok)
    w.b.get(call, "ACK")
    return call, ok


def new_requests_are_shed_first(w):
    """While it sheds: some new calls get 503 with Retry-After, nothing of a dialog does, OPTIONS tells that it lives."""
    call, ok = open_dialog(w)
    before, flood = w.counter("sip_shed"), Flood(w.flooder)
    try:
        refused, end, cseq = None, time.monotonic() + 120, 1
        while refused is None and time.monotonic() < end:
            flood.grow()
            for _ in range(8):
                final = w.new()
                assert final.status in (200, 503), final.start
                refused = final if final.status == 503 else refused
            cseq += 1
            within = w.asked(call.within("INFO", ok, cseq=cseq), call, w.a, w.b, "INFO")
            assert within.status == 200, within.start
        assert refused and w.counter("sip_shed") > before, f"no new request was refused, load {w.counter('sip_load')} %"
        assert int(refused.get("retry-after")) > 0, refused.raw
        shed = w.counter("sip_shed")
        for _ in range(20):
            cseq += 1
            within = w.asked(call.within("INFO", ok, cseq=cseq), call, w.a, w.b, "INFO")
            assert within.status == 200, within.start
        # where the first refusal was for a stall of the machine, the flood is not enough yet
        lab.wait_for(lambda: flood.grow() or w.counter("sip_shed") > shed, 60, "it was shedding all the time")
        assert sip.alive(w.callers, GW, 5071), "the ping of a neighbour was shed"
        bye = w.asked(call.within("BYE", ok, cseq=cseq + 1), call, w.a, w.b, "BYE")
        assert bye.status == 200, bye.start
    finally:
        flood.stop()


def afterwards_all_are_taken_again(w):
    without_load_nothing_is_shed(w)


if __name__ == "__main__":
    sys.exit(lab.run_tests([without_load_nothing_is_shed, new_requests_are_shed_first, afterwards_all_are_taken_again],
                           (World(),)))
