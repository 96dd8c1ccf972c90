#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The network side from outside: ARP and ND, ping, fragments, ICMP errors, DSCP, bad checksums, VLAN strangers."""
import os
import re
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import config
import lab
import sip

GW, GW6 = "10.88.0.1", "fd88::1"


def setup():
    l = lab.Lab()
    client = l.host("client", "10.88.0.2/24", "fd88::2/64")
    callee = l.host("callee", "10.88.0.11/24", "fd88::11/64")
    for address in callee.addresses:
        callee.uas(address)
    node = l.node("gw", config.text(address6="fd88::1/64", access=["10.88.0.0/24", "fd88::/64"],
                                    routes=[dict(name="four", pattern="4*", next_hop="10.88.0.11"),
                                            dict(name="six", pattern="6*", next_hop="fd88::11")]))
    node.start_both()
    return l, client, node


def ping4(l, client, node):
    assert " 0% packet loss" in client.run(["ping", "-c", "3", "-i", "0.2", "-W", "20", GW]).stdout


def ping6(l, client, node):
    assert " 0% packet loss" in client.run(["ping", "-c", "3", "-i", "0.2", "-W", "20", GW6]).stdout


def ping_larger_than_the_mtu(l, client, node):
    for target in (GW, GW6):
        assert " 0% packet loss" in client.run(["ping", "-c", "3", "-i", "0.2", "-W", "20", "-s", "4000", target]).stdout


def exchange(client, target, uri, body=b"hi", port=5070, expect=200):
    address = client.addresses[1] if ":" in target else client.addresses[0]
    s = client.udp(port, address)
    try:
        raw = sip.request("MESSAGE", uri, address, port, body=body, headers=["Content-Type: text/plain"])
        s.sendto(raw, (target, 5060))
        m = sip.final(s, sip.Message(raw).get("call-id"))
        assert m is not None, f"no answer from {target} to {uri}"
        assert m.status == expect, m.start
        return m
    finally:
        s.close()


def sip_over_ipv4(l, client, node):
    exchange(client, GW, "sip:4711@example.com")


def sip_over_ipv6(l, client, node):
    """AA26: IPv6 on both sides."""
    m = exchange(client, GW6, "sip:6711@example.com")
    assert "[fd88::2]" in m.get("via"), m.get("via")


def sip_from_ipv4_to_ipv6_and_back(l, client, node):
    """AA26: the two families mix."""
    exchange(client, GW, "sip:6711@example.com")
    exchange(client, GW6, "sip:4711@example.com")


def large_message_in_fragments(l, client, node):
    for target, uri in ((GW, "sip:4711@example.com"), (GW6, "sip:6711@example.com"), (GW, "sip:6711@example.com")):
        exchange(client, target, uri, body=b"x" * 20000)


def closed_port_is_unreachable(l, client, node):
    s = client.udp(5071)
    s.connect((GW, 9))
    s.send(b"anybody?")
    try:
        s.settimeout(30)
        s.recv(100)
        raise AssertionError("something answered on port 9")
    except ConnectionRefusedError:
        pass
    finally:
        s.close()


def dscp_is_24(l, client, node):
    """M18: what we send carries DSCP 24 (TOS 0x60)."""
    p = client.start_capture("dscp.log", "-lnvi", "eth0", "-c", "2", "src", "host", GW, "and", "udp")
    exchange(client, GW, "sip:4711@example.com")
    exchange(client, GW, "sip:4712@example.com")
    try:
        p.wait(30)
    except subprocess.TimeoutExpired:
        l.end(p)
    with open(os.path.join(l.dir, "dscp.log")) as f:
        text = f.read()
    marks = re.findall(r"tos (0x[0-9a-f]+)", text)
    assert marks and set(marks) == {"0x60"}, f"{marks}\n{text}"


def scapy(client, code):
    return client.run(["/usr/bin/python3", "-c", "from scapy.all import *\nconf.verb=0\n" + code], timeout=180).stdout


