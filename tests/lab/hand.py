#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A cluster of the laboratory in your hands: faults as words, read from standard input; help lists them.

  sudo tests/lab/hand.py [NODES]     2, 4 or 6 nodes (default 4) in pairs, three Redis with Sentinels, users, requests

It ends, and takes everything away, with quit or at the end of its input."""
import os
import shlex
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import epochs
import lab
import show

HELP = """WHO is a node (n1), one of its processes (n1.cp, n1.dp), a Redis (redis1) or its Sentinel (redis1.sentinel)
  kill WHO            SIGKILL                        end WHO     SIGTERM
  stop WHO            SIGSTOP: it hangs              go WHO      SIGCONT
  start WHO           what is not running
  cut NODE NET [WAY]  NET: mgmt or lan (redis1: mgmt); WAY: out or in, both without
  spoil NODE NET loss=0.05 delay_ms=80 jitter_ms=5 duplicate=0.01 corrupt=0.01 rate_mbit=5 [out|in]
  heal NODE           all its wires
  fill REDIS          its disk is full               free REDIS
  hgctl NODE ...      for example: hgctl n2 ha status
  redis REDIS ...     redis-cli: redis redis1 HGETALL hg:{StandaloneCluster}:ha
  account             what the phones saw since the last account: who served the users of which node, and for how
                      long nobody did
  quit"""
SIGNALS = {"kill": signal.SIGKILL, "end": signal.SIGTERM, "stop": signal.SIGSTOP, "go": signal.SIGCONT}
WAYS = {"out": "ab", "in": "ba"}


class Refused(Exception):
    pass


class Hand:
    def __init__(self, c, probe):
        self.cluster, self.probe = c, probe
        self.nodes = {n.name: n for n in c.nodes}
        self.stores = {s.name: s for s in c.stores}
        self.entries = [n.address for n in c.nodes]
        probe.epochs = epochs.Epochs(c)
        self.account_again()

    def account_again(self):
        self.since = time.monotonic_ns()
        self.probe.begin(self.entries, show.RATE)

    def processes(self, who):
        """(holder, attribute of the process) of each that the word means."""
        name, _, part = who.partition(".")
        if name in self.nodes and part in ("", "cp", "dp"):
            return [(self.nodes[name], p) for p in ((part,) if part else ("cp", "dp"))]
        if name in self.stores and part in ("", "sentinel"):
            return [(self.stores[name], part or "redis")]
        raise Refused(f"'{who}' is nothing that runs here: {', '.join([*self.nodes, *self.stores])}")

    def signal(self, word, who):
        for holder, part in self.processes(who):
            p = getattr(holder, part)
            if p and p.poll() is None:
                os.kill(p.pid, SIGNALS[word])
                if word == "kill":
                    p.wait(20)

    def start(self, who):
        for holder, part in self.processes(who):
            p = getattr(holder, part)
            if p and p.poll() is None:
                continue
            if part == "sentinel":
                holder.start_sentinel(None, 0)
            elif part == "redis":
                master = self.cluster.master()
                holder.start_redis(master.address if master else None)
            else:
                holder.start_cp() if part == "cp" else holder.start_dp()

    def wires(self, name):
        if name in self.nodes:
            return {"mgmt": self.nodes[name].mgmt, "lan": self.nodes[name].service_wire}
        if name in self.stores:
            return {"mgmt": self.stores[name].wire}
        raise Refused(f"'{name}' has no wire: {', '.join([*self.nodes, *self.stores])}")

    def spoil(self, name, net, *how):
        wires = self.wires(name)
        if net not in wires:
            raise Refused(f"{name} is on {', '.join(wires)}")
        ways = [WAYS[w] for w in how if w in WAYS] or ["ab", "ba"]
        words = " ".join(w for w in how if w not in WAYS)
        wires[net].set(**{way: words for way in ways})

    def cut(self, name, net, *way):
        self.spoil(name, net, "cut", *way)

    def heal(self, name):
        for wire in self.wires(name).values():
            wire.set()

    def disk(self, name):
        if name not in self.stores:
            raise Refused(f"a disk has one of {', '.join(self.stores)}")
        return self.stores[name].disk

    def fill(self, name):
        self.disk(name).fill()

    def free(self, name):
        self.disk(name).free()

    def hgctl(self, name, *args):
        if name not in self.nodes:
            raise Refused(f"hgctl speaks to one of {', '.join(self.nodes)}")
        print(self.nodes[name].hgctl(*args, check=False).stdout, end="")

    def redis(self, name, *args):
        print(self.stores[name].cli(*args, check=False) if name in self.stores else f"no {name}", end="\n")

    def account(self):
        show.account(self.cluster, self.probe, self.since)
        self.account_again()

    def do(self, words):
        word, args = words[0], words[1:]
        if word in SIGNALS:
            self.signal(word, *args)
        elif word in ("start", "cut", "spoil", "heal", "fill", "free", "hgctl", "redis", "account"):
            getattr(self, word)(*args)
        else:
            print(HELP)


def main():
    nodes = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 4
    if nodes not in (2, 4, 6) or len(sys.argv) > 2:
        sys.exit(__doc__)
    l, c, probe = show.stand_up(nodes, bad_wires=True, disk=64)
    hand = Hand(c, probe)
    print(f"{HELP}\nLogs and configuration: {l.dir}")
    while True:
        try:
            words = shlex.split(input("> " if sys.stdin.isatty() else ""))
            if words == ["quit"]:
                return 0
            if words:
                hand.do(words)
        except EOFError:
            return 0
        except (Refused, TypeError, ValueError, OSError, AttributeError, subprocess.SubprocessError) as e:
            print(e if isinstance(e, Refused) else f"not understood ({e}); help lists the words")
        sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
