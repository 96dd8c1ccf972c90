#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""SIPp against the proxy: one scenario for each behaviour, real SIPp on both sides.

    caller .2 --- gateway .1 --- callees .11 .12 (SIPp with the scenario of the case)

A case: name, target user, scenario of the caller, scenarios of the callees by last byte of their address."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
import config
import lab

CALLS = 20
ROUTES = [dict(name="stateless", pattern="1*", next_hop="10.88.0.11", stateful=False),
          dict(name="stateful", pattern="2*", next_hop="10.88.0.11"),
          dict(name="first", pattern="3*", next_hop="10.88.0.11"),
          dict(name="second", pattern="3*", next_hop="10.88.0.12", priority=2),
          dict(name="left", pattern="5*", next_hop="10.88.0.11", parallel=True),
          dict(name="right", pattern="5*", next_hop="10.88.0.12", parallel=True),
          dict(name="blocked", pattern="6*", next_hop="10.88.0.11", block=True)]
CASES = [("stateless call", "1", "uac_call.xml", {11: "uas_call.xml"}),
         ("stateful call", "2", "uac_call.xml", {11: "uas_call.xml"}),
         ("stateful CANCEL", "2", "uac_cancel.xml", {11: "uas_cancel.xml"}),
         ("stateless CANCEL", "1", "uac_cancel.xml", {11: "uas_cancel.xml"}),
         ("busy callee, ACK by the proxy", "2", "uac_busy.xml", {11: "uas_busy.xml"}),
         ("silence, then the next target", "3", "uac_call.xml", {12: "uas_call.xml"}),
         ("503, then the next target", "3", "uac_call.xml", {11: "uas_503.xml", 12: "uas_call.xml"}),
         ("parallel fork, loser cancelled", "5", "uac_call.xml", {11: "uas_cancel.xml", 12: "uas_call.xml"}),
         ("unknown user 404", "9", "uac_404.xml", {}),
         ("blocked 403", "6", "uac_403.xml", {}),
         ("OPTIONS to the node", "0", "uac_options.xml", {})]


def run(name, user, uac, callees, hosts, caller):
    started = [(last, hosts[last].start(["sipp", "-sf", os.path.join(HERE, file), "-i", f"10.88.0.{last}", "-p", "5060",
                                         "-m", str(CALLS), "-nostdin", "-timeout", "60"], f"uas{last}.log"))
               for last, file in callees.items()]
    lab.time.sleep(0.7)
    done = caller.run(["sipp", "10.88.0.1:5060", "-sf", os.path.join(HERE, uac), "-i", "10.88.0.2", "-p", "5070", "-s", user,
                       "-m", str(CALLS), "-r", "20", "-nostdin", "-timeout", "60", "-timeout_error"], check=False,
                      timeout=90)
    assert done.returncode == 0, f"the caller's SIPp ended with {done.returncode}\n{done.stdout[-1500:]}"
    for last, p in started:
        assert p.wait(timeout=70) == 0, f"SIPp of .{last} ended with {p.returncode}"


def main():
    world = lab.Lab()
    caller = world.host("caller", "10.88.0.2/24")
    hosts = {last: world.host(f"callee{last}", f"10.88.0.{last}/24") for last in (11, 12)}
    node = world.node("gw", config.text(access=["10.88.0.0/24"], routes=ROUTES, sip="failover = 1000;",
                                        probe="enabled = false; down_after = 100;"))
    node.start_both()
    failed = 0
    for case in CASES:
        try:
            run(*case, hosts, caller)
            print(f"ok {case[0]}")
        except Exception as e:
            failed += 1
            print(f"FAIL {case[0]}: {e}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