def counter(node, name, more_than, seconds=60):
    lab.wait_for(lambda: node.counters().get(name, 0) > more_than, seconds, f"{name} above {more_than}")


def bad_frames_are_counted_and_harmless(l, client, node):
    before = node.settled_counters()
    scapy(client, f"""
e = Ether(dst=getmacbyip("{GW}"))
ip = IP(src="10.88.0.2", dst="{GW}")
sendp(e/ip/UDP(sport=5099, dport=5060, chksum=0x1234)/b"OPTIONS sip:x SIP/2.0", iface="eth0", count=3)
sendp(e/IP(src="10.88.0.2", dst="{GW}", chksum=0x1234)/UDP(dport=5060)/b"x", iface="eth0", count=3)
sendp(e/IP(src="127.0.0.1", dst="{GW}")/UDP(dport=5060)/b"x", iface="eth0", count=3)
sendp(e/IP(src="10.88.0.2", dst="{GW}", len=2000)/UDP(dport=5060)/b"x", iface="eth0", count=3)
sendp(e/Dot1Q(vlan=99)/ip/UDP(dport=5060)/b"x", iface="eth0", count=3)
sendp(e/b"\\x00"*3, iface="eth0", count=3)
sendp(e/IP(src="10.88.0.2", dst="10.99.9.9")/UDP(dport=5060)/b"x", iface="eth0", count=3)
a = IP(src="10.88.0.2", dst="{GW}", id=77, flags="MF", proto=17)/(b"A"*64)
b = IP(src="10.88.0.2", dst="{GW}", id=77, frag=4, proto=17)/(b"B"*64)
sendp([e/a, e/b], iface="eth0", count=3)
""")
    for name in ("drop_udp_bad_checksum", "drop_ip_bad_checksum", "drop_ip_martian", "drop_ip_bad_header",
                 "drop_eth_unknown_vlan", "drop_ip_not_local", "drop_frag_bad"):
        counter(node, name, before.get(name, 0))
    exchange(client, GW, "sip:4711@example.com")


def every_frame_has_one_disposition(l, client, node):
    """DESIGN 4: the dispositions add up, at quiescence, seen from outside."""
    for i in range(50):
        exchange(client, GW, "sip:4711@example.com")
    c = node.settled_counters()
    # Fragments that never became whole were parked first: net/stage.h.
    net = sum(v for k, v in c.items() if k in NET_DROPS and k != "drop_frag_timeout")
    ends = ("net_up_datagrams", "net_up_segments", "net_control", "net_answered", "net_absorbed", "net_handed_over",
            "net_parked_fragments")
    assert c["rx_frames"] == sum(c[e] for e in ends) + net, {e: c[e] for e in ends} | {"rx": c["rx_frames"], "drops": net}
    sip_drops = sum(v for k, v in c.items() if k in SIP_DROPS)
    ends = ("sip_forwarded", "sip_answered", "sip_absorbed", "sip_handed_over")
    assert c["net_up_datagrams"] == sum(c[e] for e in ends) + sip_drops, {e: c[e] for e in ends} | {
        "up": c["net_up_datagrams"], "drops": sip_drops}


def read_drops(layer):
    with open(os.path.join(lab.TOP, "include", "hg", "drops.def")) as f:
        return {f"drop_{m.group(1)}" for m in re.finditer(rf"^HG_DROP\((\w+), {layer},", f.read(), re.M)}


NET_DROPS, SIP_DROPS = read_drops("net"), read_drops("sip")

if __name__ == "__main__":
    sys.exit(lab.run_tests([ping4, ping6, ping_larger_than_the_mtu, sip_over_ipv4, sip_over_ipv6,
                            sip_from_ipv4_to_ipv6_and_back, large_message_in_fragments, closed_port_is_unreachable,
                            dscp_is_24, bad_frames_are_counted_and_harmless, every_frame_has_one_disposition], setup()))
