#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Static routes from outside: section L of the requirements, probes, hgctl route, reload.

    caller .2 --- gateway .1 --- callees .11 .12 .13 (each answers with its own Contact)"""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import config
import lab
import load
import sip

GW = "10.88.0.1"
FILE_ROUTES = [dict(name="a20", pattern="4*", next_hop="10.88.0.11", weight=20),
               dict(name="a10", pattern="4*", next_hop="10.88.0.12", weight=10),
               dict(name="b50", pattern="4*", next_hop="10.88.0.13", priority=2, weight=50),
               dict(name="tls", pattern="8*", next_hop="10.88.0.11", protocol="TLS"),
               dict(name="tpl-good", pattern="74..7812345*", next_hop="10.88.0.12"),
               dict(name="tpl-bad", pattern="73..7812345*", next_hop="10.88.0.12")]
TEMPLATES = ["74..78xxxxx*", "471....xx*"]


def text(**changes):
    return config.text(**dict(dict(access=["10.88.0.0/24"], routes=FILE_ROUTES, templates=TEMPLATES, sip="failover = 4000;",
                                   probe="interval = 400; timeout = 1500; down_after = 3;"), **changes))


class World:
    def __init__(self):
        self.l = lab.Lab()
        self.caller = self.l.host("caller", "10.88.0.2/24")
        self.host, self.uas = {}, {}
        for last in (11, 12, 13):
            self.host[last] = self.l.host(f"callee{last}", f"10.88.0.{last}/24")
            self.start(last)
        self.node = self.l.node("gw", text())
        self.node.start_both()

    def start(self, last):
        self.uas[last] = self.host[last].uas()

    def ask(self, uri, timeout=30.0, port=5070, call_id=None):
        """One request: (status, last byte of the callee that answered)."""
        s = self.caller.udp(port)
        try:
            raw = sip.request("MESSAGE", uri, "10.88.0.2", port, call_id=call_id)
            s.sendto(raw, (GW, 5060))
            m = sip.final(s, sip.Message(raw).get("call-id"), timeout)
            if m is None:
                return None, None
            contact = m.get("contact") or ""
            return m.status, int(contact.split("@10.88.0.")[1].split(":")[0]) if "@10.88.0." in contact else None
        finally:
            s.close()

    def hop(self, last):
        rows = self.node.hgctl_json("hop", "list")["hops"]
        return next((h["state"] for h in rows if h["endpoint"].startswith(f"10.88.0.{last}:")), "absent")

    def wait_hop(self, last, state):
        lab.wait_for(lambda: self.hop(last) == state, 60, f"next hop .{last} is {state}")

    def route(self, name):
        return next(r for r in self.node.hgctl_json("route", "list")["routes"] if r["name"] == name)


def weights_share_two_to_one(w):
    """L16, L17: (1,20)(1,10)(2,50)."""
    count = {11: 0, 12: 0, 13: 0}
    for i in range(600):
        status, who = w.ask(f"sip:4{i}@example.com")
        assert status == 200, f"request {i}: {status}"
        count[who] += 1
    assert count[13] == 0, count
    assert 330 <= count[11] <= 470, count  # 400 expected, 6 sigma to either side


def priority_two_only_after_both_failed(w):
    """L17: .11 alone down, then both; the first requests meet silence before the probes notice it."""
    w.l.end(w.uas[11], signal.SIGKILL)
    w.wait_hop(11, "down")
    assert {w.ask(f"sip:4{i}@example.com")[1] for i in range(20)} == {12}
    w.l.end(w.uas[12], signal.SIGKILL)
    status, who = w.ask("sip:4999@example.com")
    assert (status, who) == (200, 13), (status, who)
    w.wait_hop(12, "down")
    assert {w.ask(f"sip:4{i}@example.com")[1] for i in range(10)} == {13}


def all_down_is_503_with_retry_after(w):
    w.l.end(w.uas[13], signal.SIGKILL)
    w.wait_hop(13, "down")
    s = w.caller.udp(5071)
    raw = sip.request("MESSAGE", "sip:4000@example.com", "10.88.0.2", 5071)
    s.sendto(raw, (GW, 5060))
    m = sip.final(s, sip.Message(raw).get("call-id"))
    s.close()
    assert m and m.status == 503, m and m.start
    assert m.get("retry-after"), m.raw


def probes_bring_them_back(w):
    """AE07."""
    for last in (11, 12, 13):
        w.start(last)
    for last in (11, 12, 13):
        w.wait_hop(last, "up")
    assert w.ask("sip:4000@example.com")[1] in (11, 12)


def tls_shows_no_transport(w):
    """L14: the route loads and says why it does not work yet."""
    r = w.route("tls")
    assert r["state"] == "out_of_service" and "no transport" in r["reason"], r
    status, _ = w.ask("sip:8000@example.com")
    assert status and 400 <= status < 700, status


def templates_decide_over_embedded_wildcards(w):
    """L21-L25."""
    good, bad = w.route("tpl-good"), w.route("tpl-bad")
    assert good["state"] == "in_service", good
    assert bad["state"] == "out_of_service" and "template" in bad["reason"], bad
    assert w.ask("sip:7499781234599@example.com") == (200, 12)
    assert w.ask("sip:7399781234599@example.com")[0] == 404


def a_route_is_in_force_when_the_command_returns(w):
    """L30: no wait, no loss."""
    for i in range(20):
        last = 11 + i % 3
        w.node.hgctl("route", "add", f"quick{i}", "--pattern", f"55{i:02}*", "--next-hop", f"10.88.0.{last}",
                     "--protocol", "UDP")
        assert w.ask(f"sip:55{i:02}1@example.com") == (200, last), f"route {i} was not in force"
    for i in range(20):
        w.node.hgctl("route", "remove", f"quick{i}")
        assert w.ask(f"sip:55{i:02}1@example.com")[0] == 404, f"route {i} was still in force"


def sources_are_kept_apart(w):
    w.node.hgctl("route", "add", "mine", "--pattern", "61*", "--next-hop", "10.88.0.11", "--protocol", "UDP")
    assert w.route("mine")["source"] == "admin" and w.route("a20")["source"] == "file"
    done = w.node.hgctl("route", "remove", "a20", check=False)
    assert done.returncode == 1 and "file" in done.stdout, done.stdout
    done = w.node.hgctl("route", "add", "a20", "--pattern", "1*", "--next-hop", "10.88.0.11", check=False)
    assert done.returncode == 1, done.stdout


def blocked_and_out_of_service(w):
    """L18, L19, L20."""
    w.node.hgctl("route", "set", "mine", "--block", "true")
    assert w.ask("sip:6100@example.com")[0] == 403
    w.node.hgctl("route", "set", "mine", "--block", "false", "--in-service", "false")
    assert w.ask("sip:6100@example.com")[0] in (404, 480, 503)
    w.node.hgctl("route", "add", "shorter", "--pattern", "6*", "--next-hop", "10.88.0.13", "--protocol", "UDP")
    assert w.ask("sip:6100@example.com") == (200, 13), "the less specific route was not used"
    w.node.hgctl("route", "set", "mine", "--in-service", "true")
    assert w.ask("sip:6100@example.com") == (200, 11)
    w.node.hgctl("route", "remove", "shorter")
    w.node.hgctl("route", "remove", "mine")


def a_bad_route_never_replaces_a_good_table(w):
    for args in (["--pattern", "12*34", "--next-hop", "10.88.0.11"], ["--pattern", "1*", "--next-hop", "5.6.7.8.9"],
                 ["--pattern", "1*", "--next-hop", "10.88.0.11", "--priority", "0"],
                 ["--pattern", "1*", "--next-hop", "10.88.0.11", "--weight", "65536"],
                 ["--pattern", "1" * 256, "--next-hop", "10.88.0.11"]):
        done = w.node.hgctl("route", "add", "bad", "--protocol", "UDP", *args, check=False)
        assert done.returncode in (1, 2), f"{args} was accepted"
        assert len(done.stdout.strip()) > 20, f"no explanation for {args}"
    assert w.ask("sip:4000@example.com")[0] == 200


def explain_says_which_wins_and_why(w):
    out = w.node.hgctl("route", "explain", "sip:4000@example.com").stdout
    assert "a20" in out and "a10" in out and "b50" in out, out
    e = w.node.hgctl_json("route", "explain", "sip:4000@example.com")
    assert e["verdict"] == "static", e
    rows = {r["name"]: r for r in e["routes"]}
    assert rows["a20"]["wins"] and not rows["tls"]["wins"] and rows["tls"]["text"], rows
    assert abs(rows["a20"]["share"] - 66.7) < 1, rows["a20"]


def users_come_after_static_routes(w):
    """L01, M15."""
    assert w.ask("sip:carol@example.com")[0] == 404
    w.node.write_config(text(cluster='nodes = ( { name = "far"; sip = "10.88.0.12:5060"; } );'))
    w.node.hgctl("config", "reload")
    lab.wait_for(lambda: "far" in [n["name"] for n in w.node.hgctl_json("node", "list")["nodes"]], 30, "the record has far")
    w.node.hgctl("user", "set", "carol@example.com", "far")
    assert w.ask("sip:carol@example.com") == (200, 12)
    w.node.hgctl("route", "add", "static-carol", "--pattern", "carol", "--next-hop", "10.88.0.13", "--protocol", "UDP")
    assert w.ask("sip:carol@example.com") == (200, 13)
    w.node.hgctl("route", "remove", "static-carol")
    w.node.hgctl("user", "remove", "carol@example.com")
    assert w.ask("sip:carol@example.com")[0] == 404


def a_bad_file_changes_nothing(w):
    w.node.write_config(text(sip="t1 = 3; failover = 4000;") + "\nnonsense = 1;")
    done = w.node.hgctl("config", "reload", check=False)
    assert done.returncode == 1 and "t1" in done.stdout and "nonsense" in done.stdout, done.stdout
    assert w.ask("sip:4000@example.com")[0] == 200
    w.node.write_config(text(routes=FILE_ROUTES + [dict(name="new", pattern="99*", next_hop="10.88.0.13")]))
    w.node.hgctl("config", "reload")
    assert w.ask("sip:9911@example.com") == (200, 13)


def routes_change_under_load_without_loss(w):
    """L30, promise 2: neither lost nor routed by a mixture."""
    flow = load.Load(w.caller, GW, lambda n: f"sip:4{n}@example.com", rate=300)
    for i in range(30):
        w.node.hgctl("route", "add", f"churn{i}", "--pattern", f"77{i:02}*", "--next-hop", "10.88.0.11", "--protocol", "UDP")
    for i in range(30):
        w.node.hgctl("route", "remove", f"churn{i}")
    missing = flow.stop()
    assert not missing, f"{len(missing)} of {len(flow.sent)} lost"
    assert set(flow.statuses()) == {200}, flow.statuses()


if __name__ == "__main__":
    sys.exit(lab.run_tests([weights_share_two_to_one, priority_two_only_after_both_failed, all_down_is_503_with_retry_after,
                            probes_bring_them_back, tls_shows_no_transport, templates_decide_over_embedded_wildcards,
                            a_route_is_in_force_when_the_command_returns, sources_are_kept_apart,
                            blocked_and_out_of_service, a_bad_route_never_replaces_a_good_table,
                            explain_says_which_wins_and_why, users_come_after_static_routes, a_bad_file_changes_nothing,
                            routes_change_under_load_without_loss], (World(),)))
