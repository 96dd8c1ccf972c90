# SPDX-License-Identifier: BSD-2-Clause
"""What happens to one request and its answer on the way: Via, Route, Record-Route, limits, and all that must stay."""
import re

import sip
from scene import GW, GW6, MC, MC6, Call, elements, tag_of


def message(w, uri, **fields):
    return w.call(uri, "MESSAGE", **fields)


def stateless_request_and_answer(w):
    """16.11: forwarded and forgotten; a retransmission takes the same way with the same branch, the answer by Via."""
    call = message(w, "sip:100@example.com")
    first = w.b.get(call, "MESSAGE")
    call.send()
    again = w.b.get(call, "MESSAGE")
    assert first.raw == again.raw, "a retransmission differs"
    assert len(first.vias()) == 2 and GW in first.vias()[0], first.vias()
    raw = w.b.answer(first, 200)
    w.b.send(raw, first.source)
    for _ in range(2):
        m = call.get(200)
        assert len(m.vias()) == 1 and call.branch in m.vias()[0], m.vias()


def stateless_call_with_failure_and_cancel(w):
    """The CANCEL and the ACK of a failure carry the branch of their INVITE, ours as well as the caller's."""
    call = w.call("sip:101@example.com")
    invite = w.b.get(call, "INVITE")
    call.quiet(0.1, 100)
    w.b.answer(invite, 180)
    call.get(180)
    call.cancel()
    cancel = w.b.get(call, "CANCEL")
    assert cancel.vias()[0] == invite.vias()[0]
    w.b.answer(cancel, 200)
    w.b.answer(invite, 487)
    assert call.get(200).get("cseq") == "1 CANCEL"
    call.ack_failure(call.get(487))
    assert w.b.get(call, "ACK").vias()[0] == invite.vias()[0]


def via_gets_received_and_rport(w):
    """RFC 3581: rport is filled in; received whenever the Via names another address than the source."""
    call = Call(w.a, "sip:200@example.com", "MESSAGE", GW)
    call.send(call.raw.replace(b"UDP 10.88.0.2:5060", b"UDP client.example.net:7000"))
    m = w.b.get(call, "MESSAGE")
    assert ";rport=5060" in m.vias()[1] and ";received=10.88.0.2" in m.vias()[1], m.vias()
    w.b.answer(m, 200)
    call.get(200)


def received_of_the_sender_is_not_believed(w):
    call = Call(w.a, "sip:200@example.com", "MESSAGE", GW)
    call.send(call.raw.replace(b";rport", b";received=10.88.0.4;rport"))
    m = w.b.get(call, "MESSAGE")
    assert ";received=10.88.0.2" in m.vias()[1] and "10.88.0.4" not in m.vias()[1], m.vias()
    w.b.answer(m, 200)
    call.get(200)


def answer_without_rport_goes_to_the_port_of_the_via(w):
    """18.2.2: the source address, but the port that sent-by names."""
    call = Call(w.other, "sip:200@example.com", "MESSAGE", GW, rport=False)
    raw = call.raw.replace(b"UDP 10.88.0.4:5060", b"UDP 10.88.0.2:5060")
    w.other.send(raw, (GW, 5060))
    m = w.b.get(call, "MESSAGE")
    assert ";received=10.88.0.4" in m.vias()[1], m.vias()
    w.b.answer(m, 200)
    w.other.get(call, 200)


def maddr_of_a_via_is_obeyed(w):
    """18.2.2: the answer goes to maddr, as long as that host could have sent the request itself."""
    call = Call(w.other, "sip:200@example.com", "MESSAGE", GW, rport=False)
    w.other.send(call.raw.replace(b";branch", b";maddr=10.88.0.2;branch"), (GW, 5060))
    w.b.answer(w.b.get(call, "MESSAGE"), 200)
    w.a.get(call, 200)


def maddr_that_aims_at_strangers_is_not(w):
    call = Call(w.other, "sip:200@example.com", "MESSAGE", GW, rport=False)
    w.other.send(call.raw.replace(b";branch", b";maddr=192.0.2.9;branch"), (GW, 5060))
    w.b.answer(w.b.get(call, "MESSAGE"), 200)
    w.other.get(call, 200)


def maddr_of_the_request_uri_that_is_us_is_cut(w):
    """16.4: maddr, port and transport only led here."""
    call = message(w, f"sip:200@example.com:5060;transport=udp;user=phone;maddr={GW}")
    m = w.b.get(call, "MESSAGE")
    assert m.uri == "sip:200@example.com;user=phone", m.uri
    w.b.answer(m, 200)
    call.get(200)


