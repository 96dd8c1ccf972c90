# SPDX-License-Identifier: BSD-2-Clause
"""Small pieces of SIP for tests: build requests and answers, read what came, nothing more than that."""
import os
import random
import re
import socket


def host_form(address):
    return f"[{address}]" if ":" in address else address


def request(method, uri, src, sport=5060, call_id=None, branch=None, cseq=1, headers=(), body=b"", to=None, from_tag=None,
            max_forwards=70, rport=True, from_uri=None, to_tag=None):
    """A request as bytes; headers are whole lines that stand before Content-Length."""
    call_id = call_id or f"{os.getpid()}-{random.getrandbits(48):x}@{src}"
    branch = branch or f"z9hG4bK{random.getrandbits(60):x}"
    at = host_form(src)
    lines = [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/UDP {at}:{sport};branch={branch}" + (";rport" if rport else "")]
    if max_forwards is not None:
        lines.append(f"Max-Forwards: {max_forwards}")
    lines += [f"From: <{from_uri or f'sip:tester@{at}'}>;tag={from_tag or 'f' + call_id[:8]}",
              f"To: <{to or uri}>" + (f";tag={to_tag}" if to_tag else ""), f"Call-ID: {call_id}", f"CSeq: {cseq} {method}"]
    lines += list(headers)
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class Message:
    """A received message: start line, headers in order (names in lower case, long form), body."""
    LONG = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type"}

    def __init__(self, raw):
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = re.sub(rb"\r\n[ \t]+", b" ", head).decode("utf-8", "replace").split("\r\n")
        self.start = lines[0]
        self.headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.headers.append((self.LONG.get(name, name), value.strip()))
        m = re.match(r"SIP/2\.0 (\d{3})", self.start)
        self.status = int(m.group(1)) if m else None
        self.method = None if m else self.start.split(" ")[0]
        self.uri = None if m or len(self.start.split(" ")) < 2 else self.start.split(" ")[1]

    def all(self, name):
        return [v for n, v in self.headers if n == name.lower()]

    def get(self, name):
        return next(iter(self.all(name)), None)

    def vias(self):
        return [v.strip() for line in self.all("via") for v in line.split(",")]


def answer(req, status, phrase="Answer", headers=(), tag="callee", body=b"", contact=None):
    """A response to a received Message, as a user agent builds it."""
    lines = [f"SIP/2.0 {status} {phrase}"]
    lines += [f"Via: {v}" for v in req.vias()]
    lines += [f"Record-Route: {v}" for v in req.all("record-route")]
    to = req.get("to")
    if status > 100 and ";tag=" not in to:
        to += f";tag={tag}"
    lines += [f"From: {req.get('from')}", f"To: {to}", f"Call-ID: {req.get('call-id')}", f"CSeq: {req.get('cseq')}"]
    if contact:
        lines.append(f"Contact: <{contact}>")
    lines += list(headers) + [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def receive(sock, want=lambda m: True, timeout=30.0):
    """The next SIP message that want() likes, with its source; None when none came in time."""
    import time
    end = time.monotonic() + timeout
    while True:
        left = end - time.monotonic()
        if left <= 0:
            return None, None
        sock.settimeout(left)
        try:
            raw, src = sock.recvfrom(70000)
        except (socket.timeout, TimeoutError):
            return None, None
        if len(raw) < 12:
            continue
        m = Message(raw)
        if want(m):
            return m, src


def final(sock, call_id, timeout=30.0):
    m, _ = receive(sock, lambda m: m.status and m.status >= 200 and m.get("call-id") == call_id, timeout)
    return m


def alive(host, target, port=5061, tries=10):
    """Does the gateway answer an OPTIONS to itself?"""
    address = next(a for a in host.addresses if (":" in a) == (":" in target))
    s = host.udp(port, address)
    try:
        for _ in range(tries):
            raw = request("OPTIONS", f"sip:{host_form(target)}", address, port)
            s.sendto(raw, (target, 5060))
            if final(s, Message(raw).get("call-id"), 2.0):
                return True
        return False
    finally:
        s.close()
