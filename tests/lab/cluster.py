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

# Instead of what deploy/redis/redis.conf has.
QUICK_REDIS = {"repl-timeout": "5", "repl-ping-replica-period": "1"}
DEPLOY = os.path.join(lab.TOP, "deploy", "redis")
STARTER = os.path.join(DEPLOY, "heliograph-redis")


# Sentinels that take a machine's stall of a second for a death promote one replica after the other, and then a server
# that was just started again with what it had before. failover-timeout: a failed promotion is tried again soon.
QUICK_SENTINEL = {"down-after-milliseconds": 3000, "failover-timeout": 3000}
SECRET = 'secret = "of the laboratory, and long enough";'
# Failover in well under a second, and no pacing (docs/ha.md, profile "fast").
FAST = ("ha = { heartbeat_interval = 100; heartbeat_timeout = 300; init_timeout = 1000; lease = 300; guard = 50; "
        "service_down_delay = 1000; users_moved_per_iteration = 0; };")


def shipped(name, **own):
    """The lines of a file of deploy/redis, with our own values for some words (None: left out)."""
    own = {k.replace("_", "-"): v for k, v in own.items()}
    own.update({"daemonize": None, "supervised": None})
    with open(os.path.join(DEPLOY, name)) as f:
        lines = [line.split("#")[0].strip() for line in f]
    rest = [line for line in lines if line and line.split()[0] not in own]
    return rest + [f"{k} {v}" for k, v in own.items() if v is not None]


def make_certificates(l, stores):
    path = os.path.join(l.dir, "certificates")
    os.makedirs(path)
    lab.sh(f"{os.path.join(lab.TOP, 'tests', 'lab', 'certificates.sh')} {path} " +
           " ".join(f"10.99.0.{101 + i}" for i in range(stores)))
    return path


def node_tls(certificates):
    return (f' tls = true; tls_ca = "{certificates}/ca.crt"; tls_cert = "{certificates}/client.crt"; '
            f'tls_key = "{certificates}/client.key";')


class RedisHost(lab.Namespace):
    """A machine with a Redis server and a Sentinel, or with a Sentinel alone."""

    def __init__(self, l, network, number, bad_wire=False, disk=0, certificates=None):
        """certificates: a folder of certificates.sh; then everything is by TLS."""
        super().__init__(l, f"redis{number}")
        self.certificates = certificates
        self.wire = network.plug(self, "eth0", bad_wire)
        self.address = f"10.99.0.{100 + number}"
        self.ip(f"addr add {self.address}/24 dev eth0")
        self.dir = os.path.join(l.dir, self.name)
        os.makedirs(self.dir, exist_ok=True)
        self.disk = l.disk(self.dir, disk) if disk else None
        self.redis = self.sentinel = None
        self.sentinel_conf = os.path.join(self.dir, "sentinel.conf")

    def write(self, name, lines):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write("\n".join(lines) + "\n")
        return path

    def tls(self, port):
        if not self.certificates:
            return {}
        return {"port": 0, "tls-port": port, "tls-replication": "yes", **{
            f"tls-{word}-file": os.path.join(self.certificates, name)
            for word, name in (("ca-cert", "ca.crt"), ("cert", "server.crt"), ("key", "server.key"))}}

    def redis_conf(self, fsync="everysec", **own):
        return self.write("redis.conf", shipped("redis.conf", bind=self.address, protected_mode="no", dir=self.dir,
                                                appendfsync=fsync, **self.tls(6379), **own))

    def start_redis(self, master=None, fsync="everysec", args=(), **own):
        """Of the settings that are shipped, own ones instead of some."""
        conf = self.redis_conf(fsync, **own)
        self.redis = self.start(["redis-server", conf] + (["--replicaof", master, "6379"] if master else []) + list(args),
                                f"{self.name}.log")

    def start_as_shipped(self):
        """As the unit does: it asks the Sentinels who the master is."""
        self.redis = self.start([STARTER, "server", self.redis_conf(), self.sentinel_conf], f"{self.name}.log")

    def write_sentinel(self, master, quorum, **own):
        """own: its times, where they are not those that are shipped."""
        lines = shipped("sentinel.conf", bind=self.address, protected_mode="no", dir=self.dir, sentinel=None, **self.tls(26379))
        lines += [f"sentinel monitor heliograph {master} 6379 {quorum}"]
        lines += [line for line in shipped("sentinel.conf") if line.startswith("sentinel ") and
                  line.split()[1] not in ("monitor", *own)]
        self.write("sentinel.conf", lines + [f"sentinel {word} heliograph {value}" for word, value in own.items()])

    def start_sentinel(self, master, quorum, **own):
        if not os.path.exists(self.sentinel_conf):
            self.write_sentinel(master, quorum, **own)
        self.sentinel = self.start([STARTER, "sentinel", self.sentinel_conf], f"{self.name}-sentinel.log")

    def processes(self, words):
        """Of this machine, with these words in their command line."""
        pids = self.run(["ip", "netns", "pids", self.ns]).stdout.split()
        return [pid for pid in pids if words in lab.sh(f"tr '\\0' ' ' < /proc/{pid}/cmdline", check=False)]

    def cli(self, *args, port=6379, check=True):
        tls = ["--tls"] + [w for word, name in (("cacert", "ca.crt"), ("cert", "client.crt"), ("key", "client.key"))
                           for w in (f"--{word}", os.path.join(self.certificates, name))] if self.certificates else []
        return self.run(["redis-cli", "-h", self.address, "-p", str(port)] + tls + [str(a) for a in args], check=check,
                        timeout=30).stdout


class Stores:
    """Machines for Redis and Sentinels, without anything that runs."""

    def __init__(self, l, n):
        mgmt = lab.Network(l, "mgmt")
        self.stores = [RedisHost(l, mgmt, i + 1) for i in range(n)]


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
        self.epochs = None  # of epochs.py: then the account says them

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
        return self.epochs.add_to(self.report()) if self.epochs else self.report()


class Cluster:
    """The record's Redis stands up at once; nodes start when they are told to."""

    def __init__(self, l, nodes, replicas=0, sentinels=0, node="", cluster="", dataplane="", bad_wires=False, cores="",
                 as_shipped=False, disk=0, redis="", tls=False, **settings):
        """as_shipped: Redis and Sentinels with the times of deploy/redis, which a loaded machine may find short;
        node, redis, cluster, dataplane: further items of those groups; disk: each Redis has one of so many MB; settings go to
        config.text()."""
        self.lab = l
        self.mgmt = lab.Network(l, "mgmt")
        stores = max(1 + replicas, sentinels)
        certificates = make_certificates(l, stores) if tls else None
        self.stores = [RedisHost(l, self.mgmt, i + 1, bad_wires, disk, certificates) for i in range(stores)]
        if tls:
            redis += node_tls(certificates)
        for i, s in enumerate(self.stores[:1 + replicas]):
            s.start_redis(self.stores[0].address if i else None, "everysec" if replicas else "always",
                          **({} if as_shipped else QUICK_REDIS))
        for s in self.stores[:1 + replicas]:
            lab.wait_for(lambda s=s: "PONG" in s.cli("ping", check=False), 30, f"{s.name} answers")
        if replicas:
            lab.wait_for(lambda: f"connected_slaves:{replicas}" in self.stores[0].cli("info", "replication"), 30,
                         "replicas are attached")
        for s in self.stores[:sentinels]:
            s.start_sentinel(self.stores[0].address, sentinels // 2 + 1, **({} if as_shipped else QUICK_SENTINEL))
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
