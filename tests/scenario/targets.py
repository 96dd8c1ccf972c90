# SPDX-License-Identifier: BSD-2-Clause
"""Several targets (RFC 3261 16.6 to 16.8, 16.10): one after the other, all at once, and which answer goes back.

    30* .11, then .12, then .13        40* .11 .12 .13 at once        41* .11 .12 at once, then .13"""
from scene import FAILOVER, LIMIT, T1, tag_of


def fork(w, uri="sip:400@example.com", **fields):
    call = w.call(uri, **fields)
    return call, [u.get(call, "INVITE") for u in (w.b, w.c, w.d)]


def silence_goes_to_the_next_priority(w):
    """After cluster.sip.failover; the message itself is the same but for branch."""
    call = w.call("sip:300@example.com")
    first = w.b.get(call, "INVITE")
    second = w.c.get(call, "INVITE")
    assert first.vias()[0] != second.vias()[0] and first.vias()[1] == second.vias()[1]
    w.d.quiet(call, 0.05, "INVITE")
    w.c.answer(second, 200)
    call.get(200)
    w.d.quiet(call, FAILOVER * 1.3, "INVITE")


def a_silent_callee_of_message_too(w):
    call = w.call("sip:300@example.com", "MESSAGE")
    w.b.get(call, "MESSAGE")
    w.c.answer(w.c.get(call, "MESSAGE"), 202)
    call.get(202)


def five_hundreds_go_to_the_next_priority(w):
    for status in (500, 502, 503, 504, 580):
        call = w.call("sip:300@example.com")
        w.b.answer(w.b.get(call, "INVITE"), status)
        w.b.get(call, "ACK")
        w.c.answer(w.c.get(call, "INVITE"), status)
        m = w.d.get(call, "INVITE")
        w.d.answer(m, 180)
        call.get(180)
        w.d.answer(m, 486)
        call.ack_failure(call.get(486))


def an_answer_of_the_callee_is_final(w):
    """4xx but 408, 3xx and 6xx are what the callee says: nobody else is asked."""
    for status in (302, 404, 486, 603):
        call = w.call("sip:300@example.com")
        w.b.answer(w.b.get(call, "INVITE"), status)
        call.ack_failure(call.get(status))
        w.c.quiet(call, 0.05, "INVITE")


def all_targets_fail(w):
    """A 503 speaks of a next hop, not of us: 500 goes back (16.7 step 6)."""
    call = w.call("sip:300@example.com")
    for u in (w.b, w.c, w.d):
        u.answer(u.get(call, "INVITE"), 503)
    call.ack_failure(call.get(500))


def all_targets_are_silent(w):
    call = w.call("sip:300@example.com")
    for u in (w.b, w.c, w.d):
        u.get(call, "INVITE")
    call.ack_failure(call.get(408, 64 * T1 + LIMIT))


def a_late_callee_is_cancelled(w):
    """Who was given up and rings after all must not ring for ever."""
    call = w.call("sip:300@example.com")
    late = w.b.get(call, "INVITE")
    m = w.c.get(call, "INVITE")
    w.c.answer(m, 180)
    call.get(180)
    w.b.answer(late, 180)
    cancel = w.b.get(call, "CANCEL")
    w.b.answer(cancel, 200)
    w.b.answer(late, 487)
    w.b.get(call, "ACK")
    w.c.answer(m, 200)
    call.get(200)


def a_late_2xx_still_opens_a_dialog(w):
    call = w.call("sip:300@example.com")
    late = w.b.get(call, "INVITE")
    m = w.c.get(call, "INVITE")
    w.c.answer(m, 200, tag="second")
    assert tag_of(call.get(200).get("to")) == "second"
    w.b.answer(late, 200, tag="first")
    assert tag_of(call.get(200).get("to")) == "first"


def a_cancel_stops_the_series(w):
    call = w.call("sip:300@example.com")
    m = w.b.get(call, "INVITE")
    w.b.answer(m, 180)
    call.get(180)
    call.cancel()
    w.b.answer(w.b.get(call, "CANCEL"), 200)
    w.b.answer(m, 503)
    w.b.get(call, "ACK")
    final = call.ua.next(lambda m: m.get("call-id") == call.id and m.status in (487, 500))
    assert final
    call.ack_failure(final)
    w.c.quiet(call, FAILOVER * 1.3, "INVITE")


def a_fork_rings_everywhere_and_the_first_2xx_wins(w):
    call, (b, c, d) = fork(w)
    assert len({m.vias()[0] for m in (b, c, d)}) == 3
    for u, m in ((w.b, b), (w.c, c), (w.d, d)):
        u.answer(m, 180, tag=u.address)
        assert tag_of(call.get(180).get("to")) == u.address
    w.c.answer(c, 200, tag="c")
    assert tag_of(call.get(200).get("to")) == "c"
    for u, m in ((w.b, b), (w.d, d)):
        u.answer(u.get(call, "CANCEL"), 200)
        u.answer(m, 487)
        u.get(call, "ACK")
    w.c.quiet(call, 0.05, "CANCEL")
    call.quiet(0.1, 487)


def every_2xx_of_a_fork_goes_back(w):
    call, (b, c, d) = fork(w)
    for u, m in ((w.b, b), (w.c, c), (w.d, d)):
        u.answer(m, 200, tag=u.address)
    tags = {tag_of(call.get(200).get("to")) for _ in range(3)}
    assert tags == {w.b.address, w.c.address, w.d.address}, tags


