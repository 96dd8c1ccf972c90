# SPDX-License-Identifier: BSD-2-Clause
"""Two cores (mc): flows are a core's by address and port, transactions by Call-ID; whatever arrives elsewhere finds
its own. Every test is done from many ports, so that both cores get both kinds."""
import time

import sip
from scene import MC, T2, Ua

PORTS = range(6000, 6012)


def agents(w):
    return [Ua(w.callers, "10.88.0.2", port) for port in PORTS]


def close(all_agents):
    for u in all_agents:
        u.close()


def handed_over(w):
    return w.mc.settled_counters()["sip_handed_over"]


def retransmissions_and_answers_of_message(w):
    before, all_agents = handed_over(w), agents(w)
    for u in all_agents:
        call = w.call("sip:200@example.com", "MESSAGE", ua=u, target=MC)
        m = w.b.get(call, "MESSAGE")
        call.send()
        w.b.answer(m, 200)
        first = call.get(200)
        call.send()
        assert call.get(200).raw == first.raw
        while True:
            other = w.b.maybe(call, "MESSAGE", 0.02)
            if other is None:
                break
            assert other.raw == m.raw, "the retransmission made a second transaction"
    close(all_agents)
    assert handed_over(w) > before, "no message met another core: this test shows nothing"


def answers_from_many_ports(w):
    """The callee answers from ports that its requests were not sent to: the core in the branch counts."""
    sources = [Ua(w.callees, "10.88.0.11", port) for port in range(6100, 6108)]
    for u in sources:
        call = w.call("sip:200@example.com", target=MC)
        m = w.b.get(call, "INVITE")
        u.send(sip.answer(m, 180), m.source)
        call.get(180)
        u.send(sip.answer(m, 486), m.source)
        call.ack_failure(call.get(486))
        w.b.get(call, "ACK")
    close(sources)


def cancel_and_ack_of_invite(w):
    all_agents, calls = agents(w), []
    for u in all_agents:
        call = w.call("sip:200@example.com", ua=u, target=MC)
        m = w.b.get(call, "INVITE")
        w.b.answer(m, 180)
        call.get(180)
        call.cancel()
        assert call.get(200).get("cseq") == "1 CANCEL"
        w.b.answer(w.b.get(call, "CANCEL"), 200)
        w.b.answer(m, 487)
        final = call.get(487)
        call.ack_failure(final)
        w.b.get(call, "ACK")
        calls.append(call)
    acknowledged = time.time() + 2  # and everything that was under way has come, on a busy machine
    time.sleep(2 + 1.3 * T2)
    for u, call in zip(all_agents, calls):
        again = u.maybe(call, 487, 0)
        while again and again.at < acknowledged:
            again = u.maybe(call, 487, 0)
        assert again is None, "the ACK did not find its transaction"
    close(all_agents)


def cancel_by_another_way(w):
    """The CANCEL and the retransmission come from another port than the INVITE (a NAT that changed its mind)."""
    one, two = Ua(w.callers, "10.88.0.2", 6020), [Ua(w.callers, "10.88.0.2", p) for p in range(6021, 6027)]
    for u in two:
        call = w.call("sip:200@example.com", ua=one, target=MC)
        m = w.b.get(call, "INVITE")
        w.b.answer(m, 180)
        call.get(180)
        u.send(call.raw, (MC, 5060))
        call.get(180)
        u.send(call.build("CANCEL", call.uri, branch=call.branch), (MC, 5060))
        u.get(call, 200)
        w.b.answer(w.b.get(call, "CANCEL"), 200)
        w.b.answer(m, 487)
        final = call.get(487)
        u.send(call.build("ACK", call.uri, branch=call.branch, to_tag="callee"), (MC, 5060))
        assert final.get("cseq") == "1 INVITE"
    close([one] + two)


def forks_on_both_cores(w):
    all_agents = agents(w)[:6]
    for u in all_agents:
        call = w.call("sip:400@example.com", ua=u, target=MC)
        b, c, d = (x.get(call, "INVITE") for x in (w.b, w.c, w.d))
        for x, m in ((w.b, b), (w.c, c), (w.d, d)):
            x.answer(m, 180)
            call.get(180)
        w.c.answer(c, 200)
        call.get(200)
        for x, m in ((w.b, b), (w.d, d)):
            x.answer(x.get(call, "CANCEL"), 200)
            x.answer(m, 487)
            x.get(call, "ACK")
    close(all_agents)


TESTS = [retransmissions_and_answers_of_message, answers_from_many_ports, cancel_and_ack_of_invite, cancel_by_another_way,
         forks_on_both_cores]
