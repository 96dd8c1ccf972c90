#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""AA03: each message of RFC 4475 and RFC 5118 over a wire gets what its RFC allows, and the gateway lives on.
The messages stand beside the project (HG_SHARED or ../shared); without them the cases count as skipped."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import config
import lab
import sip

SHARED = os.environ.get("HG_SHARED", os.path.join(lab.TOP, "..", "shared"))


def allowed(pattern, status):
    return pattern == "any" or any(status != p[1:] if p[0] == "!" else re.fullmatch(p, status)
                                   for p in pattern.split("|"))


def outcome(got):
    """The final status, or the first provisional one, or none."""
    return next((s for s in got if s >= "200"), got[0] if got else "none")


def cases():
    for rfc, column in (("rfc4475", 3), ("rfc5118", 2)):
        index = os.path.join(SHARED, "suites", rfc, "INDEX.tsv")
        if not os.path.exists(index):
            continue
        with open(index) as f:
            for line in f:
                if line.startswith("#") or not line.strip():
                    continue
                row = line.rstrip("\n").split("\t")
                yield rfc, row[0], row[column]


def statuses(client, sock, raw, target, silence_is_good):
    """All statuses that come back for one message, until a final one; if silence may be right, until half a second after
    the gateway has answered something that was sent later."""
    want = re.search(rb"(?im)^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?$", raw)
    want = want.group(1).decode("utf-8", "replace") if want else None
    # The answer goes to the port of the top Via (RFC 3261 18.2.2); the socket that asked may be bound to another one.
    port = re.search(rb"(?im)^(?:via|v)[ \t]*:[ \t\r\n]*SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*UDP[ \t\r\n]+[^;,\s\[]*:[ \t]*(\d+)", raw)
    other = int(port.group(1)) if port else 5060
    sock = sock if other == 5060 else client.udp(other, "10.88.0.2")
    sock.sendto(raw, (target, 5060))
    got, lives = [], True

    def collect(wait):
        end = time.monotonic() + wait
        while time.monotonic() < end and outcome(got) in ("none", "100"):
            m, _ = sip.receive(sock, timeout=end - time.monotonic())
            if m and m.status and (want is None or m.get("call-id") in (want, None)):
                got.append(str(m.status))

    if silence_is_good:
        lives = sip.alive(client, target, 5061)
        collect(0.5)
    else:
        collect(30)
    return got, lives and sip.alive(client, target, 5061)


def main():
    todo = list(cases())
    if not todo:
        print("skip torture (no suites beside the project)")
        return 0
    l = lab.Lab()
    client = l.host("client", "10.88.0.2/24", "fd88::2/64")
    # The callee answers whatever is forwarded to it, so that a valid request ends with 200.
    callee = l.host("callee", "10.88.0.11/24")
    l.callee = callee.uas()
    node = l.node("gw", config.text(address="10.88.0.1/24", address6="fd88::1/64", access=["10.88.0.0/24", "fd88::/64"],
                                    routes=[dict(name="any-user", pattern="*", next_hop="10.88.0.11"),
                                            dict(name="any-domain", type="domain", pattern="*", next_hop="10.88.0.11")]))
    node.start_both()
    sock = client.udp(5060, "10.88.0.2")
    passed = failed = 0
    for rfc, name, pattern in todo:
        with open(os.path.join(SHARED, "suites", rfc, name), "rb") as f:
            raw = f.read()
        got, lives = statuses(client, sock, raw, "10.88.0.1", allowed(pattern, "none"))
        good = allowed(pattern, outcome(got)) and lives
        print(f"{'ok' if good else 'FAIL'} {rfc}/{name} answered {','.join(got) or 'none'}, allowed {pattern}"
              + ("" if lives else ", and the gateway no longer answers"), flush=True)
        passed, failed = passed + good, failed + (not good)
    if failed:
        print(node.logs())
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
