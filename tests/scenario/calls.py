# SPDX-License-Identifier: BSD-2-Clause
"""Many calls at once with SIPp on both sides (sipp/*.xml): each must end as its scenario says, on both sides."""
import os
import subprocess

from scene import GW, MC, MC6, sip

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sipp")
N = 60
SECONDS = 90  # in which all calls of one SIPp are over


def sipp(host, scenario, address, port, *more):
    """Starts one; what it complains about is in the file of its name in `errors`."""
    name = f"sipp-{scenario}-{len(host.lab.processes)}"
    path = os.path.join(host.lab.dir, name)
    os.makedirs(path)
    p = host.start(["sipp", "-sf", os.path.join(HERE, scenario + ".xml"), "-i", address, "-p", str(port), "-nostdin",
                    "-trace_err", "-error_file", os.path.join(path, "errors"), "-timeout", f"{SECONDS}s", "-timeout_error",
                    *more], os.path.join(name, "log"), cwd=path)
    p.scenario, p.errors = scenario, os.path.join(path, "errors")
    return p


def complaints(p):
    if not os.path.exists(p.errors):
        return "no complaints"
    with open(p.errors, errors="replace") as f:
        return f.read(1500)


def run(w, caller, callees, service, target=GW, n=N, address="10.88.0.2", uac=(), uas=()):
    """callees: (scenario, address). SIPp ends with 0 when every call of it went as written."""
    all_of_them = [sipp(w.callees, scenario, at, 5080, "-m", str(n), *uas) for scenario, at in callees]
    for (_, at), p in zip(callees, all_of_them):
        w.callees.wait_bound(at, 5080, p, "tcp" if "t1" in uas else "udp")
    all_of_them.append(sipp(w.callers, caller, address, 5090, "-m", str(n), "-r", "60", "-s", service, *uac,
                            f"{sip.host_form(target)}:5060"))
    codes = []
    for p in all_of_them:
        try:
            codes.append(p.wait(SECONDS + 30))
        except subprocess.TimeoutExpired:
            codes.append("no end")
            w.l.end(p)
    if any(codes):
        raise AssertionError("\n".join(f"{p.scenario} ended with {code}: {complaints(p)}" for p, code in zip(all_of_them, codes)))


def sipp_calls_in_the_path(w):
    run(w, "call_uac", [("call_uas", "10.88.0.14")], "210", MC)


def sipp_calls_past_the_gateway(w):
    """Without Record-Route: only what opens the call passes."""
    run(w, "call_uac", [("call_uas", "10.88.0.14")], "210")


def sipp_calls_without_state(w):
    run(w, "call_uac", [("call_uas", "10.88.0.14")], "110")


def sipp_calls_by_ipv6(w):
    run(w, "call_uac", [("call_uas", "fd88::14")], "720", MC6, address="fd88::2")


def sipp_calls_from_ipv4_to_ipv6(w):
    run(w, "call_uac", [("call_uas", "fd88::14")], "720", MC)


def sipp_prack_and_update(w):
    run(w, "prack_uac", [("prack_uas", "10.88.0.14")], "210", MC)


def sipp_cancel(w):
    run(w, "cancel_uac", [("cancel_uas", "10.88.0.14")], "210", MC)


def sipp_cancel_without_state(w):
    run(w, "cancel_uac", [("cancel_uas", "10.88.0.14")], "110")


def sipp_refused(w):
    for service, target in (("210", MC), ("110", GW)):
        run(w, "busy_uac", [("busy_uas", "10.88.0.14")], service, target, n=30)


def sipp_failover(w):
    run(w, "call_uac", [("away_uas", "10.88.0.14"), ("call_uas", "10.88.0.15")], "310", MC)


def sipp_nobody_there(w):
    """.14 has nothing on that port: the silence ends with the next target."""
    run(w, "call_uac", [("call_uas", "10.88.0.15")], "310", MC)


def sipp_fork(w):
    """.14 rings until it is cancelled, .15 answers."""
    run(w, "call_uac", [("cancel_uas", "10.88.0.14"), ("call_uas", "10.88.0.15")], "420", MC)


def sipp_messages_with_loss(w):
    """A tenth of what the caller sends or receives is lost; its retransmissions mend it, and no MESSAGE comes twice."""
    run(w, "message_uac", [("message_uas", "10.88.0.14")], "210", MC, uac=("-lost", "10"))


def sipp_unknown_user(w):
    run(w, "unknown_uac", [], "nobody", n=30)


def sipp_blocked(w):
    run(w, "blocked_uac", [], "610", n=30)


def sipp_options_to_the_node(w):
    for target, address in ((GW, "10.88.0.2"), (MC6, "fd88::2")):
        run(w, "options_uac", [], "gw", target, address=address)


BY_TCP = ("-t", "t1")  # one connection for all calls


def sipp_from_tcp_to_udp(w):
    run(w, "call_uac", [("call_uas", "10.88.0.14")], "210", MC, uac=BY_TCP)
    run(w, "message_uac", [("message_uas", "10.88.0.14")], "110", uac=BY_TCP)


def sipp_from_udp_to_tcp(w):
    run(w, "call_uac", [("call_uas", "10.88.0.14")], "220", MC, uas=BY_TCP)
    run(w, "message_uac", [("message_uas", "10.88.0.14")], "120", uas=BY_TCP)


def sipp_from_tcp_to_tcp(w):
    run(w, "call_uac", [("call_uas", "10.88.0.14")], "220", MC, uac=BY_TCP, uas=BY_TCP)
    run(w, "call_uac", [("call_uas", "10.88.0.14")], "120", uac=BY_TCP, uas=BY_TCP)
    run(w, "busy_uac", [("busy_uas", "10.88.0.14")], "220", MC, uac=BY_TCP, uas=BY_TCP)


def sipp_nobody_there_by_tcp(w):
    """.14 refuses the connection: the next target is tried at once, by UDP."""
    run(w, "call_uac", [("call_uas", "10.88.0.15")], "320", MC)


def sipp_a_connection_for_each_call(w):
    run(w, "message_uac", [("message_uas", "10.88.0.14")], "220", uac=("-t", "tn", "-max_socket", "1000"), uas=BY_TCP)


TESTS = [sipp_from_tcp_to_udp, sipp_from_udp_to_tcp, sipp_from_tcp_to_tcp, sipp_nobody_there_by_tcp, sipp_a_connection_for_each_call,
         sipp_calls_in_the_path, sipp_calls_past_the_gateway, sipp_calls_without_state, sipp_calls_by_ipv6,
         sipp_calls_from_ipv4_to_ipv6, sipp_prack_and_update, sipp_cancel, sipp_cancel_without_state, sipp_refused,
         sipp_failover, sipp_nobody_there, sipp_fork, sipp_messages_with_loss, sipp_unknown_user, sipp_blocked,
         sipp_options_to_the_node]
