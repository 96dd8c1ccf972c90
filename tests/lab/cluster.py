# SPDX-License-Identifier: BSD-2-Clause
"""A cluster in the laboratory: N nodes on a service network and a management network, Redis with replicas and
Sentinels on machines of their own, and the faults that an operator fears.

        mgmt  10.99.0.0/24   nodes .1 .2 ... (eth1), Redis .101 .102 (Sentinel on each, and on .103)
        lan   10.88.0.0/24   nodes .1 .2 ... (hg0: the dataplane's), hosts

A fault is given and healed by name (README.md): node.kill(), cluster.pause(process), node.mgmt.set(ab="cut"),
store.disk.fill().
"""
import json
import os
import signal
import subprocess

import config as configuration
import lab

REDIS_ARGS = ["--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction", "--repl-diskless-sync-delay", "0",
              "--repl-timeout", "5", "--repl-ping-replica-period", "1"]


# Sentinels that take a machine's stall of a second for a death promote one replica after the other, and then a server
# that was just started again with what it had before.
DOWN_AFTER_MS = 3000
SECRET = 'secret = "of the laboratory, and long enough";'
# Failover in well under a second, and no pacing (docs/ha.md, profile "fast").
FAST = ("ha = { heartbeat_interval = 100; heartbeat_timeout = 300; init_timeout = 1000; lease = 300; guard = 50; "
        "service_down_delay = 1000; users_moved_per_iteration = 0; };")


class RedisHost(lab.Namespace):
    """A machine with a Redis server and a Sentinel, or with a Sentinel alone."""

    def __init__(self, l, network, number, bad_wire=False, disk=0):
        super().__init__(l, f"redis{number}")
        self.wire = network.plug(self, "eth0", bad_wire)
        self.address = f"10.99.0.{100 + number}"
        self.ip(f"addr add {self.address}/24 dev eth0")
        self.dir = os.path.join(l.dir, self.name)
        os.makedirs(self.dir, exist_ok=True)
        self.disk = l.disk(self.dir, disk) if disk else None
        self.redis = self.sentinel = None

    def start_redis(self, master=None, fsync="everysec", args=()):
        self.redis = self.start(["redis-server", "--port", "6379", "--bind", self.address, "--protected-mode", "no",
                                 "--dir", self.dir, "--appendfsync", fsync] + REDIS_ARGS +
                                (["--replicaof", master, "6379"] if master else []) + list(args), f"{self.name}.log")

    def start_sentinel(self, master, quorum, down_after_ms):
        path = os.path.join(self.dir, "sentinel.conf")
        if not os.path.exists(path):
            with open(path, "w") as f:
                f.write(f"port 26379\nbind {self.address}\nprotected-mode no\ndir {self.dir}\n"
                        f"sentinel monitor heliograph {master} 6379 {quorum}\n"
                        f"sentinel down-after-milliseconds heliograph {down_after_ms}\n"
                        "sentinel failover-timeout heliograph 3000\nsentinel parallel-syncs heliograph 1\n")
        self.sentinel = self.start(["redis-server", path, "--sentinel"], f"{self.name}-sentinel.log")

    def cli(self, *args, port=6379, check=True):
        return self.run(["redis-cli", "-h", self.address, "-p", str(port)] + [str(a) for a in args], check=check,
                        timeout=30).stdout


class ClusterNode(lab.Node):
    def __init__(self, l, network, number, text, **kw):
        self.number = number
        self.address = f"10.88.0.{number}"
        self.mgmt_address = f"10.99.0.{number}"
        pid = os.getpid()  # an address as its name: it needs no DNS (B02, B09)
        super().__init__(l, f"n{number}", text, redis=False, unique=f"10.{pid >> 8 & 255}.{pid & 255}.{number}", **kw)
        self.mgmt = network.plug(self, "eth1", kw.get("bad_wire", False))
        self.ip(f"addr add {self.mgmt_address}/24 dev eth1")

    def insist(self, *args, seconds=60):
        """A command that is refused as long as the others do not see a node in service."""
        last = None

        def done():
            nonlocal last
            last = self.hgctl(*args, check=False)
            return last.returncode == 0
        try:
            lab.wait_for(done, seconds, f"hgctl {' '.join(args)}")
        except AssertionError as e:
            raise AssertionError(f"{e}\n{last.stdout}")

    def kill(self, sig=signal.SIGKILL):
        for p in (self.cp, self.dp):
            if p and p.poll() is None:
                os.kill(p.pid, sig)
        if sig == signal.SIGKILL:
            for p in (self.cp, self.dp):
                if p:
                    p.wait(20)


