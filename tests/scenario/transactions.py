# SPDX-License-Identifier: BSD-2-Clause
"""Transactions (RFC 3261 17, RFC 6026, RFC 4320): who sends again, who absorbs, what ends them; ACK and CANCEL."""
import time

from scene import GW, LIMIT, T1, T2, TIMER_C, Call, tag_of

TIMER_B = 64 * T1


def only_copies(ua, call, m):
    """Nothing but retransmissions of m came, or comes."""
    while True:
        other = ua.maybe(call, m.method, 0.1)
        if other is None:
            return
        assert other.raw == m.raw, other.raw


def trying_comes_at_once_and_only_for_invite(w):
    call = w.call("sip:200@example.com")
    trying = call.get(100)
    assert trying.get("to") == "<sip:200@example.com>" and len(trying.vias()) == 1, trying.raw
    w.b.answer(w.b.get(call, "INVITE"), 486)
    call.ack_failure(call.get(486))
    call = w.call("sip:200@example.com", "MESSAGE")
    m = w.b.get(call, "MESSAGE")
    late = call.ua.maybe(call, 100, 0.3)
    assert late is None or late.at - m.at > 2 * T1, "RFC 4320 4.1: not before timer E has reached T2"
    w.b.answer(m, 200)
    call.get(200)


def invite_is_sent_again_until_it_rings(w):
    """Timer A doubles from T1; a provisional answer ends it."""
    call = w.call("sip:200@example.com")
    first, second, third = (w.b.get(call, "INVITE") for _ in range(3))
    assert second.raw == first.raw and second.at - first.at >= T1 * 0.8
    assert third.raw == first.raw and third.at - first.at >= 3 * T1 * 0.9
    w.b.answer(first, 180)
    w.b.quiet(call, 5 * T1, "INVITE", since=call.get(180).at)
    w.b.answer(first, 486)
    call.ack_failure(call.get(486))


def message_is_sent_again_until_answered(w):
    """Timer E: T1, doubled up to T2; a 100 makes it T2, only a final answer ends it."""
    call = w.call("sip:200@example.com", "MESSAGE")
    copies = [w.b.get(call, "MESSAGE") for _ in range(4)]
    assert len({c.raw for c in copies}) == 1
    w.b.answer(copies[0], 100)
    w.b.forget(call)
    again = w.b.get(call, "MESSAGE")
    assert again.at - copies[-1].at >= T2 * 0.9
    w.b.answer(copies[0], 200)
    w.b.quiet(call, 1.5 * T2, "MESSAGE", since=call.get(200).at)


def retransmissions_of_the_caller_are_absorbed(w):
    """INVITE in Proceeding gets the last provisional again; a MESSAGE nothing before its answer, then the answer."""
    call = w.call("sip:200@example.com")
    m = w.b.get(call, "INVITE")
    w.b.answer(m, 183)
    first = call.get(183)
    call.send()
    assert call.get(183).raw == first.raw
    w.b.answer(m, 404)
    first = call.get(404)
    call.send()
    assert call.get(404).raw == first.raw
    call.ack_failure(first)
    call.quiet(1.5 * T2, 404, since=w.caught_up(call.ua))
    only_copies(w.b, call, m)
    call = w.call("sip:200@example.com", "MESSAGE")
    m = w.b.get(call, "MESSAGE")
    w.b.answer(m, 200)
    first = call.get(200)
    for _ in range(3):
        call.send()
        assert call.get(200).raw == first.raw
    only_copies(w.b, call, m)


def retransmitted_answers_are_absorbed(w):
    """A failure that the callee sends again is acknowledged again, and not told again."""
    call = w.call("sip:200@example.com")
    m = w.b.get(call, "INVITE")
    raw = w.b.answer(m, 486)
    call.ack_failure(call.get(486))
    w.b.get(call, "ACK")
    told = w.caught_up(call.ua)
    w.b.send(raw, m.source)
    w.b.get(call, "ACK")
    call.quiet(0.3, since=told)
    call = w.call("sip:200@example.com", "MESSAGE")
    m = w.b.get(call, "MESSAGE")
    raw = w.b.answer(m, 200)
    call.get(200)
    w.b.send(raw, m.source)
    call.quiet(0.3)


