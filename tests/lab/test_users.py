#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A record with more users than the dataplane has room for.

    caller .2 --- node "gw" .1 (room for 1,000 users) --- node "far", a host .11"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import config
import lab

KEY = "hg:{StandaloneCluster}:users"
MAX, MANY, LEFT = 1000, 3000, 900
FULL = "user table of the dataplane is full"


def user(i):
    return f"user{i}@example.com"


def alarms(node):
    return " / ".join(json.loads(node.hgctl("--json", "status", check=False).stdout)["alarms"])


def core_users(node):
    return node.hgctl_json("core", "list")["cores"][0]["users"]


def known_users(node):
    return node.hgctl_json("user", "list", "--limit", "1")["total"]


def setup():
    l = lab.Lab()
    text = config.text(access=["10.88.0.0/24"], cluster='nodes = ( { name = "far"; sip = "10.88.0.11:5060"; } );')
    node = l.node("gw", text.replace("users_max = 100000", f"users_max = {MAX}"))
    pairs = [word for i in range(MANY) for word in (user(i), "far")]
    for at in range(0, len(pairs), 400):
        node.redis_cli("HSET", KEY, *pairs[at:at + 400])
    return l, node


def more_users_than_room_are_an_alarm(l, node):
    """Every core keeps what it has room for, says what it refused, and the node serves."""
    node.start_both()
    lab.wait_for(lambda: FULL in alarms(node), 60, f"the alarm; {node.hgctl('status', check=False).stdout}")
    assert known_users(node) == MANY
    has = core_users(node)
    assert MAX <= has < MANY, has
    print(f"# {has} of {MANY} users on the core")
    lab.wait_for(lambda: node.counters().get("user_no_room", 0) >= MANY - has, 60, "each refusal is counted")


def nobody_more_is_taken(l, node):
    refused = node.hgctl("user", "set", "one@example.com", "far", check=False)
    assert refused.returncode == 1 and "full" in refused.stdout, refused.stdout
    assert node.redis_cli("HEXISTS", KEY, "one@example.com").strip() == "0"
    node.hgctl("user", "set", user(0), "far")  # who is there may be changed


def room_again_ends_the_alarm(l, node):
    """Users leave the record; a fresh dataplane has room for all of the others."""
    gone = [user(i) for i in range(LEFT, MANY)]
    for at in range(0, len(gone), 400):
        node.redis_cli("HDEL", KEY, *gone[at:at + 400])
    node.redis_cli("CLIENT", "KILL", "TYPE", "normal", check=False)
    lab.wait_for(lambda: known_users(node) == LEFT, 60, "the record is read again")
    l.end(node.dp)
    node.start_dp()
    node.wait_ready()
    lab.wait_for(lambda: FULL not in alarms(node), 60, "the alarm is over")
    lab.wait_for(lambda: core_users(node) == LEFT, 60, "every user is there")
    node.hgctl("user", "set", "one@example.com", "far")


def a_backup_has_everybody(l, node):
    """Users of some hundred bytes, more than one page of them: out, away, in again."""
    contact = "sip:%s-of-a-long-name-for-a-telephone-on-some-desk@10.88.0.12:5070;transport=udp;q=0.5"
    pairs = [word for i in range(5000) for word in (user(i), f"far {contact % i} {contact % -i}")]
    for at in range(0, len(pairs), 400):
        node.redis_cli("HSET", KEY, *pairs[at:at + 400])
    path = os.path.join(l.dir, "backup")
    node.hgctl("backup", path)
    with open(path) as f:
        saved = {e["field"]: e["value"] for e in map(json.loads, f) if e.get("table") == "users"}
    assert len(saved) == 5001, len(saved)
    gone = [user(i) for i in range(1000, 5000)]
    for at in range(0, len(gone), 400):
        node.redis_cli("HDEL", KEY, *gone[at:at + 400])
    node.hgctl("restore", path, "--force", "--yes")
    again = os.path.join(l.dir, "again")
    node.hgctl("backup", again)
    with open(again) as f:
        assert saved == {e["field"]: e["value"] for e in map(json.loads, f) if e.get("table") == "users"}


if __name__ == "__main__":
    context = setup()
    sys.exit(lab.run_tests([more_users_than_room_are_an_alarm, nobody_more_is_taken, room_again_ends_the_alarm,
                            a_backup_has_everybody], context))
