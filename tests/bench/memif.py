#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two processes over net_memif: a whole node (dataplane with one core on the last CPU, control plane, Redis) in a
namespace, and a generator on CPU 0 at the other end of its port. Prints 'figure NAME VALUE UNIT' lines.

100,000 users of another node stand in the record, 10,000 static routes are asked first and match none of them.
"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
import lab
import config

USERS = int(os.environ.get("BENCH_USERS", "100000"))
STATICS = 10000
MAC = "02:48:47:00:00:01"


def text(socket, cpu):
    routes = [dict(name=f"r{i}", type="user", pattern=f"1919{i:06d}" if i % 4 else f"4420{i:04d}*",
                   next_hop=f"10.77.0.{20 + i % 200}", port=5060) for i in range(STATICS)]
    device = f"net_memif0,role=client,zero-copy=yes,rsize=11,socket={socket},socket-abstract=no,mac={MAC}"
    return config.text(address="10.77.0.1/24", device=device, access=["10.77.0.0/24"], cores=str(cpu), domain="example.net",
                       probe="enabled = false;", routes=routes, sip="", dataplane="polling = \"busy\";",
                       cluster='nodes = ( { name = "sink"; sip = "10.77.0.9:5090"; } );') \
        .replace("source_rate = 100000; source_burst = 100000;", "source_rate = 10000000; source_burst = 10000000; overload_high = 100;") \
        .replace("memory = 256; users_max = 100000; routes_max = 8192; mbufs = 8192;",
                 f"memory = 256; users_max = {max(USERS, 100000)}; routes_max = 16384; mbufs = 16384; "
                 'eal_args = "--single-file-segments";') \
        .replace(f'device = "{device}";', f'device = "{device}"; descriptors = 2048;')


def load_users(node):
    """The record's hash, as an operator who moves in would fill it."""
    key = "hg:{StandaloneCluster}:users"
    lines = "".join(f"HSET {key} u{u:06d}@example.net sink\r\n" for u in range(USERS))
    done = node.run(["redis-cli", "--pipe"], input=lines)
    if "errors: 0" not in done.stdout:
        raise RuntimeError(done.stdout)


def main():
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        print("# memif needs two CPUs")
        return 0
    os.sched_setaffinity(0, {cpus[0]})  # everything but the dataplane's core, which finds its own CPU
    l = lab.Lab()
    socket = os.path.join(l.dir, "memif.sock")
    node = l.node("gw", text(socket, cpus[-1]))
    load_users(node)
    gen = subprocess.Popen([os.path.join(lab.BUILD, "tests", "bench", "memif_gen"),
                            f"net_memif0,role=server,rsize=11,socket={socket},socket-abstract=no", str(cpus[0]), MAC,
                            "10.77.0.1:5060", "10.77.0.2:5080", "10.77.0.9:5090", str(USERS)],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    l.processes.append(gen)
    if "listens" not in gen.stdout.readline():
        raise RuntimeError("the generator does not start")
    node.start_both()
    lab.wait_for(lambda: node.counters().get("users") == USERS, 60, "every user is in the core's table")
    gen.stdin.write("go\n")
    gen.stdin.flush()
    for line in gen.stdout:
        print(line, end="", flush=True)
    code = gen.wait(60)
    print(f"# {USERS} users, {STATICS} static routes; dataplane on CPU {cpus[-1]}, generator on CPU {cpus[0]}")
    if code or os.environ.get("BENCH_VERBOSE"):
        print({k: v for k, v in node.counters().items() if v})
        print(node.logs())
    return code


if __name__ == "__main__":
    sys.exit(main())
