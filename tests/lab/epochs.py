# SPDX-License-Identifier: BSD-2-Clause
"""With which epoch a node answered, from outside: every Redis says (MONITOR) when it took which owner of whose users, the
phones say who came to them and when. What a node does for users whom the record gave to another is seen by that."""
import re
import time

import lab

HSET = re.compile(r'^(\d+\.\d+) \[[^\]]*\] "hset" "hg:\{[^}]*\}:ha" (.*)$', re.IGNORECASE)
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
# A frame on its way, and a phone whose machine stands still for a second before it looks at its clock.
LATE_NS = 2_000_000_000
EARLY_NS = 50_000_000  # Redis looks at the time once a turn of its loop


class Epochs:
    """of a cluster.Cluster whose subclusters are S1, S2 ...; class k of the probe is the users of node k + 1."""

    def __init__(self, c):
        self.c = c
        self.offset_ns = time.time_ns() - time.monotonic_ns()
        self.logs = []
        self.first = {}
        for name, value in c.record("ha").items():
            self.note(self.first, name, value, 0)
        for s in c.stores:
            if s.redis and s.redis.poll() is None:
                log = f"{s.name}-monitor.log"
                again = f"while :; do redis-cli -h {s.address} MONITOR; sleep 0.1; done"  # Redis ends it when its role changes
                s.start(["sh", "-c", again], log)
                self.logs.append(f"{s.lab.dir}/{log}")
        lab.wait_for(lambda: all("OK" in self.text(path) for path in self.logs), 30, "Redis is watched")

    @staticmethod
    def text(path):
        with open(path, errors="replace") as f:
            return f.read()

    @staticmethod
    def note(known, name, value, at_ns):
        """Of one epoch the first entry that says who serves whom in it."""
        said = dict(w.split("=", 1) for w in value.split() if "=" in w)
        if "epoch" not in said:
            return
        one = (int(said["epoch"]), tuple(int(s) for s in said["serves"].split(",")))
        times = known.setdefault(name, {})
        times[one] = min(times.get(one, at_ns), at_ns)

    def known(self):
        """subcluster -> [(since, epoch, (slot that serves slot 0's users, slot that serves slot 1's))], times of the phones."""
        known = {name: dict(times) for name, times in self.first.items()}
        for path in self.logs:
            for line in self.text(path).split("\n"):
                hit = HSET.match(line)
                words = TEXT.findall(hit.group(2)) if hit else []
                at_ns = int(float(hit.group(1)) * 1e9) - self.offset_ns if hit else 0
                for name, value in zip(words[0::2], words[1::2]):
                    self.note(known, name, value, at_ns)
        return {name: sorted((at, epoch, serves) for (epoch, serves), at in times.items()) for name, times in known.items()}

    def spans(self, home):
        """[(since, until, epoch, address of the node that serves the users of that home)]"""
        entries = self.known().get(f"S{home // 2 + 1}", [])
        ends = [at for at, _, _ in entries[1:]] + [float("inf")]
        return [(at, end, epoch, self.c.nodes[home // 2 * 2 + serves[home % 2]].address)
                for (at, epoch, serves), end in zip(entries, ends)]

    def add_to(self, account):
        """Each server of the account gets the epochs that it answered in, and `outside` where there was none."""
        for home, k in enumerate(account):
            spans = self.spans(home)
            for s in k["servers"]:
                own = [(at - EARLY_NS, end + LATE_NS, epoch) for at, end, epoch, ip in spans if ip == s["ip"]]
                s["epochs"] = sorted({epoch for at, end, epoch in own if at <= s["last_ns"] and s["first_ns"] <= end})
                s["outside"] = not all(any(at <= ns <= end for at, end, _ in own) for ns in (s["first_ns"], s["last_ns"]))
        return account
