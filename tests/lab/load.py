# SPDX-License-Identifier: BSD-2-Clause
"""A bounded stream of MESSAGE requests with an account of each one: sent, answered, with which status."""
import random
import threading
import time

import lab
import sip


class Load:
    """Sends rate requests a second from one socket until stop(); the callee (uas.py) answers them."""

    def __init__(self, host, target, uri, rate=300, port=5070, address=None, most=100000):
        self.address = address or next(a for a in host.addresses if (":" in a) == (":" in target))
        self.sock = host.udp(port, self.address)
        self.target, self.uri, self.rate, self.port, self.most = target, uri, rate, port, most
        self.sent, self.answered, self.again = {}, {}, 0
        self.running = True
        self.run_id = f"{random.getrandbits(40):x}"
        self.sender = threading.Thread(target=self._send, daemon=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.sender.start()

    def _send(self):
        start, n = time.monotonic(), 0
        while self.running and n < self.most:
            due = int((time.monotonic() - start) * self.rate)
            while n < due and n < self.most:
                call_id = f"{self.run_id}-{n}@load"
                raw = sip.request("MESSAGE", self.uri(n) if callable(self.uri) else self.uri, self.address, self.port,
                                  call_id=call_id, headers=["Content-Type: text/plain"], body=b"load")
                self.sent[call_id] = time.monotonic()
                try:
                    self.sock.sendto(raw, (self.target, 5060))
                except OSError:  # ICMP unreachable of an earlier datagram
                    pass
                n += 1
            time.sleep(0.002)

    def _read(self):
        while self.running is not None:
            m, _ = sip.receive(self.sock, timeout=0.2)
            if m is None or not m.status or m.status < 200:
                continue
            c = m.get("call-id")
            if c not in self.sent:  # another's Via may be mutated into our port
                continue
            if c in self.answered:
                self.again += 1
            self.answered[c] = m.status

    def wait_sent(self, more, seconds=60):
        """Until so many more requests were sent."""
        goal = len(self.sent) + more
        lab.wait_for(lambda: len(self.sent) >= goal, seconds, f"{more} more requests were sent")

    def stop(self, settle=30.0, since=0.0):
        """Ends sending, waits until all that was sent after since is answered or settle has passed; returns the calls
        without answer, older ones as well."""
        self.running = False
        self.sender.join()
        end = time.monotonic() + settle
        waiting = [c for c, at in self.sent.items() if at >= since]
        while time.monotonic() < end and not all(c in self.answered for c in waiting):
            time.sleep(0.05)
        self.running = None
        self.reader.join()
        self.sock.close()
        return [c for c in self.sent if c not in self.answered]

    def statuses(self):
        count = {}
        for s in self.answered.values():
            count[s] = count.get(s, 0) + 1
        return count
