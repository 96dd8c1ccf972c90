#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Administrators at work: topology, users, files, settings (A, B, C, DESIGN 6). Two control planes and one Redis on this
machine; no dataplane, no network of its own."""
import concurrent.futures
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab

CLUSTER = "north"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class World:
    def __init__(self, folder):
        self.folder, self.port, self.processes, self.of_node = folder, free_port(), [], {}
        self.start("redis", "redis-server", "--port", str(self.port), "--dir", folder, "--save", "", "--appendonly", "yes",
                   "--appendfsync", "always", "--maxmemory-policy", "noeviction")
        lab.wait_for(lambda: self.redis("PING") == "PONG", 30, "Redis")

    def start(self, name, *argv):
        with open(os.path.join(self.folder, name + ".log"), "ab") as log:
            process = subprocess.Popen(argv, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def redis(self, *words):
        run = subprocess.run(["redis-cli", "-p", str(self.port), *words], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True)
        return run.stdout.strip()

    def config(self, n, cluster="", domain='domain = "example.com";'):
        path = os.path.join(self.folder, f"n{n}.cfg")
        with open(path, "w") as f:
            f.write(f'node: {{ name = "n{n}.example.com"; address = "127.0.0.1:{free_port()}";'
                    f' admin_socket = "{self.folder}/n{n}.sock"; redis: {{ port = {self.port}; timeout = 10000; }};'
                    f' metrics: {{ port = 0; }}; }};\n'
                    f'dataplane: {{ ports = ( {{ device = "net_null{n}"; interfaces ='
                    f' ( {{ addresses = [ "192.0.2.{n}/24" ]; }} ); }} ); listeners = [ "192.0.2.{n}:5060" ]; }};\n'
                    f'cluster: {{ id = "{CLUSTER}"; {domain} secret = "of the test"; {cluster} }};\n')
        return path

    def node(self, n, *what):
        process = self.start(f"n{n}", os.path.join(lab.BUILD, "controlplane", "hg-controlplane"), "-c",
                             self.config(n, *what))
        self.of_node[n] = process
        lab.wait_for(lambda: f"n{n}.example.com" in [x["name"] for x in self.nodes(n) if x["installed"]], 30, f"n{n} joins")
        return process

    def hgctl(self, n, *words):
        return subprocess.run([os.path.join(lab.BUILD, "controlplane", "hgctl"), "--socket", f"{self.folder}/n{n}.sock",
                               "--json", "--timeout", "30", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)

    def done(self, n, *words):
        run = self.hgctl(n, *words)
        assert run.returncode == 0, f"{words}: {run.stderr}"
        return json.loads(run.stdout.splitlines()[-1])

    def refused(self, n, rule, *words):
        run = self.hgctl(n, *words)
        assert run.returncode == 1, f"{words} was not refused: {run.stdout}"
        found = json.loads(run.stdout)
        assert found.get("rule") == rule, f"{words}: {found}"
        return found

    def nodes(self, n):
        run = self.hgctl(n, "node", "list")
        return json.loads(run.stdout)["nodes"] if run.returncode == 0 else []

    def users(self, n):
        return {u["user"].split("@")[0]: u for u in self.done(n, "user", "list", "--all")["users"]}

    def settled(self):
        """A command returns when the cores of its own node have the change; the other one follows."""
        strip = lambda nodes: [{k: v for k, v in n.items() if k not in ("self", "health")} for n in nodes]
        lab.wait_for(lambda: self.users(1) == self.users(2) and strip(self.nodes(1)) == strip(self.nodes(2)), 30,
                 "both nodes show one record")

    def print_logs(self):
        for n in (1, 2):
            path = os.path.join(self.folder, f"n{n}.log")
            if os.path.exists(path):
                with open(path, errors="replace") as f:
                    print(f"--- n{n}\n{f.read()[-2500:]}")

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()


def nodes_register_themselves(w):
    w.node(1, 'access = [ "10.0.0.0/8" ]; sip: { t1 = 400; };')
    w.node(2, 'access = [ "10.0.0.0/8" ]; sip: { t1 = 450; };')
    first, second = lab.wait_for(lambda: w.nodes(1) if len(w.nodes(1)) == 2 else None, 30, "both nodes are seen")
    assert first["publisher"] and not second["publisher"]
    assert (first["index"], second["index"]) == (1, 2)
    assert w.nodes(2)[1]["self"] and not w.nodes(2)[0]["self"]


def rules_forbid_and_say_what_would_allow(w):
    w.done(1, "subcluster", "add", "s1")
    w.settled()
    w.refused(2, "subcluster_name_taken", "subcluster", "add", "s1")
    # A19: nobody joins whose services do not all run, as every node knows; here there is no dataplane
    for n in (1, 2):
        lab.wait_for(lambda: [f["text"] for f in w.done(n, "node", "list")["findings"] if f["rule"] == "node_service_out"]
                 == [f"critical service cores of n{i}.example.com is down" for i in (1, 2)], 20, "both nodes are known to lack it")
    w.refused(2, "node_service_out", "node", "assign", "n1.example.com", "s1")
    w.done(1, "node", "assign", "n1.example.com", "s1", "--force")
    w.refused(1, "node_already_assigned", "node", "assign", "n1.example.com", "s1")
    w.refused(1, "ha_two_nodes", "subcluster", "set", "s1", "--ha", "true")
    dry = w.done(1, "node", "assign", "n2.example.com", "s1", "--dry-run", "--force")
    assert dry["dry_run"] and w.nodes(1)[1]["subcluster"] is None
    w.settled()
    w.done(2, "node", "assign", "n2.example.com", "s1", "--force")
    w.settled()
    w.refused(1, "node_publisher", "node", "remove", "n1.example.com")
    found = w.refused(2, "subcluster_not_empty", "subcluster", "remove", "s1")
    assert "unassign" in found["hint"]
    services = w.done(2, "node", "show", "n1.example.com")["node"]["services"]  # A23
    assert {"service": "cores", "monitored": True, "runs": False} in services, services


def capacity_of_a_node(w):
    """C23: the administrator says it where the node's own file does not."""
    w.done(1, "node", "set", "n1.example.com", "--capacity", "5")
    lab.wait_for(lambda: w.nodes(2)[0].get("capacity") == 5, 10, "the other node sees the capacity")
    path = os.path.join(w.folder, "n1.cfg")
    text = open(path).read()
    with open(path, "w") as f:
        f.write(text.replace("node: {", "node: { capacity = 7;"))
    w.done(1, "config", "reload")
    lab.wait_for(lambda: w.nodes(2)[0].get("capacity") == 7, 20, "its own file says it")
    w.refused(2, "node_capacity_own", "node", "set", "n1.example.com", "--capacity", "5")
    with open(path, "w") as f:
        f.write(text)
    w.done(1, "config", "reload")
    lab.wait_for(lambda: "capacity" not in w.nodes(2)[0], 20, "its own file says none any more")
    w.done(2, "node", "set", "n1.example.com", "--capacity", "6")
    w.done(1, "drain")  # it writes its own entry anew, and must not take this back
    lab.wait_for(lambda: w.nodes(2)[0]["draining"], 30, "the other node sees that it is drained")
    assert w.nodes(2)[0]["capacity"] == 6
    w.done(1, "undrain")
    lab.wait_for(lambda: not w.nodes(2)[0]["draining"], 30, "and that it is not any more")
    w.done(2, "node", "set", "n1.example.com", "--capacity", "0")


