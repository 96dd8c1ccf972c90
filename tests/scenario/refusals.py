# SPDX-License-Identifier: BSD-2-Clause
"""What goes no further: the answers that the gateway gives itself, keepalives, overload, drain, a next hop that is down."""
import os
import socket
import struct
import time
import zlib

import sip
from scene import GW, GW6, LIMIT, MC, MC6, Call, Ua, gw_config, lab, mc_config, tag_of


def refused(w, status, uri, method="MESSAGE", **fields):
    call = w.call(uri, method, **fields)
    m = call.get(status)
    if method == "INVITE":
        call.ack_failure(m)
    for u in (w.b, w.c, w.d):
        u.quiet(call, 0.01)
    return m


def max_forwards_of_none_is_483(w):
    """16.3; M19."""
    for user in ("200", "100"):
        m = refused(w, 483, f"sip:{user}@example.com", "INVITE", max_forwards=0)
        assert tag_of(m.get("to"))
        refused(w, 483, f"sip:{user}@example.com", "OPTIONS", max_forwards=0)


def options_to_the_node(w):
    """M19: the ping for us is answered even when it may travel no further."""
    for target, ua in ((GW, w.a), (GW6, w.a6), (MC, w.a), (MC6, w.a6)):
        for hops in (70, 0):
            call = w.call(f"sip:{sip.host_form(target)}", "OPTIONS", ua=ua, target=target, max_forwards=hops)
            m = call.get(200)
            assert len(m.vias()) == 1 and tag_of(m.get("to"))
    w.call("sip:example.com", "OPTIONS").get(200)


def an_own_answer_is_the_same_twice(w):
    """8.2.6.2: without state, yet with the same tag; its ACK ends here."""
    call = w.call("sip:nobody@example.com")
    first = call.get(404)
    call.send()
    again = call.get(404)
    assert first.get("to") == again.get("to") and first.get("via") == again.get("via")
    call.ack_failure(first)


def unknown_user_is_404(w):
    """M15."""
    refused(w, 404, "sip:nobody@example.com")
    refused(w, 404, "sip:nobody@example.com", "INVITE")
    refused(w, 404, f"sip:nobody@{GW}")


def user_of_another_node_goes_there(w):
    call = w.call("sip:faruser@example.com", "MESSAGE")
    w.b.answer(w.b.get(call, "MESSAGE"), 200)
    call.get(200)
    call = w.call("sip:%66aruser@EXAMPLE.com", "MESSAGE")
    m = w.b.get(call, "MESSAGE")
    assert m.uri == "sip:%66aruser@EXAMPLE.com"
    w.b.answer(m, 200)


def own_user_without_a_device_is_480(w):
    name = w.gw.unique
    w.gw.hgctl("user", "set", "here@example.com", name)
    refused(w, 480, "sip:here@example.com")


def foreign_domain_is_not_relayed(w):
    """An unknown name 404; an address outside the access lists 403, so that nobody relays through us; inside it goes."""
    refused(w, 404, "sip:x@elsewhere.example.org")
    refused(w, 403, "sip:x@192.0.2.7")
    refused(w, 403, "sip:x@example.com", headers=["Route: <sip:192.0.2.7;lr>"])
    call = w.call("sip:x@10.88.0.12", "MESSAGE")
    w.c.answer(w.c.get(call, "MESSAGE"), 200)
    call.get(200)


def proxy_require_is_420(w):
    m = refused(w, 420, "sip:200@example.com", "INVITE", headers=["Proxy-Require: foo, bar", "Proxy-Require: baz"])
    assert m.get("unsupported").replace(" ", "") == "foo,bar,baz", m.raw


def unsupported_scheme_is_416(w):
    for uri in ("nobodyKnowsThisScheme:totallyopaquecontent", "http://example.com/"):
        refused(w, 416, uri, "MESSAGE", to="sip:200@example.com")


def tel_uri_is_a_user(w):
    call = w.call("tel:+1-200", "MESSAGE")
    assert call.get(404)
    call = w.call("tel:20-0(0)", "MESSAGE")
    m = w.b.get(call, "MESSAGE")
    assert m.uri == "tel:20-0(0)"
    w.b.answer(m, 200)


