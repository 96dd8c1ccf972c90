# SPDX-License-Identifier: BSD-2-Clause
"""A laboratory of network namespaces: a LAN (a bridge in a namespace of its own), hosts on it, and Heliograph nodes.

        host caller ----+
        host callee ----+---- bridge ("lan") ----+---- node: veth hg0 <- dataplane (net_af_packet)
        ...             |                              lo <- private Redis, control plane

Everything is created under names that carry our pid and removed on exit, also when interrupted. Only processes
started here are ended, by pid.
"""
import atexit
import concurrent.futures
import contextlib
import ctypes
import fcntl
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("HG_BUILD", os.path.join(TOP, "build"))
CLONE_NEWNET = 0x40000000
KEPT = "kept"  # in a folder that HG_KEEP=1 left for somebody to look at
SO_RCVBUFFORCE = 33  # a stalled reader loses nothing: net.core.rmem_max does not count for root
_libc = ctypes.CDLL(None, use_errno=True)


def sh(command, check=True):
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and done.returncode:
        raise RuntimeError(f"{command}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


def wait_for(condition, seconds, what):
    """Polls until condition() is true; machines are noisy, so limits are generous and never measure anything."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class Namespace:
    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.ns = f"hg{os.getpid()}-{name}"
        sh(f"ip netns add {self.ns}")
        lab.spaces.append(self)
        self.ip("link set lo up")
        sh(f"ip netns exec {self.ns} sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")

    def ip(self, args, check=True):
        return sh(f"ip -n {self.ns} {args}", check)

    def run(self, args, check=True, timeout=120, **kw):
        done = subprocess.run(["ip", "netns", "exec", self.ns] + args, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout, **kw)
        if check and done.returncode:
            raise RuntimeError(f"{args}: exit {done.returncode}\n{done.stdout}")
        return done

    def start(self, args, log, **kw):
        out = open(os.path.join(self.lab.dir, log), "ab")
        kw.setdefault("stdin", subprocess.DEVNULL)
        p = subprocess.Popen(["ip", "netns", "exec", self.ns] + args, stdout=out, stderr=subprocess.STDOUT,
                             start_new_session=True, **kw)
        self.lab.processes.append(p)
        return p

    @contextlib.contextmanager
    def inside(self):
        """This thread stands in the namespace for a while."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.ns}", os.O_RDONLY)
        try:
            if _libc.setns(there, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            yield
        finally:
            _libc.setns(home, CLONE_NEWNET)
            os.close(home)
            os.close(there)

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_DGRAM, proto=0):
        """A socket that lives in this namespace, made in this process."""
        with self.inside():
            return socket.socket(family, kind, proto)

    def is_bound(self, address, port, protocol="udp"):
        """Does anybody in this namespace take that protocol on this address and port, or on the port of every address?"""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.inside(), open(f"/proc/thread-self/net/{protocol}" + ("6" if ":" in address else "")) as f:
            rows = [line.split() for line in f.readlines()[1:]]
        rows = [row[1].split(":") for row in rows if protocol == "udp" or row[3] == "0A"]  # listening
        words = lambda text: b"".join(int(text[i:i + 8], 16).to_bytes(4, sys.byteorder) for i in range(0, len(text), 8))
        wanted = (socket.inet_pton(family, address), bytes(16 if ":" in address else 4))
        return any(int(there, 16) == port and words(host) in wanted for host, there in rows)

    def wait_bound(self, address, port, process, protocol="udp"):
        """A datagram to a port that nobody has bound yet is lost, and its sender is told so."""
        def bound():
            if process.poll() is not None:
                raise AssertionError(f"{process.args} ended with {process.returncode} before it bound {address}:{port}")
            return self.is_bound(address, port, protocol)
        wait_for(bound, 60, f"{address}:{port} is bound")

    def start_capture(self, log, *args):
        """tcpdump, once it listens."""
        p = self.start(["tcpdump", *args], log)
        path = os.path.join(self.lab.dir, log)

        def listening():
            with open(path, errors="replace") as f:
                text = f.read()
            if p.poll() is not None:
                raise AssertionError(f"tcpdump ended: {text}")
            return "listening on" in text
        wait_for(listening, 60, "tcpdump listens")
        return p


