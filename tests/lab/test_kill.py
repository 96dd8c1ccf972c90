#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each process is killed and restarted alone, under load.

    caller 10.88.0.2 --- gateway 10.88.0.1 --- callee 10.88.0.11 (static route 4*, user alice by the admin)

Without the control plane no message is lost; a returning dataplane opens its listeners only with every table."""
import glob
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import config
import lab
import load
import sip

GW = "10.88.0.1"


def setup():
    l = lab.Lab()
    caller = l.host("caller", "10.88.0.2/24")
    callee = l.host("callee", "10.88.0.11/24")
    callee.uas()
    node = l.node("gw", config.text(access=["10.88.0.0/24"],
                                    routes=[dict(name="four", pattern="4*", next_hop="10.88.0.11")],
                                    cluster='nodes = ( { name = "far"; sip = "10.88.0.11:5060"; } );'))
    node.start_both()
    node.hgctl("route", "add", "seven", "--pattern", "7*", "--next-hop", "10.88.0.11", "--protocol", "UDP")
    node.hgctl("user", "set", "alice@example.com", "far")
    return l, caller, node


def every_kind(n):
    """A static route of the file, one of the administrator, and a user: all tables are asked."""
    return (f"sip:4{n}@example.com", f"sip:7{n}@example.com", "sip:alice@example.com")[n % 3]


def traffic_passes(l, caller, node):
    flow = load.Load(caller, GW, every_kind)
    flow.wait_sent(600)
    missing = flow.stop()
    assert not missing, f"{len(missing)} of {len(flow.sent)} without an answer"
    assert set(flow.statuses()) == {200}, flow.statuses()


def control_plane_killed_under_load_loses_nothing(l, caller, node):
    flow = load.Load(caller, GW, every_kind)
    flow.wait_sent(300)
    l.end(node.cp, signal.SIGKILL)
    flow.wait_sent(900)
    assert node.dp.poll() is None, "the dataplane ended too"
    node.start_cp()
    node.wait_ready()
    flow.wait_sent(300)
    missing = flow.stop()
    assert not missing, f"{len(missing)} of {len(flow.sent)} lost"
    assert set(flow.statuses()) == {200}, flow.statuses()
    assert flow.again == 0, f"{flow.again} answered twice"


def control_plane_killed_again_and_again(l, caller, node):
    flow = load.Load(caller, GW, every_kind)
    for _ in range(5):
        node.start_cp() if node.cp.poll() is not None else None
        flow.wait_sent(120)
        l.end(node.cp, signal.SIGKILL)
    node.start_cp()
    node.wait_ready()
    missing = flow.stop()
    assert not missing, f"{len(missing)} of {len(flow.sent)} lost"
    assert set(flow.statuses()) == {200}, flow.statuses()


def dataplane_killed_returns_with_every_table(l, caller, node):
    flow = load.Load(caller, GW, every_kind)
    flow.wait_sent(300)
    l.end(node.dp, signal.SIGKILL)
    flow.wait_sent(300)
    assert node.cp.poll() is None, "the control plane ended too"
    node.start_dp()
    node.wait_ready()
    back = time.monotonic()
    flow.wait_sent(600)
    missing = flow.stop(since=back)
    # What was sent while it was away is gone; nothing that was sent afterwards is, and nothing was ever misrouted:
    # a dataplane that opened its listeners without its tables would have answered 404.
    late = [c for c in missing if flow.sent[c] > back]
    assert not late, f"{len(late)} lost after it was ready again"
    assert set(flow.statuses()) == {200}, flow.statuses()


def dataplane_killed_again_and_again(l, caller, node):
    for _ in range(3):
        l.end(node.dp, signal.SIGKILL)
        node.start_dp()
        node.wait_ready()
    traffic_passes(l, caller, node)


def dataplane_alone_stays_closed(l, caller, node):
    """Both die; a dataplane without a control plane has no tables and keeps its listeners closed."""
    l.end(node.cp, signal.SIGKILL)
    l.end(node.dp, signal.SIGKILL)
    node.start_dp()
    time.sleep(3)
    assert node.dp.poll() is None, f"the dataplane ended\n{node.logs()}"
    assert not sip.alive(caller, GW, 5075, tries=1), "it answered without tables"
    node.start_cp()
    node.wait_ready()
    traffic_passes(l, caller, node)


def redis_away_does_not_disturb(l, caller, node):
    flow = load.Load(caller, GW, every_kind)
    flow.wait_sent(150)
    l.end(node.redis, signal.SIGKILL)
    flow.wait_sent(600)
    refused = node.hgctl("route", "add", "nine", "--pattern", "9*", "--next-hop", "10.88.0.11", "--protocol", "UDP",
                         check=False)
    assert refused.returncode != 0, "a route was accepted that nobody stored"
    node.start_redis()
    lab.wait_for(lambda: node.hgctl("route", "add", "nine", "--pattern", "9*", "--next-hop", "10.88.0.11", "--protocol",
                                    "UDP", check=False).returncode == 0, 60, "Redis is used again")
    lab.wait_for(lambda: node.counters().get("sip_requests"), 60, "counters are exported again")
    missing = flow.stop()
    assert not missing, f"{len(missing)} of {len(flow.sent)} lost"


def acknowledged_survives_both(l, caller, node):
    """A route and a user that hgctl acknowledged are there after both processes died at once."""
    node.hgctl("route", "add", "five", "--pattern", "5*", "--next-hop", "10.88.0.11", "--protocol", "UDP")
    l.end(node.cp, signal.SIGKILL)
    l.end(node.dp, signal.SIGKILL)
    node.start_both()
    names = [r["name"] for r in node.hgctl_json("route", "list")["routes"]]
    assert "five" in names and "seven" in names and "four" in names, names
    traffic_passes(l, caller, node)


def a_second_control_plane_is_refused(l, caller, node):
    """The same node.name with another admin socket: it says so and ends, with a dataplane and without one."""
    with open(node.config_file) as f:
        text = f.read().replace("admin.sock", "second.sock").replace("port = 9464", "port = 0")
    path = os.path.join(node.dir, "second.cfg")
    with open(path, "w") as f:
        f.write(text)
    program = os.path.join(lab.BUILD, "controlplane", "hg-controlplane")

    def refused():
        done = node.run([program, "-c", path], check=False, timeout=60)
        assert done.returncode == 1 and "another hg-controlplane" in done.stdout and node.unique in done.stdout, done.stdout
        assert node.hgctl("status", check=False).returncode != 2, "the first one was disturbed"

    refused()
    traffic_passes(l, caller, node)
    l.end(node.dp, signal.SIGTERM)
    refused()
    node.start_dp()
    node.wait_ready()


def a_second_dataplane_is_refused_and_takes_nothing(l, caller, node):
    """It must not open the port first: the XDP program of the first one would go with it."""
    program = os.path.join(lab.BUILD, "dataplane", "hg-dataplane")
    done = node.run([program, "-c", node.config_file], check=False, timeout=60)
    assert done.returncode == 1 and "another hg-dataplane" in done.stdout, done.stdout
    assert os.path.exists(f"/var/run/dpdk/hg-{node.unique}/dpdk_telemetry.v2"), "the first one's telemetry is gone"
    traffic_passes(l, caller, node)


def graceful_stop_leaves_nothing(l, caller, node):
    l.end(node.dp, signal.SIGTERM)
    l.end(node.cp, signal.SIGTERM)
    assert node.dp.returncode == 0, f"dataplane ended with {node.dp.returncode}\n{node.logs()}"
    assert node.cp.returncode == 0, f"control plane ended with {node.cp.returncode}\n{node.logs()}"
    left = glob.glob(f"/dev/shm/hg-{node.unique}*") + glob.glob(f"/var/run/dpdk/hg-{node.unique}*")
    assert not left, left


if __name__ == "__main__":
    sys.exit(lab.run_tests([traffic_passes, control_plane_killed_under_load_loses_nothing,
                            control_plane_killed_again_and_again, dataplane_killed_returns_with_every_table,
                            dataplane_killed_again_and_again, dataplane_alone_stays_closed, redis_away_does_not_disturb,
                            acknowledged_survives_both, a_second_control_plane_is_refused,
                            a_second_dataplane_is_refused_and_takes_nothing, graceful_stop_leaves_nothing], setup()))