def a_loop_is_482(w):
    """16.3 step 4: 50* and 51* send gw to mc and mc to gw."""
    for user in ("500", "510"):
        for target in (GW, MC):
            w.call(f"sip:{user}@example.com", "MESSAGE", target=target).get(482)


def a_next_hop_that_is_this_gateway_is_482(w):
    """It would come back with our Via and the same Request-URI; it need not travel for that."""
    for user in ("630", "640"):
        refused(w, 482, f"sip:{user}@example.com", "INVITE")
        refused(w, 482, f"sip:{user}@example.com")


def a_request_that_comes_back_unchanged_is_482(w):
    for user in ("200", "100"):
        call = w.call(f"sip:{user}@example.com", "MESSAGE")
        m = w.b.get(call, "MESSAGE")
        w.b.send(b"\r\n".join([m.raw.split(b"\r\n", 1)[0],
                               b"Via: SIP/2.0/UDP 10.88.0.11:5060;branch=z9hG4bK" + os.urandom(6).hex().encode(),
                               m.raw.split(b"\r\n", 1)[1]]), (GW, 5060))
        w.b.get(call, 482)


def a_spiral_passes(w):
    """RFC 5393: the same request with another Request-URI is no loop."""
    for user in ("200", "100"):
        call = w.call(f"sip:{user}@example.com", "MESSAGE")
        m = w.b.get(call, "MESSAGE")
        raw = m.raw.replace(f"MESSAGE sip:{user}@example.com".encode(), b"MESSAGE sip:207@example.com", 1)
        w.b.send(b"\r\n".join([raw.split(b"\r\n", 1)[0],
                               b"Via: SIP/2.0/UDP 10.88.0.11:5060;branch=z9hG4bK" + os.urandom(6).hex().encode(),
                               raw.split(b"\r\n", 1)[1]]), (GW, 5060))
        again = w.b.get(call, "MESSAGE")
        while again.raw == m.raw:
            again = w.b.get(call, "MESSAGE")
        assert again.uri == "sip:207@example.com" and len(again.vias()) == 4, again.vias()
        w.b.answer(again, 200)
        w.b.answer(w.b.get(call, 200) and m, 200)
        call.get(200)


def answers_that_are_not_ours_are_dropped(w):
    """18.1.2 and docs/sip.md: another top Via, a branch that we never wrote, a forged one."""
    call = w.call("sip:100@example.com", "MESSAGE")
    m = w.b.get(call, "MESSAGE")
    good = sip.answer(m, 200)
    branch = m.vias()[0].split("branch=")[1].split(";")[0].encode()
    bad = [good.replace(b"UDP 10.88.0.1:5060", b"UDP 10.88.0.9:5060", 1), good.replace(branch, b"z9hG4bKnever", 1),
           good.replace(branch, branch[:-1] + (b"0" if branch[-1:] != b"0" else b"1"), 1),
           b"\r\n".join(line for line in good.split(b"\r\n") if b"10.88.0.1:5060" not in line or not line.startswith(b"Via"))]
    for raw in bad:
        w.b.send(raw, m.source)
    call.quiet(0.2)
    w.b.send(good, m.source)
    call.get(200)


def an_answer_to_a_forgotten_transaction_is_absorbed(w):
    """RFC 6026 8.9."""
    call = w.call("sip:200@example.com", "MESSAGE")
    m = w.b.get(call, "MESSAGE")
    w.b.answer(m, 200)
    call.get(200)
    before = w.gw.settled_counters()["sip_late_responses"]

    def forgotten():
        w.b.answer(m, 486)
        return w.gw.settled_counters()["sip_late_responses"] > before
    lab.wait_for(forgotten, 60, "a late answer")
    call.quiet(0.2)


def a_stray_ack_goes_nowhere(w):
    call = Call(w.a, "sip:nobody@example.com", "ACK", GW, to_tag="x")
    call.send()
    call.quiet(0.15)