def best_of_the_failures(w):
    """16.7 step 6."""
    for statuses, best in (((404, 486, 500), (404, 486)), ((302, 404, 503), (302,)), ((503, 503, 503), (500,)),
                           ((486, 415, 404), (415,)), ((408, 480, 500), (480,)), ((500, 504, 503), (500, 504))):
        call, invites = fork(w)
        for u, m, status in zip((w.b, w.c, w.d), invites, statuses):
            u.answer(m, status)
            u.get(call, "ACK")
        final = call.get(None)
        assert final.status in best, (statuses, final.start)
        call.ack_failure(final)


def a_6xx_ends_the_fork(w):
    """16.7 step 5: the others are cancelled, and heard out."""
    call, (b, c, d) = fork(w)
    w.b.answer(b, 180)
    w.d.answer(d, 180)
    w.c.answer(c, 603)
    w.c.get(call, "ACK")
    for u, m in ((w.b, b), (w.d, d)):
        u.answer(u.get(call, "CANCEL"), 200)
        u.answer(m, 487)
    call.ack_failure(call.get(603))


def a_2xx_after_a_6xx_wins(w):
    call, (b, c, d) = fork(w)
    w.c.answer(c, 600)
    w.c.get(call, "ACK")
    w.b.answer(b, 404)
    w.d.answer(d, 200, tag="d")
    assert tag_of(call.get(200).get("to")) == "d"
    call.quiet(0.1, 600)


def challenges_are_joined(w):
    """16.7 step 7: whoever has the credentials for one of them must see them all."""
    call, (b, c, d) = fork(w)
    w.b.answer(b, 401, headers=['WWW-Authenticate: Digest realm="b", nonce="1"'])
    w.c.answer(c, 407, headers=['Proxy-Authenticate: Digest realm="c", nonce="2"'])
    w.d.answer(d, 404)
    final = call.get(None)
    assert final.status in (401, 407), final.start
    assert 'realm="b"' in final.get("www-authenticate") and 'realm="c"' in final.get("proxy-authenticate"), final.raw
    call.ack_failure(final)


def a_cancel_reaches_every_branch(w):
    call, (b, c, d) = fork(w)
    for u, m in ((w.b, b), (w.c, c)):
        u.answer(m, 180)
        call.get(180)
    call.cancel()
    call.get(200)
    for u, m in ((w.b, b), (w.c, c)):
        u.answer(u.get(call, "CANCEL"), 200)
        u.answer(m, 487)
    w.d.quiet(call, 0.05, "CANCEL")
    w.d.answer(d, 180)
    w.d.answer(w.d.get(call, "CANCEL"), 200)
    w.d.answer(d, 487)
    call.ack_failure(call.get(487))


def one_silent_branch_of_a_fork(w):
    """The others have refused; after the silence of the last one the best of them goes back."""
    call, (b, c, d) = fork(w)
    w.b.answer(b, 486)
    w.c.answer(c, 480)
    final = call.get(None, 64 * T1 + LIMIT)
    assert final.status in (486, 480), final.start
    call.ack_failure(final)


def a_set_in_parallel_then_the_next(w):
    call = w.call("sip:410@example.com")
    for u in (w.b, w.c):
        u.answer(u.get(call, "INVITE"), 503)
    m = w.d.get(call, "INVITE")
    w.d.answer(m, 200)
    call.get(200)


def message_forks_too(w):
    call = w.call("sip:400@example.com", "MESSAGE")
    requests = [u.get(call, "MESSAGE") for u in (w.b, w.c, w.d)]
    w.b.answer(requests[0], 404)
    w.c.answer(requests[1], 200)
    w.d.answer(requests[2], 200)
    call.get(200)
    call.quiet(0.2)


def breadth_is_shared_and_limits_the_fork(w):
    """RFC 5393 5.3.3: the breadth of the branches adds up to what came; two allow two branches, then the third."""
    call, invites = fork(w, headers=["Max-Breadth: 10"])
    assert sum(int(m.get("max-breadth")) for m in invites) == 10, [m.get("max-breadth") for m in invites]
    for u, m in zip((w.b, w.c, w.d), invites):
        u.answer(m, 486)
    call.ack_failure(call.get(486))
    call = w.call("sip:400@example.com", headers=["Max-Breadth: 2"])
    got = {}
    while len(got) < 2:
        for u in (w.b, w.c, w.d):
            m = u.maybe(call, "INVITE", 0.02)
            if m and u not in got:
                assert m.get("max-breadth") == "1", m.raw
                u.answer(m, 180)
                got[u] = m
    rest = next(u for u in (w.b, w.c, w.d) if u not in got)
    rest.quiet(call, 0.2, "INVITE")
    for u, m in got.items():
        u.answer(m, 500)
    rest.answer(rest.get(call, "INVITE"), 200)
    call.get(200)


def breadth_of_none_is_440(w):
    for user in ("400", "100"):
        call = w.call(f"sip:{user}@example.com", headers=["Max-Breadth: 0"])
        call.ack_failure(call.get(440))
        w.b.quiet(call, 0.05)


TESTS = [silence_goes_to_the_next_priority, a_silent_callee_of_message_too, five_hundreds_go_to_the_next_priority,
         an_answer_of_the_callee_is_final, all_targets_fail, all_targets_are_silent, a_late_callee_is_cancelled,
         a_late_2xx_still_opens_a_dialog, a_cancel_stops_the_series, a_fork_rings_everywhere_and_the_first_2xx_wins,
         every_2xx_of_a_fork_goes_back, best_of_the_failures, a_6xx_ends_the_fork, a_2xx_after_a_6xx_wins,
         challenges_are_joined, a_cancel_reaches_every_branch, one_silent_branch_of_a_fork,
         a_set_in_parallel_then_the_next, message_forks_too, breadth_is_shared_and_limits_the_fork, breadth_of_none_is_440]
