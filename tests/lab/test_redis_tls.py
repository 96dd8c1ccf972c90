#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Redis and Sentinels that speak nothing but TLS and want certificates, with the files of deploy/redis: two control planes
follow the record through a promotion, and say what is wrong with a certificate."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cluster
import lab
from test_record import ROUTE, SENTINELS, add, alarms, both_have, status


def setup():
    l = lab.Lab()
    c = cluster.Cluster(l, nodes=2, replicas=2, sentinels=3, tls=True, cluster=cluster.SECRET, access=["10.88.0.0/24"])
    for n in c.nodes:
        n.start_cp()
    for n in c.nodes:
        lab.wait_for(lambda n=n: status(n).get("redis", {}).get("loaded"), 60, f"{n.name} has the record")
    return l, c


def nothing_goes_in_clear(l, c):
    for s in c.stores:
        for port in ("6379", "26379"):
            said = s.run(["redis-cli", "-h", s.address, "-p", port, "PING"], check=False, timeout=30).stdout
            assert "PONG" not in said, said
    assert add(c[1], "one", "51*")
    both_have(c, ["one"])


def a_promotion_is_followed(l, c):
    old = c.master()
    l.end(old.redis, signal.SIGKILL)
    lab.wait_for(lambda: c.master() not in (None, old), SENTINELS, "another one is promoted")
    lab.wait_for(lambda: add(c[2], "two", "52*"), SENTINELS, "changes are accepted")
    both_have(c, ["one", "two"])
    old.start_as_shipped()
    lab.wait_for(lambda: old.cli("ROLE", check=False).startswith("slave"), SENTINELS, "the old master starts as a replica")
    lab.wait_for(lambda: old.cli("CONFIG", "GET", "replica-priority", check=False).split()[-1:] == ["100"], SENTINELS,
                 "it is in step")


def another_authority_is_told(l, c):
    node = c[1]
    l.end(node.cp)
    with open(node.config_file) as f:
        good = f.read()
    node.write_config(good.replace("/ca.crt", "/other.crt"))
    node.start_cp()
    lab.wait_for(lambda: "0 of 3 Sentinels answer" in alarms(node) and "certificate of Redis" in alarms(node), 60, "an alarm")
    assert not status(node)["redis"]["loaded"]
    l.end(node.cp)
    node.write_config(good)
    node.start_cp()
    lab.wait_for(lambda: status(node).get("redis", {}).get("loaded"), 60, "the right one is accepted")


def a_file_that_is_not_there(l, c):
    node = c[1]
    with open(node.config_file) as f:
        good = f.read()
    bad = os.path.join(node.dir, "bad.cfg")
    with open(bad, "w") as f:
        f.write(good.replace("/client.key", "/missing.key"))
    said = node.hgctl("config", "check", bad, check=False).stdout
    assert "node.redis.tls_key: warning: this file cannot be read" in said, said


if __name__ == "__main__":
    sys.exit(lab.run_tests([nothing_goes_in_clear, a_promotion_is_followed, another_authority_is_told, a_file_that_is_not_there],
                           setup()))