def failure_is_sent_again_until_the_ack(w):
    """Timer G from T1 on; the ACK ends it, and never goes further than here."""
    call = w.call("sip:200@example.com")
    w.b.answer(w.b.get(call, "INVITE"), 486)
    first = call.get(486)
    for _ in range(3):
        assert call.get(486).raw == first.raw
    w.b.get(call, "ACK")
    call.ack_failure(first)
    call.quiet(1.5 * T2, since=w.caught_up(call.ua))
    w.b.quiet(call, 0.05, "ACK")


def failure_without_ack_ends_after_timer_h(w):
    call = w.call("sip:200@example.com")
    w.b.answer(w.b.get(call, "INVITE"), 486)
    first = last = call.get(486)
    while last:
        end, last = last, call.ua.maybe(call, 486, 3 * T2)
    assert TIMER_B * 0.9 - T2 <= end.at - first.at <= TIMER_B + 10, end.at - first.at


def ack_of_a_failure_is_ours(w):
    """17.1.1.3: same branch, To of the answer, CSeq ACK, the Route of the INVITE."""
    call = w.call("sip:200@example.com", headers=[f"Route: <sip:{GW};lr>, <sip:10.88.0.11;lr>"], cseq=77)
    m = w.b.get(call, "INVITE")
    w.b.answer(m, 486, tag="busy")
    ack = w.b.get(call, "ACK")
    assert ack.vias() == m.vias()[:1] and ack.uri == m.uri and ack.get("cseq") == "77 ACK", ack.raw
    assert tag_of(ack.get("to")) == "busy" and ack.all("route") == m.all("route") == ["<sip:10.88.0.11;lr>"], ack.raw
    assert ack.get("from") == m.get("from") and ack.get("call-id") == call.id
    call.ack_failure(call.get(486))


def ack_of_a_2xx_goes_end_to_end(w):
    """13.2.2.4: a transaction of its own, by its own Request-URI; each repetition as well."""
    call = w.call("sip:200@example.com")
    w.b.answer(w.b.get(call, "INVITE"), 200, contact="sip:bob@10.88.0.12:5060")
    ok = call.get(200)
    for _ in range(2):
        call.within("ACK", ok)
        ack = w.c.get(call, "ACK")
        assert len(ack.vias()) == 2 and ack.uri == "sip:bob@10.88.0.12:5060" and ack.get("max-forwards") == "69"
    w.b.quiet(call, 0.05, "ACK")


def repeated_2xx_pass(w):
    """RFC 6026: in Accepted every 2xx goes back, the INVITE sent again is absorbed; nobody here sends a 2xx again."""
    call = w.call("sip:200@example.com")
    m = w.b.get(call, "INVITE")
    raw = w.b.answer(m, 200)
    first = call.get(200)
    call.quiet(2.5 * T1, 200)
    for _ in range(3):
        w.b.send(raw, m.source)
        assert call.get(200).raw == first.raw
    w.b.answer(m, 200, tag="another-device")
    assert tag_of(call.get(200).get("to")) == "another-device"
    since = w.caught_up(call.ua)
    call.send()
    call.quiet(0.3)
    w.b.quiet(call, 0.1, "INVITE", since)
    w.b.answer(m, 404)
    call.quiet(0.3)


def a_stray_2xx_is_not_forwarded(w):
    """RFC 6026 8.9: after timer M its transaction is forgotten."""
    call = w.call("sip:200@example.com")
    m = w.b.get(call, "INVITE")
    raw = w.b.answer(m, 200)
    call.get(200)
    time.sleep(TIMER_B)
    for _ in range(30):  # a busy machine has late timers
        time.sleep(0.5)
        w.b.send(raw, m.source)
        if not call.ua.maybe(call, 200, 0.3):
            return
    raise AssertionError("still forwarded")