def crlf_keepalive(w):
    """RFC 5626 4.4.1: CRLFCRLF gets CRLF, a lone CRLF nothing."""
    for ua, target in ((w.a, GW), (w.a6, GW6)):
        ua.send(b"\r\n", (target, 5060))
        ua.send(b"\r\n\r\n", (target, 5060))
        assert ua.next_raw(lambda raw: True) == b"\r\n"
        w.caught_up(ua, target)
        assert ua.next_raw(lambda raw: True, 0.1) is None


def stun_binding(w):
    """RFC 5389: where the request came from, obfuscated; with a fingerprint if it had one."""
    for ua, target, family in ((w.a, GW, 1), (w.a6, GW6, 2)):
        ident = os.urandom(12)
        head = struct.pack("!HHI", 1, 8, 0x2112A442) + ident
        ua.send(head + struct.pack("!HHI", 0x8028, 4, zlib.crc32(head) ^ 0x5354554E), (target, 5060))
        raw = ua.next_raw(lambda raw: raw[:2] == b"\x01\x01")
        assert raw and raw[4:20] == struct.pack("!I", 0x2112A442) + ident
        kind, length, fam, port = struct.unpack("!HHxBH", raw[20:28])
        assert (kind, fam, port ^ 0x2112) == (0x20, family, 5060), raw
        key = raw[4:20]
        address = bytes(x ^ y for x, y in zip(raw[28:24 + length], key))
        assert socket.inet_ntop(socket.AF_INET if family == 1 else socket.AF_INET6, address) == ua.address
        assert raw[-8:-4] == struct.pack("!HH", 0x8028, 4)
        assert struct.unpack("!I", raw[-4:])[0] == zlib.crc32(raw[:-8]) ^ 0x5354554E


def overload_control_is_told(w):
    """RFC 7339: who offers oc in its Via gets a value; nobody else does."""
    call = Call(w.a, "sip:nobody@example.com", "MESSAGE", GW)
    call.send(call.raw.replace(b";rport", b";rport;oc;oc-algo=\"loss\""))
    via = call.get(404).get("via")
    assert ";oc=0" in via and ";oc-validity=" in via and ";oc-seq=" in via, via
    assert "oc" not in w.call("sip:nobody@example.com", "MESSAGE").get(404).get("via").split(";branch")[1].split(";", 1)[1]
    call = Call(w.a, "sip:200@example.com", "MESSAGE", GW)
    call.send(call.raw.replace(b";rport", b";rport;oc;oc-algo=\"loss\""))
    w.b.answer(w.b.get(call, "MESSAGE"), 200)
    assert ";oc=0" in call.get(200).get("via")


def overload_control_is_obeyed(w):
    """mc offers it: a callee that asks for a loss of everything is spared until it asks for nothing."""
    def told(loss, seq):
        w.b.send(sip.answer(m, 200).replace(offer, f';oc={loss};oc-algo="loss";oc-validity=60000;oc-seq={seq}'.encode()), m.source)

    def shed():
        again = w.call("sip:200@example.com", "MESSAGE", target=MC)
        while True:  # one of the two comes
            final, request = again.ua.maybe(again, 503, 0.05), w.b.maybe(again, "MESSAGE", 0.05)
            if final:
                assert final.get("retry-after"), final.raw
                return True
            if request:
                w.b.answer(request, 200)
                again.get(200)
                return False

    offer = b';oc;oc-algo="loss"'
    call = w.call("sip:200@example.com", "MESSAGE", target=MC)
    m = w.b.get(call, "MESSAGE")
    assert offer.decode() in m.vias()[0], m.vias()
    told(100, "1.1")
    call.get(200)
    try:
        # each core was told by the answers that it got itself: half of the calls are another core's
        assert any([shed() for _ in range(16)])
    finally:
        told(0, "2.1")
    lab.wait_for(lambda: not any([shed() for _ in range(8)]), 90, "the callee is no longer spared")


