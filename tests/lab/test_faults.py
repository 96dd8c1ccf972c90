#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A pair of two real nodes and what networks, attackers and disks do to it: links cut one way, packets lost, late and
spoilt, heartbeats forged, recorded and garbled, a Redis that is far away, and one without room on its disk."""
import os
import random
import re
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab
import test_ha

PORT = 7400  # of the heartbeats over the management network
MGMT, LAN = "eth1", "hg0"
TAKEN_OVER = ("F12", "F13", "F16")


def counter(p, node, name):
    return int(p.c.stores[0].cli("HGET", "hg:{lab}:counters:" + node.unique, name, check=False).strip() or 0)


def grows(p, node, name, than, act=lambda: None):
    """Until the counter is beyond that, with act() again and again."""
    def grown():
        act()
        return counter(p, node, name) > than
    lab.wait_for(grown, 30, f"{name} of {node.name} is more than {than}")


class Recorder:
    """Heartbeats as they leave or reach an interface, whole frames; they may be sent again, spoilt or not."""

    def __init__(self, space, ifname):
        self.socket = space.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((ifname, 0))
        self.socket.settimeout(5)

    def beats(self, source, n):
        """So many heartbeats of that source."""
        found, end = [], time.monotonic() + 30
        while len(found) < n:
            assert time.monotonic() < end, f"{len(found)} heartbeats of {source}"
            frame = self.socket.recv(2000)
            if (frame[12:14] == b"\x08\x00" and frame[23] == 17 and frame[26:30] == socket.inet_aton(source)
                    and struct.unpack("!H", frame[36:38])[0] == PORT and len(frame) >= 42 + 160):
                found.append(frame)
        return found

    def send(self, frames):
        for f in frames:
            self.socket.send(f)


def datagrams(space, payloads, target):
    s = space.socket()
    for data in payloads:
        s.sendto(data, (target, PORT))
    s.close()


def unmoved(p, epoch):
    assert p.row() == "F01" and p.entry()["epoch"] == epoch, p.entry()
    assert p.answered(p.n1) == 200 and p.answered(p.n2) == 200


# ---- heartbeats that are not what they seem ----

def garbled_heartbeats_are_counted(p):
    p.normal()
    epoch, stranger = p.entry()["epoch"], p.c.stores[0]
    before = counter(p, p.n1, "ha_beats_garbled")
    noise = [random.randbytes(random.choice((0, 1, 20, 159, 160, 161, 1200, 1400))) for _ in range(200)]
    grows(p, p.n1, "ha_beats_garbled", before + 100, lambda: datagrams(stranger, noise, p.n1.mgmt_address))
    unmoved(p, epoch)


def forged_heartbeats_are_counted(p):
    """Recorded ones in which a bit is another one, from a machine that is none of the nodes."""
    p.normal()
    epoch = p.entry()["epoch"]
    recorder = Recorder(p.n1, MGMT)
    real = [f[42:] for f in recorder.beats(p.n2.mgmt_address, 5)]

    def spoil(data):
        at = random.randrange(24, len(data))  # behind what says that it is a heartbeat of this cluster
        return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1:]
    before = counter(p, p.n1, "ha_beats_forged")
    grows(p, p.n1, "ha_beats_forged", before + 20,
          lambda: datagrams(p.c.stores[0], [spoil(d) for d in real for _ in range(4)], p.n1.mgmt_address))
    unmoved(p, epoch)


def recorded_heartbeats_do_not_keep_the_dead_alive(p):
    """What a node sent before it died is sent again all the time, as it was: it is counted, and taken for nothing."""
    p.normal()
    recorder = Recorder(p.n1, MGMT)
    real = recorder.beats(p.n1.mgmt_address, 20)
    epoch, before = p.entry()["epoch"], counter(p, p.n2, "ha_beats_replayed")
    grows(p, p.n2, "ha_beats_replayed", before + 20, lambda: recorder.send(real))
    unmoved(p, epoch)
    p.n1.kill()
    end = time.monotonic() + 60
    while p.row() != "F16":
        assert time.monotonic() < end, f"it is still thought to be alive: {p.entry()}"
        recorder.send(real)
        time.sleep(0.05)
    p.served(p.n2)


# ---- links ----

def loss_delay_and_damage_move_nobody(p):
    p.normal()
    epoch = p.entry()["epoch"]
    bad = "loss=0.03 delay_ms=40 jitter_ms=5 duplicate=0.02 corrupt=0.02"
    for wire in (p.n1.mgmt, p.n1.service_wire):
        wire.set(ab=bad, ba=bad)
    received = counter(p, p.n2, "ha_beats_received")
    grows(p, p.n2, "ha_beats_received", received + 100)
    p.served(p.n1)
    p.served(p.n2)
    assert p.row() == "F01" and p.entry()["epoch"] == epoch, p.entry()


def a_far_or_narrow_way_is_an_alarm(p):
    """I01, I02, I15: round trip and throughput to the other nodes are measured all the time, at the limits of the settings."""
    p.normal()
    names = lambda: [a["alarm"] for a in p.n1.hgctl_json("alarm", "list")["alarms"]]
    # the median of the last beats may still be that of the test before, whose wires were as slow
    lab.wait_for(lambda: not {"wan_rtt", "wan_throughput"} & set(names()), 60, "the ways are as good as new")
    p.n1.mgmt.set(ab="delay_ms=45", ba="delay_ms=45")
    try:
        lab.wait_for(lambda: "wan_rtt" in names(), 60, "90 ms are more than 80")
        text = next(a["text"] for a in p.n1.hgctl_json("alarm", "list")["alarms"] if a["alarm"] == "wan_rtt")
        assert "above 80 ms" in text and p.n2.unique in text, text
        assert p.row() == "F01", "nobody moves for that"
    finally:
        p.n1.mgmt.set()
    lab.wait_for(lambda: "wan_rtt" not in names(), 60, "it is near again")
    p.n1.hgctl("set", "cluster.ha.wan_throughput", "10000000")  # 10 Gbit/s is more than these wires have
    lab.wait_for(lambda: "wan_throughput" in names(), 60, "a train was measured")
    p.n1.hgctl("set", "cluster.ha.wan_throughput", "1")
    lab.wait_for(lambda: "wan_throughput" not in names(), 60, "it is wide enough")


def _cut_one_way(p, way):
    p.normal()
    p.n1.mgmt.set(**{way: "cut"})
    p.n1.service_wire.set(**{way: "cut"})
    lab.wait_for(lambda: p.row() in TAKEN_OVER, 60, f"n2 takes over; {p.entry()}")
    p.served(p.n2)
    assert p.answered(p.n1, "u1") is None, "it is cut off"
    p.n1.mgmt.set()
    p.n1.service_wire.set()
    p.served(p.n1, 60)  # by way of n2, or by itself
    p.served(p.n2)


def nobody_hears_a_node(p):
    """It hears its peer all the time, which is not enough to go on."""
    _cut_one_way(p, "ab")


def a_node_hears_nobody(p):
    """Its peer hears it all the time (it knows the MAC for good), takes over all the same, and gives it nothing."""
    mac = re.search(r"link/ether (\S+)", p.n2.ip(f"link show {MGMT}")).group(1)
    p.n1.ip(f"neigh replace {p.n2.mgmt_address} lladdr {mac} dev {MGMT} nud permanent")
    _cut_one_way(p, "ba")
    p.n1.ip(f"neigh del {p.n2.mgmt_address} dev {MGMT}")
    rows = p.rows_seen()[p.mark:]
    assert "F28" in rows and "F26" not in rows, rows


def management_network_cut_one_way(p):
    """The service network is whole, so that both go on talking; the record is lost by one."""
    for way in ("ab", "ba"):
        p.normal()
        p.n1.mgmt.set(**{way: "cut"})
        p.wait("F13", 60)
        p.served(p.n2)
        p.served(p.n1)  # by way of n2
        p.n1.mgmt.set()


# ---- Redis ----

def a_slow_redis_is_waited_for(p):
    """Half a second there and back: commands take their time, nobody moves, nothing is refused."""
    p.normal()
    epoch, store = p.entry()["epoch"], p.c.stores[0]
    store.wire.set(ab="delay_ms=250", ba="delay_ms=250")
    for i in range(3):
        p.n1.hgctl("route", "add", f"slow{i}", f"7{i}*", "10.88.0.21", "--protocol", "udp")
        assert f"slow{i}" in [r["name"] for r in p.n1.hgctl_json("route", "list")["routes"]]
    lab.wait_for(lambda: len(p.n2.hgctl_json("route", "list")["routes"]) >= 3, 30, "the other node has them")
    assert p.row() == "F01" and p.entry()["epoch"] == epoch, p.entry()
    p.served(p.n1)
    store.wire.set()


def added(node, name):
    return node.hgctl("route", "add", name, "8*", "10.88.0.21", "--protocol", "udp", check=False)


def a_full_disk_ends_redis_and_nothing_else(p):
    """Redis that may acknowledge only what is on its disk (appendfsync always) ends when there is no room: nodes go on,
    nothing acknowledged is missing when it comes back."""
    p.normal()
    store = p.c.stores[0]
    store.disk.fill()
    acknowledged = []

    def refused():
        done = added(p.n1, f"full{len(acknowledged)}")
        if done.returncode == 0:
            acknowledged.append(f"full{len(acknowledged)}")
        return done.returncode and "Redis" in done.stdout
    lab.wait_for(refused, 60, "changes are refused with words")
    lab.wait_for(lambda: store.redis.poll() is not None, 30, "Redis ended")
    lab.wait_for(lambda: "Redis is away" in p.n1.hgctl("alarm", "list").stdout, 30, "the alarm")
    p.served(p.n1)
    p.served(p.n2)
    store.disk.free()
    store.start_redis(fsync="always")
    lab.wait_for(lambda: added(p.n1, "room").returncode == 0, 60, "changes are taken again")
    names = store.cli("HKEYS", "hg:{lab}:routes").split()
    assert set(acknowledged) | {"room"} <= set(names), (acknowledged, names)
    for n in (p.n1, p.n2):
        lab.wait_for(lambda n=n: sorted(r["name"] for r in n.hgctl_json("route", "list")["routes"]) == sorted(names), 30,
                     f"{n.name} has them")


TESTS = [garbled_heartbeats_are_counted, forged_heartbeats_are_counted, recorded_heartbeats_do_not_keep_the_dead_alive,
         loss_delay_and_damage_move_nobody, a_far_or_narrow_way_is_an_alarm, nobody_hears_a_node, a_node_hears_nobody, management_network_cut_one_way,
         a_slow_redis_is_waited_for, a_full_disk_ends_redis_and_nothing_else]

if __name__ == "__main__":
    chosen = [t for t in TESTS if len(sys.argv) < 2 or t.__name__ in sys.argv[1:]]
    # Half a second to Redis and back, and a machine that stalls for another one, are no reason to give it up.
    pair = test_ha.Pair(lab.Lab(), disk=24, redis="timeout = 4000;")
    sys.exit(lab.run_tests(chosen, (pair,)))