class Probe:
    """tests/lab/probe.c on a host of the LAN: asks for users all the time, is their device, and keeps account."""

    def __init__(self, host, users, classes, domain="example.com"):
        self.address = host.addresses[0]
        program = os.path.join(lab.BUILD, "tests", "lab", "probe")
        self.process = subprocess.Popen(["ip", "netns", "exec", host.ns, program, self.address, str(users), str(classes), domain],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        host.lab.processes.append(self.process)
        self.contact = f"sip:{self.address}:5080"

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def begin(self, entries, rate):
        self.tell("entry " + " ".join(entries))
        self.tell("reset")
        self.tell(f"rate {rate}")

    def reset(self):
        self.tell("reset")

    def report(self):
        return json.loads(self.tell("report"))["classes"]

    def rest(self):
        """Ends asking and returns the account once nothing is open."""
        self.tell("rate 0")
        lab.wait_for(lambda: not any(c["open"] for c in self.report()), 30, "every request has its end")
        return self.report()


class Cluster:
    """The record's Redis stands up at once; nodes start when they are told to."""

    def __init__(self, l, nodes, replicas=0, sentinels=0, node="", cluster="", dataplane="", bad_wires=False, cores="",
                 down_after_ms=DOWN_AFTER_MS, disk=0, redis="", **settings):
        """node, redis, cluster, dataplane: further items of those groups; disk: each Redis has one of so many MB; settings go to
        config.text()."""
        self.lab = l
        self.mgmt = lab.Network(l, "mgmt")
        self.stores = [RedisHost(l, self.mgmt, i + 1, bad_wires, disk) for i in range(max(1 + replicas, sentinels))]
        for i, s in enumerate(self.stores[:1 + replicas]):
            s.start_redis(self.stores[0].address if i else None, "everysec" if replicas else "always")
        for s in self.stores[:1 + replicas]:
            lab.wait_for(lambda s=s: "PONG" in s.cli("ping", check=False), 30, f"{s.name} answers")
        if replicas:
            lab.wait_for(lambda: f"connected_slaves:{replicas}" in self.stores[0].cli("info", "replication"), 30,
                         "replicas are attached")
        for s in self.stores[:sentinels]:
            s.start_sentinel(self.stores[0].address, sentinels // 2 + 1, down_after_ms)
        self.nodes = []
        for i in range(1, nodes + 1):
            if sentinels:
                where = 'master_name = "heliograph"; sentinels = [ ' + ", ".join(
                    f'"{s.address}:26379"' for s in self.stores[:sentinels]) + " ];"
            else:
                where = f'host = "{self.stores[0].address}";'
            text = configuration.text(
                address=f"10.88.0.{i}/24", aliases=[f"10.88.0.{k}" for k in range(1, nodes + 1)],
                cores=cores or str(max(os.sched_getaffinity(0))), dataplane=dataplane,
                node=f'address = "10.99.0.{i}:7400"; redis = {{ {where} {redis} }}; {node}', cluster=cluster, **settings)
            self.nodes.append(ClusterNode(l, self.mgmt, i, text, bad_wire=bad_wires))

    def __getitem__(self, number):
        return self.nodes[number - 1]

    def start(self, numbers=None, seconds=90):
        chosen = [self[i] for i in (numbers or range(1, len(self.nodes) + 1))]
        for n in chosen:
            n.start_cp()
            n.start_dp()
        for n in chosen:
            n.wait_ready(seconds)

    def form(self, mode="balanced", **service):
        """Subclusters S1, S2 ... of two nodes each, highly available. service: a=, b= lists per subcluster."""
        one = self[1]
        lab.wait_for(lambda: all(n.unique in one.hgctl("node", "list").stdout for n in self.nodes), 60, "every node has joined")
        for i in range(0, len(self.nodes), 2):
            name = f"S{i // 2 + 1}"
            more = [w for slot in service for w in (f"--service-{slot}", service[slot][i // 2])]
            one.hgctl("subcluster", "add", name, "--mode", mode, *more)
            for n in self.nodes[i:i + 2]:
                one.insist("node", "assign", n.unique, name, "--yes")
            one.insist("ha", "enable", name, "--yes")
        self.wait_rows("F01")

    def rows(self):
        """subcluster -> row of its states, as the record has it."""
        lines = self.record("ha")
        return {name: next(w[4:] for w in value.split() if w.startswith("row=")) for name, value in lines.items()}

    def wait_rows(self, row, seconds=60):
        want = len(self.nodes) // 2
        lab.wait_for(lambda: list(self.rows().values()) == [row] * want, seconds, f"every subcluster is in {row}")

    def record(self, table, cluster="StandaloneCluster"):
        store = self.master()
        lines = store.cli("HGETALL", f"hg:{{{cluster}}}:{table}").split("\n") if store else []
        return dict(zip(lines[0::2], lines[1::2]))

    def import_users(self, users, contact, seconds=120):
        """user000000 ...: the home of user i is node i modulo N, so that a class of the probe is a node's users."""
        path = os.path.join(self.lab.dir, "users.csv")
        with open(path, "w") as f:
            for i in range(users):
                f.write(f"user{i:06d}@example.com,{self.nodes[i % len(self.nodes)].unique},{contact}\n")
        self[1].hgctl("--timeout", str(seconds), "user", "import", path, timeout=seconds + 10)
        for n in self.nodes:
            lab.wait_for(lambda n=n: n.hgctl("user", "find", f"user{users - 1:06d}@example.com", check=False).returncode == 0,
                         seconds, f"{n.name} has the users")

    def master(self):
        """The store whose Redis is the master now, as it says itself."""
        for s in self.stores:
            if s.redis and s.redis.poll() is None and s.cli("role", check=False).startswith("master"):
                return s
        return None

    @staticmethod
    def pause(process):
        os.kill(process.pid, signal.SIGSTOP)

    @staticmethod
    def resume(process):
        os.kill(process.pid, signal.SIGCONT)