def invite_without_any_answer_is_408(w):
    """Timer B."""
    t0 = time.time()
    call = w.call("sip:200@example.com")
    final = call.get(408, TIMER_B + LIMIT)
    assert final.at - t0 >= TIMER_B * 0.9
    assert final.get("call-id") == call.id and tag_of(final.get("to"))
    call.ack_failure(final)


def message_without_any_answer_stays_without_408(w):
    """RFC 4320 4.2: nobody is helped by a late 408; 4.1: a late 100 tells that somebody is at work."""
    call = w.call("sip:200@example.com", "MESSAGE")
    call.get(100)
    call.quiet(TIMER_B + 1)


def provisional_answers_to_message_stop_here(w):
    call = w.call("sip:200@example.com", "MESSAGE")
    m = w.b.get(call, "MESSAGE")
    w.b.answer(m, 180)
    call.quiet(0.3, 180)
    w.b.answer(m, 202)
    call.get(202)


def hundred_of_the_callee_stops_here(w):
    call = w.call("sip:200@example.com")
    m = w.b.get(call, "INVITE")
    ours = call.get(100)
    w.b.answer(m, 100, headers=["X-From: callee"])
    call.quiet(0.3, 100)
    assert ours.get("x-from") is None
    w.b.answer(m, 486)
    call.ack_failure(call.get(486))


def cancel_while_it_rings(w):
    call = w.call("sip:200@example.com", headers=["Route: <sip:10.88.0.11;lr>"])
    m = w.b.get(call, "INVITE")
    w.b.answer(m, 180)
    call.get(180)
    call.cancel()
    assert call.get(200).get("cseq") == "1 CANCEL"
    cancel = w.b.get(call, "CANCEL")
    assert cancel.vias() == m.vias()[:1] and cancel.uri == m.uri and cancel.get("cseq") == "1 CANCEL", cancel.raw
    assert cancel.all("route") == m.all("route") and cancel.get("to") == m.get("to"), cancel.raw
    w.b.answer(cancel, 200)
    w.b.answer(m, 487)
    w.b.get(call, "ACK")
    call.ack_failure(call.get(487))


def cancel_waits_for_a_provisional_answer(w):
    """9.1: not before the callee has spoken."""
    call = w.call("sip:200@example.com")
    m = w.b.get(call, "INVITE")
    call.cancel()
    call.get(200)
    w.b.quiet(call, 0.2, "CANCEL")
    w.b.answer(m, 180)
    cancel = w.b.get(call, "CANCEL")
    w.b.answer(cancel, 200)
    w.b.answer(m, 487)
    call.ack_failure(call.get(487))


def cancel_is_sent_again_until_answered(w):
    call = w.call("sip:200@example.com")
    m = w.b.get(call, "INVITE")
    w.b.answer(m, 180)
    call.get(180)
    call.cancel()
    cancel = [w.b.get(call, "CANCEL") for _ in range(3)][0]
    w.b.answer(cancel, 200)
    w.b.quiet(call, 1.5 * T2, "CANCEL", since=w.caught_up(w.b))
    w.b.answer(m, 487)
    call.ack_failure(call.get(487))


def cancel_of_a_callee_that_never_spoke(w):
    """The caller gets 487, not a 408, when timer B is over."""
    call = w.call("sip:200@example.com")
    w.b.get(call, "INVITE")
    call.cancel()
    call.get(200)
    call.ack_failure(call.get(487, TIMER_B + LIMIT))


def cancel_of_a_callee_that_no_longer_speaks(w):
    """9.1: 64 T1 after the CANCEL the branch counts as cancelled."""
    call = w.call("sip:200@example.com")
    w.b.answer(w.b.get(call, "INVITE"), 180)
    call.get(180)
    call.cancel()
    call.get(200)
    w.b.answer(w.b.get(call, "CANCEL"), 200)
    call.ack_failure(call.get(487, TIMER_B + LIMIT))