def max_forwards_counts_down_or_is_added(w):
    call = message(w, "sip:200@example.com", max_forwards=7)
    assert w.b.get(call, "MESSAGE").get("max-forwards") == "6"
    call = message(w, "sip:200@example.com", max_forwards=None)
    assert w.b.get(call, "MESSAGE").get("max-forwards") == "70"


def max_breadth_is_added_and_capped(w):
    """RFC 5393 5.3.3."""
    assert w.b.get(message(w, "sip:200@example.com"), "MESSAGE").get("max-breadth") == "60"
    assert w.b.get(message(w, "sip:100@example.com", headers=["Max-Breadth: 500"]), "MESSAGE").get("max-breadth") == "60"
    assert w.b.get(message(w, "sip:200@example.com", headers=["Max-Breadth: 9"]), "MESSAGE").get("max-breadth") == "9"


def own_route_is_popped(w):
    call = message(w, "sip:200@example.com", headers=[f"Route: <sip:{GW};lr>"])
    m = w.b.get(call, "MESSAGE")
    assert not m.all("route") and m.uri == "sip:200@example.com", m.raw


def a_route_that_names_us_by_maddr_is_popped(w):
    """16.4: it indicates this proxy; forwarded, it could only come back."""
    for user in ("200", "100"):
        call = message(w, f"sip:{user}@example.com", headers=[f"Route: <sip:x@192.0.2.9;maddr={GW};lr>, <sip:10.88.0.12;lr>"])
        m = w.c.get(call, "MESSAGE")
        assert m.all("route") == ["<sip:10.88.0.12;lr>"] and len(m.vias()) == 2, m.raw


def double_own_route_is_popped_whole(w):
    """RFC 5658: a proxy between two networks stands twice in the route set."""
    call = message(w, "sip:200@example.com", headers=[f"Route: <sip:[{GW6}]:5060;lr>, <sip:{GW}:5060;lr>"])
    assert not w.b.get(call, "MESSAGE").all("route")
    call = message(w, "sip:200@example.com", headers=[f"Route: <sip:{GW};lr>", f"Route: <sip:[{GW6}];lr>"])
    assert not w.b.get(call, "MESSAGE").all("route")


def route_to_a_loose_router(w):
    """16.12: the Request-URI stays, the next Route value leads."""
    call = message(w, "sip:nobody@far.example.org",
                   headers=[f'Route: <sip:{GW};lr>, "B" <sip:10.88.0.11;lr>;x="a,b", <sip:last.example.org;lr>'])
    m = w.b.get(call, "MESSAGE")
    assert m.uri == "sip:nobody@far.example.org"
    assert m.get("route") == '"B" <sip:10.88.0.11;lr>;x="a,b", <sip:last.example.org;lr>', m.all("route")


def route_to_a_strict_router(w):
    """16.6 step 6: the strict router's URI goes into the Request-URI, the old one to the end of the Route."""
    call = message(w, "sip:nobody@far.example.org",
                   headers=[f"Route: <sip:{GW};lr>", "Route: <sip:10.88.0.11>, <sip:next.example.org;lr>"])
    m = w.b.get(call, "MESSAGE")
    assert m.uri == "sip:10.88.0.11", m.uri
    assert elements(m, "route") == ["<sip:next.example.org;lr>", "<sip:nobody@far.example.org>"], m.all("route")


def request_from_a_strict_router(w):
    """16.4: our own Record-Route stands in the Request-URI, the real one last in the Route."""
    call = message(w, f"sip:{GW};lr", headers=["Route: <sip:10.88.0.11;lr>, <sip:nobody@far.example.org>"])
    m = w.b.get(call, "MESSAGE")
    assert m.uri == "sip:nobody@far.example.org" and m.all("route") == ["<sip:10.88.0.11;lr>"], m.raw
    call = message(w, f"sip:{GW}:5060;lr", headers=["Route: <sip:200@example.com>"])
    m = w.b.get(call, "MESSAGE")
    assert m.uri == "sip:200@example.com" and not m.all("route"), m.raw


