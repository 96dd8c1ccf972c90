#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A pair, and a node of it that is drained: nobody is moved to it, everybody sees why, and it stays drained whatever
restarts."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab
import test_ha


def drained_as_seen_by(node, of):
    nodes = node.hgctl_json("node", "list")["nodes"]
    pairs = node.hgctl_json("ha", "status")["pairs"]
    of_pair = next(n for p in pairs for n in p["nodes"] if n["name"] == of.unique)
    found = {next(n for n in nodes if n["name"] == of.unique)["draining"], of_pair["draining"]}
    return found.pop() if len(found) == 1 else None


def nobody_is_moved_to_a_drained_node(p):
    p.normal()
    p.n2.hgctl("drain")
    for node in (p.n1, p.n2):
        lab.wait_for(lambda node=node: drained_as_seen_by(node, p.n2), 60, f"{node.name} sees that n2 is drained")
        refused = node.hgctl("ha", "failover", p.n1.unique, "--yes", check=False)
        assert refused.returncode == 1 and "G04" in refused.stdout and "undrain" in refused.stdout, refused.stdout
    assert f"{p.n2.unique} is drained" in p.n1.hgctl("troubleshoot", check=False).stdout
    p.n2.hgctl("undrain")
    p.n1.insist("ha", "failover", p.n1.unique, "--yes")
    p.wait("F03")
    p.n1.hgctl("drain")
    for node in (p.n1, p.n2):
        lab.wait_for(lambda node=node: drained_as_seen_by(node, p.n1), 60, f"{node.name} sees that n1 is drained")
        refused = node.hgctl("ha", "fallback", p.n1.unique, "--yes", check=False)
        assert refused.returncode == 1 and "G07" in refused.stdout and "undrain" in refused.stdout, refused.stdout
    p.served(p.n2)
    p.n1.hgctl("undrain")
    p.n2.insist("ha", "fallback", p.n1.unique, "--yes")
    p.wait("F01")
    p.served(p.n1)
    lab.wait_for(lambda: all("moving" not in n.hgctl("ha", "status").stdout for n in (p.n1, p.n2)), 60, "no move is under way")


def automatic_fallback_waits(p):
    p.normal()
    with p.items(**test_ha.QUIET):
        p.n1.hgctl("drain")
        p.lab.end(p.n1.dp, signal.SIGKILL)
        p.wait("F12")
        p.n1.start_dp()
        p.wait("F11")
        end = time.monotonic() + 10  # the quiet period is four seconds
        while time.monotonic() < end:
            assert p.row() == "F11", p.row()
            time.sleep(0.2)
        p.n1.hgctl("undrain")
        p.passed("F10", 60)
        p.wait("F01")
        p.served(p.n1)


def a_drain_outlives_both_processes(p):
    p.normal()
    p.n1.hgctl("drain")
    test_ha.restart_cp(p, p.n1)
    lab.wait_for(lambda: "is drained" in p.n1.hgctl("status", check=False).stdout, 60, "the control plane knows it again")
    lab.wait_for(lambda: drained_as_seen_by(p.n2, p.n1), 60, "n2 sees it")
    assert p.answered(p.n1) == 503, p.answered(p.n1)
    p.lab.end(p.n1.dp, signal.SIGKILL)
    lab.wait_for(lambda: "not running, draining" in p.n1.hgctl("status", check=False).stdout, 60, "the dataplane is gone")
    alarms = [a["alarm"] for a in p.n1.hgctl_json("alarm", "list")["alarms"]]
    assert "core_stuck" not in alarms, alarms
    for command, word in (("undrain", "taken"), ("drain", "refused with 503")):
        said = p.n1.hgctl(command).stdout
        assert "it is kept" in said and word in said, said
    p.n1.start_dp()
    lab.wait_for(lambda: p.answered(p.n1) == 503, 60, "the next dataplane refuses")
    assert "is drained" in p.n1.hgctl("status", check=False).stdout
    assert "1 cores" not in p.n1.hgctl("status", check=False).stdout
    p.n1.hgctl("undrain")
    p.served(p.n1)


TESTS = [nobody_is_moved_to_a_drained_node, automatic_fallback_waits, a_drain_outlives_both_processes]

if __name__ == "__main__":
    chosen = [t for t in TESTS if len(sys.argv) < 2 or t.__name__ in sys.argv[1:]]
    sys.exit(lab.run_tests(chosen, (test_ha.Pair(lab.Lab()),)))
