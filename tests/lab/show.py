#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""deploy/quickstart.sh --nodes N: a cluster of pairs on this machine, failing over under load.

  show.py NODES [--check]     NODES is even; with --check it ends after the report, non-zero if anything was wrong

Brings up the nodes, Redis with a replica and three Sentinels, users with a phone, and requests to them all the time.
Then a node is killed, its users move to the peer, the node comes back and takes them back."""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cluster
import epochs
import lab

USERS, RATE = 400, 400


def say(text):
    print(text, flush=True)


def stand_up(nodes, **settings):
    """settings: of cluster.Cluster, for who wants wires and disks that can be spoilt (hand.py)."""
    say(f"1/5 {nodes} nodes, Redis with two replicas, three Sentinels")
    lab.clear_left_behind()
    l = lab.Lab()
    phones = l.host("phones", "10.88.0.50/24")
    c = cluster.Cluster(l, nodes, replicas=2, sentinels=3, cluster=cluster.SECRET + cluster.FAST, access=["10.88.0.0/24"],
                        **settings)
    c.start(seconds=180)
    say("2/5 pairs with high availability, service addresses, users with a phone each")
    pairs = range(nodes // 2)
    c.form(a=[f"10.88.0.{101 + 2 * i}/24" for i in pairs], b=[f"10.88.0.{102 + 2 * i}/24" for i in pairs])
    probe = cluster.Probe(phones, USERS, nodes)
    c.import_users(USERS, probe.contact)
    return l, c, probe


def screen(node):
    for line in node.hgctl("ha", "status").stdout.rstrip().split("\n"):
        say("    " + line)


def with_epoch(server):
    if server.get("outside"):
        return " WITHOUT ITS EPOCH"
    return f" (epoch {', '.join(str(e) for e in server['epochs'])})" if server.get("epochs") else ""


def account(c, probe, since_ns):
    """Prints what the phones saw; returns (worst ms, requests lost of users whose node was not killed)."""
    worst, unaffected = 0, 0
    for i, k in enumerate(probe.rest()):
        by = ", ".join(f"{s['ip']} {s['n']}" + with_epoch(s) for s in k["servers"])
        ms = max(0, (k["last_bad_ns"] - since_ns) // 1000000) if k["last_bad_ns"] else 0
        say(f"    users of {c.nodes[i].name}: {k['ok']} of {k['sent']} requests answered, served by {by}"
            + (f"; not served for {ms} ms" if k["last_bad_ns"] else "") + ("; BY TWO AT ONCE" if k["back_and_forth"] else ""))
        if i == 0:
            worst = ms
        else:
            unaffected += k["sent"] - k["ok"]
        unaffected += k["back_and_forth"] + sum(s.get("outside", False) for s in k["servers"])
    return worst, unaffected


def fail_over(c, probe):
    entries = [n.address for n in c.nodes[1:]]
    probe.begin(entries, RATE)
    lab.wait_for(lambda: min(k["ok"] for k in probe.report()) > RATE // 8, 60, "every user is served")
    probe.reset()
    time.sleep(1)
    say(f"3/5 {c[1].unique} is killed (SIGKILL, both processes) under {RATE} requests a second")
    at = time.monotonic_ns()
    c[1].kill()
    lab.wait_for(lambda: any(s["ip"] == c[2].address for s in probe.report()[0]["servers"]), 60, "the peer takes over")
    time.sleep(1)
    worst, lost = account(c, probe, at)
    screen(c[2])
    return worst, lost


def fall_back(c, probe):
    say(f"4/5 {c[1].unique} is started again and takes its users back (hgctl ha fallback)")
    probe.begin([n.address for n in c.nodes[1:]], RATE)
    at = time.monotonic_ns()
    c[1].start_both()
    c[2].insist("ha", "fallback", c[1].unique, "--yes", seconds=90)
    c.wait_rows("F01")
    time.sleep(1)
    worst, lost = account(c, probe, at)
    screen(c[2])
    return worst, lost


def stay(l, c, probe):
    probe.begin([n.address for n in c.nodes], RATE)
    sudo = "sudo " if shutil.which("sudo") else ""
    space = lambda n: f"{sudo}ip netns exec {n.ns} "
    hgctl = lambda n: f"{space(n)}{lab.BUILD}/controlplane/hgctl --socket {n.socket_path} "
    first, second = c[1], c[2]
    say("\nIt stays up until Ctrl-C, with requests going on. From another terminal:")
    for n in (first, second):
        say(f"  {hgctl(n)}ha status --watch")
    say(f"  {hgctl(second)}ha failover {first.unique}")
    say(f"  {space(c.stores[0])}redis-cli -h {c.stores[0].address} HGETALL 'hg:{{StandaloneCluster}}:ha'")
    say(f"  {sudo}kill -9 {first.cp.pid} {first.dp.pid}        # {first.unique}; to start it again, and to give it its users back:")
    for program in ("controlplane/hg-controlplane", "dataplane/hg-dataplane"):
        say(f"  {space(first)}{lab.BUILD}/{program} -c {first.config_file} &")
    say(f"  {hgctl(second)}ha fallback {first.unique} --yes")
    say(f"Logs and configuration: {l.dir}")
    while True:
        time.sleep(3600)


def main():
    words = [w for w in sys.argv[1:] if w != "--check"]
    nodes = int(words[0]) if words and words[0].isdigit() else 0
    if nodes < 2 or nodes % 2 or nodes > 6:
        sys.exit("show.py: 2, 4 or 6 nodes")
    l, c, probe = stand_up(nodes)
    probe.epochs = epochs.Epochs(c)
    worst, lost = fail_over(c, probe)
    _, lost_back = fall_back(c, probe)
    good = worst < 5000 and not lost and not lost_back
    say("5/5 " + (f"users of the killed node were without service for {worst} ms; nobody else noticed" if good else
                  f"NOT as it should be: {worst} ms, {lost} and {lost_back} requests of the others lost"))
    if "--check" in sys.argv:
        return 0 if good else 1
    stay(l, c, probe)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