def a_full_table_is_503(w):
    """With 256 transactions a core: what does not fit is refused with Retry-After, what was taken goes on."""
    w.mc.write_config(mc_config(transactions=256))
    w.mc.hgctl("config", "reload")
    w.l.end(w.mc.dp)
    w.mc.start_dp()
    w.mc.wait_ready()
    callee = Ua(w.callees, "10.88.0.14", 5080)
    calls = {c.id: c for c in [w.call("sip:210@example.com", target=MC) for _ in range(700)]}
    answered, finals, end, again = set(), {}, time.monotonic() + LIMIT, time.monotonic() + 2
    ours = lambda m: m.get("call-id") in calls
    while len(finals) < len(calls) and time.monotonic() < end:
        while m := callee.next(lambda m: m.method == "INVITE" and ours(m), 0.02):
            callee.answer(m, 486)
            answered.add(m.get("call-id"))
        while m := w.a.next(lambda m: m.status and m.status >= 200 and ours(m), 0.02):
            if m.get("call-id") not in finals:
                finals[m.get("call-id")] = m
                calls[m.get("call-id")].ack_failure(m)
        if time.monotonic() > again:  # as timer A has it: 700 datagrams at once may be too many for a port
            again = time.monotonic() + 2
            for c in calls.values():
                if c.id not in finals:
                    c.send()
    taken = [m for m in finals.values() if m.status == 486]
    refused = [m for m in finals.values() if m.status == 503 and m.get("retry-after")]
    callee.close()
    assert len(taken) == len(answered) >= 300 and refused, (len(taken), len(answered), len(refused))
    assert len(taken) + len(refused) == len(calls), f"{len(finals)} of {len(calls)} have an answer"


def a_draining_gateway_refuses_new_requests(w):
    """503 with Retry-After for what is new; what is under way ends as it would have."""
    call = w.call("sip:200@example.com")
    m = w.b.get(call, "INVITE")
    w.b.answer(m, 180)
    call.get(180)
    w.gw.hgctl("drain")
    try:
        assert int(refused(w, 503, "sip:200@example.com", "INVITE").get("retry-after")) > 0
        assert refused(w, 503, f"sip:{GW}", "OPTIONS").get("retry-after")
        w.b.answer(m, 200)
        ok = call.get(200)
        call.within("ACK", ok)
        w.b.get(call, "ACK")
        call.within("BYE", ok)
        w.b.answer(w.b.get(call, "BYE"), 200)
        call.get(200)
    finally:
        w.gw.hgctl("undrain")
    w.call(f"sip:{GW}", "OPTIONS").get(200)


def a_next_hop_that_is_down(w):
    """Marked down by silence: 503 with Retry-After at once; back when a probe is answered."""
    w.gw.write_config(gw_config(probe="interval = 300; timeout = 3000; down_after = 2;"))
    w.gw.hgctl("config", "reload")

    def state(last):
        rows = w.gw.hgctl_json("hop", "list")["hops"]
        return next(h["state"] for h in rows if h["endpoint"].startswith(f"10.88.0.{last}:"))

    try:
        lab.wait_for(lambda: state(16) == "down", 60, ".16 is down")
        assert refused(w, 503, "sip:600@example.com", "INVITE").get("retry-after")
        w.silent.forget()

        def answered():
            while m := w.silent.next(lambda m: m.method == "OPTIONS", 0.05):
                w.silent.answer(m, 200)
            return state(16) == "up"

        lab.wait_for(answered, 60, ".16 is up")
        call = w.call("sip:600@example.com", "MESSAGE")
        w.silent.answer(w.silent.get(call, "MESSAGE"), 200)
        call.get(200)
    finally:
        w.gw.write_config(gw_config())
        w.gw.hgctl("config", "reload")


TESTS = [max_forwards_of_none_is_483, options_to_the_node, an_own_answer_is_the_same_twice, unknown_user_is_404,
         user_of_another_node_goes_there, own_user_without_a_device_is_480, foreign_domain_is_not_relayed,
         proxy_require_is_420, unsupported_scheme_is_416, tel_uri_is_a_user, a_loop_is_482,
         a_next_hop_that_is_this_gateway_is_482, a_request_that_comes_back_unchanged_is_482, a_spiral_passes,
         answers_that_are_not_ours_are_dropped, an_answer_to_a_forgotten_transaction_is_absorbed, a_stray_ack_goes_nowhere, crlf_keepalive,
         stun_binding, overload_control_is_told, overload_control_is_obeyed, a_full_table_is_503,
         a_draining_gateway_refuses_new_requests, a_next_hop_that_is_down]
