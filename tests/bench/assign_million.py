#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A million users: assigned from nothing, and rebalanced once a second subcluster was added, through hgctl, the
control plane and a Redis that keeps what it acknowledged. HG_BUILD is where both were built.

  figure assign_million_s, figure rebalance_million_s: from the command to its answer."""
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("HG_BUILD", "build")
USERS = int(os.environ.get("USERS", "1000000"))
CLUSTER = "bench"


def node(index):
    """Names of this run: two nodes of one name do not run on one machine."""
    return f"n{index}.p{os.getpid()}.example.com"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, seconds, ask):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.05)
    raise SystemExit(f"{what}: not within {seconds} s")


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.sock = os.path.join(folder, "admin.sock")
        self.processes = []

    def start(self, name, *argv):
        log = open(os.path.join(self.folder, name + ".log"), "wb")
        process = subprocess.Popen(argv, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()

    def redis(self, *words, **more):
        return subprocess.run(["redis-cli", "-p", str(self.port), *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **more).stdout

    def key(self, table):
        return f"hg:{{{CLUSTER}}}:{table}"

    def put(self, table, name, value):
        self.redis("HSET", self.key(table), name, "0-0 " + json.dumps(value), check=True)

    def pair(self, number):
        self.put("subclusters", f"s{number}", {"id": number, "ha": False})
        for slot in (0, 1):
            index = 2 * number - 1 + slot
            self.put("nodes", node(index),
                     {"id": index, "subcluster": f"s{number}", "slot": slot, "installed": True, "protocol": 1,
                      "publisher": index == 1, "sip": f"192.0.2.{index}:5060"})

    def users(self):
        """All of them unassigned, by the protocol that redis-cli --pipe reads."""
        key = self.key("users").encode()
        feed = subprocess.Popen(["redis-cli", "-p", str(self.port), "--pipe"], stdin=subprocess.PIPE,
                                stdout=subprocess.DEVNULL)
        for first in range(0, USERS, 1000):
            words = [b"HSET", key]
            for i in range(first, min(first + 1000, USERS)):
                words += [b"user%d@example.com" % i, b"0-0 -"]
            feed.stdin.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        feed.stdin.close()
        if feed.wait() != 0:
            raise SystemExit("redis-cli --pipe failed")

    def hgctl(self, *words, timeout="120"):
        run = subprocess.run([os.path.join(BUILD, "controlplane/hgctl"), "--socket", self.sock, "--json", "--timeout",
                              timeout, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return json.loads(run.stdout) if run.returncode == 0 else None

    def timed(self, figure, *words):
        begin = time.monotonic()
        result = self.hgctl(*words)
        seconds = time.monotonic() - begin
        if not result:
            raise SystemExit(f"{words} was refused")
        print(f"figure {figure} {seconds:.2f} s", flush=True)
        return result

    def homes(self):
        return [node["users"] for node in self.hgctl("node", "list")["nodes"]]


def expect(what, is_, wanted):
    if is_ != wanted:
        raise SystemExit(f"{what}: {is_}, not {wanted}")


def run(bench):
    config = os.path.join(bench.folder, "node.cfg")
    with open(config, "w") as f:
        f.write(f'node: {{ name = "{node(1)}"; admin_socket = "{bench.sock}"; redis: {{ port = {bench.port}; }};'
                f' metrics: {{ port = 0; }}; }};\ndataplane: {{ users_max = {USERS + 1000};'
                ' ports = ( { device = "net_null0"; interfaces = ( { addresses = [ "192.0.2.1/24" ]; } ); } );'
                ' listeners = [ "192.0.2.1:5060" ]; };\n'
                f'cluster: {{ id = "{CLUSTER}"; domain = "example.com"; }};\n')
    # acknowledged is written: one flush for all that came in together
    bench.start("redis", "redis-server", "--port", str(bench.port), "--dir", bench.folder, "--appendonly", "yes",
                "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction",
                "--auto-aof-rewrite-percentage", "0")
    wait_for("Redis", 10, lambda: bench.redis("PING") == b"PONG\n")
    bench.pair(1)
    bench.users()
    bench.start("controlplane", os.path.join(BUILD, "controlplane/hg-controlplane"), "-c", config)

    def loaded():
        status = bench.hgctl("node", "list") if os.path.exists(bench.sock) else None
        return status and status["unassigned_users"] == USERS

    wait_for("the record in memory", 60, loaded)
    bench.timed("assign_million_s", "user", "assign", "--from", "nothing", "--to", "all")
    expect("users by home", bench.homes(), [USERS // 2] * 2)
    for name in (node(3), node(4)):
        bench.hgctl("node", "add", name)
    bench.hgctl("subcluster", "add", "s2")
    for slot, name in enumerate((node(3), node(4))):
        bench.hgctl("node", "assign", name, "s2", "--slot", str(slot))
    for index in (3, 4):  # as if they had been installed; the log tells nobody, the record is read again
        bench.put("nodes", node(index),
                  {"id": index, "subcluster": "s2", "slot": index - 3, "installed": True, "protocol": 1})
    bench.redis("CLIENT", "KILL", "TYPE", "normal")
    wait_for("the new subcluster", 60, lambda: bench.hgctl("node", "list") and
             [n["installed"] for n in bench.hgctl("node", "list")["nodes"]] == [True] * 4)
    wait_for("the record", 60, lambda: bench.hgctl("whatif", "rebalance"))
    bench.timed("rebalance_million_s", "user", "rebalance")
    expect("users by home", bench.homes(), [USERS // 4] * 4)
    names = bench.redis("HVALS", bench.key("users")).decode().split("\n")
    counts = {}
    for value in names:
        if value:
            counts[value.split(" ")[1]] = counts.get(value.split(" ")[1], 0) + 1
    expect("homes in the record", sorted(counts.values()), [USERS // 4] * 4)


def main():
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        try:
            run(bench)
        except BaseException:
            for name in ("redis", "controlplane"):
                path = os.path.join(folder, name + ".log")
                if os.path.exists(path):
                    sys.stderr.write(open(path, errors="replace").read()[-2000:])
            raise
        finally:
            bench.stop()


main()
