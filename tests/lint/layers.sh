#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Nobody includes upward: node > core > feed > sip, xmpp, fabric > stream > tls, user > tcp, route > net > lib > include/hg.
python3 - <<'PY'
import os, re, subprocess, sys

RANK = {"lib": 0, "net": 1, "tcp": 2, "route": 2, "tls": 3, "user": 3, "stream": 4, "sip": 5, "xmpp": 5, "fabric": 5, "feed": 6, "core": 7, "node": 8}
WINGS = {"stream": {"route", "user"}, "tls": {"route"}, "user": {"tcp", "net"}, "route": {"net"}}  # lower, but of the other wing
bad = 0


def complain(where, what):
    global bad
    bad += 1
    print(f"{where}: {what}")


def includes(path):
    with open(path, errors="replace") as f:
        for n, line in enumerate(f, 1):
            m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if m:
                yield n, m.group(1), m.group(2)


files = [f for f in subprocess.run(["git", "ls-files", "include", "dataplane", "controlplane"], stdout=subprocess.PIPE, text=True,
                                   check=True).stdout.split() if re.search(r"\.(c|h|def)$", f) and os.path.isfile(f)]
for path in files:
    part = path.split("/")
    for n, kind, name in includes(path):
        where, first = f"{path}:{n}", name.split("/")[0]
        if part[0] == "include":
            if first not in ("hg", "impl") and kind == '"':
                complain(where, f"include/ stands at the bottom and may not include {name}")
            if part[1] == "hg" and (name.startswith("rte_") or first == "impl"):
                complain(where, f"include/hg is free of DPDK and of its implementation, not {name}")
        elif part[0] == "dataplane":
            room = part[1] if len(part) > 2 else None
            if os.path.exists(os.path.join("controlplane", name)) and kind == '"' and not os.path.exists(
                    os.path.join("dataplane", name)) and not os.path.exists(os.path.join(os.path.dirname(path), name)):
                complain(where, f"the dataplane does not include {name} of the control plane")
            if room not in RANK or kind == "<":
                continue
            if first in RANK and "/" in name and first != room:
                if RANK[first] >= RANK[room]:
                    complain(where, f"{room} does not stand above {first}: {name}")
                elif first in WINGS.get(room, ()):
                    complain(where, f"{room} and {first} are of two wings: {name}")
        else:
            if name.startswith("rte_"):
                complain(where, f"the control plane knows no DPDK: {name}")
            if kind == '"' and "/" in name and os.path.exists(os.path.join("dataplane", name)) and not os.path.exists(
                    os.path.join("controlplane", name)):
                complain(where, f"the control plane does not include {name} of the dataplane")
for build in ("controlplane/meson.build",):
    if "inc_dp" in open(build).read():
        complain(build, "the control plane is not built with the dataplane's folder in its include path")
sys.exit(1 if bad else 0)
PY