def cancel_after_the_final_answer(w):
    """9.2: 200, and no effect."""
    call = w.call("sip:200@example.com")
    m = w.b.get(call, "INVITE")
    w.b.answer(m, 200)
    call.get(200)
    call.cancel()
    assert call.get(200).get("cseq") == "1 CANCEL"
    w.b.quiet(call, 0.15, "CANCEL")


def cancel_that_crosses_a_200(w):
    call = w.call("sip:200@example.com")
    m = w.b.get(call, "INVITE")
    w.b.answer(m, 180)
    call.get(180)
    call.cancel()
    w.b.answer(m, 200)
    got = {call.get(200).get("cseq"), call.get(200).get("cseq")}
    assert got == {"1 CANCEL", "1 INVITE"}, got
    w.b.answer(w.b.get(call, "CANCEL"), 481)
    call.quiet(0.15)


def cancel_of_nothing_is_481(w):
    call = Call(w.a, "sip:200@example.com", "INVITE", GW)
    call.cancel()
    assert call.get(481).get("cseq") == "1 CANCEL"
    w.b.quiet(call, 0.1)


def timer_c_cancels_what_rings_for_ever(w):
    """16.8, with a timer C of 6 s here; each 1xx starts it anew."""
    call = w.call("sip:200@example.com")
    m = w.b.get(call, "INVITE")
    w.b.answer(m, 180)
    time.sleep(TIMER_C / 4)
    again = time.time()
    w.b.answer(m, 180)
    cancel = w.b.get(call, "CANCEL")
    assert cancel.at - again > TIMER_C * 0.9, "before its time"
    w.b.answer(cancel, 200)
    w.b.answer(m, 487)
    final = call.get(487)
    call.ack_failure(final)


def a_merged_request_has_its_own_transaction(w):
    """17.2.3: the same request by another way has another branch."""
    one = w.call("sip:200@example.com", "MESSAGE")
    two = Call(w.a, "sip:200@example.com", "MESSAGE", GW, call_id=one.id)
    two.send()
    first = w.b.get(one, "MESSAGE")
    second = w.b.next(lambda m: m.get("call-id") == one.id and m.vias()[0] != first.vias()[0])
    assert second, "the other one was taken for a retransmission"
    for m in (first, second):
        w.b.answer(m, 200)
    assert {one.get(200).vias()[0] == one.get(200).vias()[0]} == {False}


def a_branch_without_cookie_is_told_apart(w):
    """17.2.3 for RFC 2543: by the whole request; the retransmission is absorbed, a new CSeq is a new request."""
    call = Call(w.a, "sip:200@example.com", "MESSAGE", GW, branch="1")
    call.send()
    call.send()
    m = w.b.get(call, "MESSAGE")
    w.b.answer(m, 200)
    call.get(200)
    only_copies(w.b, call, m)
    call.send(call.build("MESSAGE", call.uri, branch="1", cseq=2))
    m = w.b.get(call, "MESSAGE")
    assert m.get("cseq") == "2 MESSAGE"
    w.b.answer(m, 200)


TESTS = [trying_comes_at_once_and_only_for_invite, invite_is_sent_again_until_it_rings,
         message_is_sent_again_until_answered, retransmissions_of_the_caller_are_absorbed,
         retransmitted_answers_are_absorbed, failure_is_sent_again_until_the_ack, failure_without_ack_ends_after_timer_h,
         ack_of_a_failure_is_ours, ack_of_a_2xx_goes_end_to_end, repeated_2xx_pass, a_stray_2xx_is_not_forwarded,
         invite_without_any_answer_is_408, message_without_any_answer_stays_without_408,
         provisional_answers_to_message_stop_here, hundred_of_the_callee_stops_here, cancel_while_it_rings,
         cancel_waits_for_a_provisional_answer, cancel_is_sent_again_until_answered, cancel_of_a_callee_that_never_spoke,
         cancel_of_a_callee_that_no_longer_speaks, cancel_after_the_final_answer, cancel_that_crosses_a_200,
         cancel_of_nothing_is_481, timer_c_cancels_what_rings_for_ever, a_merged_request_has_its_own_transaction,
         a_branch_without_cookie_is_told_apart]
