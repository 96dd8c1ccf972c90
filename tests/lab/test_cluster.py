#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two pairs, looked at from outside: phones that are asked for all the time say who served them, and when.

No fault may have two nodes serve one user, none may touch the users of another pair, and every one heals by itself or
by the one command that its row asks for. Times are judged with wide margins: tests/bench/failover.py measures them."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cluster
import epochs
import lab

USERS, RATE = 200, 200
# As fast as a busy machine of CI allows without a false alarm; the control plane restarts unnoticed within the lease.
PROFILE = ("ha = { heartbeat_interval = 200; heartbeat_timeout = 2000; init_timeout = 4000; lease = 4000; guard = 500; "
           "service_down_delay = 3000; users_moved_per_iteration = 0; };")


def setup():
    l = lab.Lab()
    phones = l.host("phones", "10.88.0.50/24")
    c = cluster.Cluster(l, 4, replicas=2, sentinels=3, cluster=cluster.SECRET + PROFILE, access=["10.88.0.0/24"])
    c.start(seconds=180)
    c.form(a=["10.88.0.101/24", "10.88.0.103/24"], b=["10.88.0.102/24", "10.88.0.104/24"])
    probe = cluster.Probe(phones, USERS, 4)
    c.import_users(USERS, probe.contact)
    probe.epochs = epochs.Epochs(c)
    return c, probe


def under_load(probe, entries):
    """Requests begin; returns once every node's users are served."""
    probe.begin(entries, RATE)
    lab.wait_for(lambda: min(k["ok"] for k in probe.report()) >= 20, 120, "the users of every node are served")
    probe.reset()
    served_more(probe)


def served_more(probe, seconds=120):
    before = [k["ok"] for k in probe.report()]
    lab.wait_for(lambda: all(k["ok"] > b + 20 for k, b in zip(probe.report(), before)), seconds,
                 "the users of every node are served")


def never_two(account):
    """DESIGN 5: nobody answered for users whom the record had given to another, and each with the epoch that gave them."""
    assert not any(k["back_and_forth"] for k in account), account
    assert not any(s["outside"] or not s["epochs"] for k in account for s in k["servers"]), account


def unharmed(account, numbers):
    for i in numbers:
        k = account[i - 1]
        assert k["ok"] == k["sent"], f"users of node {i}: {k['ok']} of {k['sent']}: {k}"


def every_node_leads_to_every_user(c, probe):
    under_load(probe, [n.address for n in c.nodes])
    served_more(probe)
    account = probe.rest()
    unharmed(account, (1, 2, 3, 4))
    for n, k in zip(c.nodes, account):
        assert [s["ip"] for s in k["servers"]] == [n.address], f"{n.name}: {k['servers']}"


def a_service_address_is_as_good(c, probe):
    under_load(probe, ["10.88.0.101", "10.88.0.102", "10.88.0.103", "10.88.0.104"])
    served_more(probe)
    unharmed(probe.rest(), (1, 2, 3, 4))


def a_control_plane_restarts_unnoticed(c, probe):
    under_load(probe, [n.address for n in c.nodes])
    c.lab.end(c[1].cp, signal.SIGKILL)
    c[1].start_cp()
    c[1].wait_ready()
    served_more(probe)
    account = probe.rest()
    unharmed(account, (1, 2, 3, 4))
    assert [s["ip"] for s in account[0]["servers"]] == [c[1].address], account[0]
    c.wait_rows("F01")


def a_promotion_of_redis_moves_nobody(c, probe):
    under_load(probe, [n.address for n in c.nodes])
    old = c.master()
    c.lab.end(old.redis, signal.SIGKILL)
    lab.wait_for(lambda: c.master() not in (None, old), 150, "another Redis is master")
    lab.wait_for(lambda: all(n.hgctl_json("status")["redis"]["connected"] for n in c.nodes), 150, "every node follows it")
    served_more(probe)
    account = probe.rest()
    unharmed(account, (1, 2, 3, 4))
    assert set(c.rows().values()) == {"F01"}, c.rows()
    old.start_redis(master=c.master().address)
    c[1].insist("user", "add", "late@example.com", "--node", c[3].unique)
    lab.wait_for(lambda: c[4].hgctl("user", "find", "late@example.com", check=False).returncode == 0, 60, "it is known to all")


def any_node_takes_a_command_for_any_pair(c, probe):
    """DESIGN 3: c[4] is of the pair S2, the command is about S1."""
    asked = c[4].hgctl("ha", "failover", c[1].unique, check=False)
    assert asked.returncode != 0 and "--yes" in asked.stdout, asked
    told = c[4].hgctl_json("ha", "failover", c[1].unique, "--yes")
    assert told["row"] == "F03" and told["subcluster"] == "S1", told
    assert {n["name"]: n["state"] for n in told["nodes"]}[c[1].unique] == "Idle", told
    refused = c[3].hgctl("ha", "failover", c[1].unique, "--yes", check=False)
    assert refused.returncode != 0 and "G01" in refused.stdout, refused
    assert c[3].hgctl_json("ha", "fallback", c[1].unique, "--yes")["row"] == "F01"


def a_killed_node_is_taken_over_and_comes_back(c, probe):
    survivors = [n.address for n in c.nodes[1:]]
    under_load(probe, survivors)
    c[1].kill()
    lab.wait_for(lambda: c.rows()["S1"] == "F16", 120, "the peer runs in backup mode")
    served_more(probe)
    account = probe.rest()
    never_two(account)
    unharmed(account, (2, 3, 4))
    before, after = account[0]["servers"]
    assert [before["ip"], after["ip"]] == [c[1].address, c[2].address], account[0]
    assert max(before["epochs"]) < min(after["epochs"]), account[0]
    # Clients that know nothing of the cluster go on with the address they know.
    under_load(probe, ["10.88.0.101"])
    served_more(probe)
    unharmed(probe.rest(), (1, 2, 3, 4))
    c[1].start_both()
    under_load(probe, survivors)
    c[2].insist("ha", "fallback", c[1].unique, "--yes", seconds=120)
    c.wait_rows("F01", 120)
    served_more(probe)
    account = probe.rest()
    never_two(account)
    unharmed(account, (2, 3, 4))
    assert account[0]["servers"][-1]["ip"] == c[1].address, account[0]


def a_hung_node_does_not_serve_when_it_wakes(c, probe):
    under_load(probe, [n.address for n in c.nodes[1:]])
    c[1].kill(signal.SIGSTOP)
    lab.wait_for(lambda: c.rows()["S1"] == "F16", 120, "the peer runs in backup mode")
    served_more(probe)
    c[1].kill(signal.SIGCONT)
    lab.wait_for(lambda: c.rows()["S1"] in ("F11", "F34", "F32", "F18"), 120, "it is seen again")
    served_more(probe)
    account = probe.rest()
    never_two(account)
    unharmed(account, (2, 3, 4))
    assert [s["ip"] for s in account[0]["servers"]] == [c[1].address, c[2].address], account[0]
    c[2].insist("ha", "fallback", c[1].unique, "--yes", seconds=120)
    c.wait_rows("F01", 120)


if __name__ == "__main__":
    sys.exit(lab.run_tests([every_node_leads_to_every_user, a_service_address_is_as_good, a_control_plane_restarts_unnoticed,
                            a_promotion_of_redis_moves_nobody, any_node_takes_a_command_for_any_pair,
                            a_killed_node_is_taken_over_and_comes_back, a_hung_node_does_not_serve_when_it_wakes], setup()))
