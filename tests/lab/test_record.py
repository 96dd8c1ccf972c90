#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The record with replicas and Sentinels: one master and two replicas, three Sentinels, the control planes of two
nodes. Masters are killed, stopped and promoted, Redis comes last, is full, refuses, holds garbage, forgets."""
import json
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cluster
import lab

KEY = "hg:{StandaloneCluster}:"
SENTINELS = 150  # seconds: after a stall of two they do nothing for 30 ("tilt"), and a conversion takes 10
ROUTE = ["10.88.0.11", "--protocol", "udp"]


def setup():
    l = lab.Lab()
    c = cluster.Cluster(l, nodes=2, replicas=2, sentinels=3, disk=32, cluster='secret = "of the lab";',
                        access=["10.88.0.0/24"])
    for n in c.nodes:
        n.start_cp()
    for n in c.nodes:
        lab.wait_for(lambda n=n: status(n).get("redis", {}).get("loaded"), 60, f"{n.name} has the record")
    return l, c


def status(node):
    done = node.hgctl("--json", "status", check=False)
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        return {}


def alarms(node):
    return " / ".join(status(node).get("alarms", []))


def known(node):
    """The names of the routes that a node which is in service has."""
    return sorted(r["name"] for r in node.hgctl_json("route", "list")["routes"])


def names(node):
    """None: the control plane does not answer (yet)."""
    done = node.hgctl("--json", "route", "list", check=False)
    return sorted(r["name"] for r in json.loads(done.stdout)["routes"]) if done.returncode == 0 else None


def add(node, name, pattern, check=False):
    return node.hgctl("route", "add", name, pattern, *ROUTE, check=check).returncode == 0


def difference(has, expected):
    """What of two lists of hundreds is worth reading."""
    if has is None:
        return "no answer"
    return f"lacks {sorted(set(expected) - set(has))[:9]}, has {sorted(set(has) - set(expected))[:9]} more"


def both_have(c, expected, seconds=30):
    expected = sorted(expected)
    for n in c.nodes:
        try:
            lab.wait_for(lambda n=n: names(n) == expected, seconds, f"{n.name} has the routes")
        except AssertionError as e:
            raise AssertionError(f"{e}: {difference(names(n), expected)}\n{n.logs(20)}")


class Writer(threading.Thread):
    """Adds routes at one node, one after the other, and remembers what was acknowledged."""

    def __init__(self, node, prefix):
        super().__init__(daemon=True)
        self.node, self.prefix = node, prefix
        self.acknowledged, self.tried, self.going = [], 0, True

    def run(self):
        while self.going:
            name = f"{self.prefix}{self.tried}"
            self.tried += 1
            if add(self.node, name, f"{self.prefix[-1]}{self.tried}*"):
                self.acknowledged.append(name)

    def finish(self):
        self.going = False
        self.join(60)


def start_writers(c):
    writers = [Writer(n, f"w{int(time.monotonic() * 1000) % 100000}-{n.number}-{n.number}") for n in c.nodes]
    for w in writers:
        w.start()
    for w in writers:
        lab.wait_for(lambda w=w: len(w.acknowledged) >= 3, 60, "routes are added")
    return writers


def nothing_was_lost(c, writers, before):
    """Writers go on over the promotion; then everything acknowledged stands in both nodes and in the master."""
    for w in writers:
        count = len(w.acknowledged)
        lab.wait_for(lambda w=w, count=count: len(w.acknowledged) >= count + 3, SENTINELS, "changes are accepted again")
        w.finish()
    acknowledged = set(before).union(*[w.acknowledged for w in writers])
    master = lab.wait_for(c.master, SENTINELS, "there is a master")
    stored = set(master.cli("HKEYS", KEY + "routes").split())
    assert acknowledged <= stored, f"lost at {master.name}: {sorted(acknowledged - stored)[:9]} of {len(acknowledged)}; " + ", ".join(
        f"{s.name} {s.cli('role', check=False).split()[:3]} {s.cli('hlen', KEY + 'routes', check=False).strip()}" for s in c.stores) + c[1].logs(30)
    both_have(c, stored)
    return stored


def a_change_on_one_node_is_on_the_other(l, c):
    assert add(c[1], "one", "1*") and add(c[2], "two", "2*")
    both_have(c, ["one", "two"])
    c[1].hgctl("route", "set", "two", "--weight", "7")
    lab.wait_for(lambda: [r["weight"] for r in c[2].hgctl_json("route", "list")["routes"] if r["name"] == "two"] == [7],
                 20, "the other node has the new weight")
    c[2].hgctl("route", "remove", "one")
    both_have(c, ["two"])


def two_administrators_at_once(l, c):
    """Both add the same name again and again: exactly one of them each time."""
    won = {1: 0, 2: 0}
    for i in range(10):
        results = {}
        threads = [threading.Thread(target=lambda k=k: results.__setitem__(k, add(c[k], f"same{i}", f"77{i}*")))
                   for k in (1, 2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(60)
        assert sorted(results.values()) == [False, True], results
        won[1 if results[1] else 2] += 1
    both_have(c, ["two"] + [f"same{i}" for i in range(10)])
    for i in range(10):
        c[1].hgctl("route", "remove", f"same{i}")
    both_have(c, ["two"])


def a_killed_master_loses_nothing(l, c):
    before = known(c[1])
    writers = start_writers(c)
    old = c.master()
    l.end(old.redis, signal.SIGKILL)
    lab.wait_for(lambda: c.master() not in (None, old), SENTINELS, "another one is promoted")
    stored = nothing_was_lost(c, writers, before)
    old.start_redis()  # as its unit would; the Sentinels make it a replica
    lab.wait_for(lambda: old.cli("role", check=False).startswith("slave"), SENTINELS, "the old master is a replica")
    lab.wait_for(lambda: "connected_slaves:2" in c.master().cli("info", "replication"), SENTINELS, "two replicas again")
    both_have(c, stored)


def a_stopped_master_loses_nothing(l, c):
    """SIGSTOP: it comes back still believing that it is master."""
    before = known(c[1])
    writers = start_writers(c)
    old = c.master()
    os.kill(old.redis.pid, signal.SIGSTOP)
    others = [s for s in c.stores if s is not old]
    lab.wait_for(lambda: any(s.cli("role", check=False).startswith("master") for s in others), SENTINELS, "a promotion")
    os.kill(old.redis.pid, signal.SIGCONT)
    lab.wait_for(lambda: old.cli("role", check=False).startswith("slave"), SENTINELS, "the old master is a replica")
    nothing_was_lost(c, writers, before)


def the_term_rises_and_ids_have_no_gaps(l, c):
    master = c.master()
    fields = master.cli("HGETALL", KEY + "term").split()
    term = dict(zip(fields[0::2], fields[1::2]))
    assert int(term["term"]) >= 3, term
    entries = [e for e in master.cli("XRANGE", KEY + "log", "-", "+").split("\n") if e[:1].isdigit() and "-" in e and " " not in e]
    numbers = [int(e.split("-")[1]) for e in entries]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "a gap"
    assert numbers[-1] == int(term["seq"])


def who_fell_behind_reads_everything(l, c):
    os.kill(c[2].cp.pid, signal.SIGSTOP)
    for i in range(5):
        assert add(c[1], f"behind{i}", f"88{i}*")
    master = c.master()
    master.cli("XTRIM", KEY + "log", "MAXLEN", "1")
    os.kill(c[2].cp.pid, signal.SIGCONT)
    both_have(c, known(c[1]))
    assert "behind0" in known(c[2])


def redis_may_come_last(l, c):
    """Control planes first, then Redis, then the Sentinels."""
    before = known(c[1])
    for n in c.nodes:
        l.end(n.cp)
    for s in c.stores:
        l.end(s.sentinel)
    master = c.master()
    for s in [s for s in c.stores if s is not master] + [master]:
        l.end(s.redis)
    for n in c.nodes:
        n.start_cp()
        lab.wait_for(lambda n=n: status(n), 60, "the control plane answers")
        assert not status(n)["redis"]["loaded"]
    master.start_redis()
    for s in c.stores:
        if s is not master:
            s.start_redis(master.address)
    for s in c.stores:
        s.start_sentinel(None, 0)  # with the file that it wrote itself
    both_have(c, before, 60)
    lab.wait_for(lambda: add(c[1], f"late{time.monotonic_ns()}", "99*"), 60, "changes are accepted")


def a_full_redis_refuses_with_words(l, c):
    master = c.master()
    master.cli("CONFIG", "SET", "maxmemory", "1mb")
    refused = c[1].hgctl("route", "add", "full", "66*", *ROUTE, check=False)
    assert refused.returncode == 1 and "OOM" in refused.stdout, refused.stdout
    lab.wait_for(lambda: "OOM" in alarms(c[1]), 60, "the alarm")
    master.cli("CONFIG", "SET", "maxmemory", "0")
    assert add(c[1], "full", "66*")
    lab.wait_for(lambda: "OOM" not in alarms(c[1]), 60, "the alarm is over")


def a_full_disk_refuses_with_words(l, c):
    """The master cannot write what is to be durable; it lives on, and so nobody is promoted."""
    master, acknowledged = c.master(), []
    master.disk.fill()

    def refused():
        name = f"disk{len(acknowledged)}"
        done = c[1].hgctl("route", "add", name, "64*", *ROUTE, check=False)
        if done.returncode == 0:  # the last page of a file has room
            acknowledged.append(name)
        return done.stdout if done.returncode else None
    said = lab.wait_for(refused, 60, "changes are refused")
    assert "MISCONF" in said, said
    lab.wait_for(lambda: "MISCONF" in alarms(c[1]), 60, "the alarm")
    assert c.master() is master
    master.disk.free()
    lab.wait_for(lambda: add(c[1], "room", "65*"), 60, "changes are accepted")
    lab.wait_for(lambda: "MISCONF" not in alarms(c[1]), 60, "the alarm is over")
    stored = master.cli("HKEYS", KEY + "routes").split()
    assert set(acknowledged) | {"room"} <= set(stored), (acknowledged, stored)
    both_have(c, stored)


def garbage_is_reported_and_the_rest_is_used(l, c):
    """A table that is no hash, entries that are no routes, a log entry that is none of ours."""
    master = c.master()
    good = known(c[1])
    for n in c.nodes:
        l.end(n.cp)
    master.cli("HSET", KEY + "routes", "bad1", "1-1 {", "bad2", "nothing")
    master.cli("DEL", KEY + "users")
    master.cli("SET", KEY + "users", "no hash")
    c[1].start_cp()
    lab.wait_for(lambda: status(c[1]).get("redis", {}).get("loaded"), 60, "the record is loaded")
    has = known(c[1])
    assert has == good, difference(has, good) + c[1].logs(30)
    text = c[1].logs(200)
    assert 'route "bad1"' in text and 'route "bad2"' in text and "table users" in text, text
    lab.wait_for(lambda: "cannot be used" in alarms(c[1]), 60, "the alarm")
    refused = c[1].hgctl("user", "set", "a@example.com", c[1].unique, check=False)
    assert refused.returncode == 1 and "WRONGTYPE" in refused.stdout, (refused.returncode, refused.stdout, alarms(c[1]), c[1].logs(30))
    master.cli("DEL", KEY + "users")
    master.cli("HDEL", KEY + "routes", "bad1", "bad2")
    last = master.cli("HGET", KEY + "term", "seq").strip()
    term = master.cli("HGET", KEY + "term", "term").strip()
    master.cli("XADD", KEY + "log", f"{term}-{int(last) + 1}", "what", "is this")
    master.cli("HINCRBY", KEY + "term", "seq", "1")
    lab.wait_for(lambda: "does not follow" in c[1].logs(200), 60, "the entry is reported")
    done = c[1].hgctl("route", "add", "after-garbage", "55*", *ROUTE, check=False)
    assert done.returncode == 0, done.stdout + c[1].logs(30)
    c[2].start_cp()
    both_have(c, good + ["after-garbage"])


def a_lost_record_is_written_back(l, c):
    before = known(c[1])
    c.master().cli("FLUSHALL")
    lab.wait_for(lambda: sorted(c.master().cli("HKEYS", KEY + "routes").split()) == before, 60, "it is written back")
    assert any("without the record" in alarms(n) for n in c.nodes)
    both_have(c, before)
    assert add(c[2], "after-loss", "44*")
    both_have(c, before + ["after-loss"])


def backup_and_restore(l, c):
    """Out, refused where something is, in with --force; a spoilt file changes nothing."""
    before = known(c[1])
    path, spoilt = os.path.join(l.dir, "backup"), os.path.join(l.dir, "spoilt")
    c[1].hgctl("backup", path)
    assert os.stat(path).st_mode & 0o077 == 0
    with open(path) as f:
        lines = f.read().splitlines()
    assert json.loads(lines[-1])["entries"] == len(lines) - 2 and json.loads(lines[-1])["left_out"] == 0
    assert c[2].hgctl("restore", path, check=False).returncode == 1, "restored over a record"
    for wrong in (lines[:-1], lines[:2] + lines[3:], lines[:1] + [lines[1].replace('"value":"', '"value":"x')] + lines[2:],
                  lines + ["{}"], ["{}"] + lines, []):
        with open(spoilt, "w") as f:
            f.write("".join(line + "\n" for line in wrong))
        refused = c[1].hgctl("restore", spoilt, "--force", "--yes", check=False)
        assert refused.returncode == 1 and known(c[1]) == before, refused.stdout
    c[1].hgctl("route", "remove", before[0])
    assert add(c[1], "not-in-the-backup", "3333*")
    c[2].hgctl("restore", path, "--force", "--yes")
    both_have(c, before)


if __name__ == "__main__":
    sys.exit(lab.run_tests([a_change_on_one_node_is_on_the_other, two_administrators_at_once,
                            a_killed_master_loses_nothing, a_stopped_master_loses_nothing,
                            the_term_rises_and_ids_have_no_gaps, who_fell_behind_reads_everything,
                            redis_may_come_last, a_full_redis_refuses_with_words, a_full_disk_refuses_with_words,
                            garbage_is_reported_and_the_rest_is_used, a_lost_record_is_written_back, backup_and_restore], setup()))
