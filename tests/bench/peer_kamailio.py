#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Kamailio over loopback: CPU microseconds a message, medians of RUNS runs. Prints 'figure NAME VALUE UNIT' lines."""
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))
import kamailio
import lab

RUNS = int(os.environ.get("BENCH_RUNS", "7"))


def measure(l, space, name, kind, *args, prepare=()):
    server = kamailio.Kamailio(space, kind)
    try:
        if prepare:
            kamailio.sipgen(space, *prepare)
        rows = [kamailio.sipgen(space, "-p", server.pids(), *args) for _ in range(RUNS)]
    finally:
        server.stop()
    us = statistics.median(r["us_per_unit"] for r in rows)
    print(f"figure {name} {us:.3f} us", flush=True)
    print(f"# {name}: min {min(r['us_per_unit'] for r in rows):.2f} max {max(r['us_per_unit'] for r in rows):.2f}, "
          f"{statistics.median(r['per_s'] for r in rows):.0f}/s, lost {sum(r['lost'] for r in rows):.0f}", flush=True)


def main():
    l = lab.Lab()
    space = lab.Namespace(l, "kam")
    measure(l, space, "kamailio_stateless_message_us", "stateless", "-m", "message", "-t", "1.5")
    measure(l, space, "kamailio_stateless_invite_us", "stateless", "-m", "invite", "-t", "1.5")
    # A transaction lives some seconds after its end: the first run starts when deleting is at its steady state.
    measure(l, space, "kamailio_stateful_us", "stateful", "-m", "message", "-r", "-t", "2", "-W", "6.5")
    if os.environ.get("BENCH_ALL"):
        register = ("-G", "-u", "100000", "-w", "128")
        measure(l, space, "kamailio_users_message_us", "usrloc", "-m", "message", "-t", "1.5", prepare=register)
        measure(l, space, "kamailio_users_invite_us", "usrloc", "-m", "invite", "-t", "1.5", prepare=register)


if __name__ == "__main__":
    main()
