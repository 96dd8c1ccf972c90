#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Kamailio and Heliograph in turn over the same veth pair, the same generator, every process of each counted (for us
dataplane, control plane and Redis). Prints 'figure NAME VALUE UNIT' lines.

    gen 10.99.0.2 (sipgen, CPU 0) ---- veth ---- gw 10.99.0.1 (server, CPU 1)
"""
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))
import kamailio
import lab
import config

RUNS = int(os.environ.get("BENCH_RUNS", "7"))
DEVICE = os.environ.get("BENCH_DEVICE", "net_af_packet0,iface=hg0")
LOAD = ("-d", "10.99.0.1:5060", "-s", "10.99.0.2:5080", "-k", "10.99.0.2:5090", "-t", "1.5")


def heliograph_config():
    return config.text(address="10.99.0.1/24", device=DEVICE, access=["10.99.0.0/24"], cores="1", aliases=["10.99.0.1"],
                       sip="source_rate = 10000000; source_burst = 10000000;", probe="enabled = false;",
                       routes=[dict(name="sink", type="domain", pattern="example.net", next_hop="10.99.0.2", port=5090,
                                    stateful=False)])


def main():
    l = lab.Lab()
    gw = l.node("gw", heliograph_config())
    gen = lab.Namespace(l, "gen")
    # Straight from one namespace to the other, without the laboratory's bridge.
    gw.ip("link del hg0")
    lab.sh(f"ip -n {gen.ns} link add eth0 type veth peer name hg0 netns {gw.ns}")
    gen.ip("addr add 10.99.0.2/24 dev eth0")
    gen.ip("link set eth0 up")
    gw.ip("link set hg0 up")
    for space, name in ((gen, "eth0"), (gw, "hg0")):
        lab.sh(f"ip netns exec {space.ns} ethtool -K {name} tx off rx off gro off gso off tso off", check=False)
    rows = {"kamailio": [], "heliograph": []}
    for _ in range(RUNS):
        gw.ip("addr add 10.99.0.1/24 dev hg0")
        server = kamailio.Kamailio(gw, "stateless", "10.99.0.1:5060", "10.99.0.2:5090")
        rows["kamailio"].append(kamailio.sipgen(gen, "-p", server.pids(), *LOAD))
        server.stop()
        gw.ip("addr flush dev hg0")
        gen.ip("neigh flush dev eth0")
        gw.start_both()
        rows["heliograph"].append(kamailio.sipgen(gen, "-p", f"{gw.dp.pid},{gw.cp.pid},{gw.redis.pid}", *LOAD))
        l.end(gw.dp)
        l.end(gw.cp)
        gen.ip("neigh flush dev eth0")
    us = {}
    for name, r in rows.items():
        us[name] = statistics.median(x["us_per_unit"] for x in r)
        print(f"figure veth_{name}_us {us[name]:.3f} us")
        print(f"# {name}: min {min(x['us_per_unit'] for x in r):.2f} max {max(x['us_per_unit'] for x in r):.2f}, "
              f"{statistics.median(x['per_s'] for x in r):.0f}/s, lost {sum(x['lost'] for x in r):.0f}")
    print(f"figure ratio_kamailio_veth {us['kamailio'] / us['heliograph']:.2f} times", flush=True)


if __name__ == "__main__":
    main()