def two_administrators_at_once(w):
    """Both nodes add nodes at the same time: limits hold, no index twice, everybody gets an answer."""
    names = [f"logical{i}.example.com" for i in range(12)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        runs = list(pool.map(lambda i: w.hgctl(1 + i % 2, "node", "add", names[i]), range(12)))
    assert sum(run.returncode == 0 for run in runs) == 4, [run.stderr for run in runs]
    for run in runs:
        assert run.returncode == 0 or json.loads(run.stdout)["rule"] == "nodes_limit", run.stdout
    nodes = w.nodes(1)
    assert sorted(n["index"] for n in nodes) == [1, 2, 3, 4, 5, 6]
    lab.wait_for(lambda: w.nodes(2) and [n["name"] for n in w.nodes(2)] == [n["name"] for n in nodes], 30, "one history")
    for n in nodes[2:]:
        w.done(2, "node", "remove", n["name"])


def the_whole_cluster_is_waited_for(w):
    """DESIGN 2: --wait-cluster returns when every node has applied the change; who has not is named."""
    for i in range(5):
        assert w.done(1, "user", "add", f"waited{i}@example.com", "--wait-cluster")["nodes"] == 2
        assert f"waited{i}" in w.users(2)
    w.of_node[2].send_signal(signal.SIGSTOP)
    try:
        run = w.hgctl(1, "user", "remove", "waited0@example.com", "--wait-cluster")
        assert run.returncode != 0 and "n2.example.com" in run.stdout + run.stderr, run
        assert "waited0" not in w.users(1)
    finally:
        w.of_node[2].send_signal(signal.SIGCONT)
    for i in range(1, 5):
        w.done(1, "user", "remove", f"waited{i}@example.com", "--wait-cluster")
    assert not any(user.startswith("waited") for user in w.users(2))


def users_are_assigned(w):
    for i in range(6):
        w.done(1 + i % 2, "user", "add", f"u{i}@example.com")
    w.settled()
    homes = [u["node"] for u in w.users(1).values()]
    assert sorted(homes) == ["n1.example.com"] * 3 + ["n2.example.com"] * 3, homes
    w.done(1, "user", "set", "u0@example.com", "--contact", "sip:u0@10.0.0.9", "--contact", "sip:u0@10.0.0.8;q=0.5")
    w.settled()
    assert w.done(2, "user", "find", "u0@example.com")["contacts"] == ["sip:u0@10.0.0.9", "sip:u0@10.0.0.8;q=0.5"]
    refused = w.hgctl(1, "user", "add", "u0@example.com")
    assert refused.returncode == 1 and "user set" in refused.stderr, refused
    assert w.hgctl(1, "user", "add", "x@example.com", "--contact", "tel:1").returncode == 1
    w.refused(1, "node_has_users", "node", "unassign", "n2.example.com")
    moved = w.done(1, "user", "assign", "--from", "n2.example.com", "--to", "n1.example.com")
    assert moved["moved"] == 3 and [n["after"] for n in moved["nodes"]] == [6, 0], moved
    assert "sessions_end" in [x["rule"] for x in moved["warnings"]]
    w.settled()
    ahead = w.done(2, "whatif", "rebalance")
    assert ahead["dry_run"] and ahead["moved"] == 3
    assert {u["node"] for u in w.users(2).values()} == {"n1.example.com"}
    w.done(2, "user", "rebalance")
    w.settled()
    assert w.users(1)["u0"]["node"] == "n1.example.com", "who is signed in stays"
    lost = w.done(1, "whatif", "fail", "n1.example.com")
    assert lost["without_service"] == 3 and lost["warnings"][0]["rule"] == "no_protection"


def the_peer_must_be_able_to_carry(w):
    w.settled()
    w.done(1, "set", "cluster.assignment.node_capacity", "3")
    w.refused(1, "capacity_node", "user", "add", "u7@example.com", "--node", "n1.example.com")
    forced = w.done(1, "user", "add", "u7@example.com", "--node", "n1.example.com", "--force")
    assert "capacity_node" in [x["rule"] for x in forced["warnings"]]
    w.done(1, "user", "remove", "u7@example.com")
    w.settled()
    w.done(2, "set", "cluster.assignment.node_capacity", "0")


def a_node_with_users_moves_by_either_way(w):
    """A16: users first, who are assigned again. A17: a logical node (A10) holds them meanwhile. A20, A21: each step in its order."""
    w.settled()
    home = lambda: {u["node"] for u in w.users(1).values()}
    w.done(1, "user", "assign", "--all", "--to", "n2.example.com")
    w.done(1, "subcluster", "add", "s2")
    w.refused(1, "node_has_users", "node", "move", "n2.example.com", "s2", "--force")
    w.done(1, "user", "assign", "--from", "n2.example.com", "--to", "nothing")  # A16
    assert home() == {None}
    assert "no_availability" in [f["rule"] for f in w.done(1, "node", "list")["findings"]]  # C10
    w.done(1, "node", "move", "n2.example.com", "s2", "--force")
    w.settled()
    w.done(2, "user", "assign", "--from", "nothing", "--to", "n2.example.com")
    assert home() == {"n2.example.com"}
    w.done(1, "node", "add", "spare.example.com")  # A17, back into s1
    w.refused(1, "target_unassigned", "user", "assign", "--from", "n2.example.com", "--to", "spare.example.com")  # A20
    w.done(1, "user", "assign", "--from", "n2.example.com", "--to", "spare.example.com", "--force")
    assert home() == {"spare.example.com"}, "nobody lost the assignment"
    w.done(1, "node", "move", "n2.example.com", "s1", "--force")
    w.settled()
    w.done(1, "user", "assign", "--from", "spare.example.com", "--to", "n2.example.com")
    assert home() == {"n2.example.com"}
    w.done(1, "node", "remove", "spare.example.com")
    w.done(1, "subcluster", "remove", "s2")
    w.done(1, "user", "rebalance")  # A21
    w.settled()
    assert home() == {"n1.example.com", "n2.example.com"}


def what_is_seen_while_high_availability_is_off(w):
    """D02: it is, unless somebody switches it on. E16: then there is no state and no reason. A13: a node without users serves nobody."""
    for n in (1, 2):
        shown = w.done(1, "node", "show", f"n{n}.example.com")["node"]
        assert "state" not in shown and "reason" not in shown and shown["failed_over"] == 0, shown
    pair = w.done(2, "ha", "status")["pairs"][0]
    assert not pair["ha"] and not pair["wanted"], pair
    assert all(x["state"] is None and x["reason"] is None and x["action"] is None for x in pair["nodes"]), pair  # A24
    alone = w.done(1, "whatif", "fail", "n2.example.com")
    assert alone["moved"] == 0 and alone["backup"] is None, alone


def clients_are_told_how_to_spread(w):
    """D33, D34, H12: limits of the random time that a client waits; lower <= upper, whoever says it, by file or by hgctl."""
    limits = lambda n: w.done(n, "ha", "status")["relogin"]
    assert limits(1) == {"lower_s": 120, "upper_s": 960}
    refused = w.hgctl(1, "set", "cluster.ha.relogin_lower", "961")
    assert refused.returncode == 1 and "above cluster.ha.relogin_upper" in refused.stdout, refused
    w.done(1, "set", "cluster.ha.relogin_upper", "1200")
    w.done(1, "set", "cluster.ha.relogin_lower", "961")
    lab.wait_for(lambda: limits(2) == {"lower_s": 961, "upper_s": 1200}, 10, "every node says them")
    assert w.hgctl(2, "set", "cluster.sip.t2", "100").returncode == 1  # t1 <= t2 as well
    w.done(1, "set", "cluster.ha.relogin_lower", "120")
    w.done(1, "set", "cluster.ha.relogin_upper", "960")


def files_of_users(w):
    w.settled()
    path = os.path.join(w.folder, "users.csv")
    with open(path, "w") as f:
        f.write('user,node,contact\n'
                'v1@example.com,,sip:v1@10.0.0.9\n'
                'nobody\n'
                '"v2@example.com",n9.example.com\n'
                'v3@other.org,\n'
                'v4@example.com,-\n'
                'v4@example.com,n1.example.com\n'
                'v5@example.com,n2.example.com,not a contact\n')
    before = w.users(1)
    none = w.hgctl(1, "user", "import", path, "--all-or-nothing")
    said = json.loads(none.stdout)
    assert none.returncode == 1 and not said["written"] and w.users(1) == before
    wrong = sorted(e["line"] for e in said["errors"])
    assert wrong == [3, 4, 5, 7, 8], said
    some = w.hgctl(2, "user", "import", path)
    said = json.loads(some.stdout)
    assert some.returncode == 1 and said["good"] == 2 and said["new"] == 2, said
    w.settled()
    users = w.users(2)
    assert users["v1"]["contacts"] == ["sip:v1@10.0.0.9"] and users["v1"]["node"] is not None
    assert users["v4"]["node"] is None
    out = os.path.join(w.folder, "out.csv")
    w.hgctl(1, "user", "export", out)
    w.done(1, "user", "assign", "--all", "--to", "nothing")
    assert {u["node"] for u in w.users(1).values()} == {None}
    back = json.loads(w.hgctl(1, "user", "import", out, "--all-or-nothing").stdout)
    assert back["wrong"] == 0 and back["written"], back
    assert w.users(1) == users


def homes_that_are_gone(w):
    """Users whose home is no node any more are unassigned, and are assigned as those."""
    for name in ("gone.example.com", "leaving.example.com"):
        w.done(1, "node", "add", name)
    w.done(1, "user", "assign", "v*", "--to", "gone.example.com", "--force")
    w.settled()
    key = f"hg:{{{CLUSTER}}}:nodes"
    w.redis("HDEL", key, "gone.example.com")  # what a removal leaves that met an assignment under way
    leaving = w.redis("HGET", key, "leaving.example.com")
    w.redis("HSET", key, "leaving.example.com", leaving.replace('"id"', '"leaving":true,"id"'))
    w.redis("CLIENT", "KILL", "TYPE", "normal")
    lab.wait_for(lambda: [len(w.nodes(n)) for n in (1, 2)] == [3, 3], 30, "the node is gone")
    w.refused(1, "target_leaving", "user", "assign", "v*", "--to", "leaving.example.com", "--force")
    path = os.path.join(w.folder, "leaving.csv")
    with open(path, "w") as f:
        f.write("v4@example.com,leaving.example.com\n")
    assert w.hgctl(1, "user", "import", path, "--force").returncode == 1, "C14 holds for files as well"
    lost = [u["user"] for u in w.done(2, "user", "list", "--all", "--node", "-")["users"]]
    assert lost == sorted(lost, key=lost.index) and set(lost) == {"v1@example.com", "v4@example.com"}, lost
    back = w.done(2, "user", "assign", "--from", "nothing", "--to", "all")
    assert back["selected"] == 2 and back["written"] == 2, back
    assert w.done(2, "user", "list", "--all", "--node", "-")["users"] == []
    w.settled()
    w.done(1, "user", "assign", "v4@*", "--to", "nothing")
    w.done(1, "node", "remove", "leaving.example.com")
    w.settled()


def settings_follow_the_record(w):
    shown = lambda n: w.done(n, "config", "show", "cluster.sip.t1")["items"][0]
    show = lambda n: shown(n)["value"]
    lab.wait_for(lambda: show(2) == "400", 30, "the publisher's word is in force everywhere")
    lab.wait_for(lambda: any("cluster.sip.t1" in a for a in json.loads(w.hgctl(2, "status").stdout)["alarms"]), 30,
             "an alarm where the file differs")
    assert "n1.cfg:" in shown(1)["source"] and shown(2)["source"] == "record", (shown(1), shown(2))
    w.done(2, "set", "cluster.sip.t1", "333")
    lab.wait_for(lambda: show(1) == "333", 30, "every node follows")
    assert shown(1)["source"] == "record", shown(1)
    assert w.hgctl(1, "set", "cluster.sip.t1", "0").returncode == 1
    assert w.hgctl(1, "set", "cluster.secret", "x").returncode == 1
    w.settled()
    w.done(1, "set", "cluster.access", '[ "10.0.0.0/8", "11.0.0.0/8" ]')
    diff = {i["path"]: (i["running"], i["file"]) for i in w.done(1, "config", "diff")["items"]}
    assert diff == {"cluster.sip.t1": ("333", "400"), "cluster.access[1]": ("11.0.0.0/8", None)}, diff
    w.done(1, "config", "save")
    assert w.done(1, "config", "diff")["items"] == []
    w.refused(1, "domain_changes", "set", "cluster.domain", "example.org")


def parameters_that_do_not_fit_are_told_at_once(w):
    """D35, by whichever of the three items."""
    good = w.done(1, "set", "cluster.ha.heartbeat_timeout", "4000")
    assert "ha_parameters" in [x["rule"] for x in good["warnings"]], good  # init_timeout is 6 s
    assert w.done(1, "set", "cluster.ha.init_timeout", "8000")["warnings"] == []
    w.settled()
    bad = w.done(2, "set", "cluster.ha.heartbeat_interval", "2001")
    assert "heartbeat_timeout" in bad["warnings"][0]["text"], bad
    lab.wait_for(lambda: any("heartbeat_timeout" in a for a in json.loads(w.hgctl(1, "status").stdout)["alarms"]), 10, "the alarm")
    for item, value in (("heartbeat_interval", 1000), ("heartbeat_timeout", 3000), ("init_timeout", 6000)):
        w.done(2, "set", f"cluster.ha.{item}", str(value))


def a_publication_overtakes_no_administrator(w):
    """Redis takes both at once: what was set stays, although the publisher's file said something else."""
    show = lambda n: w.done(n, "config", "show", "cluster.sip.t4")["items"][0]["value"]
    path = os.path.join(w.folder, "n1.cfg")
    waits = lambda: any(" cmd=eval" in c and re.search(r" flags=\w*b", c) for c in w.redis("CLIENT", "LIST").split("\n"))
    w.redis("CLIENT", "PAUSE", "1500", "WRITE")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        setting = pool.submit(w.hgctl, 2, "set", "cluster.sip.t4", "7000")
        lab.wait_for(waits, 5, "the change waits in Redis")
        text = open(path).read()
        with open(path, "w") as f:
            f.write(re.sub(r"(\bsip\b\s*[=:]\s*{)", r"\1 t4 = 6000; ", re.sub(r"\bt4 = \d+;", "", text), count=1))
        w.done(1, "config", "reload")
        assert setting.result().returncode == 0, setting.result()
    lab.wait_for(lambda: "6000" in w.redis("HGET", f"hg:{{{CLUSTER}}}:settings", "published.cluster.sip.t4"), 10, "it is published")
    w.settled()
    assert (show(1), show(2)) == ("7000", "7000"), (show(1), show(2))


def a_list_too_long_for_the_record_is_an_alarm(w):
    path = os.path.join(w.folder, "n1.cfg")
    text = open(path).read()
    stands = lambda: "config_long" in [a["alarm"] for a in w.done(1, "alarm", "list")["alarms"]]
    networks = ", ".join(f'"10.{i >> 8}.{i & 255}.0/24"' for i in range(65000))
    assert len(networks) > 1 << 20 and not stands()
    with open(path, "w") as f:
        f.write(re.sub(r"(\baccess\s*[=:]\s*\[)", r"\1 " + networks + ", ", text, count=1))
    w.done(1, "config", "reload")
    lab.wait_for(stands, 30, "the alarm")
    with open(path, "w") as f:
        f.write(text)
    w.done(1, "config", "reload")
    lab.wait_for(lambda: not stands(), 30, "the alarm is over")


def a_restart_keeps_what_was_set(w):
    w.done(2, "set", "cluster.sip.t2", "3000")
    process = w.processes[1]
    process.terminate()
    process.wait()
    w.processes[1] = w.start("n1", os.path.join(lab.BUILD, "controlplane", "hg-controlplane"), "-c",
                             os.path.join(w.folder, "n1.cfg"))
    lab.wait_for(lambda: len(w.nodes(1)) == 2, 30, "n1 is back")
    lab.wait_for(lambda: w.done(1, "config", "show", "cluster.sip.t2")["items"][0]["value"] == "3000", 30, "what was set")
    assert [n["index"] for n in w.nodes(1)] == [1, 2] and len(w.users(1)) == 8


def garbage_in_the_record(w):
    """Another writer's nonsense takes nobody out of service."""
    w.redis("HSET", f"hg:{{{CLUSTER}}}:nodes", "n2.example.com", "nonsense")
    w.redis("HSET", f"hg:{{{CLUSTER}}}:nodes", "x.example.com", '9-9 {"id":1}')
    w.redis("HSET", f"hg:{{{CLUSTER}}}:users", "g@example.com", "")
    w.redis("HSET", f"hg:{{{CLUSTER}}}:settings", "cluster.sip.t1", "9-9 zero")
    w.redis("CLIENT", "KILL", "TYPE", "normal")
    lab.wait_for(lambda: any("cannot be used" in a for a in json.loads(w.hgctl(1, "status").stdout)["alarms"]), 30, "an alarm")
    assert [n["name"] for n in w.nodes(1)] == ["n1.example.com", "n2.example.com"], w.hgctl(1, "node", "list")
    assert w.done(1, "config", "show", "cluster.sip.t1")["items"][0]["value"].isdigit()


def nobody_gave_a_domain(_):
    """B10: the cluster has the DNS domain of its first node; DOMAIN.NOT.SET is an alarm."""
    with tempfile.TemporaryDirectory() as folder:
        w = World(folder)
        try:
            domain_of_the_first_node(w)
        finally:
            w.stop()


def domain_of_the_first_node(w):
    domain = lambda n: json.loads(w.hgctl(n, "status").stdout)["domain"]
    not_set = lambda n: "domain_not_set" in [a["alarm"] for a in w.done(n, "alarm", "list")["alarms"]]
    w.node(3, "", "")
    lab.wait_for(lambda: domain(3) == "example.com" and not not_set(3), 30, "the domain of the first node")
    w.node(4, "", "")
    lab.wait_for(lambda: domain(4) == "example.com", 30, "the second node follows")
    w.done(4, "set", "cluster.domain", "DOMAIN.NOT.SET")
    lab.wait_for(lambda: not_set(3) and not_set(4), 30, "the alarm")
    w.done(3, "set", "cluster.domain", "example.net")
    lab.wait_for(lambda: not not_set(3) and not not_set(4) and domain(4) == "example.net", 30, "the alarm is over")


def nodes_of_a_file_obey_the_limit(_):
    """A01: what the list of a file names beyond cluster.limits.nodes is not made known."""
    listed = ", ".join(f'{{ name = "f{i}.example.com"; sip = "192.0.2.{100 + i}:5060"; }}' for i in range(5))
    with tempfile.TemporaryDirectory() as folder:
        w = World(folder)
        try:
            w.node(5, f"limits = {{ nodes = 3; }}; nodes = ( {listed} );")
            names = sorted(n["name"] for n in w.nodes(5))
            assert names == ["f0.example.com", "f1.example.com", "n5.example.com"], names
        finally:
            w.stop()


TESTS = [nodes_register_themselves, rules_forbid_and_say_what_would_allow, capacity_of_a_node, two_administrators_at_once,
         the_whole_cluster_is_waited_for, users_are_assigned, the_peer_must_be_able_to_carry,
         a_node_with_users_moves_by_either_way, what_is_seen_while_high_availability_is_off, clients_are_told_how_to_spread,
         files_of_users, homes_that_are_gone, settings_follow_the_record,
         parameters_that_do_not_fit_are_told_at_once, a_publication_overtakes_no_administrator,
         a_list_too_long_for_the_record_is_an_alarm,
         a_restart_keeps_what_was_set, garbage_in_the_record, nobody_gave_a_domain, nodes_of_a_file_obey_the_limit]


def main():
    with tempfile.TemporaryDirectory() as folder:
        w = World(folder)
        try:
            status = lab.run_tests(TESTS, (w,))
            if status:
                w.print_logs()
            return status
        finally:
            w.stop()


if __name__ == "__main__":
    sys.exit(main())