def what_is_not_ours_stays_byte_by_byte(w):
    """Unknown methods, headers and bodies, compact names, folding, odd spacing and an octet body."""
    body = bytes(range(256)) * 2
    lines = [b"FROBNICATE sip:200@example.com;unknown=%41 SIP/2.0",
             b"v: SIP/2.0/UDP 10.88.0.2:5060;branch=z9hG4bKfrob%d", b"Via: SIP/2.0/UDP a.example;branch=z9hG4bKa , ",
             b"  SIP/2.0/TCP b.example ;branch=z9hG4bKb", b"mAx-ForWards :  12", b"f: \"Q \\\"\xc3\xa9\" <sip:x@y.z>  ;tag=1",
             b"t:<sip:200@example.com>", b"i: CALLID", b"CSeq: 4711\tFROBNICATE", b"X-Odd:", b"X-Fold: one", b"\ttwo",
             b"   three", b"x-odd: \xf0\x9f\x93\x9e;a=\"b\"", b"c: application/octet-stream", b"l: 512"]
    for user in (b"200", b"100"):
        call = Call(w.a, "sip:x@y", "FROBNICATE", GW)
        raw = (b"\r\n".join(lines) + b"\r\n\r\n" + body).replace(b"CALLID", call.id.encode()).replace(b"200@", user + b"@")
        raw = raw.replace(b"frob%d", b"frob" + user)
        call.send(raw)
        m = w.b.get(call, "FROBNICATE")
        start, via, rest = m.raw.split(b"\r\n", 2)
        assert via.startswith(b"Via: SIP/2.0/UDP 10.88.0.1:5060;branch=z9hG4bK"), via
        want = raw.replace(b"mAx-ForWards :  12", b"mAx-ForWards :  11").split(b"\r\n", 1)
        got = re.sub(rb"\r\nMax-Breadth: 60", b"", rest, count=1)
        assert start == want[0] and got == want[1], (got, want[1])
        answer = (b"SIP/2.0 299 Fine \xe2\x98\x83\r\n" + via + b"\r\n" + b"\r\n".join(lines[1:4]) + b"\r\nX-Back : a\r\n b\r\n"
                  + b"\r\n".join(lines[5:9]) + b"\r\nl:3\r\n\r\n\x00\x01\x02").replace(b"CALLID", call.id.encode())
        answer = answer.replace(b"frob%d", b"frob" + user)
        w.b.send(answer, m.source)
        assert call.get(299).raw == answer.replace(via + b"\r\n", b""), "the answer was changed"


def register_with_path_passes_untouched(w):
    """RFC 3327: Path is for others to read; only a proxy that stays in dialogs adds its own."""
    headers = ["Path: <sip:edge.example.net;lr>", "Supported: path", "Contact: <sip:x@10.88.0.2>;expires=60"]
    call = w.call("sip:strict.example.net", "REGISTER", to="sip:x@strict.example.net", headers=headers)
    m = w.b.get(call, "REGISTER")
    assert m.all("path") == ["<sip:edge.example.net;lr>"] and m.uri == "sip:strict.example.net", m.raw
    w.b.answer(m, 200, headers=["Path: <sip:edge.example.net;lr>"])
    assert call.get(200).all("path") == ["<sip:edge.example.net;lr>"]
    call = w.call("sip:strict.example.net", "REGISTER", target=MC, to="sip:x@strict.example.net", headers=headers)
    assert w.b.get(call, "REGISTER").all("path") == [f"<sip:{MC}:5060;lr>", "<sip:edge.example.net;lr>"]


def record_route_keeps_the_dialog_here(w):
    """16.6 step 4 and 12.2: ACK, PRACK, UPDATE, INFO, BYE of both sides pass the proxy to the remote target."""
    call = w.call("sip:200@example.com", target=MC, headers=["Contact: <sip:caller@10.88.0.2:5060>"])
    invite = w.b.get(call, "INVITE")
    assert invite.all("record-route") == [f"<sip:{MC}:5060;lr>"], invite.all("record-route")
    w.b.answer(invite, 183, contact="sip:bob@10.88.0.12:5060")
    early = call.get(183)
    for n, method in enumerate(("PRACK", "UPDATE"), 2):
        call.within(method, early, cseq=n)
        m = w.c.get(call, method)
        assert m.uri == "sip:bob@10.88.0.12:5060" and not m.all("route"), m.raw
        w.c.answer(m, 200)
        call.get(200)
    w.b.answer(invite, 200, contact="sip:bob@10.88.0.12:5060")
    ok = call.get(200)
    call.within("ACK", ok)
    w.c.get(call, "ACK")
    call.within("INFO", ok, cseq=5, body=b"x", headers=["Content-Type: text/plain"])
    w.c.answer(w.c.get(call, "INFO"), 200)
    call.get(200)
    bye = sip.request("BYE", "sip:caller@10.88.0.2:5060", "10.88.0.12", call_id=call.id, from_tag=tag_of(ok.get("to")),
                      to_tag=tag_of(ok.get("from")), headers=[f"Route: {r}" for r in elements(invite, "record-route")])
    w.c.send(bye, (MC, 5060))
    w.a.answer(w.a.get(call, "BYE"), 200)
    w.c.get(call, 200)