class Network(Namespace):
    """A bridge in a namespace of its own."""

    def __init__(self, lab, name):
        super().__init__(lab, name)
        sh(f"ip netns exec {self.ns} sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        # A bridge that looks into IP would drop bad checksums and put fragments together on its way.
        sh(f"ip netns exec {self.ns} sysctl -qw net.bridge.bridge-nf-call-iptables=0 "
           "net.bridge.bridge-nf-call-ip6tables=0 net.bridge.bridge-nf-call-arptables=0", check=False)
        self.ip("link add br0 type bridge mcast_snooping 0")
        self.ip("link set br0 up")
        self.ports = 0

    def _pair(self, name, peer, there):
        one = "numtxqueues 1 numrxqueues 1"
        self.ip(f"link add {name} {one} type veth peer name {peer} netns {there.ns} {one}")
        # Checksums are computed for real: nobody behind us trusts a promise.
        for space, end in ((self, name), (there, peer)):
            space.ip(f"link set {end} up")
            sh(f"ip netns exec {space.ns} ethtool -K {end} tx off rx off gro off gso off tso off txvlan off rxvlan off",
               check=False)

    def plug(self, space, ifname, bad=False):
        """A cable from space to the bridge; with bad, one that can be spoilt (a BadWire, which is returned)."""
        self.ports += 1
        far = f"p{self.ports}"
        self._pair(far, ifname, space)
        if not bad:
            self.ip(f"link set {far} master br0")
            return None
        near, end = f"q{self.ports}", f"r{self.ports}"
        self._pair(near, end, self)
        self.ip(f"link set {near} master br0")
        return BadWire(self, far, end)


class BadWire:
    """tests/lab/badwire.c between a host ("ab": from it) and the bridge ("ba": to it)."""

    def __init__(self, network, host_end, bridge_end):
        program = os.path.join(BUILD, "tests", "lab", "badwire")
        self.process = network.start([program, host_end, bridge_end], f"badwire-{network.name}-{host_end}.log",
                                     stdin=subprocess.PIPE)

    def set(self, **ways):
        """set(ab="loss=0.01 delay_ms=40", ba="cut"); a way that is not named is perfect again."""
        for way in ("ab", "ba"):
            self.process.stdin.write(f"{way} {ways.get(way, '')}\n".encode())
        self.process.stdin.flush()


class Host(Namespace):
    """A host on the LAN with one interface, eth0."""

    def __init__(self, lab, name, addresses):
        super().__init__(lab, name)
        lab.lan.plug(self, "eth0")
        for a in addresses:
            self.ip(f"addr add {a} dev eth0" + (" nodad" if ":" in a else ""))
        self.addresses = [a.split("/")[0] for a in addresses]

    def uas(self, address=None, port=5060, status=200):
        """A callee that answers every request with status (uas.py), once its port is bound."""
        address = address or self.addresses[0]
        p = self.start([sys.executable, os.path.join(TOP, "tests", "lab", "uas.py"), address, str(port), str(status)],
                       f"{self.name}-uas.log")
        self.wait_bound(address, port, p)
        return p

    def udp(self, port=5060, address=None, timeout=3.0):
        address = address or self.addresses[0]
        s = self.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        s.bind((address, port))
        s.settimeout(timeout)
        return s


class Node(Namespace):
    """One Heliograph node: private Redis, control plane and dataplane in one namespace."""

    def __init__(self, lab, name, config, redis=True, env=None, bad_wire=False, unique=None):
        super().__init__(lab, name)
        sh(f"ip netns exec {self.ns} sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        self.ip("link set lo up")
        self.service_wire = lab.lan.plug(self, "hg0", bad_wire)
        self.dir = os.path.join(lab.dir, name)
        os.makedirs(self.dir, exist_ok=True)
        self.unique = unique or f"{name}-{os.getpid()}"
        self.config_file = os.path.join(self.dir, "heliograph.cfg")
        self.socket_path = os.path.join(self.dir, "admin.sock")
        self.env = dict(os.environ, **(env or {}))
        self.redis = self.cp = self.dp = None
        self.write_config(config)
        if redis:
            self.start_redis()

    def write_config(self, config):
        """config: text in which @NAME@, @SOCKET@ stand for this node's own."""
        with open(self.config_file, "w") as f:
            f.write(config.replace("@NAME@", self.unique).replace("@SOCKET@", self.socket_path))

    def start_redis(self):
        self.redis = self.start(["redis-server", "--port", "6379", "--bind", "127.0.0.1", "--dir", self.dir,
                                 "--save", "", "--appendonly", "yes", "--appendfsync", "always",
                                 "--maxmemory-policy", "noeviction"], f"{self.name}-redis.log")
        wait_for(lambda: "PONG" in self.redis_cli("ping", check=False), 60, "Redis answers")

    def redis_cli(self, *args, check=True):
        return self.run(["redis-cli"] + list(args), check=check).stdout

    def start_cp(self):
        self.cp = self.start([os.path.join(BUILD, "controlplane", "hg-controlplane"), "-c", self.config_file],
                             f"{self.name}-cp.log", env=self.env)

    def start_dp(self):
        self.dp = self.start([os.path.join(BUILD, "dataplane", "hg-dataplane"), "-c", self.config_file],
                             f"{self.name}-dp.log", env=self.env)

    def start_both(self, seconds=120):
        self.start_cp()
        self.start_dp()
        self.wait_ready(seconds)

    def wait_ready(self, seconds=120):
        def ready():
            for p, what in ((self.cp, "control plane"), (self.dp, "dataplane")):
                if p and p.poll() is not None:
                    raise AssertionError(f"{what} ended with {p.returncode}\n{self.logs()}")
            return self.hgctl("status", check=False).returncode == 0
        try:
            wait_for(ready, seconds, "the node is ready")
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.hgctl('status', check=False).stdout}\n{self.logs()}")

    def hgctl(self, *args, check=True, timeout=60):
        return self.run([os.path.join(BUILD, "controlplane", "hgctl"), "--socket", self.socket_path] + list(args),
                        check=check, timeout=timeout, env=self.env)

    def hgctl_json(self, *args):
        return json.loads(self.hgctl("--json", *args).stdout)

    def counters(self, cluster="StandaloneCluster"):
        """The summed counters as Redis shows them."""
        lines = self.redis_cli("HGETALL", f"hg:{{{cluster}}}:counters:{self.unique}").split("\n")
        return {k: int(v) if v.lstrip("-").isdigit() else v for k, v in zip(lines[0::2], lines[1::2]) if k}

    def settled_counters(self, seconds=60):
        """Counters once two exports agree on everything that traffic moves, with turns of every core between them: what
        had arrived before the first of them was counted. `exported_before` is the time of the first."""
        quiet = ("core_", "turns", "cycles", "heartbeat", "mbuf", "exported", "time", "age", "stage", "histogram")
        key = lambda c: {k: v for k, v in c.items() if not any(q in k for q in quiet)}
        turns = lambda c: [v for k, v in c.items() if k.endswith(".core_turns")]
        first = self.counters()

        def settled():
            nonlocal first
            now = self.counters()
            if now.get("exported_ms", 0) == first.get("exported_ms", 0) or not turns(now):
                return None
            if key(now) != key(first):
                first = now
                return None
            if len(turns(first)) != len(turns(now)) or any(b - a < 3 for a, b in zip(turns(first), turns(now))):
                return None
            return dict(now, exported_before=first["exported_ms"])
        return wait_for(settled, seconds, "the counters are at rest")

    def logs(self, lines=40):
        text = ""
        for what in ("cp", "dp"):
            path = os.path.join(self.lab.dir, f"{self.name}-{what}.log")
            if os.path.exists(path):
                with open(path, errors="replace") as f:
                    text += f"--- {what}\n" + "".join(f.readlines()[-lines:])
        return text


class Disk:
    """A file system of so many megabytes, in memory."""

    def __init__(self, path, megabytes):
        self.path = path
        sh(f"mount -t tmpfs -o size={megabytes}m hg-lab {path}")

    def fill(self):
        """Not a byte more."""
        with open(os.path.join(self.path, "full"), "wb", buffering=0) as f:
            for size in (1 << 20, 1 << 12):
                with contextlib.suppress(OSError):
                    while True:
                        f.write(bytes(size))

    def free(self):
        os.unlink(os.path.join(self.path, "full"))

    def remove(self):
        sh(f"umount -l {self.path}", check=False)


class Lab:
    def __init__(self):
        if os.geteuid() != 0:
            sys.exit("this test makes network namespaces: run it as root")
        clear_left_behind()
        self.dir = tempfile.mkdtemp(prefix=f"hg-lab-{os.getpid()}-")
        self.processes, self.spaces, self.disks = [], [], []
        atexit.register(self.close)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.lan = Network(self, "lan")

    def host(self, name, *addresses):
        return Host(self, name, addresses)

    def node(self, name, config, **kw):
        return Node(self, name, config, **kw)

    def disk(self, path, megabytes):
        """A small disk of its own at that path, which Disk.fill() fills."""
        os.makedirs(path, exist_ok=True)
        self.disks.append(Disk(path, megabytes))
        return self.disks[-1]

    def end(self, p, sig=signal.SIGTERM, seconds=60):
        """Ends one process that we started. ip netns exec replaces itself, so the pid is the program's own."""
        if p is None or p.poll() is not None:
            return
        os.kill(p.pid, sig)
        try:
            p.wait(seconds)
        except subprocess.TimeoutExpired:
            os.kill(p.pid, signal.SIGKILL)
            p.wait(60)

    def close(self):
        for p in reversed(self.processes):
            self.end(p, seconds=5)
        self.processes = []
        for s in self.spaces:
            kill_in(s.ns)  # what somebody started there by hand
            sh(f"ip netns del {s.ns}", check=False)
            if hasattr(s, "unique"):
                for path in glob.glob(f"/dev/shm/hg-{s.unique}*"):
                    os.unlink(path)
                shutil.rmtree(f"/var/run/dpdk/hg-{s.unique}", ignore_errors=True)  # DPDK leaves it
        self.spaces = []
        for d in self.disks:
            d.remove()
        self.disks = []
        if os.environ.get("HG_KEEP"):
            with open(os.path.join(self.dir, KEPT), "w"):
                pass
            print(f"kept {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)


def kill_in(space):
    """Ends what runs in the namespace."""
    for pid in sh(f"ip netns pids {space}", check=False).split():
        with contextlib.suppress(ProcessLookupError, ValueError):  # somebody else clears it away, too
            os.kill(int(pid), signal.SIGKILL)


def clear_left_behind():
    """What a laboratory that was killed outright left: its processes stand in namespaces that carry its pid."""
    names = [line.split()[0] for line in sh("ip netns list").splitlines() if line]
    for name in names:
        of = re.match(r"hg(\d+)-", name)
        if not of or os.path.exists(f"/proc/{of.group(1)}"):
            continue
        kill_in(name)
        sh(f"ip netns del {name}", check=False)
        for path in glob.glob(f"/dev/shm/hg-10.{int(of.group(1)) >> 8 & 255}.{int(of.group(1)) & 255}.*"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
    for path in glob.glob(os.path.join(tempfile.gettempdir(), "hg-lab-*-*")):
        of = re.match(r"hg-lab-(\d+)-", os.path.basename(path))
        if of and not os.path.exists(f"/proc/{of.group(1)}") and not os.path.exists(os.path.join(path, KEPT)):
            sh(f"umount -l {path}/*", check=False)  # small disks
            shutil.rmtree(path, ignore_errors=True)
    for path in glob.glob("/var/run/dpdk/hg-*"):
        if not any(os.path.exists(f"/proc/{pid}") for pid in labs_of(os.path.basename(path))) and not in_use(path):
            shutil.rmtree(path, ignore_errors=True)


def labs_of(name):
    """The pids that a laboratory may have had that named a node so: NAME-PID, or 10.(16 bits of the PID).N."""
    of = re.match(r"hg-10\.(\d+)\.(\d+)\.\d+$", name)
    if of:
        return range(int(of.group(1)) << 8 | int(of.group(2)), 1 << 22, 1 << 16)
    of = re.match(r"hg-(?:.*-)?(\d+)$", name)
    return [int(of.group(1))] if of else [os.getpid()]  # no laboratory: leave it


def in_use(path):
    """A dataplane holds a lock on its runtime configuration as long as it lives."""
    try:
        with open(os.path.join(path, "config"), "r+b") as f:
            fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False  # an empty folder
    except OSError:
        return True
    return False


def failure(name, why):
    """FAIL NAME: what it says, further lines indented: tests/run.sh shows all of it, wherever it stands in the log."""
    text = (str(why) if isinstance(why, AssertionError) else f"{type(why).__name__}: {why}").strip() or "assertion"
    where = traceback.extract_tb(why.__traceback__)
    if where:
        text += f"\n{os.path.basename(where[-1].filename)}:{where[-1].lineno}: {where[-1].line}"
    return f"FAIL {name}: " + text.replace("\n", "\n    ")


def _say(line):
    sys.stdout.write(line + "\n")  # in one piece: there may be other threads
    sys.stdout.flush()


def _run(test, context):
    """Runs one function; prints 'ok NAME (how long)' or 'FAIL NAME'."""
    begin = time.monotonic()
    try:
        test(*context)
        _say(f"ok {test.__name__} ({time.monotonic() - begin:.1f} s)")
        return True
    except Exception as e:  # a test may fail in any way; all of them are failures
        _say(failure(test.__name__, e))
        return False


def _closing(results):
    _say(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


def run_tests(tests, context):
    """Runs functions in order, prints a line for each and the closing line; returns the exit code."""
    return _closing([_run(t, context) for t in tests])


def run_together(tests, context):
    """The same, each in a thread of its own."""
    with concurrent.futures.ThreadPoolExecutor(max(len(tests), 1)) as pool:
        return _closing(list(pool.map(lambda t: _run(t, context), tests)))
