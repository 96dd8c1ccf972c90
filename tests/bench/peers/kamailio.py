# SPDX-License-Identifier: BSD-2-Clause
"""Kamailio as the peer of a benchmark: one UDP worker on one CPU, TLSF allocator, CPU of all its processes counted."""
import os
import re
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lab"))
import lab  # noqa: E402

SIPGEN = os.path.join(lab.BUILD, "tests", "bench", "sipgen")


class Kamailio:
    def __init__(self, space, kind, listen="127.0.0.1:5060", sink="127.0.0.1:5090", cpu=1):
        self.space = space
        self.dir = os.path.join(space.lab.dir, f"kamailio-{kind}")
        shutil.copytree(os.path.join(HERE, "kamailio"), self.dir, dirs_exist_ok=True)
        host, port = sink.rsplit(":", 1)
        path = os.path.join(self.dir, f"{kind}.cfg")
        with open(path) as f:
            text = f.read().replace("@LISTEN@", listen).replace("@SINK_HOST@", host).replace("@SINK_PORT@", port)
        with open(path, "w") as f:
            f.write(text)
        self.process = space.start(["taskset", "-c", str(cpu), "kamailio", "-DD", "-E", "-f", path, "-m", "2048",
                                    "-P", os.path.join(self.dir, "pid"), "-Y", self.dir, "-X", "tlsf", "-x", "tlsf"],
                                   f"kamailio-{kind}.log")
        port = int(listen.rsplit(":", 1)[1])
        lab.wait_for(lambda: re.search(rf":{port:04X} ", space.run(["cat", "/proc/net/udp"]).stdout), 30, "Kamailio listens")
        time.sleep(0.5)

    def pids(self):
        return f"{self.process.pid}+"

    def stop(self):
        self.space.lab.end(self.process)


def sipgen(space, *args, cpu=0):
    """Runs the generator; returns its line as a dictionary of numbers."""
    out = space.run([SIPGEN, "-c", str(cpu)] + [str(a) for a in args], timeout=180).stdout
    fields = dict(re.findall(r"(\w+)=(\S+)", out))
    if "us_per_unit" not in fields:
        raise RuntimeError(f"sipgen printed: {out}")
    return {k: float(v) for k, v in fields.items() if k != "label"}