def a_remote_target_wins_over_a_user_route(w):
    """12.2.1.1: a request within a dialog goes to the Contact that was agreed on, even when its user part looks
    like a number that a static route would send elsewhere."""
    for target in (GW, MC):
        call = w.call("sip:300@example.com", target=target, headers=["Contact: <sip:2001@10.88.0.2:5060>"])
        w.b.answer(w.b.get(call, "INVITE"), 503)
        invite = w.c.get(call, "INVITE")
        w.c.answer(invite, 200, contact="sip:300@10.88.0.12:5060")
        ok = call.get(200)
        call.within("ACK", ok)
        w.c.get(call, "ACK")
        call.within("BYE", ok)
        w.c.answer(w.c.get(call, "BYE"), 200)
        call.get(200)
        w.b.quiet(call, 0.05, "BYE")


def ipv6_to_ipv6(w):
    for user in ("700", "710"):
        call = w.call(f"sip:{user}@example.com", ua=w.a6, target=GW6)
        m = w.b6.get(call, "INVITE")
        assert m.vias()[0].startswith(f"SIP/2.0/UDP [{GW6}]:5060;branch="), m.vias()
        w.b6.answer(m, 486)
        call.ack_failure(call.get(486))
        w.b6.get(call, "ACK")


def between_ipv4_and_ipv6(w):
    for user in ("700", "710"):
        call = w.call(f"sip:{user}@example.com")
        m = w.b6.get(call, "INVITE")
        assert f"[{GW6}]" in m.vias()[0] and m.vias()[1].startswith("SIP/2.0/UDP 10.88.0.2"), m.vias()
        w.b6.answer(m, 200)
        call.get(200)
    call = w.call("sip:200@example.com", "MESSAGE", ua=w.a6, target=GW6)
    m = w.b.get(call, "MESSAGE")
    assert m.vias()[0].startswith(f"SIP/2.0/UDP {GW}:5060"), m.vias()
    w.b.answer(m, 200)
    call.get(200)


def double_record_route_between_families(w):
    """RFC 5658: each side gets an address that it can reach, and both are taken off together."""
    call = w.call("sip:700@example.com", target=MC, headers=["Contact: <sip:caller@10.88.0.2:5060>"])
    invite = w.b6.get(call, "INVITE")
    assert elements(invite, "record-route") == [f"<sip:[{MC6}]:5060;lr>", f"<sip:{MC}:5060;lr>"], invite.raw
    w.b6.answer(invite, 200)
    ok = call.get(200)
    call.within("ACK", ok)
    ack = w.b6.get(call, "ACK")
    assert not ack.all("route"), ack.raw
    bye = sip.request("BYE", "sip:caller@10.88.0.2:5060", "fd88::11", call_id=call.id, from_tag=tag_of(ok.get("to")),
                      to_tag=tag_of(ok.get("from")), headers=[f"Route: {r}" for r in elements(invite, "record-route")])
    w.b6.send(bye, (MC6, 5060))
    m = w.a.get(call, "BYE")
    assert not m.all("route")
    w.a.answer(m, 200)
    w.b6.get(call, 200)


TESTS = [stateless_request_and_answer, stateless_call_with_failure_and_cancel, via_gets_received_and_rport,
         received_of_the_sender_is_not_believed, answer_without_rport_goes_to_the_port_of_the_via,
         maddr_of_a_via_is_obeyed, maddr_that_aims_at_strangers_is_not, maddr_of_the_request_uri_that_is_us_is_cut,
         max_forwards_counts_down_or_is_added, max_breadth_is_added_and_capped, own_route_is_popped,
         a_route_that_names_us_by_maddr_is_popped, double_own_route_is_popped_whole, route_to_a_loose_router, route_to_a_strict_router, request_from_a_strict_router,
         what_is_not_ours_stays_byte_by_byte, register_with_path_passes_untouched, record_route_keeps_the_dialog_here,
         a_remote_target_wins_over_a_user_route, ipv6_to_ipv6, between_ipv4_and_ipv6, double_record_route_between_families]
