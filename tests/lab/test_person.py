#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A person with one node and hgctl: what was typed is what requests find, and what will not work is said at once.

    caller .20, the users' device .21 --- node "gw" .1, in no subcluster"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import config
import lab
import sip

CONTACT = ("--contact", "sip:phone@10.88.0.21:5080")


def setup():
    l = lab.Lab()
    node = l.node("gw", config.text(access=["10.88.0.0/24"]))
    caller = l.host("caller", "10.88.0.20/24")
    l.host("device", "10.88.0.21/24").uas(port=5080)
    node.start_both()
    return l, node, caller.udp(5060)


def answer(socket, user):
    raw = sip.request("MESSAGE", f"sip:{user}@example.com", "10.88.0.20")
    socket.sendto(raw, ("10.88.0.1", 5060))
    m = sip.final(socket, sip.Message(raw).get("call-id"), 2.0)
    return m.status if m else None


def reached(socket, user):
    lab.wait_for(lambda: answer(socket, user) == 200, 30, f"sip:{user}@example.com is reached")


def a_node_that_stands_alone_serves_users(l, node, socket):
    added = node.hgctl_json("user", "add", "bob@example.com", *CONTACT)
    assert added["node"] == node.unique and added["warnings"] == [], added
    reached(socket, "bob")
    reached(socket, "%62o%62")


def names_are_looked_up_as_they_are_typed(l, node, socket):
    for typed, name, asked in (("%6abond@example.com", "jbond", "jbond"), ("j%C3%B6rg@example.com", "jörg", "j%c3%b6rg"),
                               ("a%40b@example.com", "a@b", "a%40b"), ("100%25@example.com", "100%", "100%25")):
        assert node.hgctl_json("user", "add", typed, *CONTACT)["user"] == f"{name}@example.com"
        assert node.hgctl_json("user", "find", f"{name}@example.com")["node"] == node.unique
        assert f"{name}@example.com" in node.hgctl("user", "list", "--all").stdout
        reached(socket, asked)
    for wrong in ("bo b@example.com", " bob@example.com", "b%00b@example.com", "b\u200bob@example.com", "%2562ob@example.com"):
        refused = node.hgctl("user", "add", wrong, *CONTACT, check=False)
        assert refused.returncode == 1 and "a user " in refused.stdout, refused.stdout
    again = node.hgctl("user", "add", "%62ob@example.com", *CONTACT, check=False)
    assert again.returncode == 1 and "the record has a user bob@example.com" in again.stdout, again.stdout


def what_another_writer_named_is_kept_and_removed(l, node, socket):
    """It cannot be added so, but it stands there: it is listed, found and removed by that name."""
    node.redis_cli("HSET", "hg:{StandaloneCluster}:users", "b b@example.com", node.unique)
    node.redis_cli("CLIENT", "KILL", "TYPE", "normal", check=False)
    lab.wait_for(lambda: "b b@example.com" in node.hgctl("user", "list", "--all").stdout, 30, "it is read")
    node.hgctl("user", "find", "b b@example.com")
    node.hgctl("user", "remove", "b b@example.com")
    assert "b b@example.com" not in node.hgctl("user", "list", "--all").stdout


def who_gets_no_node_is_told(l, node, socket):
    nobody = node.hgctl_json("user", "add", "carol@example.com", "--node", "-", *CONTACT)
    assert [w["rule"] for w in nobody["warnings"]] == ["no_availability"], nobody
    node.hgctl("set", "cluster.assignment.mode", "none")
    said = node.hgctl("user", "add", "dave@example.com", *CONTACT)
    assert "the mode of assignment is none" in said.stdout, said.stdout
    node.hgctl("set", "cluster.assignment.mode", "balanced")
    node.hgctl("subcluster", "add", "S1")
    said = node.hgctl("user", "add", "erin@example.com", *CONTACT)
    assert "no node of a subcluster may take users now" in said.stdout, said.stdout
    path = os.path.join(l.dir, "fred.csv")
    with open(path, "w") as f:
        f.write("fred@example.com,,sip:phone@10.88.0.21:5080\n")
    imported = node.hgctl_json("user", "import", path)
    assert [w["rule"] for w in imported["warnings"]] == ["no_availability"], imported
    node.hgctl("subcluster", "remove", "S1", "--yes")
    assert node.hgctl_json("user", "assign", "--from", "nothing", "--to", "all", "--yes")["written"] == 4
    reached(socket, "erin")
    reached(socket, "fred")


def files_with_wrong_lines(l, node, socket):
    rows = b"user,node,contact\ngrace@example.com\n\"heidi@example.com\nivan@example.com,\"\nnobody\njudy@example.com\n"
    path = os.path.join(l.dir, "rows.csv")
    with open(path, "wb") as f:
        f.write(rows)
    said = node.run([os.path.join(lab.BUILD, "controlplane", "hgctl"), "--socket", node.socket_path, "user", "import", "-",
                     "--all-or-nothing"], check=False, stdin=open(path, "rb"))
    assert said.returncode == 1 and "2 rows good, 2 of them new users, 3 wrong: nothing was changed" in said.stdout, said.stdout
    lines = [w.split(":")[0] for w in said.stdout.splitlines() if w.startswith("line ")]
    assert lines == ["line 3", "line 4", "line 5"], said.stdout
    said = node.hgctl("--json", "user", "import", path, check=False)
    assert said.returncode == 1 and json.loads(said.stdout)["good"] == 2, said.stdout
    assert [e["line"] for e in json.loads(said.stdout)["errors"]] == [3, 4, 5]
    before = node.hgctl("user", "list", "--all").stdout
    assert "judy@example.com" in before
    said = node.hgctl("user", "import", os.path.join(lab.BUILD, "controlplane", "hgctl"), check=False)
    assert said.returncode == 1 and said.stdout.count("\n") == 1 and "no table of users" in said.stdout, said.stdout
    assert node.hgctl("user", "list", "--all").stdout == before


def routes_are_explained_as_cores_see_them(l, node, socket):
    explain = lambda uri: node.hgctl_json("route", "explain", uri)
    for uri in ("sip:bob@example.com", "sip:bob@10.88.0.1", "bob@example.com"):
        assert explain(uri)["user_node"] == node.unique, explain(uri)
    assert node.hgctl("route", "explain", "garbage", check=False).returncode == 1
    node.hgctl("route", "add", "abroad", "+47*", "10.88.0.21", "--port", "5080", "--protocol", "udp")
    assert explain("tel:+47-11")["verdict"] == "static", explain("tel:+47-11")
    twice = node.hgctl("route", "add", "dup", "4420*", "10.88.0.21", "--pattern", "4421*", check=False)
    assert twice.returncode == 2 and "given before" in twice.stdout, twice.stdout
    late = node.hgctl("route", "add", "london", "4420*", "nowhere.invalid", "--protocol", "udp")
    assert "warning: no request takes route london: " in late.stdout, late.stdout


if __name__ == "__main__":
    sys.exit(lab.run_tests([a_node_that_stands_alone_serves_users, names_are_looked_up_as_they_are_typed,
                            what_another_writer_named_is_kept_and_removed, who_gets_no_node_is_told, files_with_wrong_lines,
                            routes_are_explained_as_cores_see_them], setup()))
