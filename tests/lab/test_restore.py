#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""hgctl backup and restore as an administrator meets them who takes the wrong file: a pair with high availability, the
backup of another cluster, and the right one again."""
import hashlib
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab
from cluster import SECRET, Cluster

FOREIGN = [("nodes", "10.1.1.1", '{"id":1,"subcluster":"S1","slot":0,"installed":true,"publisher":true,"protocol":1}'),
           ("nodes", "10.1.1.2", '{"id":2,"subcluster":"S1","slot":1,"installed":true,"protocol":1}'),
           ("subclusters", "S1", '{"ha":true}'), ("users", "eve@example.com", "10.1.1.1"), ("settings", "cluster.sip.t1", "321")]


def setup():
    l = lab.Lab()
    c = Cluster(l, 2, cluster=SECRET)
    c.start()
    c.form()
    c.import_users(40, "sip:10.88.0.21:5080")
    with open(os.path.join(l.dir, "foreign"), "w") as f:
        head = {"heliograph": "record", "format": 1, "cluster": "StandaloneCluster", "record": "0123456789abcdef0123456789abcdef"}
        text = "".join(json.dumps(o, separators=(",", ":")) + "\n" for o in
                       [head] + [dict(zip(("table", "field", "value"), entry)) for entry in FOREIGN])
        end = {"end": True, "entries": len(FOREIGN), "left_out": 0, "sha256": hashlib.sha256(text.encode()).hexdigest()}
        f.write(text + json.dumps(end) + "\n")
    c[1].hgctl("backup", os.path.join(l.dir, "right"))
    return l, c


def homes(node):
    return {u["user"]: u["node"] for u in node.hgctl_json("user", "list", "--all")["users"]}


def status(node):
    return node.hgctl("status", check=False)


def a_backup_of_others_is_not_restored_unasked(l, c):
    before, foreign = homes(c[1]), os.path.join(l.dir, "foreign")
    plain = c[1].hgctl("restore", foreign, check=False)
    assert plain.returncode == 1 and "has subclusters already" in plain.stdout, plain.stdout
    for options in (["--force"], ["--force", "--dry-run"]):
        said = c[2].hgctl("restore", foreign, *options, check=False)
        assert said.returncode == (1 if len(options) == 1 else 0), said.stdout
        gone = re.search(r"does not have (\S+), (\S+): ", said.stdout)  # in the order in which they joined
        assert gone and set(gone.groups()) == {n.unique for n in c.nodes}, said.stdout
        for part in ("of another record", "the backup has 10.1.1.1, 10.1.1.2",
                     "high availability is on in S1", "entries of the record that the backup does not have: removed"):
            assert part in said.stdout, said.stdout
    assert homes(c[1]) == before and c.rows() == {"S1": "F01"}
    assert [status(n).returncode for n in c.nodes] == [0, 0]


def the_right_one_makes_all_good_again(l, c):
    """Nobody restarts anything: a node whose entry is back is joined."""
    before = homes(c[1])
    c[1].hgctl("restore", os.path.join(l.dir, "foreign"), "--force", "--yes")
    for n in c.nodes:
        lab.wait_for(lambda n=n: "removed from the cluster" in status(n).stdout and list(homes(n)) == ["eve@example.com"],
                     60, f"{n.name} follows the foreign record")
        assert status(n).returncode == 4
    c[2].hgctl("restore", os.path.join(l.dir, "right"), "--force", "--yes")
    for n in c.nodes:
        lab.wait_for(lambda n=n: status(n).returncode == 0, 60, f"{n.name} is ready: {status(n).stdout}")
        lab.wait_for(lambda n=n: homes(n) == before, 60, f"{n.name} has its users")
        assert not any("removed" in a["text"] for a in n.hgctl_json("alarm", "list")["alarms"])
    c.wait_rows("F01")


if __name__ == "__main__":
    sys.exit(lab.run_tests([a_backup_of_others_is_not_restored_unasked, the_right_one_makes_all_good_again], setup()))
