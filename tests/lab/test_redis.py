#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A node and its Redis: away at the start, gone, slow, restarted, emptied, with a replica, with a password.

    node "gw": dataplane 10.88.0.1, control plane, private Redis on 6379; a replica on 6380 where a test wants one"""
import json
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import config
import lab

KEY = "hg:{StandaloneCluster}:"


def setup():
    l = lab.Lab()
    l.host("callee", "10.88.0.11/24")
    node = l.node("gw", config.text(access=["10.88.0.0/24"], node="redis = { timeout = 3000; };",
                                    routes=[dict(name="four", pattern="4*", next_hop="10.88.0.11")],
                                    cluster='nodes = ( { name = "far"; sip = "10.88.0.11:5060"; } );'), redis=False)
    return l, node


def stored(node, table, field):
    """A value of the record without its version, which must be there."""
    value = node.redis_cli("HGET", KEY + table, field).strip()
    assert re.match(r"\d+-\d+ ", value), value
    return value.split(" ", 1)[1]


def route_names(node):
    return [r["name"] for r in node.hgctl_json("route", "list")["routes"]]


def exported_ms(node):
    return int(node.redis_cli("HGET", KEY + "counters:" + node.unique, "exported_ms").strip() or 0)


def exports_go_on(node):
    before = exported_ms(node)
    lab.wait_for(lambda: exported_ms(node) > before, 60, "counters are exported")


def connected(node):
    lab.wait_for(lambda: node.hgctl_json("status")["redis"]["connected"], 60, "Redis is connected")


def alarms(node):
    return " / ".join(json.loads(node.hgctl("--json", "status", check=False).stdout)["alarms"])


def add(node, name, pattern, check=True):
    return node.hgctl("route", "add", name, pattern, "10.88.0.11", "--protocol", "udp", check=check)


def starts_without_redis(l, node):
    """The routes of the file serve; what needs the record is refused with words."""
    node.start_both()
    assert route_names(node) == ["four"]
    assert "Redis is away" in alarms(node)
    refused = add(node, "five", "5*", check=False)
    assert refused.returncode == 1 and "Redis" in refused.stdout, refused.stdout
    refused = node.hgctl("user", "set", "alice@example.com", "far", check=False)
    assert refused.returncode == 1, refused.stdout
    assert route_names(node) == ["four"], "a refused change is in memory"


def uses_redis_when_it_comes(l, node):
    node.start_redis()
    connected(node)
    add(node, "five", "5*")
    node.hgctl("user", "set", "alice@Example.com", "far")
    assert json.loads(stored(node, "routes", "five"))["pattern"] == "5*"
    assert stored(node, "users", "alice@example.com") == "far"
    entries = node.redis_cli("XRANGE", KEY + "log", "-", "+").split("\n")  # the publisher's may come behind it
    assert ("users set alice@example.com", "far") in zip(entries, entries[1:]), entries
    exports_go_on(node)
    counters = node.counters()
    assert counters["dataplane_ready"] == 1 and counters["cores"] == 1 and "core0.rx_frames" in counters, counters
    lab.wait_for(lambda: "Redis is away" not in alarms(node), 60, "the alarm is over")


def killed_and_back_with_its_data(l, node):
    l.end(node.redis, signal.SIGKILL)
    lab.wait_for(lambda: "Redis is away" in alarms(node), 60, "the alarm")
    assert route_names(node) == ["four", "five"], "routes in memory went with Redis"
    assert add(node, "six", "6*", check=False).returncode == 1
    node.start_redis()
    connected(node)
    exports_go_on(node)
    add(node, "six", "6*")
    assert route_names(node) == ["four", "five", "six"]


def a_slow_redis_holds_nobody_up(l, node):
    """A Redis that hangs: hgctl and the loop stay quick, a change has a deadline, exports resume."""
    os.kill(node.redis.pid, signal.SIGSTOP)
    took, end = [], time.monotonic() + 4
    while time.monotonic() < end or len(took) < 9:
        begin = time.monotonic()
        node.hgctl("status")
        took.append(time.monotonic() - begin)
    assert sorted(took)[len(took) // 2] < 1, f"status took {sorted(took)} s"  # one or two may have met a busy machine
    begin = time.monotonic()
    assert add(node, "seven", "7*", check=False).returncode == 1
    assert time.monotonic() - begin < 12, "a change waited for a sleeping Redis"
    os.kill(node.redis.pid, signal.SIGCONT)
    connected(node)
    exports_go_on(node)


def an_emptied_redis_gets_the_record_back(l, node):
    node.hgctl("user", "set", "bob@example.com", "far")
    l.end(node.redis, signal.SIGKILL)
    for name in os.listdir(node.dir):
        if name.startswith("appendonly"):
            lab.sh(f"rm -r {os.path.join(node.dir, name)}")
    node.start_redis()
    connected(node)
    lab.wait_for(lambda: node.redis_cli("HLEN", KEY + "users").strip() == "2", 60, "users are written back")
    lab.wait_for(lambda: node.redis_cli("HLEN", KEY + "routes").strip() == "2", 60, "routes are written back")
    lab.wait_for(lambda: "without the record" in alarms(node), 60, "the alarm says so")
    assert route_names(node) == ["four", "five", "six"]


def what_others_wrote_is_followed_after_a_reconnect(l, node):
    node.redis_cli("HDEL", KEY + "routes", "six")
    node.redis_cli("HSET", KEY + "users", "carol@example.com", "far", "broken", "far")
    node.redis_cli("CLIENT", "KILL", "TYPE", "normal", check=False)
    lab.wait_for(lambda: route_names(node) == ["four", "five"], 60, "the record is read again")
    lab.wait_for(lambda: node.hgctl("user", "find", "carol@example.com", check=False).returncode == 0, 60, "carol")
    lab.wait_for(lambda: "cannot be used" in alarms(node), 60, "the alarm of a broken user")
    node.redis_cli("HDEL", KEY + "users", "broken")


def success_waits_for_the_replica(l, node):
    replica = node.start(["redis-server", "--port", "6380", "--bind", "127.0.0.1", "--dir", l.dir, "--save", "",
                          "--replicaof", "127.0.0.1", "6379"], "replica.log")
    lab.wait_for(lambda: node.hgctl_json("status")["redis"]["replicas"] == 1, 60, "the replica is seen")
    lab.wait_for(lambda: node.redis_cli("WAIT", "1", "1000").strip() == "1", 30, "it has everything until now")
    add(node, "eight", "8*")
    there = node.redis_cli("-p", "6380", "HGET", KEY + "routes", "eight")
    assert "eight" in there, "told before the replica had it"
    os.kill(replica.pid, signal.SIGSTOP)
    refused = add(node, "nine", "9*", check=False)
    os.kill(replica.pid, signal.SIGCONT)
    assert refused.returncode == 1, "told although no replica confirmed it"
    # the master has it all the same, and memory follows the record
    lab.wait_for(lambda: "nine" in route_names(node), 60, "the record is read again")
    l.end(replica)


def eviction_and_durability_are_alarms(l, node):
    assert "noeviction" not in alarms(node)
    node.redis_cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    lab.wait_for(lambda: "noeviction" in alarms(node), 60, "the alarm of eviction")
    node.redis_cli("CONFIG", "SET", "maxmemory-policy", "noeviction")
    node.redis_cli("CONFIG", "SET", "appendfsync", "everysec")
    lab.wait_for(lambda: "not durable" in alarms(node), 60, "the alarm of durability")
    node.redis_cli("CONFIG", "SET", "appendfsync", "always")
    lab.wait_for(lambda: "not durable" not in alarms(node) and "noeviction" not in alarms(node), 60, "alarms are over")


def metrics_are_prometheus(l, node):
    text = node.run(["python3", "-c", "import urllib.request as u; "
                     "print(u.urlopen('http://127.0.0.1:9464/metrics').read().decode(), end='')"]).stdout
    typed = set()
    for line in text.splitlines():
        m = re.fullmatch(r"# (HELP|TYPE) (\w+) (.+)", line)
        if m:
            typed.add(m.group(2))
            continue
        m = re.fullmatch(r'(\w+)(\{(\w+="(\\.|[^"\\])*",?)*\})? -?[0-9.e+-]+', line)
        assert m, line
        assert re.sub(r"_(bucket|sum|count)$", "", m.group(1)) in typed or m.group(1) in typed, line
    for name in ("hg_rx_frames_total", "hg_drop_total", "hg_stage_seconds_bucket", "hg_hop_up", "hg_ready"):
        assert name in text, name
    health = node.run(["python3", "-c", "import urllib.request as u; "
                       "print(u.urlopen('http://127.0.0.1:9464/healthz').status)"]).stdout
    assert health.strip() == "200", health


def a_restart_reads_everything_again(l, node):
    before = sorted(route_names(node))
    l.end(node.cp, signal.SIGKILL)
    node.start_cp()
    node.wait_ready()
    lab.wait_for(lambda: sorted(route_names(node)) == before, 60, f"routes as before: {before}")
    assert node.hgctl_json("user", "find", "bob@example.com")["node"] == "far"


def a_serving_dataplane_keeps_its_tables_without_redis(l, node):
    """Control plane restarted while Redis is away: nothing of the record is taken from the cores."""
    users = node.hgctl_json("core", "list")["cores"][0]["users"]
    assert users >= 2, users
    l.end(node.redis, signal.SIGKILL)
    l.end(node.cp, signal.SIGKILL)
    node.start_cp()
    node.wait_ready()
    time.sleep(7)
    assert node.hgctl_json("core", "list")["cores"][0]["users"] == users
    node.start_redis()
    connected(node)
    add(node, "ten", "10*")


def a_password_is_used_and_never_shown(l, node):
    node.redis_cli("CONFIG", "SET", "requirepass", "geheimnis")
    node.redis_cli("-a", "geheimnis", "CLIENT", "KILL", "TYPE", "normal", check=False)
    lab.wait_for(lambda: "node.redis.password" in alarms(node), 60, "it says what is missing")
    l.end(node.cp)
    with open(node.config_file) as f:
        text = f.read()
    node.write_config(text.replace("timeout = 3000;", 'timeout = 3000; password = "geheimnis";'))
    node.start_cp()
    node.wait_ready()
    connected(node)
    shown = node.hgctl("config", "show").stdout + node.hgctl("status").stdout + node.logs(1000)
    assert "geheimnis" not in shown


if __name__ == "__main__":
    sys.exit(lab.run_tests([starts_without_redis, uses_redis_when_it_comes, killed_and_back_with_its_data,
                            a_slow_redis_holds_nobody_up, an_emptied_redis_gets_the_record_back,
                            what_others_wrote_is_followed_after_a_reconnect, success_waits_for_the_replica,
                            eviction_and_durability_are_alarms, metrics_are_prometheus,
                            a_restart_reads_everything_again, a_serving_dataplane_keeps_its_tables_without_redis,
                            a_password_is_used_and_never_shown], setup()))
