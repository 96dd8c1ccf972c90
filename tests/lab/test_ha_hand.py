#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A real pair, and somebody who writes over its ownership in Redis by hand."""
import os
import re
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab
from test_ha import ENTRY, Pair


def spoil(p, value="garbage"):
    p.c.stores[0].cli("HSET", ENTRY, "s", value)


def readable(p):
    return re.match(r"\d+-\d+ epoch=", p.c.stores[0].cli("HGET", ENTRY, "s", check=False)) and p.row() == "F01"


def alarm(node):
    """What the alarm record_bad says, None: nothing."""
    text = node.hgctl("alarm", "list", check=False).stdout
    return next((line for line in text.split("\n") if "record_bad" in line), None)


def no_alarm(p):
    for n in (p.n1, p.n2):
        lab.wait_for(lambda n=n: alarm(n) is None, 30, f"{n.name} finds nothing bad any more")


def written_again_while_both_live(p):
    p.normal()
    for value in ("garbage", "", "99-99999999 {}", "epoch=1 row=F01 flip=0 ha=1 armed=3 serves=0,1 moved=0,0"):
        epoch = p.entry()["epoch"]
        spoil(p, value)
        lab.wait_for(lambda: readable(p), 30, f"'{value}' is gone")
        assert p.entry()["epoch"] == epoch and p.entry()["armed"] == "3", p.entry()
        p.served(p.n1, 5)
        p.served(p.n2, 5)
    assert "somebody wrote over the ownership of subcluster s" in p.n1.logs(400) + p.n2.logs(400)
    no_alarm(p)
    assert p.rows_seen()[p.mark:] == [], p.rows_seen()[p.mark:]  # nobody moved


def taken_over_when_the_peer_dies(p):
    p.normal()
    spoil(p)
    p.lab.end(p.n1.cp, signal.SIGKILL)
    p.lab.end(p.n1.dp, signal.SIGKILL)
    p.wait("F16")
    p.served(p.n2)
    p.normal()


def an_administrator_removes_what_nobody_knows(p):
    p.normal()
    for n in (p.n1, p.n2):
        p.lab.end(n.cp, signal.SIGKILL)
    spoil(p)
    for n in (p.n1, p.n2):
        n.start_cp()
    for n in (p.n1, p.n2):
        lab.wait_for(lambda n=n: n.hgctl("status", check=False).returncode != 3, 60, f"{n.name} answers")
        lab.wait_for(lambda n=n: alarm(n), 60, f"{n.name} says what it finds")
        assert f"redis-cli HDEL '{ENTRY}' 's'" in alarm(n), alarm(n)
        status = n.hgctl("ha", "status").stdout
        assert "cannot be understood" in status and "record_bad" in status, status
        p.served(n)  # they extend each other's leases
    refused = p.both("ha", "failover", p.n1.unique, "--yes", check=False)
    assert refused.returncode == 1 and "record_bad" in refused.stdout, refused.stdout
    p.c.stores[0].cli("HDEL", ENTRY, "s")
    p.wait("F01")
    no_alarm(p)
    p.served(p.n1)
    p.served(p.n2)


if __name__ == "__main__":
    sys.exit(lab.run_tests([written_again_while_both_live, taken_over_when_the_peer_dies,
                            an_administrator_removes_what_nobody_knows], (Pair(lab.Lab()),)))
